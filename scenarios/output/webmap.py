"""The map in the browser: what stands beside it, and the single file that shows both offline. Pure: no Streamlit, no file written."""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import json
import math
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import xstatic.pkg.leaflet

from coverage.gaps import CAUSES, CUT_OFF, NO_FACILITY, OFF_NETWORK, TOO_FAR
from coverage.stats import CoverageResult
from geodata.region import Prepared
from geodata.standards import Limit, Mode, ServiceDefinition
from scenarios.compare import Comparison
from scenarios.output.report import people, percent, provenance, round_up
from scenarios.output.weblayers import base_layer, circle_layer, place_layer

Language = Literal["zh", "en"]
Pair = dict[str, str]

WEB = Path(__file__).parent / "web"
LEAFLET = Path(xstatic.pkg.leaflet.BASE_DIR)
SCRIPTS = ("words.js", "layers.js", "panel.js", "map.js")  # in this order, after leaflet.js
LEVELS = (0.5, 0.7, 0.85, 0.95)  # the shares at which the townships change colour
MOST_GAPS_LISTED = 500
MOST_GAPS_DRAWN = 5_000

_CAUSE_SHORT = {
    TOO_FAR: ("超过时限或距离", "beyond the limit"),
    OFF_NETWORK: ("附近没有可用道路", "no usable road near"),
    CUT_OFF: ("道路不连通", "no route"),
    NO_FACILITY: ("没有此类机构", "no such facility"),
}
_METRES = {"metres": "nearest_network_m", "straight_m": "nearest_straight_m", "road_m": "road_m"}
_MODES: dict[Mode, tuple[str, str]] = {"walk": ("步行", "on foot"), "bike": ("骑行", "by bicycle"), "drive": ("驾车", "by car")}
_ILLUSTRATIVE = (
    "示意数据：地名与总人口为真，其余由程序生成，不能用于决策。",
    "Illustrative data: names and totals are real, the rest is generated. Not for decisions.",
)
_COUNTS = (
    "县内常住人口，按居住的村（社区）计；到县外机构的也算。服务圈只是示意图形，人口不按图形计。",
    "Residents of the county, counted where they live; facilities outside count too. A circle is a picture: nobody is counted by it.",
)
_NO_FACILITIES = (
    "没有此类机构的数据，覆盖为 0 不代表实际情况。",
    "No facilities of these kinds are in the data: 0 says nothing of the county.",
)


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
    service = prepared.services.service(service_id)
    table = result.by_zone if comparison is None else comparison.by_zone
    gaps = _gaps(prepared, result)
    return {
        "region": region.name,
        "date": region.date.isoformat(),
        "service": _pair(service.name_zh, service.name_en),
        "definition": _pair(definition.name_zh, definition.name_en),
        "counts": _pair(*_COUNTS),
        "warnings": [
            *([_pair(*_ILLUSTRATIVE)] if region.illustrative else []),
            *([_pair(*_NO_FACILITIES)] if len(result.facilities) == 0 else []),
        ],
        "scenario": comparison is not None,
        "figures": _figures(result, comparison),
        "levels": _level_names(),
        "zones": [_zone(row) for row in table.to_dict("records")],
        "gaps": gaps[:MOST_GAPS_LISTED],
        "gaps_beyond": [[gap["lon"], gap["lat"], gap["people"]] for gap in gaps[MOST_GAPS_LISTED:MOST_GAPS_DRAWN]],
        "gap_count": len(gaps),
        "gap_people": round(math.fsum(result.gaps["people"])),
        "causes": {cause: _pair(*said) | {"short": _pair(*_CAUSE_SHORT[cause])} for cause, said in CAUSES.items()},
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
    options = {
        "language": language,
        "editable": False,
        "switchable": True,
        "layers": {name: {"id": layer.id, "data": layer.data} for name, layer in layers.items()},
        "view": view(prepared, service_id, result, comparison=comparison),
    }
    return _page(f"{prepared.region.name} · {prepared.services.service(service_id).name_zh}", language, options)


def web_script() -> str:
    """Leaflet and our scripts, in the order in which they run."""
    leaflet = (LEAFLET / "leaflet.js").read_text(encoding="utf-8")
    files = [leaflet.split("//# sourceMappingURL", maxsplit=1)[0], *(_web(name) for name in SCRIPTS)]
    return "\n".join(files)


def web_style() -> str:
    """Style sheets of Leaflet and of ours; the pictures of Leaflet's own markers are not used."""
    leaflet = (LEAFLET / "leaflet.css").read_text(encoding="utf-8")
    return re.sub(r"url\([^)]*\)", "none", leaflet) + "\n" + _web("map.css")


def _page(title: str, language: Language, options: dict[str, Any]) -> str:
    script, start = web_script(), "circle15.start();"
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


def _pair(zh: str, en: str) -> Pair:
    return {"zh": zh, "en": en}


def _figures(result: CoverageResult, comparison: Comparison | None) -> list[dict[str, Any]]:
    """The few numbers that are read first."""
    rows = {row["row"]: row for row in (result.by_zone if comparison is None else comparison.by_zone).to_dict("records")}
    total = rows["total"]

    def figure(zh: str, en: str, shown: str, about: tuple[str, str]) -> dict[str, Any]:
        return {"label": _pair(zh, en), "value": shown, "about": _pair(*about)}

    of_all = ("县内常住人口中，在时限或距离以内的比例", "Of the residents of the county, the share within the limit")
    of_class = ("按村（社区）的城乡分类", "By the class of the village or community")
    return [
        figure("人口覆盖率", "People covered, share", _then(total, "share_people", percent), of_all),
        figure("覆盖人口", "People covered", _then(total, "covered_people", people), ("县内常住人口", "Residents of the county")),
        figure("城镇覆盖率", "Urban, share", _then(rows["urban"], "share_people", percent), of_class),
        figure("农村覆盖率", "Rural, share", _then(rows["rural"], "share_people", percent), of_class),
    ]


def _then(row: Mapping[str, Any], column: str, shown: Any) -> str:  # noqa: ANN401 — a function of one number
    """A number; of a comparison, before and after."""
    if column in row:
        return str(shown(row[column]))
    return f"{shown(row[f'{column}_before'])} → {shown(row[f'{column}_after'])}"


def _level_names() -> list[str]:
    whole = [f"{share * 100:g}" for share in LEVELS]
    return [f"< {whole[0]} %", *(f"{low}–{high} %" for low, high in itertools.pairwise(whole)), f"≥ {whole[-1]} %"]


def _zone(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the township table; of a comparison, covered is after."""
    after = "_after" if "share_people_after" in row else ""
    share = row["share_people" + after]
    said = {
        "row": row["row"],
        "id": row["zone_id"],
        "name": row["zone"],
        "people": round(row["people"]),
        "covered": round(row["covered_people" + after]),
        "percent": _percent(share),
        "level": None if math.isnan(share) else sum(share >= limit for limit in LEVELS),
    }
    if after:
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
            | {"lon": round(lon, 5), "lat": round(lat, 5), "people": round(row["people"]), "nearest": row["nearest_name"]}
            | {"minutes": None if math.isnan(minutes) else round_up(minutes)}
            | {key: _metres(row[column]) for key, column in _METRES.items()}
        )
    return said


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
    return [
        {key: row[key] for key in ("id", "name", "zone", "change")}
        | {"lon": round(row["lon"], 5), "lat": round(row["lat"], 5), "people": round(row["people"])}
        for row in comparison.changed.to_dict("records")
    ]


def _notes(prepared: Prepared, definition: ServiceDefinition) -> list[Pair]:
    """What every number rests on, line by line."""
    said = provenance(prepared, [definition])
    speeds = prepared.speeds.of(definition.mode)
    zh, en = _MODES[definition.mode]
    limits = {name: (_limit(limit, "zh"), _limit(limit, "en")) for name, limit in definition.limits.items()}
    beside = f"{definition.beside_m:g}"
    parameters = said["parameters"]
    radius, snap = (f"{parameters[name]:g}" for name in ("access_radius_m", "max_snap_m"))
    return [
        _pair(
            f"时限：城镇 {limits['urban'][0]}，农村 {limits['rural'][0]}", f"Limits: urban {limits['urban'][1]}, rural {limits['rural'][1]}"
        ),
        _pair(
            f"方式：{zh}，{speeds.kmh:g} km/h（分级车速见参数）；服务圈画在可达道路两侧各 {beside} 米",
            f"Mode: {en}, {speeds.kmh:g} km/h (classes apart); a circle is drawn {beside} m beside the reached roads",
        ),
        _pair(
            f"到路：{radius} 米内每条可用道路，没有则取 {snap} 米内最近的一条",
            f"Access: every usable road within {radius} m, or the nearest within {snap} m",
        ),
        _pair(
            f"口径来源：{definition.source}［{definition.status}］",
            f"Source of the definition: {definition.source} [{definition.status}]",
        ),
        _pair(f"人口来源：{said['people_source']}", f"People: {said['people_source']}"),
        *[
            _pair(f"数据：{one['file']} {one['note']} {one['sha256'][:12]}", f"Data: {one['file']} {one['note']} {one['sha256'][:12]}")
            for one in said["sources"]
        ],
        _pair(f"数据指纹：{said['region_fingerprint'][:16]}", f"Fingerprint of the data: {said['region_fingerprint'][:16]}"),
        _pair(f"程序：{said['program']}", f"Program: {said['program']}"),
        _pair("内部资料 未经审图", "Internal material; the map has not been reviewed for publication"),
    ]


def _limit(limit: Limit, language: Language) -> str:
    units = {"minutes": ("分钟", " min"), "network_m": ("米（沿路）", " m by road"), "straight_m": ("米（直线）", " m straight")}
    given = {unit: getattr(limit, measure) for measure, unit in units.items()}
    return " + ".join(f"{value:g}{unit[language == 'en']}" for unit, value in given.items() if value is not None)
