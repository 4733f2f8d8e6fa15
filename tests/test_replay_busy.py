"""Busy shares of points from a 120 log, against figures worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest
from test_replay import DAY, county, log, ready

from geodata.calls.model import DISPATCHED, FINISHED, Calls
from geodata.errors import OptionError
from geodata.model import RESOURCES, Region
from scenarios.replay.busy import busy_shares

REGION = county(**{name: [np.nan, np.nan] for name in RESOURCES} | {"vehicles": [2.0, np.nan]})
POINTS = REGION.facilities.take(np.array([0, 1]))


def forty(region: Region = REGION, hours: float = 1.2, base: int = 0) -> Calls:
    """Forty runs in two days, each out for so many hours."""
    calls = log(region, [0] * 40, [n * 4300 for n in range(40)], base=np.full(40, base))
    stamps = calls.stamp_s.copy()
    stamps[:, DISPATCHED], stamps[:, FINISHED] = DAY, DAY + round(hours * 3600)
    return replace(calls, stamp_s=stamps)


def test_a_point_with_a_record_is_as_busy_as_its_own_runs_say_and_others_as_the_county():
    found = busy_shares(ready(REGION, forty()), POINTS, np.array([4, 1]))
    assert found.load == pytest.approx(40 / 48 * 1.2)
    assert found.own.tolist() == [True, False]
    assert found.share.tolist() == [pytest.approx(found.load / 4), pytest.approx(found.load / 2)]
    assert found.county == pytest.approx(found.load / 2)
    assert "1.00 ÷ 2 = 0.500" in found.zh
    assert "1.00 ÷ 2 = 0.500" in found.en


def test_the_load_is_shared_by_the_vehicles_that_the_plan_will_have():
    found = busy_shares(ready(REGION, forty()), POINTS, np.array([4, 1]), fleet=5)
    assert found.share.tolist() == [pytest.approx(0.25), pytest.approx(0.2)]


def test_a_base_that_is_no_facility_counts_for_the_county_alone():
    found = busy_shares(ready(REGION, forty(base=-1)), POINTS, np.array([4, 1]))
    assert found.own.tolist() == [False, False]
    assert found.share.tolist() == [pytest.approx(0.5)] * 2


@pytest.mark.parametrize(
    ("calls", "fleet", "words"),
    [
        (Calls.none(), None, "no 120 log"),
        (forty(), 1, "too few"),
        (forty(hours=2), 4, "--vehicles"),
        (log(REGION, [0], [0]), None, "dispatch and finish"),
    ],
)
def test_what_the_log_cannot_tell_is_refused(calls, fleet, words):
    with pytest.raises(OptionError, match=words):
        busy_shares(ready(REGION, calls), POINTS, np.array([1, 1]), fleet=fleet)


def test_an_unknown_number_of_vehicles_is_asked_for():
    with pytest.raises(OptionError, match="--fleet"):
        busy_shares(ready(county(), forty()), POINTS, np.array([1, 1]))
