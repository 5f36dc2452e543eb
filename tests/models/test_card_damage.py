"""The card of a damage model says what damage is judged by, in the numbers of Compare."""

import numpy as np
import pytest

from core import aligned, bright, catalogue, metrics, scores, trained
from core.scores import model_source
from core.store.engine import Store
from models.card import model_card
from models.card_text import as_markdown
from tests.app.scored import make_scored


def test_damage_cards_hold_localisation_damage_and_buildings(store: Store) -> None:
    made = make_scored(store, kind="damage")
    project = catalogue.project(store, made.project_id)
    card = model_card(store, project, trained.model(store, made.before))
    (measured,) = card["scores"]
    found = scores.evaluations(store, project.id, reference="truth", model_id=made.before)
    total = np.sum([e.matrix for e in found], axis=0)
    assert measured["damage"] == {
        "location F1": pytest.approx(float(bright.location_f1(total)), abs=1e-4),
        "damage F1": 0.0,  # no pixel of the last class: one class at 0 makes it 0
        "damage F1 (present classes)": pytest.approx(
            float(metrics.harmonic_mean(metrics.damage_f1(total))), abs=1e-4
        ),
    }
    name = model_source(made.before)
    houses = aligned.align_buildings(found, [name], {}).total(name)
    assert [row["class"] for row in measured["by_building"]] == ["Intact", "Damaged", "Destroyed"]
    intact = measured["by_building"][0]
    assert intact["recall"] == pytest.approx(houses[1, 1] / houses[1].sum(), abs=1e-4)
    assert intact["precision"] == pytest.approx(houses[1, 1] / houses[:, 1].sum(), abs=1e-4)
    assert intact["buildings"] == houses[1].sum() // 2  # two images show the same houses
    page = as_markdown(card)
    assert f"- location F1: {measured['damage']['location F1']:.3f}\n" in page
    assert "| Intact | " in page and "buildings by class" in page


def test_cards_of_land_cover_say_nothing_of_buildings(store: Store) -> None:
    made = make_scored(store)
    project = catalogue.project(store, made.project_id)
    card = model_card(store, project, trained.model(store, made.before))
    assert "damage" not in card["scores"][0] and "building" not in as_markdown(card)
