"""What OSM tags mean: who may use a way, in which direction, at what speed, and which barriers stop whom.

Pure functions of a tag dictionary. Conditional restrictions (``*:conditional``), turn lanes and lane tags are not read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from geodata.roads import blocked_bit, forward_bit
from geodata.standards import MODES, Mode

Tags = Mapping[str, str]

_LINKED = ("motorway", "trunk", "primary", "secondary", "tertiary")
_STREETS = {"unclassified", "residential", "living_street", "service", "road", "track"}
_DRIVE = {*_LINKED, *(f"{road}_link" for road in _LINKED), *_STREETS}
_SLOW = _DRIVE - {"motorway", "motorway_link"}
_CLASSES: dict[Mode, set[str]] = {
    "walk": _SLOW | {"footway", "path", "steps", "pedestrian", "cycleway", "bridleway", "corridor", "platform"},
    "bike": _SLOW | {"cycleway", "path"},
    "drive": _DRIVE,
}
# Classes a mode may use only where a tag of its own says so (a cyclist on a footway signed for bicycles).
_ONLY_IF_GRANTED: dict[Mode, set[str]] = {
    "walk": {"motorway", "motorway_link", "busway"},
    "bike": {"footway", "pedestrian", "bridleway", "busway", "motorway", "motorway_link"},
    "drive": set(),
}
# The most specific key decides.
_ACCESS_KEYS: dict[Mode, tuple[str, ...]] = {
    "walk": ("foot", "access"),
    "bike": ("bicycle", "vehicle", "access"),
    "drive": ("motorcar", "motor_vehicle", "vehicle", "access"),
}
_DENIED = {
    *("no", "private", "agricultural", "forestry", "delivery", "military", "restricted", "emergency", "permit"),
    *("use_sidepath", "dismount"),
}
_GRANTED = {"yes", "designated", "official", "permissive", "destination"}
_ROUGH = {"tracktype": {"grade4", "grade5"}, "smoothness": {"impassable"}, "service": {"emergency_access"}}
_CONTRAFLOW = {"opposite", "opposite_lane", "opposite_track", "opposite_share_busway"}

_BLOCKS: dict[Mode, set[str]] = {
    "walk": {"fence", "wall", "hedge"},
    "bike": {"fence", "wall", "hedge", "kissing_gate", "stile", "turnstile", "full-height_turnstile"},
    "drive": {
        *("fence", "wall", "hedge", "kissing_gate", "stile", "turnstile", "full-height_turnstile", "bollard", "block", "cycle_barrier"),
        *(
            "motorcycle_barrier",
            "bus_trap",
            "sump_buster",
            "jersey_barrier",
            "debris",
            "log",
            "planter",
            "horse_stile",
            "hampshire_gate",
            "chain",
        ),
    },
}

_WATER_AREAS = {("natural", "water"), ("waterway", "riverbank"), ("landuse", "reservoir")}
_WATER_LINES = {("waterway", "river"), ("waterway", "canal"), ("natural", "coastline")}

# cn: Road Traffic Safety Law implementation regulation of the PRC, article 45 (one lane each way: 50 in town, 70 outside) and article 78
# (120). gb: Highway Code, rule 124 (cars: 60 mph on single, 70 on dual carriageways and motorways). ru: traffic rules, section 10 (60, 90,
# 110). Elsewhere 50 in town; where the value depends on the country and is not listed here, it is reported as not understood.
_IMPLIED_KMH = (
    {"urban": 50.0, "living_street": 10.0, "walk": 5.0}
    | {"cn:rural": 70.0, "cn:motorway": 120.0}
    | {"gb:nsl_single": 96.56064, "gb:nsl_dual": 112.65408, "gb:motorway": 112.65408}
    | {"ru:urban": 60.0, "ru:rural": 90.0, "ru:motorway": 110.0}
)
_SPEED = re.compile(r"(\d+(?:\.\d+)?)(km/h|kmh|kph|kmph|km|公里/小时|公里/时|公里每小时|公里|千米/小时|千米每小时|mph|knots)?")
_ZONE = re.compile(r"(?:[a-z]{2}:)?(?:zone:?)?(\d+)")
_UNIT_KMH = {"mph": 1.609344, "knots": 1.852}
_FASTEST_KMH = 200.0  # more is a slip of the pen, such as 600 for 60


def permissions(tags: Tags) -> int:
    """Two bits a mode, as in ``Roads.permit``: may it travel this way forward, and backward? 0 for what is not a road."""
    if tags.get("route") == "ferry":
        return 0
    bits = 0
    for mode in MODES:
        if _may_use(tags, mode):
            for step, direction in ((1, "forward"), (-1, "backward")):
                if _one_way(tags, mode) != -step and not _denied_in(tags, mode, direction):
                    bits |= forward_bit(mode) << (step < 0)
    return bits


def _allows(value: str) -> bool:
    return any(part.strip() not in _DENIED for part in value.split(";"))


def _may_use(tags: Tags, mode: Mode) -> bool:
    highway = tags.get("highway", "")
    keys = _ACCESS_KEYS[mode]
    granted = tags.get(keys[0]) in _GRANTED
    if highway not in _CLASSES[mode]:
        return granted and highway in _ONLY_IF_GRANTED[mode]
    if mode != "walk" and any(tags.get(key) in values for key, values in _ROUGH.items()) and not granted:
        return False
    if mode != "drive" and tags.get("motorroad") == "yes" and not granted:
        return False
    return _allows(next((tags[key] for key in keys if key in tags), "yes"))


def _denied_in(tags: Tags, mode: Mode, direction: str) -> bool:
    return not _allows(next((tags[f"{key}:{direction}"] for key in _ACCESS_KEYS[mode] if f"{key}:{direction}" in tags), "yes"))


def _direction(value: str | None) -> int | None:
    if value is None:
        return None
    return {"yes": 1, "true": 1, "1": 1, "-1": -1, "reverse": -1}.get(value, 0)


def _one_way(tags: Tags, mode: Mode) -> int:
    """1: only forward, -1: only backward, 0: both."""
    for key in _ACCESS_KEYS[mode][:-1]:
        own = _direction(tags.get(f"oneway:{key}"))
        if own is not None:
            return own
    if mode == "walk":
        return {"forward": 1, "backward": -1}.get(tags.get("conveying", ""), 0)
    if mode == "bike" and _cycles_against(tags):
        return 0
    tagged = _direction(tags.get("oneway"))
    if tagged is not None:
        return tagged
    return int(tags.get("junction") in {"roundabout", "circular"} or tags.get("highway") == "motorway")


def _cycles_against(tags: Tags) -> bool:
    sides = ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both")
    return any(tags.get(side) in _CONTRAFLOW or tags.get(f"{side}:oneway") in {"-1", "no"} for side in sides)


def enterable(tags: Tags) -> bool:
    """Tell whether a traveller may join the way between its ends: not a motorway, not inside a tunnel."""
    fenced = tags.get("highway") in {"motorway", "motorway_link"} or tags.get("motorroad") == "yes"
    return not fenced and tags.get("tunnel", "no") in {"no", "building_passage"}


def is_bridge(tags: Tags) -> bool:
    """Tell whether the way is a bridge, a viaduct or the like.

    >>> [is_bridge(tags) for tags in ({"bridge": "viaduct"}, {"bridge": "no"}, {})]
    [True, False, False]
    """
    return any(part.strip() != "no" for part in tags.get("bridge", "no").split(";"))


def blocked_modes(tags: Tags) -> int:
    """One bit a mode, as in ``Roads.blocked``: whom a barrier node stops."""
    barrier = tags.get("barrier")
    if barrier is None:
        return 0
    bits = 0
    for mode in MODES:
        value = next((tags[key] for key in _ACCESS_KEYS[mode] if key in tags), None)
        stopped = (barrier in _BLOCKS[mode] or tags.get("locked") == "yes") if value is None else not _allows(value)
        bits |= blocked_bit(mode) * stopped
    return bits


def is_water_area(tags: Tags) -> bool:
    """Tell whether a closed way or a multipolygon with these tags is a lake, a wide river or a reservoir."""
    return any(item in _WATER_AREAS for item in tags.items())


def is_water_line(tags: Tags) -> bool:
    """Tell whether a way with these tags is a river, a canal or a coast; not where it runs underground."""
    return any(item in _WATER_LINES for item in tags.items()) and tags.get("tunnel", "no") == "no"


def maxspeed_kmh(tags: Tags) -> tuple[float, float, tuple[str, ...]]:
    """Tagged speed forward and backward in km/h (nan: untagged), and the values that could not be understood."""
    unread: list[str] = []

    def read(*keys: str) -> float:
        for key in keys:
            if key in tags:
                kmh = parse_maxspeed(tags[key])
                if kmh is not None:
                    return kmh
                if tags[key].strip().lower() not in {"none", "signals", "variable"}:
                    unread.append(tags[key])
        return float("nan")

    return read("maxspeed:forward", "maxspeed"), read("maxspeed:backward", "maxspeed"), tuple(sorted(set(unread)))


def parse_maxspeed(text: str) -> float | None:
    """Read a maxspeed value; of several the lowest; None if it gives no number.

    >>> [parse_maxspeed(text) for text in ("60", "30 mph", "60;80", "CN:urban", "DE:zone30", "６０公里/小时", "none")]
    [60.0, 48.28032, 60.0, 50.0, 30.0, 60.0, None]
    """
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", text).lower())
    values = [_one_speed(part) for part in re.split(r"[;,|]", plain)]
    speeds = [value for value in values if value and value <= _FASTEST_KMH]
    return min(speeds) if speeds else None


def _one_speed(text: str) -> float | None:
    number = _SPEED.fullmatch(text)
    if number:
        return float(number[1]) * _UNIT_KMH.get(number[2] or "", 1.0)
    zone = _ZONE.fullmatch(text)
    if zone:
        return float(zone[1])
    return _IMPLIED_KMH.get(text, _IMPLIED_KMH.get(text.rpartition(":")[2]))
