"""The section "Recipe": a whole way of training, read as its list of steps."""

import streamlit as st

from app.train.draft import DEFAULT, About, Draft
from app.train.options import options_ui
from models.zoo import NETWORKS
from models.zoo.recipes import RECIPES, Recipe, recipes_for

PLAIN = "plain"
KEY = "train_recipe"
LIST_PX = 240
# Where the form keeps what a recipe suggests of the settings of a run.
SUGGESTED = ("learning_rate", "batch", "crop_px")


def fitting(about: About) -> dict[str, Recipe]:
    """Return the recipes for the task whose inputs the tiles have."""
    return {
        name: recipe
        for name, recipe in recipes_for(about.task).items()
        if set(recipe.needs) <= set(about.inputs)
    }


def recipe_ui(about: About, draft: Draft) -> None:
    """Draw the choice of recipe, its steps and its numbers."""
    recipes = fitting(about)
    with st.container(height=LIST_PX if len(recipes) > 2 else "content"):
        name = st.radio(
            "Recipe",
            list(recipes),
            format_func=lambda key: recipes[key].title,
            captions=[recipe.says for recipe in recipes.values()],
            key=KEY,
            on_change=_take_over,
            label_visibility="collapsed",
        )
    others = len(recipes_for(about.task)) - len(recipes)
    if others:
        st.caption(f"{others} more need inputs that these tiles do not have.")
    recipe = recipes[name]
    draft.put("recipe", name)
    st.markdown(steps_in_words(recipe, int(st.session_state.get("train_steps", DEFAULT.steps))))
    said, fixed = fixes(recipe), recipe.fixes().values()
    if said:
        st.caption(f"Choosing it sets {said}.")
    if fixed:
        st.caption(f"It fixes {'; '.join(fixed)}.")
    with st.popover("Published, and our choice", type="tertiary"):
        st.markdown(f"**Published.** {recipe.published}")
        st.markdown(f"**Our choice.** {recipe.ours}")
        st.caption(f"Source: {recipe.source}. Licence of the source's code: {recipe.licence}.")
    if recipe.settings:
        with st.popover("Numbers of this recipe", type="tertiary"):
            asked = options_ui("Recipe", recipe.settings, f"train_{name}", draft.faults)
        draft.put("recipe_settings", asked)


def steps_in_words(recipe: Recipe, steps: int) -> str:
    """Return the steps of a recipe as a numbered list, with how many updates each takes."""
    counts = recipe.optimiser_steps(steps)
    lines = [
        f"{number}. {step.says}" + (f" *({count:,} steps)*" if count else "")
        for number, (step, count) in enumerate(zip(recipe.steps, counts, strict=True), 1)
    ]
    return "\n".join(lines)


def fixes(recipe: Recipe) -> str:
    """Return in words what choosing a recipe sets, beside what it fixes (`Recipe.fixes`)."""
    parts = []
    if recipe.inputs:
        named = ["SAR" if name == "sar" else name for name in recipe.inputs]
        parts.append(f"the inputs of the kept network ({' and '.join(named)})")
    if recipe.network:
        parts.append(f"the network {NETWORKS[recipe.network].title}")
    values = {"learning_rate": "learning rate {:g}", "batch": "{} crops", "crop_px": "crop {} px"}
    parts += [values[key].format(v) for key, v in recipe.training.items() if key in values]
    if not recipe.starts:
        parts.append("a start from scratch")
    return ", ".join(parts)


def _take_over() -> None:
    """Set the fields to what the recipe that was just chosen suggests, or back to the defaults."""
    state = st.session_state
    recipe = RECIPES[state[KEY]]
    for name in SUGGESTED:
        state[f"train_{name}"] = recipe.training.get(name, getattr(DEFAULT, name))
    state["train_network"] = recipe.network or "auto"
    state["train_start"] = "promoted" if recipe.starts else "scratch"
    state["train_inputs"] = tuple(recipe.inputs)
