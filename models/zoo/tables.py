"""Write the tables of docs/noise.md, recipes.md and training.md: `python -m models.zoo.tables`.

A page holds its tables between two comments with a name; what is written by hand around them stays.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from models.request import RetrainRequest
from models.zoo.augment import AUGMENTATIONS
from models.zoo.entry import Option
from models.zoo.losses import LOSSES
from models.zoo.recipes import RECIPES, Recipe
from models.zoo.training import SETTINGS

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("noise.md", "recipes.md", "training.md")


def written(text: str) -> str:
    """Return a page with its tables as they are now; raises `KeyError` for an unknown table."""
    tables = {
        "losses": _losses,
        "augmentations": _augmentations,
        "recipes": _recipes,
        "settings": _settings,
    }
    pattern = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
    return pattern.sub(lambda m: f"{m[1]}{tables[m[2]]()}{m[3]}", text)


def _losses() -> str:
    rows = [
        f"| `{name}` | {entry.title} | {entry.says} | {_numbers(entry.params)} | {entry.source} |"
        for name, entry in LOSSES.items()
    ]
    return _table("name | loss | what it does | numbers | source", rows)


def _augmentations() -> str:
    rows = [
        f"| `{name}` | {entry.title} | {entry.of} | {entry.says} | {_numbers(entry.params)} |"
        for name, entry in AUGMENTATIONS.items()
    ]
    return _table("name | augmentation | of | what it does | numbers", rows)


def _settings() -> str:
    page = RetrainRequest()
    rows = [
        f"| `{name}` | {entry.title} | {_shown_value(getattr(page, name))} | "
        f"{_accepted(entry.option)} | {entry.says} | {entry.source} |"
        for name, entry in SETTINGS.items()
    ]
    return _table("name | setting | default of the page | accepts | what it does | source", rows)


def _recipes() -> str:
    return "\n".join(_recipe(name, recipe) for name, recipe in RECIPES.items())


def _recipe(name: str, recipe: Recipe) -> str:
    steps = [
        f"{number}. {step.says}" + (f" ({step.share:g} of the steps)." if step.share else ".")
        for number, step in enumerate(recipe.steps, 1)
    ]
    lines = [
        f"### {recipe.title}\n",
        f"`{name}`, for {' and '.join(recipe.tasks)}. {recipe.says}\n",
        *steps,
        f"\n- Source: {recipe.source}. Licence of its code: {recipe.licence}.",
        f"- Published: {recipe.published}",
        f"- Our choice: {recipe.ours}",
    ]
    if recipe.needs:
        kept = f"; the kept network reads {' and '.join(recipe.inputs)}" if recipe.inputs else ""
        lines.append(f"- Tiles need {' and '.join(recipe.needs)}{kept}.")
    if recipe.fixes():
        lines.append(f"- Fixed: {'; '.join(recipe.fixes().values())}.")
    if recipe.why_network:
        lines.append(f"- Network: `{recipe.network}` alone. {recipe.why_network}")
    if recipe.settings:
        rows = [
            f"| `{key}` | {_shown(option)} | {_accepted(option)} | {option.help} |"
            for key, option in recipe.settings.items()
        ]
        lines.append("\n" + _table("setting | default | accepts | ", rows))
    return "\n".join(lines).rstrip("\n") + "\n"


def _table(head: str, rows: list[str]) -> str:
    rule = "|".join("---" for _ in head.split("|"))
    return "\n".join([f"| {head} |", f"|{rule}|", *rows]) + "\n"


def _numbers(params: Mapping[str, Option]) -> str:
    return "; ".join(f"`{k}` {_shown(o)} ({_accepted(o)})" for k, o in params.items()) or "none"


def _accepted(option: Option) -> str:
    return "a network of any input" if len(option.choices) > 6 else option.expected


def _shown(option: Option) -> str:
    return _shown_value(option.default)


def _shown_value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    for page in PAGES:
        path = DOCS / page
        path.write_text(written(path.read_text()))
