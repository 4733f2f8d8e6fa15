"""What OSM tags mean, mode by mode: walk, bike and drive; forward and backward."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.roads import blocked_bit, forward_bit
from geodata.standards import MODES
from geodata.ways.osm_tags import blocked_modes, enterable, is_water_area, is_water_line, maxspeed_kmh, parse_maxspeed, permissions


def may(**tags: str) -> str:
    """Who may pass, as "walk bike drive"; a mode with one direction only says which."""
    bits = permissions({key.replace("__", ":"): value for key, value in tags.items()})
    found = []
    for mode in MODES:
        forward, backward = bits & forward_bit(mode), bits & (forward_bit(mode) << 1)
        if forward or backward:
            found.append(mode + ("" if forward and backward else "→" if forward else "←"))
    return " ".join(found)


def stopped(**tags: str) -> str:
    bits = blocked_modes({key.replace("__", ":"): value for key, value in tags.items()})
    return " ".join(mode for mode in MODES if bits & blocked_bit(mode))


EVERYBODY = "walk bike drive"


@pytest.mark.parametrize(
    ("highway", "who"),
    [
        *(
            (road, EVERYBODY)
            for road in ("trunk", "primary_link", "tertiary", "unclassified", "residential", "living_street", "service", "road")
        ),
        ("track", EVERYBODY),
        ("motorway_link", "drive"),
        ("footway", "walk"),
        ("pedestrian", "walk"),
        ("steps", "walk"),
        ("platform", "walk"),
        ("bridleway", "walk"),
        ("path", "walk bike"),
        ("cycleway", "walk bike"),
        *(
            (none, "")
            for none in ("construction", "proposed", "raceway", "bus_guideway", "bus_stop", "rest_area", "busway", "", "Residential")
        ),
    ],
)
def test_each_class_of_road_is_open_to_its_modes(highway, who):
    assert may(highway=highway) == who


def test_what_is_no_road_is_open_to_nobody():
    assert may(building="yes") == ""
    assert may(railway="rail", foot="yes") == ""


@pytest.mark.parametrize(
    ("tags", "who"),
    [
        ({"access": "private"}, ""),
        ({"access": "no"}, ""),
        ({"access": "destination"}, EVERYBODY),
        ({"access": "permissive"}, EVERYBODY),
        ({"access": "customers"}, EVERYBODY),
        ({"access": "agricultural"}, ""),
        ({"access": "no", "foot": "yes"}, "walk"),
        ({"access": "no", "bicycle": "designated"}, "bike"),
        ({"access": "private", "vehicle": "yes"}, "bike drive"),
        ({"access": "private", "motor_vehicle": "destination"}, "drive"),
        ({"access": "no", "motorcar": "yes"}, "drive"),
        ({"vehicle": "no"}, "walk"),
        ({"vehicle": "no", "bicycle": "yes"}, "walk bike"),
        ({"vehicle": "no", "motor_vehicle": "yes"}, "walk drive"),
        ({"motor_vehicle": "no"}, "walk bike"),
        ({"motor_vehicle": "private"}, "walk bike"),
        ({"motor_vehicle": "no", "motorcar": "yes"}, EVERYBODY),
        ({"motor_vehicle": "yes", "motorcar": "no"}, "walk bike"),
        ({"motor_vehicle": "agricultural;forestry"}, "walk bike"),
        ({"motor_vehicle": "agricultural;destination"}, EVERYBODY),
        ({"foot": "no"}, "bike drive"),
        ({"foot": "use_sidepath"}, "bike drive"),
        ({"bicycle": "no"}, "walk drive"),
        ({"bicycle": "dismount"}, "walk drive"),
        ({"access": "something new"}, EVERYBODY),
    ],
)
def test_the_most_specific_access_key_decides(tags, who):
    assert may(highway="residential", **tags) == who


@pytest.mark.parametrize(
    ("tags", "who"),
    [
        ({"highway": "footway", "bicycle": "yes"}, "walk bike"),
        ({"highway": "pedestrian", "bicycle": "permissive"}, "walk bike"),
        ({"highway": "footway", "motor_vehicle": "yes"}, "walk"),
        ({"highway": "footway", "access": "yes"}, "walk"),
        ({"highway": "cycleway", "foot": "no"}, "bike"),
        ({"highway": "path", "bicycle": "no"}, "walk"),
        ({"highway": "busway", "bicycle": "yes"}, "bike"),
        ({"highway": "motorway", "bicycle": "yes"}, "bike→ drive→"),
        ({"highway": "motorway", "foot": "yes"}, "walk drive→"),
    ],
)
def test_a_mode_of_its_own_tag_opens_some_ways_to_it(tags, who):
    assert may(**tags) == who


def test_a_motorroad_is_for_cars_unless_it_says_otherwise():
    assert may(highway="trunk", motorroad="yes") == "drive"
    assert may(highway="trunk", motorroad="yes", bicycle="yes") == "bike drive"
    assert may(highway="trunk", motorroad="no") == EVERYBODY


@pytest.mark.parametrize(
    ("tags", "who"),
    [
        ({"tracktype": "grade1"}, EVERYBODY),
        ({"tracktype": "grade3"}, EVERYBODY),
        ({"tracktype": "grade4"}, "walk"),
        ({"tracktype": "grade5", "motorcar": "yes"}, "walk drive"),
        ({"smoothness": "impassable"}, "walk"),
    ],
)
def test_rough_tracks_are_walked(tags, who):
    assert may(highway="track", **tags) == who


def test_emergency_access_is_no_through_road():
    assert may(highway="service", service="emergency_access") == "walk"


def test_ferries_are_off():
    assert may(highway="residential", route="ferry") == ""
    assert may(route="ferry", foot="yes", motor_vehicle="yes") == ""


@pytest.mark.parametrize("value", ["yes", "true", "1"])
def test_a_one_way_street_binds_vehicles_not_walkers(value):
    assert may(highway="residential", oneway=value) == "walk bike→ drive→"


@pytest.mark.parametrize("value", ["-1", "reverse"])
def test_one_way_against_the_drawing(value):
    assert may(highway="residential", oneway=value) == "walk bike← drive←"


@pytest.mark.parametrize("value", ["no", "false", "0", "reversible", "alternating", "nonsense"])
def test_anything_else_is_two_way(value):
    assert may(highway="residential", oneway=value) == EVERYBODY


@pytest.mark.parametrize("junction", ["roundabout", "circular"])
def test_a_roundabout_is_one_way_unless_it_says_otherwise(junction):
    assert may(highway="primary", junction=junction) == "walk bike→ drive→"
    assert may(highway="primary", junction=junction, oneway="-1") == "walk bike← drive←"
    assert may(highway="primary", junction=junction, oneway="no") == EVERYBODY


def test_a_motorway_is_one_way_unless_it_says_otherwise():
    assert may(highway="motorway") == "drive→"
    assert may(highway="motorway", oneway="no") == "drive"
    assert may(highway="motorway", oneway="-1") == "drive←"


@pytest.mark.parametrize(
    "tags",
    [
        {"oneway__bicycle": "no"},
        {"cycleway": "opposite"},
        {"cycleway": "opposite_lane"},
        {"cycleway__left": "opposite_track"},
        {"cycleway__left__oneway": "-1"},
        {"cycleway__right__oneway": "no"},
    ],
)
def test_cyclists_may_ride_against_a_one_way_street_that_lets_them(tags):
    assert may(highway="residential", oneway="yes", **tags) == "walk bike drive→"
    assert may(highway="residential", oneway="-1", **tags) == "walk bike drive←"


def test_a_cycle_lane_along_a_one_way_street_changes_nothing():
    assert may(highway="residential", oneway="yes", cycleway="lane") == "walk bike→ drive→"


@pytest.mark.parametrize(
    ("tags", "who"),
    [
        ({"oneway__bicycle": "yes"}, "walk bike→ drive"),
        ({"oneway__motor_vehicle": "yes"}, "walk bike drive→"),
        ({"oneway__vehicle": "-1"}, "walk bike← drive←"),
        ({"oneway__foot": "yes"}, "walk→ bike drive"),
        ({"vehicle__backward": "no"}, "walk bike→ drive→"),
        ({"motor_vehicle__forward": "private"}, "walk bike drive←"),
        ({"vehicle__backward": "no", "bicycle__backward": "yes"}, "walk bike drive→"),
        ({"access__backward": "no"}, "walk→ bike→ drive→"),
        ({"foot__backward": "no"}, "walk→ bike drive"),
    ],
)
def test_a_direction_may_be_closed_to_one_mode(tags, who):
    assert may(highway="residential", **tags) == who


def test_an_escalator_runs_one_way():
    assert may(highway="steps", conveying="forward") == "walk→"
    assert may(highway="steps", conveying="backward") == "walk←"
    assert may(highway="steps", conveying="yes") == "walk"


@pytest.mark.parametrize(
    ("tags", "who"),
    [
        ({"barrier": "bollard"}, "drive"),
        ({"barrier": "block"}, "drive"),
        ({"barrier": "cycle_barrier"}, "drive"),
        ({"barrier": "chain"}, "drive"),
        ({"barrier": "stile"}, "bike drive"),
        ({"barrier": "kissing_gate"}, "bike drive"),
        ({"barrier": "turnstile"}, "bike drive"),
        ({"barrier": "fence"}, EVERYBODY),
        ({"barrier": "wall"}, EVERYBODY),
        *(
            ({"barrier": open_}, "")
            for open_ in ("gate", "lift_gate", "swing_gate", "toll_booth", "entrance", "cattle_grid", "kerb", "yes")
        ),
        ({"barrier": "gate", "access": "private"}, EVERYBODY),
        ({"barrier": "gate", "locked": "yes"}, EVERYBODY),
        ({"barrier": "gate", "locked": "no"}, ""),
        ({"barrier": "gate", "access": "no", "foot": "yes"}, "bike drive"),
        ({"barrier": "gate", "motor_vehicle": "no"}, "drive"),
        ({"barrier": "gate", "locked": "yes", "foot": "yes", "bicycle": "yes"}, "drive"),
        ({"barrier": "lift_gate", "motor_vehicle": "private"}, "drive"),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, ""),
        ({"barrier": "bollard", "bicycle": "no"}, "bike drive"),
        ({"barrier": "fence", "foot": "yes"}, "bike drive"),
        ({"barrier": "fence", "access": "yes"}, ""),
        ({"access": "no"}, ""),
        ({"highway": "crossing"}, ""),
    ],
)
def test_a_barrier_stops_some_modes_and_its_own_access_tags_win(tags, who):
    assert stopped(**tags) == who


@pytest.mark.parametrize(
    ("tags", "is_enterable"),
    [
        ({"highway": "residential"}, True),
        ({"highway": "motorway"}, False),
        ({"highway": "motorway_link"}, False),
        ({"highway": "trunk", "motorroad": "yes"}, False),
        ({"highway": "primary", "tunnel": "yes"}, False),
        ({"highway": "primary", "tunnel": "no"}, True),
        ({"highway": "service", "tunnel": "building_passage"}, True),
        ({"highway": "primary", "bridge": "yes"}, True),
    ],
)
def test_nobody_steps_onto_a_motorway_or_into_a_tunnel_midway(tags, is_enterable):
    assert enterable(tags) is is_enterable


def test_lakes_are_areas_and_rivers_are_lines_unless_underground():
    assert is_water_area({"natural": "water"})
    assert is_water_area({"waterway": "riverbank"})
    assert is_water_area({"landuse": "reservoir"})
    assert not is_water_area({"natural": "wood"})
    assert is_water_line({"waterway": "river"})
    assert is_water_line({"waterway": "canal", "tunnel": "no"})
    assert not is_water_line({"waterway": "river", "tunnel": "culvert"})
    assert not is_water_line({"waterway": "stream"})


@pytest.mark.parametrize(
    ("text", "kmh"),
    [
        ("60", 60),
        ("  60 ", 60),
        ("60.5", 60.5),
        ("60 km/h", 60),
        ("60km/h", 60),
        ("60 KM/H", 60),
        ("60 kmh", 60),
        ("60 kph", 60),
        ("60 km", 60),
        ("30 mph", 48.28032),
        ("30mph", 48.28032),
        ("5 knots", 9.26),
        ("60;80", 60),
        ("80; 60", 60),
        ("80|60|40", 40),
        ("60, 80", 60),
        ("60;none", 60),
        ("６０", 60),
        ("６０　公里/小时", 60),
        ("60公里／小时", 60),
        ("40 千米/小时", 40),
        ("60公里", 60),
        ("CN:urban", 50),
        ("CN:rural", 70),
        ("CN:motorway", 120),
        ("DE:urban", 50),
        ("DE:zone:30", 30),
        ("DE:zone30", 30),
        ("zone:30", 30),
        ("DE:30", 30),
        ("RU:urban", 60),
        ("GB:nsl_single", 96.56064),
        ("walk", 5),
        ("DE:walk", 5),
        ("RO:living_street", 10),
    ],
)
def test_a_speed_limit_in_any_common_form(text, kmh):
    assert parse_maxspeed(text) == pytest.approx(kmh, abs=1e-9)


@pytest.mark.parametrize(
    "text", ["", "none", "signals", "0", "0 mph", "-30", "fast", "60 km/h @ (22:00-06:00)", "DE:rural", "600", "1e2", "nan", "inf", "1_0"]
)
def test_what_gives_no_speed(text):
    assert parse_maxspeed(text) is None


@given(st.text(max_size=20))
def test_no_text_makes_a_road_stand_still_or_fly(text):
    kmh = parse_maxspeed(text)
    assert kmh is None or 0 < kmh <= 200


@given(st.integers(1, 200), st.sampled_from(["{}", "{} km/h", "{}kmh", "{}公里/小时", "XX:zone:{}", "{};200"]))
def test_every_whole_speed_is_read_as_written(kmh, form):
    assert parse_maxspeed(form.format(kmh)) == kmh


def speeds(**tags: str) -> tuple[float, float, tuple[str, ...]]:
    return maxspeed_kmh({key.replace("__", ":"): value for key, value in tags.items()})


def test_a_limit_holds_both_ways():
    assert speeds(maxspeed="60") == (60, 60, ())


def test_each_direction_may_have_its_own_limit():
    assert speeds(maxspeed="60", maxspeed__forward="40") == (40, 60, ())
    assert speeds(maxspeed="60", maxspeed__backward="30 mph")[:2] == (60, pytest.approx(48.28032))
    assert speeds(maxspeed__forward="40", maxspeed__backward="50") == (40, 50, ())


def test_an_untagged_road_has_no_limit_and_nothing_to_complain_of():
    forward, backward, unread = speeds()
    assert math.isnan(forward)
    assert math.isnan(backward)
    assert unread == ()


@pytest.mark.parametrize("value", ["none", "signals", "variable", "None"])
def test_no_fixed_limit_is_understood_and_leaves_the_class_speed(value):
    forward, backward, unread = speeds(maxspeed=value)
    assert math.isnan(forward)
    assert math.isnan(backward)
    assert unread == ()


def test_nonsense_is_kept_to_be_reported_once():
    assert speeds(maxspeed="fast")[2] == ("fast",)
    assert speeds(maxspeed="0")[2] == ("0",)


def test_nonsense_for_one_direction_falls_back_on_the_limit_for_both():
    assert speeds(maxspeed="60", maxspeed__forward="fast") == (60, 60, ("fast",))


@given(
    st.dictionaries(
        st.sampled_from(["highway", "access", "foot", "oneway", "junction", "cycleway", "maxspeed", "tunnel", "barrier"]),
        st.text(max_size=8),
    )
)
def test_no_tags_upset_the_reader(tags):
    assert 0 <= permissions(tags) < 64
    assert 0 <= blocked_modes(tags) < 8
    assert enterable(tags) in {True, False}
    assert len(maxspeed_kmh(tags)) == 3
