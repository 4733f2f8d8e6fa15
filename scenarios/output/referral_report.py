"""The chain from the call to the hospital's door as text, tables, JSON and sheets: every part of the time apart."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from coverage.studies.referral import PARTS, Referral
from geodata.region import Prepared
from scenarios.output.legend import CLASS_WORDS, NO_FACILITIES, OUTSIDE_WORDS, Words, both, kind_words, limit_words, range_said
from scenarios.output.report import align, definition_json, people, people_not_counted, percent, percent_range, provenance, rows
from scenarios.output.sheets import Cell, Column, Sheet, about_sheet
from scenarios.output.time_words import TIME_CAUSES, TIME_REMARKS, basis, cause_words, minutes, minutes_cell, study_title
from scenarios.output.workbook import write_sheets
from scenarios.output.writers import Writer, bytes_writer, csv_writer, json_writer
from scenarios.referral import WITHIN_SOURCE, ReferralStudy

MOST_SHOWN: Final = 10
NAME: Final[Words] = ("急救全程", "from the call to the hospital")
REMARKS: Final[tuple[Words, ...]] = (
    (
        "最近的急救点与最近的医院各自选取：全程为各段之和，也就是所有组合中最短的。不考虑车辆正忙、床位占满、专科与就诊意愿。",
        (
            "Which point comes and which hospital receives are chosen apart: the sum is the least over all pairs of them. Busy vehicles, "
            "full beds, specialties and patients' wishes are left aside."
        ),
    ),
    (
        "到现场按从急救点出发的方向，送医按到医院的方向；两段都含离开或回到道路的一段。交接不计，终点是医院门口。",
        (
            "The drive out goes from the point, the drive in to the hospital, one-way roads as they are; both hold the leg between road "
            "and place. Handing over is not counted: the chain ends at the hospital's door."
        ),
    ),
    (
        "“车在医院”：假设每家能够收治的医院都有车，从就近的一家出车；与现有急救点比较用。",
        "“At hospitals”: as if every capable hospital had an ambulance and the nearest sent it; to compare with the points.",
    ),
    (
        "“不含县外”：县外的急救点和医院都不算。",
        "“Without external”: neither points nor hospitals outside the county.",
    ),
    ("各段分别取整，相加可与全程差零点几分钟。", "Each part is rounded by itself: they may add up to some tenths more than the total."),
)


def referral_text(prepared: Prepared, study: ReferralStudy) -> str:
    """Lay out the chain, the townships, points against hospitals, and those who wait longest, in both languages."""
    result = study.referral
    parts = [
        study_title(prepared, NAME, result.definition),
        "\n".join(f"{head}：{said}" for head, said in (*basis(prepared, result.definition), *_asked(prepared, study))),
        _zones(prepared, result),
        *([both(NO_FACILITIES)] if len(result.points) == 0 else []),
        "■ 各段 parts of the time（人口加权平均 mean over people，分钟 min）\n\n" + _parts(result),
        "■ 车在急救点与车在医院 ambulances at the points and at hospitals\n\n" + _stationed(result),
        "■ 最久的村（社区） those who wait longest\n\n" + f"{_beyond(result)}\n\n" + _longest(result.by_settlement),
    ]
    if lost := _unreached(result.by_settlement):
        parts.append(f"■ 不可达 not reached\n\n{lost}")
    parts.append("■ 说明 remarks\n\n" + "\n".join(f"· {zh}\n  {en}" for zh, en in _remarks(prepared)))
    return "\n\n".join(parts) + "\n"


def _asked(prepared: Prepared, study: ReferralStudy) -> list[tuple[str, str]]:
    """What the chain rests on beside the definition: which points and hospitals, each part of the time, the limits."""
    result, definition, kinds = study.referral, study.referral.definition, kind_words(prepared)
    points, hospitals = result.points.to_geodataframe(), result.hospitals.to_geodataframe()
    wanted = "、".join(both(kinds[kind]) for kind in study.kinds) or "指名 named"
    if study.beds is not None:
        wanted += f"，床位 beds ≥ {study.beds:g}"
        wanted += f"（{study.beds_unstated} 家未写床位，未计 state no beds and do not count）" if study.beds_unstated else ""
    named = [f"{row.name}{f'（{both(OUTSIDE_WORDS)}）' if row.external else ''}" for row in hospitals.itertuples()]
    return [
        ("急救点 points", f"{len(points)}"),
        ("能够收治的医院 capable hospitals", f"{wanted}；{len(hospitals)}：{'、'.join(named)}"),
        ("全程 total", "受理 call handling + 出车 turnout + 到现场 to the scene + 现场 on the scene + 到医院 to the hospital"),
        ("现场 on the scene", f"{result.scene_minutes:.1f} 分钟 min；{study.scene.zh} {study.scene.en}"),
        ("反应时限 limit of the response", both(limit_words(definition))),
        ("全程时限 limit of the total", f"{result.within_minutes:g} 分钟 min；{both(WITHIN_SOURCE)}"),
    ]


def _remarks(prepared: Prepared) -> list[Words]:
    said = range_said(prepared.region.demand)
    return [*REMARKS, *TIME_REMARKS, *([said] if said else []), *people_not_counted(prepared.region)]


def _zones(prepared: Prepared, result: Referral) -> str:
    ranged, within = range_said(prepared.region.demand) is not None, f"{result.within_minutes:g}"
    heads = ["乡镇 township", "人口 people", f"{within} 分钟内 within", "占比 share", *(["区间 range"] if ranged else [])]
    heads += ["不含县外 w/o external", "65+ 占比", "平均 mean", "50 %", "90 %", "不可达 unreached", "最久的村居 longest", "分钟 min"]
    table = [
        [
            *(row.zone, people(row.people), people(row.within_people), percent(row.share_within)),
            *([percent_range(row.share_within_low, row.share_within_high)] if ranged else []),
            *(percent(row.share_within_without_external), percent(row.share_old)),
            *(minutes(one) for one in (row.mean_minutes, row.median_minutes, row.p90_minutes)),
            *(people(row.unreached_people), row.worst_name, minutes(row.worst_minutes)),
        ]
        for row in result.by_zone.itertuples(index=False)
    ]
    return align(heads, table)


def _parts(result: Referral) -> str:
    """Each part of the time, as a mean over the people whom the whole chain reaches."""
    heads = ["", "受理 call", "出车 turnout", "到现场 to scene", "现场 on scene", "到医院 to hospital", "全程 total"]
    sums = result.by_zone[result.by_zone["row"] != "zone"].to_dict("records")
    names = [*(f"{part}_mean_minutes" for part in PARTS), "mean_minutes"]
    return align(heads, [[row["zone"], *(minutes(row[name]) for name in names)] for row in sums])


def _stationed(result: Referral) -> str:
    within = f"{result.within_minutes:g} 分钟内到院 at hospital within"
    heads = [
        "",
        "",
        "反应平均 mean response",
        "90 %",
        "反应达标 response in time",
        "不含县外 w/o external",
        within,
        "不含县外 w/o external",
    ]
    table = []
    for row in result.by_zone[result.by_zone["row"] != "zone"].to_dict("records"):
        for label, name, total in (("急救点 points", "", "share_within"), ("医院 hospitals", "stationed_", "share_stationed")):
            times = [minutes(row[f"{name}response_{figure}_minutes"]) for figure in ("mean", "p90")]
            shares = [percent(row[f"{share}{of}"]) for share in (f"share_{name}response", total) for of in ("", "_without_external")]
            table.append([row["zone"] if not name else "", label, *times, *shares])
    return align(heads, table)


def _beyond(result: Referral) -> str:
    """Count the settlements beyond the limit of the total: the list on screen is short."""
    beyond = result.by_settlement[result.by_settlement["over_limit"] & (result.by_settlement["people"] > 0)]
    lost = int(beyond["total_minutes"].isna().sum())
    unlisted = result.points.restricted.any() or result.hospitals.restricted.any()
    by = "；按可列名的急救点与医院计 by points and hospitals that may be listed" if unlisted else ""
    return (
        f"超过 {result.within_minutes:g} 分钟或不可达 beyond the limit or not reached: {len(beyond):,} 处 places"
        f"（其中不可达 not reached {lost:,}），{people(beyond['people'].sum())} 人 people{by}；"
        f"逐村见 referral_settlements.csv 的 over_limit 列 all of them: column over_limit"
    )


def _longest(table: pd.DataFrame) -> str:
    heads = [
        "村居 place",
        "乡镇 township",
        "人口 people",
        "急救点 point",
        "反应 response",
        "现场 on scene",
        "到医院 to hospital",
        "全程 total",
    ]
    heads += ["医院 hospital"]
    listed = table[(table["people"] > 0) & table["total_minutes"].notna()].head(MOST_SHOWN)
    return align(
        heads,
        [
            [
                *(row.name, row.zone, people(row.people), row.point_name),
                *(minutes(one) for one in (row.response_minutes, row.scene_minutes, row.to_hospital_minutes, row.total_minutes)),
                row.hospital_name,
            ]
            for row in listed.itertuples(index=False)
        ],
    )


def _unreached(table: pd.DataFrame) -> str:
    lost = table[(table["people"] > 0) & table["total_minutes"].isna()]
    heads = ["村居 place", "乡镇 township", "人口 people", "急救点到不了 from the points", "到不了医院 to the hospitals"]
    cells = [
        [row.name, row.zone, people(row.people), cause_words(row.response_cause), cause_words(row.hospital_cause)]
        for row in lost.itertuples(index=False)
    ]
    more = f"\n… 共 {len(cells)} 处 places，{people(lost['people'].sum())} 人 people" if len(cells) > MOST_SHOWN else ""
    return align(heads, cells[:MOST_SHOWN]) + more if cells else ""


def referral_json(prepared: Prepared, service_id: str, study: ReferralStudy) -> dict[str, Any]:
    """All of it for programs, with parameters and sources."""
    result = study.referral
    hospitals = result.hospitals.to_geodataframe()[["id", "name", "kind", "capacity", "external"]]
    return provenance(prepared, [result.definition]) | {
        "service": service_id,
        "definitions": {service_id: definition_json(result.definition)},
        "question": {
            "kinds": list(study.kinds),
            "beds": study.beds,
            "beds_unstated": study.beds_unstated,
            "hospitals": rows(pd.DataFrame(hospitals)),
            "points_shown": int(np.sum(~result.points.restricted)),
            "scene_minutes": result.scene_minutes,
            "scene_source": {"zh": study.scene.zh, "en": study.scene.en},
            "within_minutes": result.within_minutes,
            "within_source": {"zh": WITHIN_SOURCE[0], "en": WITHIN_SOURCE[1]},
        },
        "remarks": [{"zh": zh, "en": en} for zh, en in _remarks(prepared)],
        "total": rows(result.by_zone[result.by_zone["row"] == "total"])[0],
        "by_zone": rows(result.by_zone),
        "by_settlement": rows(result.by_settlement),
    }


def referral_files(prepared: Prepared, service_id: str, study: ReferralStudy) -> dict[str, Writer]:
    """Lay out referral.csv (townships), referral_settlements.csv, referral.xlsx and referral.json."""
    return {
        "referral.csv": csv_writer(study.referral.by_zone),
        "referral_settlements.csv": csv_writer(study.referral.by_settlement),
        "referral.xlsx": bytes_writer(lambda: write_sheets(prepared, _sheets(prepared, service_id, study))),
        "referral.json": json_writer(functools.partial(referral_json, prepared, service_id, study)),
    }


def _sheets(prepared: Prepared, service_id: str, study: ReferralStudy) -> list[Sheet]:
    result = study.referral
    title = f"急救全程：{result.definition.name_zh}"
    said: list[Sequence[Cell]] = [[head, line] for head, line in _asked(prepared, study)]
    said += [["说明 remark", f"{zh}\n{en}"] for zh, en in (*REMARKS, *TIME_REMARKS)]
    sums = frozenset(at for at, row in enumerate(result.by_zone["row"]) if row != "zone")
    return [
        about_sheet(prepared, {service_id: result.definition}, said),
        Sheet("分乡镇", title, _ZONE_COLUMNS, [_zone_cells(row) for row in result.by_zone.to_dict("records")], sums),
        Sheet("村（社区）", title, _PLACE_COLUMNS, [_place_cells(row) for row in result.by_settlement.to_dict("records")]),
    ]


_ZONE_COLUMNS: Final = (
    *(Column("乡镇", "township", "text", 16), Column("人口", "people"), Column("时限内到院\n人口", "at hospital in time", width=14)),
    *(Column("占比", "share", "share"), Column("区间", "range", "text", 14), Column("不含县外\n占比", "w/o external", "share")),
    *(Column("65岁及以上\n占比", "share of 65+", "share"), Column("全程平均\n分钟", "mean total", "tenth")),
    *(Column("全程中位数", "median", "tenth"), Column("全程 90 %", "90 %", "tenth"), Column("不可达\n人口", "unreached people")),
    *(Column("县外医院更近\n的人口", "nearer outside", width=14), Column("反应平均\n分钟", "mean response", "tenth")),
    *(Column("反应达标\n占比", "response in time", "share"), Column("车在医院\n反应达标", "from hospitals", "share")),
    *(
        Column("车在医院\n时限内到院", "from hospitals", "share"),
        Column("最久的村居", "longest", "text", 20),
        Column("分钟", "minutes", "tenth"),
    ),
)
_PLACE_COLUMNS: Final = (
    *(Column("村居", "place", "text", 20), Column("乡镇", "township", "text", 14), Column("类别", "class", "text", 12)),
    *(Column("人口", "people"), Column("急救点", "point", "text", 28), Column("医院", "hospital", "text", 28)),
    *(Column("受理", "call handling", "tenth"), Column("出车", "turnout", "tenth"), Column("到现场", "to the scene", "tenth")),
    *(Column("反应", "response", "tenth"), Column("现场", "on the scene", "tenth"), Column("到医院", "to the hospital", "tenth")),
    *(
        Column("全程", "total", "tenth"),
        Column("超过时限", "over the limit", "text", 12),
        Column("车在医院\n反应", "from a hospital", "tenth"),
    ),
    *(Column("急救点到不了\n的原因", "why no point", "text", 30), Column("到不了医院\n的原因", "why no hospital", "text", 30)),
    Column("编码", "id", "text", 16),
)


def _zone_cells(row: dict[Any, Any]) -> list[Cell]:
    return [
        *(row["zone"], row["people"], row["within_people"], row["share_within"]),
        *(percent_range(row["share_within_low"], row["share_within_high"]), row["share_within_without_external"], row["share_old"]),
        *(minutes_cell(row[name]) for name in ("mean_minutes", "median_minutes", "p90_minutes")),
        *(row["unreached_people"], row["external_people"], minutes_cell(row["response_mean_minutes"]), row["share_response"]),
        *(row["share_stationed_response"], row["share_stationed"], row["worst_name"], minutes_cell(row["worst_minutes"])),
    ]


def _place_cells(row: dict[Any, Any]) -> list[Cell]:
    parts = ("call_handling", "turnout", "to_scene", "response", "scene", "to_hospital", "total")
    why = [both(TIME_CAUSES[row[name]]) if row[name] else "" for name in ("response_cause", "hospital_cause")]
    return [
        *(row["name"], row["zone"], both(CLASS_WORDS[row["class"]]), row["people"], row["point_name"], row["hospital_name"]),
        *(minutes_cell(row[f"{part}_minutes"]) for part in parts),
        *("是 yes" if row["over_limit"] else "否 no", minutes_cell(row["stationed_response_minutes"])),
        *(*why, row["id"]),
    ]
