"""``circle15 check``: what a region holds, and what is doubtful in it, before anybody trusts a number."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from coverage.snap import ACCESS_RADIUS_M, MAX_SNAP_M, snap_demand, snap_facilities
from geodata.errors import first_few
from geodata.extent import widened
from geodata.region import Prepared
from geodata.roads import Bools, Network
from geodata.standards import MODES, Mode
from scenarios.output.report import people

LEAST_MARGIN_KM = 5.0
MODES_ZH: dict[Mode, str] = {"walk": "步行", "bike": "骑行", "drive": "驾车"}


@dataclass(frozen=True)
class Finding:
    """One doubtful thing: how many, how many people it touches, the first few by name.

    Attributes
    ----------
    severity : "note" or "warning"
    code : str
        Stable name for programs.
    count : int
    people : float
        Residents touched; 0 where none.
    zh, en : str
    first : str
        The first offenders.
    """

    severity: str
    code: str
    count: int
    people: float
    zh: str
    en: str
    first: str


def check_region(prepared: Prepared) -> dict[str, Any]:
    """Say what a region holds (files, rows, people, roads by mode) and what is doubtful in it.

    Returns
    -------
    dict
        ``facts``: label → value; ``findings``: list of :class:`Finding`, warnings first.
    """
    region = prepared.region
    inside = region.demand.inside
    facts = {
        "region": region.name,
        "illustrative": region.illustrative,
        "date": region.date.isoformat(),
        "crs": region.crs,
        "fingerprint": region.fingerprint,
        "sources": [source.__dict__ for source in region.sources],
        "zones": len(region.zones.id),
        "demand_points": len(region.demand),
        "people_inside": math.fsum(region.demand.people[inside]),
        "people_outside": math.fsum(region.demand.people[~inside]),
        "people_source": region.people_source,
        "facilities_by_kind": dict(sorted(Counter(region.facilities.take(np.flatnonzero(~region.facilities.restricted)).kind).items())),
        "road_pieces": len(region.roads),
        "road_km": round(float(region.roads.length_mm.sum()) / 1e6, 1),
    }
    findings = _facilities(prepared) + _settlements(prepared) + _roads(prepared)
    for mode in MODES:
        if (region.roads.permit & (0b11 << (2 * MODES.index(mode)))).any():
            findings += _access(prepared, mode, prepared.network(mode))
        else:
            findings.append(
                Finding("warning", f"no_roads_{mode}", 0, 0, f"没有可{MODES_ZH[mode]}的道路", f"no road is open to mode {mode}", "")
            )
    found = [finding for finding in findings if finding.count or finding.code.startswith("no_roads")]
    return {"facts": facts, "findings": sorted(found, key=lambda finding: finding.severity == "note")}


def _facilities(prepared: Prepared) -> list[Finding]:
    places = prepared.region.facilities
    open_now = places.open_on(prepared.region.date)
    shown = ~places.restricted

    def finding(severity: str, code: str, mask: Bools, zh: str, en: str) -> Finding:
        return Finding(severity, code, int(mask.sum()), 0, zh, en, first_few(places.id[at] for at in np.flatnonzero(mask & shown)))

    west, south, east, north = prepared.region.roads.bounds
    gate = places.entrance[places.first_entrance[:-1]]
    strange = places.external & ~((gate >= [west, south]) & (gate <= [east, north])).all(axis=1)
    none = [
        one for one, service in prepared.services.services.items() if not (places.of_kinds(service.definition(None).kinds) & open_now).any()
    ]
    return [
        Finding(
            "warning",
            "no_facilities",
            len(none),
            0,
            "数据中没有任何机构的服务（覆盖为 0 不代表实际情况）",
            "services without any facility in the data (their 0 says nothing of the county)",
            first_few(none),
        ),
        finding(
            "warning",
            "outside_roads",
            strange,
            "远在路网范围之外的设施（坐标可能有误）",
            "facilities beyond the extent of the roads (wrong coordinates?)",
        ),
        finding(
            "note",
            "external",
            places.external,
            "县外设施（计入覆盖，另列不含县外的结果）",
            "facilities outside the county (counted, and shown apart)",
        ),
        finding(
            "note",
            "not_open",
            ~open_now,
            f"{prepared.region.date} 未启用或已停用的设施（不计）",
            f"facilities not open on {prepared.region.date} (not counted)",
        ),
        finding(
            "note",
            "restricted",
            places.restricted,
            "涉密设施（计入结果，不在图表文件中出现）",
            "restricted facilities (counted, never shown)",
        ),
        finding(
            "warning",
            "assumed_entrances",
            places.assumed_entrances,
            "线状或面状设施没有入口，按轮廓每 100 米假定一处",
            "lines or areas without entrances: assumed every 100 m along the outline",
        ),
    ]


def _settlements(prepared: Prepared) -> list[Finding]:
    """Settlements outside every township, or in another than their table says; raster cells are no settlements."""
    demand, zones = prepared.region.demand, prepared.region.zones
    named = np.array([bool(text) for text in demand.settlement])
    lies_in = zones.locate(demand.lonlat)

    def finding(code: str, mask: Bools, zh: str, en: str) -> Finding:
        first = first_few(f"{demand.name[at]} ({demand.lonlat[at, 0]:.5f}, {demand.lonlat[at, 1]:.5f})" for at in np.flatnonzero(mask))
        return Finding("warning", code, int(mask.sum()), math.fsum(demand.people[mask]), zh, en, first)

    elsewhere = named & demand.inside & (lies_in != demand.zone)
    outside = named & ~demand.inside
    return [
        finding(
            "nobody_urban",
            named & ~demand.urban.any(),
            "没有一处标为城镇：都按农村时限算",
            "none is urban: the rural limits hold everywhere",
        ),
        finding("outside_zones", outside, "在所有乡镇界之外的聚落（不计入任何结果）", "settlements outside every zone (counted nowhere)"),
        finding(
            "other_zone",
            elsewhere,
            "坐标不在其所属乡镇界内的聚落（按表中乡镇计）",
            "settlements that lie outside the zone their table names",
        ),
    ]


def _short_of_the_buffer(prepared: Prepared) -> bool:
    """Tell whether the roads end less than 5 km beyond the county on some side."""
    west, south, east, north = widened(prepared.region.zones.bounds, LEAST_MARGIN_KM)
    has = prepared.region.roads.bounds
    return has[0] > west or has[1] > south or has[2] < east or has[3] < north


def _roads(prepared: Prepared) -> list[Finding]:
    roads = prepared.region.roads
    short = _short_of_the_buffer(prepared)
    return [
        Finding(
            "warning",
            "roads_end_at_border",
            int(short),
            0,
            f"路网向县界外延伸不足 {LEAST_MARGIN_KM:.0f} 公里：绕行县外的路线和县外机构会漏算",
            f"the roads end less than {LEAST_MARGIN_KM:.0f} km beyond the county: routes and facilities outside are missed",
            "",
        ),
        Finding(
            "warning",
            "missing_nodes",
            roads.missing_nodes,
            0,
            "路网文件缺少的节点（道路在此断开）",
            "nodes missing from the road file (roads end there)",
            "",
        ),
        Finding(
            "note",
            "unread_maxspeed",
            len(roads.unread_maxspeed),
            0,
            "无法识别的 maxspeed 值（用道路等级的速度）",
            "maxspeed values that could not be read (class speed used)",
            first_few(roads.unread_maxspeed),
        ),
    ]


def _access(prepared: Prepared, mode: Mode, network: Network) -> list[Finding]:
    """Demand and facilities off the network or far from it, and people on disconnected pieces."""
    demand, places = prepared.region.demand, prepared.region.facilities
    ways, gates = snap_demand(network, demand), snap_facilities(network, places)
    off = ways.off_network & demand.inside
    far = ~ways.off_network & (ways.road_m > ACCESS_RADIUS_M) & demand.inside
    lost = gates.off_network & ~places.restricted
    cut = _not_on_main_part(network, ways.place, ways.piece, len(demand)) & ~ways.off_network & demand.inside
    zh, names = MODES_ZH[mode], demand.name

    def people_of(code: str, mask: Bools, text_zh: str, text_en: str) -> Finding:
        order = np.flatnonzero(mask)[np.argsort(-demand.people[mask], kind="stable")]
        named = first_few(f"{names[at]} ({people(demand.people[at])})" for at in order)
        return Finding(
            "warning", f"{code}_{mode}", int(mask.sum()), math.fsum(demand.people[mask]), f"{zh}：{text_zh}", f"{mode}: {text_en}", named
        )

    return [
        people_of(
            "off_network",
            off,
            f"{MAX_SNAP_M:.0f} 米内没有可用道路，或被水面、高速公路隔开",
            f"no usable road within {MAX_SNAP_M:.0f} m, or only beyond water or a motorway",
        ),
        people_of("far_from_road", far, f"距道路 {ACCESS_RADIUS_M:.0f} 米以上", f"more than {ACCESS_RADIUS_M:.0f} m from the road"),
        people_of("disconnected", cut, "所在道路与主路网不连通", "on roads that are not joined to the main network"),
        Finding(
            "warning",
            f"facility_off_network_{mode}",
            int(lost.sum()),
            0,
            f"{zh}：设施附近没有可用道路",
            f"{mode}: facilities without a usable road nearby",
            first_few(places.id[at] for at in np.flatnonzero(lost)),
        ),
    ]


def _not_on_main_part(network: Network, place: np.ndarray[Any, Any], piece: np.ndarray[Any, Any], count: int) -> Bools:
    """Places none of whose ways on leads to the largest connected part (directions ignored)."""
    ones = np.ones(len(network), dtype=np.int8)
    graph = coo_array((ones, (network.start, network.end)), shape=(network.node_count, network.node_count))
    part = connected_components(graph, directed=False)[1]
    main = part == np.bincount(part[network.start]).argmax()
    joined = np.zeros(count, dtype=bool)
    joined[place[main[network.start[piece]]]] = True
    return ~joined
