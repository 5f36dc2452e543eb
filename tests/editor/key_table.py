"""The table of keys in docs/correct.md, made from the editor's command table.

`python -m tests.editor.key_table` writes it again.
"""

import re
from pathlib import Path
from typing import Any

from tests.editor.node import call

PAGE = Path(__file__).resolve().parents[2] / "docs" / "correct.md"
MARKED = re.compile(r"(<!-- keys -->\n).*?(<!-- /keys -->)", re.DOTALL)


def commands() -> list[dict[str, Any]]:
    """Return the command table as the browser has it: id, group, keys, label, help."""
    found: list[dict[str, Any]] = call("commands.js", "(commands) => commands.describe()")
    return found


def table(entries: list[dict[str, Any]]) -> str:
    """Return the table in Markdown; the classes share a row."""
    lines = ["| Key | Command | What it does |", "|---|---|---|"]
    for entry in entries:
        number = entry["id"].removeprefix("class-")
        if number.isdecimal() and int(number) > 1:
            continue
        keys = " or ".join(f"`{key}`" for key in entry["keys"])
        label, text = entry["label"], entry["help"]
        if number == "1":
            keys = "`1` to `9`, `Shift+0` to `Shift+9`"
            label, text = "Class 1 to 19", "Paint with that class of the list."
        lines.append(f"| {keys} | {label} | {text} |")
    return "\n".join(lines) + "\n"


def with_table(text: str, entries: list[dict[str, Any]]) -> str:
    """Return the page with its table made anew."""
    return MARKED.sub(lambda found: found[1] + table(entries) + found[2], text)


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(), commands()))
