"""The table of networks. Needs no torch."""

from models.zoo import damage, fusion, land_cover, own, pretrained
from models.zoo.entry import Entry, Option, Task

NETWORKS: dict[str, Entry] = {
    **own.NETWORKS,
    **fusion.NETWORKS,
    **land_cover.NETWORKS,
    **damage.NETWORKS,
    **pretrained.NETWORKS,
}

__all__ = ["NETWORKS", "Entry", "Option", "Task", "for_task"]


def for_task(task: Task) -> dict[str, Entry]:
    """Return the networks for a task, in the order of the table."""
    return {name: entry for name, entry in NETWORKS.items() if task in entry.tasks}
