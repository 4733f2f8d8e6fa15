"""The map in the browser: what stands beside it, and the single file that shows both offline. Pure: no Streamlit, no file written."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import xstatic.pkg.leaflet

from coverage.gaps import CAUSES
from coverage.stats import CoverageResult
from geodata.model import Demand
from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from scenarios.audit.words import SEVERITY_WORDS
from scenarios.compare import Comparison
from scenarios.output import legend
from scenarios.output.legend import Language, Words, kind_words
from scenarios.output.report import SHA_SHOWN, people, people_not_counted, percent, provenance, round_up
from scenarios.output.speed_words import hour_said
from scenarios.output.weblayers import base_layer, circle_layer, place_layer

Pair = dict[str, str]

WEB = Path(__file__).parent / "web"
LEAFLET = Path(xstatic.pkg.leaflet.BASE_DIR)
SCRIPTS = ("words.js", "layers.js", "panel.js", "map.js")  # in this order, after leaflet.js
MOST_GAPS_LISTED = 500
MOST_GAPS_DRAWN = 5_000

_METRES = {"metres": "nearest_network_m", "straight_m": "nearest_straight_m", "road_m": "road_m"}
_LOOKS = {
    "levels": [{"label": label, "colour": colour} for label, colour in zip(legend.share_labels(), legend.SHARE_COLOURS, strict=True)],
    "nobody": legend.NOBODY_COLOUR,
    "gap": legend.GAP_COLOUR,
    "circles": legend.CIRCLE_COLOURS,
    "circle_opacity": legend.CIRCLE_OPACITY,
    "changes": {change: {"colour": legend.CHANGE_COLOURS[change], "sign": legend.CHANGE_SIGNS[change]} for change in legend.CHANGE_WORDS},
    "site": legend.SITE_COLOURS["placed"],
    "findings": {"error": "#b3005e", "warning": "#d4148e", "note": "#6d28d9"},
    "water": legend.WATER_COLOUR,
    "river": legend.RIVER_COLOUR,
    "border": legend.BORDER_COLOUR,
    "county": legend.COUNTY_COLOUR,
    "roads": [{"group": group, "colour": look.colour, "width": look.width_px} for group, look in legend.ROADS.items()],
}
_WORDS = {
    "zones": legend.SHARE_WORDS,
    "nobody": legend.NOBODY_WORDS,
    "external": legend.EXTERNAL_WORDS,
    "outside": legend.OUTSIDE_WORDS,
    "placed": legend.SITE_WORDS["placed"],
    "closed": legend.SITE_WORDS["closed"],
    **legend.BEFORE_AFTER_WORDS,
    **legend.CHANGE_WORDS,
    **{f"sum_{row}": words for row, words in legend.ROW_WORDS.items()},
    **{f"severity_{severity}": words for severity, words in SEVERITY_WORDS.items()},
    **{f"state_{state}": words for state, words in legend.STATE_WORDS.items()},
}


def view(prepared: Prepared, service_id: str, result: CoverageResult, *, comparison: Comparison | None = None) -> dict[str, Any]:
    """Collect what the map and the panel beside it say: ready for JSON, numbers ready to be shown.

    Parameters
    ----------
    prepared : Prepared
    service_id : str
    result : CoverageResult
        What is shown; of a scenario, its coverage after.
    comparison : Comparison, optional
        The scenario before and after; without it there is nothing to compare.
    """
    region, definition = prepared.region, result.definition
    table = result.by_zone if comparison is None else comparison.by_zone
    gaps = _gaps(prepared, result)
    return {
        "title": _pair(legend.title_words(prepared, service_id, comparison)),
        "about": _pair(legend.about_words(prepared, definition)),
        "counts": _pair(legend.COUNTED),
        "warnings": [
            *([_pair(legend.ILLUSTRATIVE_SAID)] if region.illustrative else []),
            *([_pair(legend.NO_FACILITIES)] if len(result.facilities) == 0 else []),
        ],
        "scenario": comparison is not None,
        "figures": _figures(region.demand, table),
        "ranged": legend.range_said(region.demand) is not None,
        "looks": _LOOKS,
        "words": _WORDS | {f"circle_{name}": legend.circle_words(definition, name) for name in legend.CIRCLE_WORDS},
        "kinds": {kind: _pair(kind_words(prepared)[kind]) for kind in definition.kinds},
        "zones": _zones(region.demand, table),
        "external": bool((result.covered != result.covered_without_external).any()),
        "gaps": gaps[:MOST_GAPS_LISTED],
        "gaps_beyond": [[gap["lon"], gap["lat"], gap["radius"]] for gap in gaps[MOST_GAPS_LISTED:MOST_GAPS_DRAWN]],
        "gap_count": len(gaps),
        "gap_people": round(math.fsum(result.gaps["people"])),
        "causes": {cause: _pair(said) | {"short": _pair(legend.CAUSE_WORDS[cause])} for cause, said in CAUSES.items()},
        "sites": [] if comparison is None else _sites(comparison),
        "changed": [] if comparison is None else _changed(comparison),
        "notes": _notes(prepared, definition),
    }


def html_map(
    prepared: Prepared,
    service_id: str,
    result: CoverageResult,
    *,
    circles: gpd.GeoDataFrame,
    comparison: Comparison | None = None,
    language: Language = "zh",
) -> str:
    """Write the map as one page that needs nothing else: no server, no network.

    Parameters
    ----------
    prepared : Prepared
    service_id : str
    result : CoverageResult
        What is shown; of a scenario, its coverage after.
    circles : GeoDataFrame
        Of ``coverage.circles``; the merged ones are drawn.
    comparison : Comparison, optional
        The scenario before and after.
    language : {"zh", "en"}
        The page opens in it; a button changes it.
    """
    before = result if comparison is None else comparison.before  # what a scenario closed is drawn as closed
    layers = {
        "base": base_layer(prepared.region),
        "circles": circle_layer(circles),
        "places": place_layer(prepared.services, before.facilities),
    }
    shown = view(prepared, service_id, result, comparison=comparison)
    options = {
        "language": language,
        "editable": False,
        "switchable": True,
        "layers": {name: {"id": layer.id, "data": layer.data} for name, layer in layers.items()},
        "view": shown,
    }
    return _page(shown["title"][language], language, options)


def leaflet_script() -> str:
    """Leaflet, without the address of its source map."""
    return (LEAFLET / "leaflet.js").read_text(encoding="utf-8").split("//# sourceMappingURL", maxsplit=1)[0]


def leaflet_style() -> str:
    """Leaflet's style sheet without the pictures of its own markers, which are not used."""
    return re.sub(r"url\([^)]*\)", "none", (LEAFLET / "leaflet.css").read_text(encoding="utf-8"))


