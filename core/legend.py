"""Names of classes that a dataset does not publish: asked for once, kept, and waited for.

A class without a name keeps a placeholder. Training and scoring wait until each code has a name,
because a map of unnamed codes can be right by its numbers and wrong by its meaning.
"""

from collections.abc import Mapping

from sqlalchemy import select

from core.classes import ClassEntry, ClassTable
from core.errors import ClassTableError, NotFound
from core.records import Project
from core.store.engine import Store
from core.store.tables import ClassEntryRow, ProjectRow


def unnamed_name(code: int) -> str:
    """Return the placeholder that stands for the name of a code."""
    return f"code {code} (no name yet)"


def unnamed(classes: ClassTable) -> tuple[int, ...]:
    """Return the codes that still have no name."""
    return tuple(e.code for e in classes.entries if e.name.strip() in ("", unnamed_name(e.code)))


def require_named(project: Project) -> None:
    """Raise `ClassTableError` while a code of the project has no name."""
    codes = unnamed(project.classes)
    if codes:
        raise ClassTableError(
            f"classes of {project.name}",
            found=f"no name for code {', '.join(map(str, codes))}",
            expected="a name for each code",
            todo="Name them on the Train or Compare page; the dataset does not publish a legend.",
        )


def name_classes(store: Store, project_id: int, names: Mapping[int, str]) -> None:
    """Keep names of classes, by code; codes that are not given stay as they are.

    Raises `NotFound` without the project and `ClassTableError` for unknown codes and for names that
    are empty, longer than 80 letters or given twice.
    """
    with store.write() as session:
        if session.get(ProjectRow, project_id) is None:
            raise NotFound(f"project {project_id}", todo="Go back to Home.")
        query = select(ClassEntryRow).where(ClassEntryRow.project_id == project_id)
        rows = {row.code: row for row in session.scalars(query)}
        for code, name in names.items():
            text = " ".join(name.split())
            if code not in rows or not 1 <= len(text) <= 80:
                raise ClassTableError(
                    f"code {code}", found=repr(text[:90]), expected="a code with a name of 1 to 80"
                )
            rows[code].name = text
        given = [row.name.lower() for row in rows.values()]
        twice = {name for name in given if given.count(name) > 1}
        if twice:
            raise ClassTableError(
                "names of classes", found=f"{', '.join(sorted(twice))} twice", expected="each once"
            )


def remembered(store: Store, reader: str, classes: ClassTable) -> ClassTable:
    """Return the table with the names and colours that people gave to this reader's codes before.

    The newest project of the reader that names a code wins; codes that nobody named stay unnamed.
    """
    missing = set(unnamed(classes))
    if not missing:
        return classes
    known: dict[int, ClassEntry] = {}
    with store.read() as session:
        query = (
            select(ClassEntryRow)
            .join(ProjectRow, ProjectRow.id == ClassEntryRow.project_id)
            .where(ProjectRow.reader == reader, ProjectRow.class_table == classes.name)
            .order_by(ProjectRow.id)
        )
        for row in session.scalars(query):
            if row.code in missing and row.name != unnamed_name(row.code):
                known[row.code] = ClassEntry(row.code, row.name, row.colour)
    entries = tuple(known.get(entry.code, entry) for entry in classes.entries)
    return ClassTable(classes.name, entries, classes.void)
