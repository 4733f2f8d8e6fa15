"""What OSM's tags are taken for: the table ``tags.toml``, and pure functions of a tag dictionary."""

from __future__ import annotations

import re
from functools import cache, cached_property
from pathlib import Path

from geodata.toml import Strict, read_toml
from geodata.ways.osm_tags import Tags, is_water_area, is_water_line

ANY = "*"
_NAMES = ("name", "name:zh", "official_name", "alt_name", "name:en")


class Rule(Strict):
    """Objects with one of these tags, and a name that fits, are facilities of this kind."""

    kind: str
    service: str
    tags: dict[str, tuple[str, ...]]
    name: str = ""

    def fits(self, tags: Tags) -> bool:
        """Tell whether an object with these tags is meant."""
        if not any(tags.get(key) in values or (ANY in values and key in tags) for key, values in self.tags.items()):
            return False
        return not self.name or any(re.search(self.name, tags.get(key, "")) for key in _NAMES)


class Settlements(Strict):
    """Values of `place` that are settlements, by class."""

    urban: tuple[str, ...]
    rural: tuple[str, ...]


class Townships(Strict):
    """Which admin_level the townships have, and which others to ask for where there is none."""

    level: int
    other_levels: tuple[int, ...]

    @property
    def levels(self) -> tuple[str, ...]:
        """All levels as tags, the preferred one first."""
        return tuple(str(level) for level in (self.level, *self.other_levels))


class Water(Strict):
    """Tags of areas and of lines."""

    areas: dict[str, tuple[str, ...]]
    lines: dict[str, tuple[str, ...]]


class TagTable(Strict):
    """The whole of tags.toml."""

    facilities: tuple[Rule, ...]
    closed: dict[str, tuple[str, ...]]
    settlements: Settlements
    townships: Townships
    water: Water
    built: dict[str, tuple[str, ...]]

    @cached_property
    def facility_keys(self) -> frozenset[str]:
        """Keys without one of which nothing is a facility."""
        return frozenset(key for rule in self.facilities for key in rule.tags)

    def rule(self, tags: Tags) -> Rule | None:
        """The first rule that fits."""
        if self.facility_keys.isdisjoint(tags):
            return None
        return next((rule for rule in self.facilities if rule.fits(tags)), None)

    def asked_tags(self) -> dict[str, tuple[str, ...]]:
        """Every tag that a facility may have, for a server: key → values; a key of any value stands alone.

        >>> "clinic" in tag_table().asked_tags()["amenity"], tag_table().asked_tags()["healthcare"]
        (True, ('*',))
        """
        asked: dict[str, set[str]] = {}
        for rule in self.facilities:
            for key, values in rule.tags.items():
                if key != "highway":  # the roads are asked for as a whole
                    asked.setdefault(key, set()).update(values)
        return {key: (ANY,) if ANY in values else tuple(sorted(values)) for key, values in sorted(asked.items())}

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys without one of which no object matters."""
        ours = self.facility_keys | set(self.built) | set(self.water.areas) | set(self.water.lines)
        return tuple(sorted(ours | {"highway", "building", "place"}))

    def is_closed(self, tags: Tags) -> bool:
        """Tell whether the public is kept out."""
        return has_any(tags, self.closed)

    def is_built(self, tags: Tags) -> bool:
        """Tell whether the land is residential."""
        return has_any(tags, self.built)

    def is_local(self, tags: Tags) -> bool:
        """Tell whether an object matters inside the county only: settlements, residential land, buildings."""
        return "building" in tags or tags.get("place") in (*self.settlements.urban, *self.settlements.rural) or self.is_built(tags)

    def is_needed_in_buffer(self, tags: Tags) -> bool:
        """Tell whether an object matters beyond the county: roads, water, facilities do; buildings and settlements do not."""
        return is_network(tags) or self.rule(tags) is not None


def has_any(tags: Tags, wanted: dict[str, tuple[str, ...]]) -> bool:
    """Tell whether one of the tags is there."""
    return any(tags.get(key) in values for key, values in wanted.items())


def is_network(tags: Tags) -> bool:
    """Tell whether an object belongs into the road file: a highway, or water that one may not walk across."""
    return "highway" in tags or is_water_area(tags) or is_water_line(tags)


def is_turn(tags: Tags) -> bool:
    """Tell whether a relation is a turn restriction, which goes into the road file as well."""
    return tags.get("type") == "restriction"


def is_administrative(tags: Tags) -> bool:
    """Tell whether a relation is an administrative boundary."""
    return tags.get("boundary") == "administrative"


def name_of(tags: Tags) -> str:
    """The local name; its Chinese part alone where it is written in two languages.

    >>> name_of({"name": "拉萨市 ལྷ་ས་", "name:zh": "拉萨市"}), name_of({"name": "Moroni", "name:zh": "莫羅尼"})
    ('拉萨市', 'Moroni')
    """
    local = tags.get("name") or tags.get("name:zh") or tags.get("name:en", "")
    return tags.get("name:zh", local) if re.search(r"[一-鿿]", local) else local


def names_of(tags: Tags) -> set[str]:
    """Every name that somebody may ask by."""
    return {tags[key] for key in (*_NAMES, "short_name", "name:fr") if key in tags}


@cache
def tag_table() -> TagTable:
    """Read the table that circle15 ships."""
    return read_toml(Path(__file__).parent / "tags.toml", TagTable)
