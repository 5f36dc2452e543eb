"""The docs name what exists: every setting, dependency, page and make target."""

import re
from pathlib import Path

import pytest

from app.__main__ import parse
from core.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
DOCS = sorted((ROOT / "docs").rglob("*.md"))


def pinned() -> list[str]:
    lines = (ROOT / "requirements.txt").read_text() + (ROOT / "requirements-dev.txt").read_text()
    return [line for line in lines.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    assert f"CLOUDBRUSH_{name.upper()}" in text
    assert f"`--{name.replace('_', '-')}`" in text


def test_every_setting_is_a_flag() -> None:
    assert set(Settings.model_fields) <= set(vars(parse([])))


def test_every_dependency_is_pinned_and_explained() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text()
    for line in pinned():
        name, _, version = line.partition("==")
        assert version, f"{line} is not pinned"
        assert f"| {name} |" in text, f"{name} is not in docs/dependencies.md"


@pytest.mark.parametrize("page", [ROOT / "README.md", *DOCS], ids=lambda page: page.name)
def test_links_and_pictures_exist(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
        if not re.match(r"https?://|mailto:", target):
            assert (page.parent / target).exists(), f"{page.name} points at {target}"


def test_make_targets_in_the_readme_exist() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for target in re.findall(r"make (\w+)", (ROOT / "README.md").read_text()):
        assert target in targets


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_no_part_of_a_page_stands_there_twice(page: Path) -> None:
    heads = re.findall(r"^## .+", page.read_text(), re.MULTILINE)
    assert len(heads) == len(set(heads))
