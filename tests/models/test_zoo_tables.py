import subprocess
import sys

import pytest

from models.zoo.augment import AUGMENTATIONS
from models.zoo.losses import LOSSES
from models.zoo.recipes import RECIPES
from models.zoo.tables import DOCS, PAGES, written


@pytest.mark.parametrize("page", PAGES)
def test_the_tables_of_a_page_are_current(page: str) -> None:
    text = (DOCS / page).read_text()
    assert text == written(text), "run `python -m models.zoo.tables`"


def test_every_entry_is_on_a_page() -> None:
    noise, recipes = ((DOCS / page).read_text() for page in PAGES[:2])
    assert all(f"| `{name}` |" in noise for name in (*LOSSES, *AUGMENTATIONS))
    assert all(f"`{name}`, for " in recipes for name in RECIPES)


def test_the_tables_need_no_torch() -> None:
    code = "import sys, models.zoo.recipes, models.zoo.tables; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
