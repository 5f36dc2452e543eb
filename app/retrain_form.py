"""The left side of the Train page: one button, and behind it every choice with its default."""

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.model_tree import inputs_of
from app.session import Context
from app.train import estimate, images, labels, network, recipe, run, split
from app.train.draft import About, Draft
from core import catalogue, jobs, trained
from core.errors import CloudbrushError
from core.records import JobState, ModelRecord, Project
from models.request import RetrainRequest
from models.summary import main_reference, validation_summary
from models.zoo import NETWORKS
from models.zoo.losses import LOSSES
from models.zoo.recipes import RECIPES, network_of, total_steps


def request_ui(here: Context, project: Project) -> RetrainRequest | None:
    """Draw the form; return a request when the button is pressed."""
    about = _about(here, project)
    edited = [tile for tile in about.tiles if tile.version]
    st.write(
        f"Learns from **{len(about.tiles)} tiles**, {len(edited)} of them corrected "
        f"({sum(tile.version for tile in edited)} edits). {_scored_on(here, project)}"
    )
    button, words = st.container(), st.container()
    st.markdown("**Choose**, or leave it: every choice has a default that works.")
    draft = Draft()
    _sections(about, draft)
    network.check_inputs(about, draft)
    request = draft.request()
    pressed = button.button(
        "Retrain", type="primary", width="stretch", key="retrain", disabled=request is None
    )
    for fault in draft.faults:
        words.error(fault)
    if request is not None:
        words.caption(_in_short(about, request))
    return request if pressed else None


def _about(here: Context, project: Project) -> About:
    tiles = [t for t in catalogue.tiles(here.store, project.id) if t.trainable]
    return About(
        here,
        project,
        tiles,
        catalogue.inputs(here.store, tiles),
        trained.models(here.store, project.id),
        trained.promoted(here.store, project.id),
    )


def _scored_on(here: Context, project: Project) -> str:
    counts = validation_summary(here.store, catalogue.tiles(here.store, project.id))
    reference = main_reference(counts)
    number = counts.get(reference, 0)
    if reference == "pseudo":
        return (
            "There is no clean validation yet, so scores read **against pseudo-labels**: "
            "reserve, correct and freeze some tiles below."
        )
    kind = "with truth" if reference == "truth" else "that people corrected and froze"
    return f"Scored on **{number} validation tiles** {kind}, which are never trained on."


def _sections(about: About, draft: Draft) -> None:
    """Draw the sections, each folded, with what stands in it beside its name."""
    with _section("Start", _start_now(about)):
        _start_ui(about, draft)
    with _section("Recipe", RECIPES[_state(recipe.KEY, recipe.PLAIN)].title):
        recipe.recipe_ui(about, draft)
    with _section("Network", _network_now(about, draft)):
        network.network_ui(about, draft)
    with _section("Labels", _labels_now()):
        labels.labels_ui(draft)
    with _section("Images", _images_now(about)):
        images.images_ui(about, draft)
    with _section("Training", _run_now()):
        run.run_ui(draft)
    with _section("Split", _split_now(about)):
        split.split_ui(about, draft)


def _section(name: str, now: str) -> DeltaGenerator:
    # The key keeps a section open while its title changes with what is chosen in it.
    return st.expander(f"**{name}** · :gray[{escaped(now)}]", key=f"train_section_{name.lower()}")


def escaped(text: str) -> str:
    """Return text in which Markdown finds nothing to do."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!:$|~<>" else c for c in text)


def _start_ui(about: About, draft: Draft) -> None:
    draft.put("name", st.text_input("Name", max_chars=80, placeholder="Model N", key="train_name"))
    options: list[str | int] = ["promoted", "scratch", *(model.id for model in about.known)]
    start = st.selectbox(
        "Start from", options, format_func=lambda key: _start_words(about, key), key="train_start"
    )
    draft.put("start", start)
    control = st.checkbox(
        "Train a control as well",
        key="train_control",
        help="The same run on the labels as they came. Only against it does a gain come from the "
        "corrections and not from more training. Doubles the time.",
    )
    draft.put("control", control)


def _start_words(about: About, key: str | int) -> str:
    model = about.model(key)
    if key == "promoted":
        return f"The promoted model: {model.name}" if model else "The promoted model (none yet)"
    return _model_name(model) if model else "From scratch"


def _model_name(record: ModelRecord) -> str:
    return f"{record.name} ({inputs_of(record)})"


# What stands in a section, from the widgets as they were left: titles are drawn before them.


def _state(key: str, fallback: Any) -> Any:  # noqa: ANN401  # whatever a widget holds
    return st.session_state.get(key, fallback)


def _start_now(about: About) -> str:
    model = about.model(_state("train_start", "promoted"))
    return model.name if model else "from scratch"


def _network_now(about: About, draft: Draft) -> str:
    bound = network.bound_by(draft)
    asked = bound[0] if bound else _state(network.KEY, network.AUTO)
    name = network.settled(asked, about, about.model(draft.get("start")))
    return NETWORKS[name].title if name in NETWORKS else name


def _labels_now() -> str:
    use = labels.USES[_state(labels.USE_KEY, "weighted") or "weighted"][0].lower()
    chosen = " + ".join(LOSSES[name].title.lower() for name in _state("train_losses", ["ce"]))
    of_recipe = RECIPES[_state(recipe.KEY, recipe.PLAIN)].losses
    return f"{use}, {of_recipe or chosen or 'no loss'}"


def _images_now(about: About) -> str:
    inputs = _state(images.KEY, ())
    start = about.model(_state("train_start", "promoted"))
    words = images.in_words(tuple(inputs or (start.bands if start else about.inputs)))
    cover = _state("train_cover", 100)
    changes = len(_state("train_augments", []))
    more = [f"up to {cover} % cloud"] if cover < 100 else []
    more += [f"{changes} changes to crops"] if changes else []
    return ", ".join([words, *more])


def _run_now() -> str:
    default = RetrainRequest()
    steps = _state("train_steps", default.steps)
    batch, crop = _state("train_batch", default.batch), _state("train_crop_px", default.crop_px)
    return f"{steps:,} steps of {batch} crops of {crop} px"


def _split_now(about: About) -> str:
    now = _state(split.KEY, "project")
    return f"watched on {split.ways(about).get(now, now).lower()}"


def _in_short(about: About, request: RetrainRequest) -> str:
    """Say how long it will take, from the newest run of the same network where there is one."""
    name, settled = _trained(about, request)
    past = jobs.jobs(about.here.store, about.project.id, kind="train")
    done = [job for job in past if job.state is JobState.DONE]
    found = estimate.pace(name, settled, done, {model.id: model for model in about.known})
    if found is None:
        return "How long it takes is not known: this network has not run here yet."
    steps = total_steps(request.recipe, request.steps)
    spent = estimate.in_words(estimate.seconds(found, request, steps))
    return f"Takes about {spent} ({found.source})."


def _trained(about: About, request: RetrainRequest) -> tuple[str, dict[str, Any]]:
    """Return the network that a request trains and its options, settled where they can be."""
    bound = network_of(request.recipe, request.recipe_settings)
    if bound:
        return bound
    start = about.model(request.start)
    name = network.settled(request.network, about, start)
    options = dict(request.options)
    if request.network == network.AUTO and start is not None:
        options = options or dict(start.card.get("options", {}))
    try:
        return name, NETWORKS[name].settle(name, options) if name in NETWORKS else options
    except CloudbrushError:
        return name, options
