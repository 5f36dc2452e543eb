"""Labels of whole patches leave as CSV that another reader takes as it is."""

from io import StringIO
from pathlib import Path

import pandas as pd

from core import history
from core.export.patches import patch_csv
from core.store.engine import Store
from core.stroke import Effect
from tests.core.test_patch_labels import LISTED, cell, listed, one, stored, whole
from tests.rasters import dataset


def frame(store: Store, project_id: int) -> pd.DataFrame:
    text = patch_csv(store, project_id)
    return pd.read_csv(StringIO(text), keep_default_na=False).set_index("patch")


def test_one_class_for_each_patch(tmp_path: Path, store: Store) -> None:
    (a, b), ada = stored(store, dataset(tmp_path, one(tmp_path, "a", 6), one(tmp_path, "b", 3)))
    history.append(store, a.id, whole(a, 1, to_class=8), ada)
    history.append(store, b.id, whole(b, 2, effect=Effect.VERIFY), ada)
    table = frame(store, a.project_id)
    assert table["classes"].to_dict() == {"a": "Building", "b": "Developed space"}
    assert table["published_codes"].to_dict() == {"a": 6, "b": 3}
    assert table["provenance"].to_dict() == {"a": "changed", "b": "verified"}
    assert table["changed_by"].tolist() == ["Ada", "Ada"]
    saved = history.timeline(store, a.id)[-1].saved_at
    assert abs(pd.Timestamp(table["changed_at"]["a"]) - saved) < pd.Timedelta("1s")


def test_lists_have_a_column_for_each_class(tmp_path: Path, store: Store) -> None:
    parts = [listed(tmp_path, "a", 0, 2), listed(tmp_path, "b")]
    (a, _), ada = stored(store, dataset(tmp_path, *parts, kind="patch_list", classes=LISTED))
    history.append(store, a.id, cell(1, 1, 1), ada)
    table = frame(store, a.project_id)
    assert [table[name]["a"] for name in ("c0", "c1", "c2")] == [1, 1, 1]
    assert [table[name]["b"] for name in ("c0", "c1", "c2")] == [0, 0, 0]
    assert table.loc["a", "classes"] == "c0; c1; c2"
    assert table.loc["a", "published_classes"] == "c0; c2"
    assert table.loc["a", "provenance"] == "pseudo; changed"
    assert table.loc["b", "classes"] == "" and table.loc["b", "changed_by"] == ""
