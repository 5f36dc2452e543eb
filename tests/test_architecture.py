"""Imports run one way: app -> models -> data -> core, and the rooms keep their walls."""

import ast
from pathlib import Path
from typing import TypeGuard

import pytest

ROOT = Path(__file__).resolve().parents[1]
ORDER = ("core", "data", "models", "app")
FORBIDDEN = {
    "core": {"streamlit", "torch"},
    "data": {"streamlit", "torch"},
    "models": {"streamlit"},
}


def imported_modules(path: Path) -> set[str]:
    """Return every absolute module name that a file imports, at its top or inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("room", ORDER)
def test_imports_run_one_way(room: str) -> None:
    later = set(ORDER[ORDER.index(room) + 1 :]) | {"tests"} | FORBIDDEN.get(room, set())
    for path in (ROOT / room).rglob("*.py"):
        roots = {name.split(".")[0] for name in imported_modules(path)}
        assert not roots & later, f"{path.relative_to(ROOT)} imports {sorted(roots & later)}"


@pytest.mark.parametrize("room", ORDER)
def test_nothing_unpickles(room: str) -> None:
    for path in (ROOT / room).rglob("*.py"):
        roots = {name.split(".")[0] for name in imported_modules(path)}
        assert not roots & {"pickle", "joblib", "dill", "shelve"}, path
        text = path.read_text()
        if "load" not in text:
            continue
        loads = [node for node in ast.walk(ast.parse(text)) if _is_torch_load(node)]
        if path != ROOT / "models" / "weight_files.py":
            assert not loads, path
        for load in loads:
            safe = {key.arg: ast.unparse(key.value) for key in load.keywords}
            assert safe.get("weights_only") == "True", path


def _is_torch_load(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load"
