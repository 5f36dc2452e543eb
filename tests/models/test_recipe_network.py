"""A recipe that is about one network trains that one, and says so where another was asked for."""

from dataclasses import replace

import pytest

from core.records import Project
from core.store.engine import Store
from models.plan import plan
from models.request import request_of
from models.zoo import NETWORKS
from models.zoo.recipes import RECIPES, network_of
from models.zoo.sizes import size_of, sizes


def test_only_a_recipe_about_one_network_binds_it() -> None:
    bound = {name for name in RECIPES if network_of(name, {}) is not None}
    assert bound == {"building_guided"}
    found = network_of("building_guided", {"encoder": "pvt_v2_b0"})
    assert found is not None and found[0] == "uabcd_v2"
    assert found[1]["encoder"] == found[1]["building_encoder"] == "pvt_v2_b0"
    assert found[1]["hold_buildings"] is True


@pytest.mark.parametrize(("asked", "said"), [("unet", True), ("uabcd_v2", False), ("auto", False)])
def test_a_plan_is_of_the_network_of_the_recipe(
    store: Store, project: Project, asked: str, said: bool
) -> None:
    request = request_of({"recipe": "building_guided", "network": asked, "start": "scratch"})
    made, _found = plan(store, replace(project, kind="damage"), request, [])
    assert made.config.network == "uabcd_v2"
    assert made.config.options["encoder"] == "small_pvt"
    notes = " ".join(made.notes)
    assert ("not Small U-Net" in notes) is said


def test_sizes_are_known_for_what_was_counted() -> None:
    found = network_of("building_guided", {})
    assert found is not None and size_of(*found) == sizes()["uabcd_v2"][1]
    assert size_of("uabcd_v2", {}) == sizes()["uabcd_v2"][0]
    assert size_of("uabcd_v2", {"encoder": "pvt_v2_b0"}) is None
    assert all(size_of(name, entry.smallest) for name, entry in NETWORKS.items())
