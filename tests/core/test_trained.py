import pytest

from core import trained
from core.errors import CloudbrushError, NotFound
from core.store.engine import Store
from core.store.tables import ProjectRow


@pytest.fixture
def project_id(store: Store) -> int:
    with store.write() as session:
        row = ProjectRow(
            name="p", kind="land_cover", reader="r", root="/", preset="plain", class_table="c"
        )
        session.add(row)
        session.flush()
        return row.id


def add(store: Store, project_id: int, name: str, parent_id: int | None = None) -> int:
    card = {"network": "unet", "bands": {"sar": 1}, "sha256": "0" * 64}
    weights = store.workspace / "models" / f"{name}.safetensors"
    return trained.add_model(store, project_id, name, weights, card, parent_id).id


def test_models_form_a_tree(store: Store, project_id: int) -> None:
    first = add(store, project_id, "first")
    second = add(store, project_id, "second", first)
    record = trained.model(store, second)
    assert [m.name for m in trained.lineage(store, record)] == ["second", "first"]
    assert [m.name for m in trained.models(store, project_id)] == ["first", "second"]
    assert record.weights_path == store.workspace / "models" / "second.safetensors"
    assert not record.uses_optical
    with pytest.raises(NotFound, match="model 99"):
        trained.model(store, 99)


def test_a_promotion_can_be_taken_back(store: Store, project_id: int) -> None:
    a, b = add(store, project_id, "a"), add(store, project_id, "b")

    def shown() -> int | None:
        record = trained.promoted(store, project_id)
        return record.id if record else None

    assert shown() is None
    for promoted in (a, b, a):
        trained.promote(store, project_id, promoted)
        assert shown() == promoted
    for expected in (b, a, None):
        trained.take_back(store, project_id)
        assert shown() == expected
    with pytest.raises(CloudbrushError, match="promotion"):
        trained.take_back(store, project_id)
    trained.promote(store, project_id, b)
    assert shown() == b
    assert len(trained.promotions(store, project_id)) == 7  # nothing was deleted


def test_promoting_twice_changes_nothing(store: Store, project_id: int) -> None:
    a = add(store, project_id, "a")
    trained.promote(store, project_id, a)
    trained.promote(store, project_id, a)
    trained.take_back(store, project_id)
    assert trained.promoted(store, project_id) is None


def test_models_of_other_projects_are_not_promoted(store: Store, project_id: int) -> None:
    a = add(store, project_id, "a")
    with pytest.raises(NotFound):
        trained.promote(store, project_id + 1, a)