def web_style() -> str:
    """Style sheets of Leaflet and of ours."""
    return leaflet_style() + "\n" + _web("map.css")


def _page(title: str, language: Language, options: dict[str, Any]) -> str:
    script, start = "\n".join([leaflet_script(), *map(_web, SCRIPTS)]), "circle15.start();"
    data = json.dumps(options, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    parts = {
        "language": "zh-CN" if language == "zh" else "en",
        "title": html.escape(title),
        "hashes": " ".join(f"'sha256-{_sha256(text)}'" for text in (script, start)),
        "style": web_style(),
        "data": _inert(data),
        "script": script,
        "start": start,
    }
    return re.sub(r"%(\w+)%", lambda found: parts[found[1]], _web("page.html"))  # one pass: what is filled in is not looked at again


def _inert(data: str) -> str:
    """JSON that cannot end the script element it stands in."""
    return re.sub("[<>&\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", data)


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _web(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")


def _pair(words: Words) -> Pair:
    return {"zh": words[0], "en": words[1]}


def _figures(demand: Demand, table: pd.DataFrame) -> list[dict[str, Any]]:
    """The few numbers that are read first, with their range if there is one."""
    rows = {row["row"]: row for row in table.to_dict("records")}
    of_all = ("县内常住人口中，在时限或距离以内的比例", "Of the residents of the county, the share within the limit")
    of_class = ("按村（社区）的城乡分类", "By the class of the village or community")
    figures = [
        (("人口覆盖率", "People covered, share"), "total", "share_people", of_all),
        (("覆盖人口", "People covered"), "total", "covered_people", ("县内常住人口", "Residents of the county")),
        (("城镇覆盖率", "Urban, share"), "urban", "share_people", of_class),
        (("农村覆盖率", "Rural, share"), "rural", "share_people", of_class),
    ]
    said = legend.range_said(demand)
    return [
        {
            "label": _pair(label),
            "value": _then(rows[row], column, percent if column == "share_people" else people),
            "range": figure_range(demand, rows[row], column),
            "about": _pair((f"{about[0]}。{said[0]}", f"{about[1]}. {said[1]}") if said else about),
        }
        for label, row, column, about in figures
    ]


def figure_range(demand: Demand, row: Mapping[str, Any], column: str) -> str:
    """Least and most of a figure, of a comparison those after; nothing where both read alike, or nobody lives."""
    after = "_after" if f"{column}_low_after" in row else ""
    shown = percent if column == "share_people" else people
    low, high = (shown(row[f"{column}{end}{after}"]) for end in ("_low", "_high"))
    return "" if low == high or legend.range_said(demand) is None else f"{low.removesuffix(' %')}–{high}"


def _then(row: Mapping[str, Any], column: str, shown: Callable[[float], str]) -> str:
    """A number; of a comparison, before and after."""
    if column in row:
        return shown(row[column])
    return f"{shown(row[f'{column}_before'])} → {shown(row[f'{column}_after'])}"


def _zones(demand: Demand, table: pd.DataFrame) -> list[dict[str, Any]]:
    """The township table; where they are known, those of 65 and over stand below all."""
    rows = table.to_dict("records")
    old = [_zone(demand, legend.as_old(row)) for row in rows if row["row"] == "total" and not math.isnan(row["old"])]
    return [_zone(demand, row) for row in rows] + old


def _zone(demand: Demand, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the township table; of a comparison, `covered` and `percent` are those after."""
    after = "_after" if "share_people_after" in row else ""
    share = row["share_people" + after]
    said = {
        "row": row["row"],
        "id": row["zone_id"],
        "name": row["zone"],
        "people": round(row["people"]),
        "covered": round(row["covered_people" + after]),
        "percent": _percent(share),
        "level": legend.share_level(share),
        "range": figure_range(demand, row, "share_people").removesuffix(" %"),
        "low": _percent(row["share_people_low" + after]),
    }
    if not after:
        said["percent_inside"] = _percent(row["share_people_without_external"])
    else:
        said |= {"covered_before": round(row["covered_people_before"]), "percent_before": _percent(row["share_people_before"])}
        said |= {"gained": round(row["gained_people"]), "lost": round(row["lost_people"])}
    return said


def _percent(share: float) -> float | None:
    return None if math.isnan(share) else round(share * 100, 1)


def _gaps(prepared: Prepared, result: CoverageResult) -> list[dict[str, Any]]:
    """Who is not covered, most people first; minutes rounded up."""
    demand = prepared.region.demand
    position = {one: at for at, one in enumerate(demand.id)}
    said = []
    for row in result.gaps.to_dict("records"):
        lon, lat = demand.lonlat[position[row["id"]]].tolist()
        minutes = row["nearest_minutes"]
        said.append(
            {key: row[key] for key in ("id", "name", "zone", "cause")}
            | _settled(row | {"lon": lon, "lat": lat})
            | {"nearest": row["nearest_name"]}
            | {"minutes": None if math.isnan(minutes) else round_up(minutes)}
            | {key: _metres(row[column]) for key, column in _METRES.items()}
        )
    return said


def _settled(row: Mapping[str, Any]) -> dict[str, float]:
    """Where people live, how many, and how large their dot is."""
    return {
        "lon": round(row["lon"], 5),
        "lat": round(row["lat"], 5),
        "people": round(row["people"]),
        "radius": legend.place_radius_px(row["people"]),
    }


def _metres(value: float) -> int | None:
    return None if math.isnan(value) else math.ceil(value)


def _sites(comparison: Comparison) -> list[dict[str, Any]]:
    """What the scenario changed; people within the limits of each."""
    return [
        {key: row[key] for key in ("id", "name", "kind", "state")}
        | {"lon": round(row["lon"], 5), "lat": round(row["lat"], 5), "people": round(row["people"])}
        for row in comparison.sites.to_dict("records")
    ]


def _changed(comparison: Comparison) -> list[dict[str, Any]]:
    """The settlements that gained or lost."""
    return [{key: row[key] for key in ("id", "name", "zone", "change")} | _settled(row) for row in comparison.changed.to_dict("records")]


def _notes(prepared: Prepared, definition: ServiceDefinition) -> list[Pair]:
    """What every number rests on, line by line."""
    said = provenance(prepared, [definition])
    kmh, parameters = prepared.speeds.of(definition.mode).kmh, said["parameters"]
    (mode_zh, mode_en), (limit_zh, limit_en) = legend.MODE_WORDS[definition.mode], legend.limit_words(definition)
    beside, radius, snap = f"{definition.beside_m:g}", *(f"{parameters[name]:g}" for name in ("access_radius_m", "max_snap_m"))
    lines = [
        (f"时限：{limit_zh}", f"Limit: {limit_en}"),
        (
            f"方式：{mode_zh}，{kmh:g} km/h（分级车速见参数）；服务圈画在可达道路两侧各 {beside} 米",
            f"Mode: {mode_en}, {kmh:g} km/h (classes apart); a circle is drawn {beside} m beside the reached roads",
        ),
        (
            f"到路：{radius} 米内每条可用道路，没有则取 {snap} 米内最近的一条",
            f"Access: every usable road within {radius} m, or the nearest within {snap} m",
        ),
        (
            f"口径来源：{definition.source}［{definition.status}：V 见原文，S 转引，M 未核］",
            f"Source of the definition: {definition.source} [{definition.status}: V read in the source, S second-hand, M unchecked]",
        ),
        (f"人口来源：{said['people_source']}", f"People: {said['people_source']}"),
    ]
    of_hour_and_range = [hour_said(prepared.speeds, definition), legend.range_said(prepared.region.demand)]
    lines += [words for words in [*of_hour_and_range, *people_not_counted(prepared.region)] if words]
    for one in said["sources"]:
        file = f"{one['file']} {one['note']} {one['sha256'][:SHA_SHOWN]}"
        lines.append((f"数据：{file}", f"Data: {file}"))
    fingerprint = said["region_fingerprint"][:SHA_SHOWN]
    lines += [
        (f"数据指纹：{fingerprint}", f"Fingerprint of the data: {fingerprint}"),
        (f"程序：{said['program']}", f"Program: {said['program']}"),
        legend.UNREVIEWED,
    ]
    return [_pair(line) for line in lines]
