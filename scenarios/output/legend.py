"""Words and colours that the sheets and the maps share, so that a class of share looks and reads the same on each of them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from geodata.region import Prepared
from geodata.standards import Limit, ServiceDefinition

Language = Literal["zh", "en"]

UNREVIEWED: Final = ("内部资料 未经审图", "for internal use, not reviewed for publication")
CLASS_WORDS: Final = {"urban": ("城镇", "urban"), "rural": ("农村", "rural")}
ROW_WORDS: Final = CLASS_WORDS | {"total": ("合计", "total")}
MODE_WORDS: Final = {"walk": ("步行", "on foot"), "bike": ("骑行", "by bicycle"), "drive": ("驾车", "by car")}
DIRECTION_WORDS: Final = {
    "to_facility": ("从居民点到机构", "from home to the facility"),
    "from_facility": ("从站点到现场", "from the station to the scene"),
}
STATE_WORDS: Final = {"new": ("新增", "new"), "moved": ("迁建", "moved"), "closed": ("关闭", "closed"), "kept": ("保留", "kept")}
ROLE_WORDS: Final = {
    "roads": ("道路", "roads"),
    "zones": ("乡镇界", "townships"),
    "population": ("乡镇人口", "township population"),
    "demand": ("居民点", "settlements"),
    "facilities": ("机构", "facilities"),
    "services": ("口径", "services"),
    "speeds": ("速度", "speeds"),
}
CHANGE_WORDS: Final = {"gained": ("新覆盖", "gained"), "lost": ("不再覆盖", "lost")}

SHARE_STEPS: Final = (0.50, 0.70, 0.85, 0.95)
SHARE_LABELS: Final = ("< 50 %", "50–70 %", "70–85 %", "85–95 %", "≥ 95 %")
SHARE_COLOURS: Final = ("#fbf3dc", "#e9edc4", "#c9e0ae", "#a0cd95", "#6fb380")
NOBODY_COLOUR: Final = "#e8e8e8"
GAP_COLOUR: Final = "#d7191c"
CIRCLE_COLOUR: Final = "#3b5b92"
WATER_COLOUR: Final = "#a8cfe8"
CHANGE_COLOURS: Final = {"gained": "#1a9641", "lost": "#7b3294"}
STATE_COLOURS: Final = {"new": "#ff7f00", "moved": "#ff7f00", "closed": "#4d4d4d"}
_KIND_COLOURS: Final = ("#b2182b", "#2166ac", "#762a83", "#1b7837", "#5d4a1f", "#01665e", "#c51b7d", "#35478c", "#8c510a", "#000000")

ROAD_GROUPS: Final = {
    "motorway": ("motorway", "motorway_link"),
    "main": ("trunk", "trunk_link", "primary", "primary_link", "secondary", "secondary_link"),
    "local": ("tertiary", "tertiary_link", "unclassified", "residential", "living_street", "road"),
}
ROAD_WORDS: Final = {"motorway": ("高速公路", "motorway"), "main": ("主要道路", "main road"), "local": ("一般道路", "local road")}
ROAD_COLOURS: Final = {"motorway": "#d98a3d", "main": "#8f7f6a", "local": "#b9b2a8"}


def share_colour(share: float) -> str:
    """Colour of a covered share of 0–1; a lower bound belongs to its class.

    >>> share_colour(0.95) == SHARE_COLOURS[-1], share_colour(math.nan) == NOBODY_COLOUR
    (True, True)
    """
    return NOBODY_COLOUR if math.isnan(share) else SHARE_COLOURS[bisect_right(SHARE_STEPS, share)]


def kind_colours(kinds: Sequence[str]) -> dict[str, str]:
    """Colour of each kind of a definition, in the definition's order."""
    return {kind: _KIND_COLOURS[at % len(_KIND_COLOURS)] for at, kind in enumerate(dict.fromkeys(kinds))}


def kind_words(prepared: Prepared) -> Mapping[str, tuple[str, str]]:
    """Name of each kind of facility in both languages."""
    return {kind: (named.zh, named.en) for kind, named in prepared.services.kinds.items()}


def limit_words(definition: ServiceDefinition) -> tuple[str, str]:
    """Say the limits of a definition in Chinese and in English."""
    if definition.urban == definition.rural:
        return _limit_zh(definition.urban), definition.limit_text
    return f"城镇 {_limit_zh(definition.urban)}；农村 {_limit_zh(definition.rural)}", definition.limit_text


def way_words(definition: ServiceDefinition) -> tuple[str, str]:
    """Say how the limits are travelled; nothing where they are straight lines."""
    travelled = any(limit.minutes or limit.network_m for limit in definition.limits.values())
    return MODE_WORDS[definition.mode] if travelled else ("", "")


def class_limit_words(definition: ServiceDefinition, name: str) -> tuple[str, str]:
    """Say the limit of one settlement class; ``all`` where both are the same."""
    limit = definition.rural if name == "rural" else definition.urban
    return _limit_zh(limit), limit.text


def _limit_zh(limit: Limit) -> str:
    parts = [(limit.minutes, "分钟", ""), (limit.network_m, "米", "沿道路 "), (limit.straight_m, "米", "直线 ")]
    return "且 ".join(f"{before}{value:g} {unit}" for value, unit, before in parts if value is not None)
