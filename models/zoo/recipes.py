"""The table of recipes: whole ways of training, as lists of steps that people read. Needs no torch.

A *recipe* says what is learnt from what, in which order. The network that is kept, unless the
recipe is about one, the number of its optimiser steps, crops and learning rate stay a person's
choice; each step of a recipe that trains takes a share of that number. The code is in
`models.recipes`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import ModelFileError
from core.object_vote import ObjectVote
from models.zoo import NETWORKS
from models.zoo.augment import AUGMENTATIONS
from models.zoo.entry import Option, Task, settle
from models.zoo.training import SETTINGS
from models.zoo.views import VIEWS


@dataclass(frozen=True)
class Step:
    """One step in words; `share` is how many optimiser steps it takes, as a share of the run's."""

    says: str
    share: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """A recipe of the table.

    `published` says what the source states, `ours` what we chose or left out. `needs` are inputs
    that tiles must have; `inputs` are those that the network which is kept reads (empty: those of
    the run). `network` is what to suggest for it, and where `why_network` gives a reason it is
    the only one (see `network_of`). `training` is what to suggest of the settings of a run, by
    their names in `TrainConfig`; `fixed` is what they are in all of its steps, whatever is asked.
    `losses` says in words what its steps minimise where they do not take the losses of the form,
    `augments` names the augmentations that it brings itself; others of the form are kept. `alike`
    says that every pixel of a weight above 0 counts 1, `starts` whether it may go on from a model,
    `unlabelled` whether it also learns from images without labels.
    """

    title: str
    says: str
    tasks: tuple[Task, ...]
    source: str
    published: str
    ours: str
    licence: str
    steps: tuple[Step, ...]
    settings: Mapping[str, Option] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    network: str = ""
    why_network: str = ""
    training: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    losses: str = ""
    augments: tuple[str, ...] = ()
    alike: bool = False
    starts: bool = False
    unlabelled: bool = False

    def settle(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return every setting with its value; raises `ModelFileError` for one that is wrong."""
        return settle(f"recipe {self.title}", self.settings, asked)

    def fixes(self) -> dict[str, str]:
        """Return the settings that are not a person's choice by name, each with what it is."""
        found = {
            name: f"{SETTINGS[name].title.lower()} {value_in_words(value)}"
            for name, value in self.fixed.items()
        }
        if self.losses:
            found["losses"] = f"losses: {self.losses}"
        if self.alike:
            found["weights"] = "every pixel of a weight above 0 counts alike"
        if self.augments:
            named = ", ".join(AUGMENTATIONS[name].title.lower() for name in self.augments)
            found["augments"] = f"its own changes to crops: {named}"
        return found

    def optimiser_steps(self, steps: int) -> list[int]:
        """Return how many optimiser steps each step takes when the kept network takes `steps`."""
        return [max(1, round(step.share * steps)) if step.share else 0 for step in self.steps]

    def ends(self, steps: int) -> list[tuple[int, int, str]]:
        """Return each step that trains: the optimiser's step it ends with, its number, its words.

        `steps` are those of the kept network.
        """
        found, reached = [], 0
        for number, count in enumerate(self.optimiser_steps(steps), 1):
            reached += count
            if count:
                found.append((reached, number, self.steps[number - 1].says))
        return found

    def doing(self, steps: int, done: int) -> str:
        """Return which step the optimiser's step `done`, from 1, belongs to, in words.

        Empty for a recipe that trains in one step only.
        """
        parts = self.ends(steps)
        for end, number, says in parts if len(parts) > 1 else ():
            if done <= end:
                return f"Step {number} of {len(self.steps)}: {says}"
        return ""


def value_in_words(value: object) -> str:
    """Return the value of a setting for people."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _any_input() -> tuple[str, ...]:
    return tuple(n for n, e in NETWORKS.items() if "land cover" in e.tasks and not e.modalities)


def _teacher(default: str, help_: str) -> Option:
    return Option(default, choices=_any_input(), help=help_)


def _views(default: int) -> dict[str, Option]:
    names = tuple(str(count) for count in VIEWS)
    return {"views": Option(str(default), choices=names, help="Views that a prediction averages")}


_LABELLING = {
    "label_views": Option("4", choices=("1", "4", "8", "24"), help="Views for labelling"),
    "label_dates": Option(
        1, 1, 1000, help="Dates of a tile that the teachers look at, the clearest first"
    ),
}
CHECKED = "checked labels"
_VALID = {"valid_area": Option(True, help="Predict nothing where SAR shows no signal")}
_WINNER_1 = "first in DFC2025 track 1, arXiv 2504.13458, StuLiu/dfc2025track1"
_WINNER_2 = "first in DFC2025 track 2, arXiv 2505.04941"

RECIPES: dict[str, Recipe] = {
    "plain": Recipe(
        title="Plain",
        says="Learn from the labels of now, with the losses and augmentations of the form.",
        tasks=("land cover", "damage"),
        source="own",
        published="Nothing.",
        ours="Everything: one run, weights by provenance.",
        licence="none copied",
        steps=(Step("Learn from the labels of now", 1.0),),
        starts=True,
    ),
    "oem_sar_baseline": Recipe(
        title="OpenEarthMap-SAR baseline",
        says="The organisers' baseline: plain cross entropy, hardly any augmentation.",
        tasks=("land cover",),
        source="cliffbb/DFC2025-OEM-SAR-Baseline",
        published="U-Net with EfficientNet-B4 and scSE, SAR alone, cross entropy without class "
        "weights, Adam 1e-4 without schedule, batch 8, crops of 512, no flips; the best network on "
        "validation; mean of 4 views.",
        ours="Void stays void (theirs becomes background). SAR is normalised by its own mean. "
        "The last network is kept, for validation is what it is judged on. Learning rate is yours "
        "to choose: 1e-4 is for a network with ImageNet weights and a long run. Changes to crops "
        "are none unless you choose some.",
        licence="none given, none copied",
        steps=(
            Step("Cut random crops of SAR, without flips", 0.0),
            Step("Learn from the labels with cross entropy, every class and pixel alike", 1.0),
            Step("Predict the mean of four views (flips)", 0.0),
        ),
        settings=_views(4),
        needs=("sar",),
        inputs=("sar",),
        network="unet_scse",
        training={"learning_rate": 1e-4, "batch": 8, "crop_px": 512},
        fixed={
            "flip": False,
            "class_balance": 0.0,
            "favour_people": 1.0,
            "optimiser": "adam",
            "schedule": "constant",
            "warm_up": 0.0,
            "weight_decay": 0.0,
        },
        losses="cross entropy",
        alike=True,
        starts=True,
    ),
    "self_training": Recipe(
        title="Track 1 winner: self-training, then SAR",
        says="Two optical networks teach themselves on unlabelled images, clean the labels "
        "together, and a SAR network learns from what they agree on.",
        tasks=("land cover",),
        source=_WINNER_1,
        published="Mean teacher (0.999) with ClassMix and an image's share of sure pixels (0.968) "
        "as weight; two models must agree; SCE (1, 2) and Lovász-softmax on SAR; resize 0.5-2, "
        "crops with more than one class; no class weights; 24 views; valid-area mask. Learning "
        "rate 6e-5, 80,000 and 160,000 steps, SegFormer, Swin V2, ConvNeXt V2.",
        ours="Symmetric CE by the published formula (the winner's code computes 3 CE). Classes to "
        "mix are drawn per image. The teachers learn from the labels of the project, which may be "
        "wrong; the winner's had clean labels of other images, those of OpenEarthMap. Tiles of the "
        "run, and training tiles without labels that count, serve as unlabelled images. Pixels "
        "that people checked keep their label and their weight, 4 by default, and are drawn more "
        "often; the winner has none. Optimiser, schedule and learning rate are those of the form. "
        "Small networks and 4 views by default; valid area by rule, not by a network: no signal is "
        "missing or constant ground.",
        licence="Apache-2.0, none copied",
        steps=(
            Step("Teach an optical network: labels, and its own guesses on mixed images", 0.5),
            Step("Teach a second optical network in the same way, from another seed", 0.5),
            Step("Label all tiles by both; keep pixels where they agree or that people checked"),
            Step("Teach the SAR network from these labels: symmetric CE and Lovász-softmax", 1.0),
            Step("Predict the mean of several views; nothing where SAR shows no signal"),
        ),
        settings={
            "teacher": _teacher("unet", "Network of the first optical teacher"),
            "second": _teacher("unet", "Network of the second optical teacher"),
            "cleaning": Option(
                "agree",
                choices=("agree", "agree with labels", "sum", "one"),
                help="Keep where both agree, where the first agrees with the given label, the "
                "sum of both, or the first alone",
            ),
            "source": Option(
                "all labels",
                choices=("all labels", CHECKED),
                help="What the teachers learn from; checked are those of people",
            ),
            "confidence": Option(0.968, 0.0, 1.0, help="Probability from which a pixel is sure"),
            "ema": Option(0.999, 0.0, 0.99999, help="Share of the teacher that stays each step"),
            "alpha": Option(1.0, 0.0, 100.0, help="Times cross entropy, for SAR"),
            "beta": Option(2.0, 0.0, 100.0, help="Times reverse cross entropy, for SAR"),
            "lovasz": Option(1.0, 0.0, 100.0, help="Times Lovász-softmax, for SAR"),
            **_LABELLING,
            **_views(4),
            **_VALID,
        },
        needs=("optical", "sar"),
        inputs=("sar",),
        unlabelled=True,
        fixed={"class_balance": 0.0},
        losses="cross entropy for the teachers, symmetric CE and Lovász-softmax for SAR",
        augments=("resize", "mixed_crop", "coarsen", "colour"),
    ),
    "cross_modal": Recipe(
        title="Cross-modal pseudo supervision, -style",
        says="An optical network teaches a SAR network what it sees on the same ground.",
        tasks=("land cover",),
        source="idea in the title of Wang, Hu and Guo 2025 (second in DFC2025 track 1)",
        published="The title only.",
        ours="Everything: the optical teacher's mean probabilities over the clearest dates and "
        "views are the label, weighted by how sure it is; pixels that people checked keep theirs.",
        licence="none copied",
        steps=(
            Step("Teach an optical network from the labels", 0.5),
            Step("Let it look at the clearest dates of all tiles, and keep its probabilities"),
            Step("Teach the SAR network these probabilities, by how sure they are", 1.0),
        ),
        settings={
            "teacher": _teacher("unet", "Network of the optical teacher"),
            "given": Option(
                0.0, 0.0, 1.0, help="Share of the given label mixed into the teacher's word"
            ),
            **_LABELLING,
            **_views(1),
        },
        needs=("optical", "sar"),
        inputs=("sar",),
        unlabelled=True,
    ),
    "building_guided": Recipe(
        title="Track 2 winner: buildings first, then damage",
        says="Buildings are learnt from the image before; they guide what is learnt of damage from "
        "soft labels.",
        tasks=("damage",),
        source=_WINNER_2,
        published="UFPN, UABCD and UABCD v2 on PVT-v2; Adam 1e-4, 40 and 100 epochs; soft labels "
        "of ensembles; CE where the student's entropy is below 0.3 (buildings) or 0.2 (damage), "
        "else half of KL; a building in which more than 0.2 of the pixels are damaged takes one "
        "class; parts below 50 px are dropped.",
        ours="No test tiles: soft labels are made for the tiles of the run, and for unlabelled "
        "ones where there are some; pixels that people checked keep their label. One network with "
        "views instead of ensembles of epochs. The vote goes by the pieces of the damage map, "
        "theirs by those of a building map. Batch norm keeps its statistics (theirs are frozen by "
        "momentum 0). Small encoders by default. Optimiser, schedule, class balance and further "
        "changes to crops are those of the form.",
        licence="none given, none copied",
        steps=(
            Step("Teach a building network from the image before", 0.25),
            Step(
                "Let it label buildings softly; teach it again: CE where sure, KL elsewhere", 0.25
            ),
            Step("Teach a damage network from both images", 0.5),
            Step("Let it label damage softly on all tiles", 0.0),
            Step("Teach the building-guided network: CE where sure, KL elsewhere", 1.0),
            Step("Predict the mean of several views; one class per building by vote"),
        ),
        settings={
            "encoder": Option(
                "small_pvt", choices=("small_pvt", "pvt_v2_b0", "pvt_v2_b2"), help="Of all networks"
            ),
            "building_entropy": Option(0.3, 0.0, 0.6932, help="Below it a building pixel is sure"),
            "damage_entropy": Option(0.2, 0.0, 1.3863, help="Below it a damage pixel is sure"),
            "alpha": Option(0.5, 0.0, 100.0, help="Times KL"),
            "vote": Option(True, help="One class per building"),
            "vote_share": Option(0.2, 0.0, 1.0, help="Share of damaged pixels that begins a vote"),
            "least_px": Option(50, 0, 10_000, help="Smaller parts are dropped"),
            **_views(4),
        },
        needs=("optical", "sar"),
        inputs=("optical", "sar"),
        network="uabcd_v2",
        why_network="It has room for the building network of the first steps.",
        unlabelled=True,
        losses="cross entropy on labels; on soft labels CE where sure, KL elsewhere",
        augments=("mosaic", "blur"),
    ),
    "co_teaching": Recipe(
        title="Co-teaching",
        says="Two networks learn side by side; each picks for the other the pixels it finds easy, "
        "so that neither learns its own mistakes.",
        tasks=("land cover", "damage"),
        source="Han et al. 2018, arXiv 1804.06872",
        published="Two networks; each passes on the share 1 - R(t) of smallest losses, R rising to "
        "the share of wrong labels; made for whole images.",
        ours="Pixels instead of images, picked within each class so that none dies out; pixels "
        "that people checked are always kept.",
        licence="none copied",
        steps=(
            Step("Start two networks from different seeds"),
            Step("Each learns the pixels that the other finds easy; fewer as time goes on", 1.0),
            Step("Keep the first network"),
        ),
        settings={
            "noise": Option(0.2, 0.0, 0.9, help="Share of wrong labels that is assumed"),
            "ramp": Option(0.3, 0.01, 1.0, help="Share of the run until so many are left out"),
            "by_class": Option(True, help="Pick within each class"),
        },
    ),
}


def recipes_for(task: Task) -> dict[str, Recipe]:
    """Return the recipes for a task, in the order of the table."""
    return {name: recipe for name, recipe in RECIPES.items() if task in recipe.tasks}


def recipe_named(name: str) -> Recipe:
    """Return a recipe; raises `ModelFileError` for a name that is not in the table."""
    recipe = RECIPES.get(name) if isinstance(name, str) else None
    if recipe is None:
        raise ModelFileError("recipe", found=repr(name)[:40], expected=", ".join(RECIPES))
    return recipe


def total_steps(name: str, steps: int) -> int:
    """Return the optimiser steps of a whole recipe when the kept network takes `steps`."""
    return sum(recipe_named(name).optimiser_steps(steps))


def network_of(name: str, settings: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Return the one network that a recipe trains, with its options; None where that is open."""
    recipe = recipe_named(name)
    if not recipe.why_network:
        return None
    encoder = recipe.settle(settings)["encoder"]
    options = {"encoder": encoder, "building_encoder": encoder, "hold_buildings": True}
    return recipe.network, NETWORKS[recipe.network].settle(recipe.network, options)


def needs_checked(name: str, settings: Mapping[str, Any]) -> bool:
    """Return whether a recipe learns from labels that people checked and from no others."""
    return bool(recipe_named(name).settle(settings).get("source") == CHECKED)


def prediction_of(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the model of a recipe is to predict, for its card.

    `views` is a count of `models.zoo.views`; `valid_area` asks for nothing where SAR shows no
    signal; `post` for one class per building (`core.object_vote`), where the recipe has that.
    """
    settled = recipe_named(name).settle(settings)
    found: dict[str, Any] = {"views": int(settled.get("views", 1))}
    if "valid_area" in settled:
        found["valid_area"] = settled["valid_area"]
    if "vote" in settled:
        vote = ObjectVote("threshold", settled["vote_share"], settled["least_px"])
        found["post"] = vote.card() if settled["vote"] else {}
    return found
