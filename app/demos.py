"""The demo projects: built once in a workspace that has never had them, or again when asked for."""

from collections.abc import Callable

from core import catalogue
from core.settings import Settings
from core.store.engine import Store


def never_built(settings: Settings) -> bool:
    """Return whether this workspace has never had the demo projects."""
    return not (settings.workspace / "demo").exists()


def build_demos(store: Store, settings: Settings, say: Callable[[str], None]) -> None:
    """Build the demo projects that are not in the catalogue; `say` gets a line for each."""
    from models.damage_demo import PROJECT_NAME as DAMAGE
    from models.damage_demo import build_damage
    from models.demo import PROJECT_NAME as LAND_COVER
    from models.demo import build_land_cover

    there = {project.name for project in catalogue.projects(store, archived=True)}
    for name, build in ((LAND_COVER, build_land_cover), (DAMAGE, build_damage)):
        if name not in there:
            say(name)
            build(store, settings)
