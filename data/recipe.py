"""How a folder is read, as it is kept: which reader, which classes, and the patterns confirmed.

A page makes a recipe from what a person confirmed. A job finds the tiles by it, and a later look
for changes finds them in the same way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.classes import ClassEntry, ClassTable
from core.cut import cut
from core.found import Cut, FoundDataset
from core.records import Modality, Project, Unit
from data.readers import cubes, patterns, reader
from data.readers.patterns import Proposal, Role, find_by
from data.readers.spec_reader import SpecReader

OPTION = "import"  # the name of what is kept with a project: recipe and state of its import


@dataclass(frozen=True)
class Recipe:
    """A folder, its reader's key, what was confirmed, the roles of a folder of
    patterns or variables, the way of splitting, and how scenes are cut."""

    root: Path
    reader: str
    kind: str
    preset: str
    classes: ClassTable
    roles: tuple[Role, ...] = ()
    way: str | None = None
    cut: Cut | None = None

    def find(self) -> FoundDataset:
        """Return the tiles of the folder as they are now; raises `DatasetError`."""
        if self.reader == patterns.KEY:
            found = find_by(self.root, Proposal(self.roles, self.classes))
        elif self.reader == cubes.KEY:
            found = cubes.find_by(self.root, self.roles)
        else:
            known = reader(self.reader)
            if isinstance(known, SpecReader):
                found = known.find(self.root, self.way)
            else:
                found = known.find(self.root)
        if self.cut:
            found = cut(found, self.cut)
        return replace(found, kind=self.kind, preset=self.preset, classes=self.classes)  # type: ignore[arg-type]  # one of the kinds, as it came

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as JSON."""
        return {
            "root": str(self.root),
            "reader": self.reader,
            "kind": self.kind,
            "preset": self.preset,
            "classes": {
                "name": self.classes.name,
                "void": self.classes.void,
                "entries": [[e.code, e.name, e.colour] for e in self.classes.entries],
            },
            "roles": [_role_to_json(role) for role in self.roles],
            "way": self.way,
            "cut": [self.cut.size, self.cut.overlap, self.cut.edge] if self.cut else None,
        }


def recipe_for(found: FoundDataset, roles: tuple[Role, ...] = ()) -> Recipe:
    """Return the recipe by which a dataset was found."""
    way = found.way or None
    return Recipe(
        found.root, found.reader, found.kind, found.preset, found.classes, roles, way, found.cut
    )


def recipe_of(kept: Mapping[str, Any]) -> Recipe:
    """Return the recipe of its JSON."""
    table = kept["classes"]
    return Recipe(
        root=Path(kept["root"]),
        reader=kept["reader"],
        kind=kept["kind"],
        preset=kept["preset"],
        classes=ClassTable(
            table["name"], tuple(ClassEntry(*entry) for entry in table["entries"]), table["void"]
        ),
        roles=tuple(_role_of(role) for role in kept["roles"]),
        way=kept.get("way"),
        cut=Cut(*kept["cut"]) if kept.get("cut") else None,
    )


def recipe_of_project(project: Project) -> Recipe:
    """Return how a project was imported, with its classes of now.

    Projects of before imports kept their recipe are read by their reader without roles.
    """
    kept = project.options.get(OPTION, {}).get("recipe")
    if kept:
        return replace(recipe_of(kept), classes=project.classes)
    return Recipe(project.root, project.reader, project.kind, project.preset, project.classes)


def _role_to_json(role: Role) -> dict[str, Any]:
    return {
        "pattern": role.pattern,
        "modality": role.modality.value if role.modality else None,
        "unit": role.unit.value,
        "bands": list(role.bands),
        "acquisition": role.acquisition,
        "codes": {str(value): code for value, code in role.codes.items()},
    }


def _role_of(kept: Mapping[str, Any]) -> Role:
    return Role(
        kept["pattern"],
        Modality(kept["modality"]) if kept["modality"] else None,
        Unit(kept["unit"]),
        tuple(kept["bands"]),
        kept["acquisition"],
        {int(value): code for value, code in kept["codes"].items()},
    )
