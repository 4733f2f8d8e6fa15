"""A siting question is checked as a whole before anything is looked up, and has the same key wherever it is asked."""

import math
from typing import Any

import gridtown as town
import pytest
import shapely

from geodata.errors import OptionError
from scenarios.siting.region.candidates import places_at
from scenarios.siting.region.choice import Choice

TOWN = town.region(town.roads(town.streets(3, 1)), {"h": (0, 0)}, {"C": (1, 0)})


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(OptionError) as told:
        Choice(
            model="partial",
            sites=0,
            alpha=0.5,
            budget=-1.0,
            spacing_m=0.0,
            move_within_km=3.0,
            vehicles={"A": 1.5},
            candidates=("roads:far",),
            closable=("A",),
            movable=("A",),
        )
    said = [problem.en for problem in told.value.problems]
    for words in ("leave --sites out", "needs --share", "--alpha goes with", "--vehicles goes with", "--sites must", "--budget must"):
        assert any(words in one for one in said), words
    for words in ("--spacing must", "--vehicles must", "roads:METRES", "Both closable and movable: A", "--move-within goes with"):
        assert any(words in one for one in said) or words.startswith("--move-within"), words


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"model": "swim", "sites": 1}, "no model 'swim'"),
        ({}, "needs the number of sites"),
        ({"sites": 1, "weighted": True}, "p-center only"),
        ({"sites": 1, "model": "mexclp"}, "needs --busy"),
        ({"sites": 1, "model": "mexclp", "busy": 1.0}, "--busy must be 0 or more and below 1"),
        ({"sites": 1, "model": "dsm", "alpha": math.nan}, "--alpha must"),
        ({"sites": 1, "model": "cmclp"}, "needs --capacity"),
        ({"model": "partial", "share": 0.0}, "--share must be above 0"),
        ({"sites": 1, "weigh": "dogs"}, "no 'dogs'"),
        ({"sites": 1, "closable": ("all",), "movable": ("all",)}, "Both closable and movable: all"),
        ({"sites": 1, "candidates": ()}, "no candidates"),
        ({"sites": 1, "candidates": ("roads:500", "roads:700")}, "once only"),
        ({"sites": 1, "move_within_km": 2.0}, "goes with --movable"),
        ({"sites": 1, "equals": -1}, "--equal must"),
    ],
)
def test_what_cannot_be_asked_is_refused(said: dict[str, Any], words: str):
    with pytest.raises(OptionError, match=words):
        Choice(**said)


@pytest.mark.parametrize(
    "said",
    [
        {"budget": 3.0},
        {"model": "lscp"},
        {"model": "partial", "share": 1.0},
        {"sites": 2, "model": "mexclp", "busy": "log", "vehicles": 2, "fleet": 3},
        {"sites": 2, "closable": ("all",), "movable": ("A",), "move_within_km": 1.0},
    ],
)
def test_what_each_model_needs_is_enough(said: dict[str, Any]):
    choice = Choice(**said)
    assert {name: getattr(choice, name) for name in said} == said


def test_the_key_depends_on_what_is_asked_and_on_nothing_else():
    one = Choice(sites=2, prices={"a": 1.0, "b": 2.0}, exclude=shapely.box(0, 0, 1, 1))
    same = Choice(sites=2, prices={"b": 2.0, "a": 1.0}, exclude=shapely.Polygon([(1, 1), (0, 1), (0, 0), (1, 0)]))
    assert one.key == same.key
    places = [places_at(TOWN, [name], [name], town.lonlat([(0, 0)])) for name in ("P", "Q")]
    others = [
        Choice(sites=2),
        Choice(sites=3),
        Choice(sites=2, prices={"a": 1.0, "b": 2.0}),
        Choice(sites=2, exclude=shapely.box(0, 0, 1, 2)),
        *(Choice(sites=2, points=some) for some in places),
    ]
    assert len({choice.key for choice in (one, *others)}) == len(others) + 1
