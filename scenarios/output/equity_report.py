"""Equity of travel time as text, tables, JSON and sheets."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from coverage.studies.equity import EquityResult, worst_townships
from geodata.region import Prepared
from scenarios.output.legend import CLASS_WORDS, NO_FACILITIES, Words, both, range_said
from scenarios.output.report import align, definition_json, people, people_not_counted, percent, provenance, rows
from scenarios.output.sheets import Cell, Column, Sheet, about_sheet
from scenarios.output.time_words import (
    TIME_CAUSES,
    TIME_REMARKS,
    basis,
    cause_words,
    minutes,
    minutes_cell,
    study_title,
)
from scenarios.output.workbook import write_sheets
from scenarios.output.writers import Writer, bytes_writer, csv_writer, json_writer

MOST_SHOWN: Final = 10
MOST_TOWNSHIPS: Final = 3
FORMULAS: Final[tuple[Words, ...]] = (
    (
        "基尼系数 G = Σᵢ Σⱼ wᵢ wⱼ |tᵢ − tⱼ| ÷ (2 W² t̄)，w 为人数：0 表示人人时间相同。只看相对差别：人人都远，也可以很低。",
        (
            "Gini G = Σᵢ Σⱼ wᵢ wⱼ |tᵢ − tⱼ| ÷ (2 W² t̄), w people: 0 means the same time for all. It is relative: it is low as well where "
            "all are far. Source: Gini (1912); Damgaard and Weiner (2000), doi:10.1890/0012-9658(2000)081[1139:DIIPSO]2.0.CO;2; on travel "
            "Delbosc and Currie (2011), doi:10.1016/j.jtrangeo.2011.02.008."
        ),
    ),
    (
        "泰尔指数 T = Σ wᵢ ÷ W · (tᵢ ÷ t̄) ln(tᵢ ÷ t̄)，等于乡镇之间与乡镇之内两部分之和。",
        (
            "Theil T = Σ wᵢ ÷ W · (tᵢ ÷ t̄) ln(tᵢ ÷ t̄): the sum of a part between townships and a part within them. Source: Theil (1967); "
            "Shorrocks (1980), doi:10.2307/1913126."
        ),
    ),
    (
        "“至少”：不可达的人按不短于可达者中最长的时间计，真实值只会更高。",
        "“At least”: if whoever is not reached needs no less than the slowest who is; the true figure can only be higher.",
    ),
    (
        "最差的一成：时间最长的十分之一人口，不可达者在先，一个村可被分开；时间相同的按人数比例。",
        (
            "Worst-off tenth: the tenth of people with the longest times, those not reached first; a settlement may be split, equal times "
            "in proportion to people."
        ),
    ),
)


def equity_text(prepared: Prepared, result: EquityResult) -> str:
    """Lay out the townships, who is worst off, how uneven it is, and the farthest settlements, in both languages."""
    parts = [
        study_title(prepared, ("到最近机构时间的公平性", "equity of the time to the nearest facility"), result.definition),
        "\n".join(f"{head}：{said}" for head, said in basis(prepared, result.definition)),
        _zones(result),
    ]
    if len(result.facilities) == 0:
        parts.append(both(NO_FACILITIES))
    parts += [
        "■ 谁最差 who is worst off\n\n" + "\n".join(f"· {line}" for line in worst_lines(result)),
        "■ 有多不均 how uneven\n\n" + "\n".join(f"· {line}" for line in _uneven_lines(result)),
        "■ 最远的村（社区） the farthest\n\n" + _farthest(result.by_settlement),
        "■ 说明 remarks\n\n" + "\n".join(f"· {zh}\n  {en}" for zh, en in _remarks(prepared)),
    ]
    return "\n\n".join(parts) + "\n"


def _remarks(prepared: Prepared) -> list[Words]:
    said = range_said(prepared.region.demand)
    return [*TIME_REMARKS, *FORMULAS, *([said] if said else []), *people_not_counted(prepared.region)]


def _zones(result: EquityResult) -> str:
    heads = ["乡镇 township", "人口 people", "平均 mean", "中位 50 %", "90 %", "最差一成起于 tenth from", "其平均 its mean"]
    heads += ["基尼 Gini", "不可达 unreached", "不含县外平均 w/o external", "65+ 平均 mean of 65+"]
    table = [
        [
            row.zone,
            people(row.people),
            *(minutes(one) for one in (row.mean_minutes, row.median_minutes, row.p90_minutes)),
            *(minutes(one) for one in (row.tenth_least_minutes, row.tenth_mean_minutes)),
            _index(row.gini),
            people(row.unreached_people),
            *(minutes(one) for one in (row.mean_minutes_without_external, row.old_mean_minutes)),
        ]
        for row in result.by_zone.itertuples(index=False)
    ]
    return align(heads, table)


def worst_lines(result: EquityResult) -> list[str]:
    """Say which township, which tenth of people, town or country, and which age is worst off."""
    rows_of = result.by_zone.set_index("row")
    total, urban, rural = (rows_of.loc[name] for name in ("total", "urban", "rural"))
    worst = worst_townships(result.by_zone).head(MOST_TOWNSHIPS)
    named = "、".join(f"{row.zone} {_mean_said(row.mean_minutes, row.unreached_people)}" for row in worst.itertuples())
    lines = [f"平均时间最长的乡镇 longest mean: {named}", _tenth_line(total)]
    lines.append(
        f"城乡 urban and rural: 平均 mean {minutes(urban.mean_minutes)} / {minutes(rural.mean_minutes)} 分钟 min，"
        f"90 % {minutes(urban.p90_minutes)} / {minutes(rural.p90_minutes)}"
        + (f"；相差 gap {_difference(rural.mean_minutes - urban.mean_minutes)}" if urban.people and rural.people else "")
    )
    if "old" in rows_of.index:
        old = rows_of.loc["old"]
        lines.append(
            f"65 岁及以上 65+: 平均 mean {minutes(old.mean_minutes)}，90 % {minutes(old.p90_minutes)}，"
            f"不可达 unreached {people(old.unreached_people)}；全体 everybody: {minutes(total.mean_minutes)}，"
            f"{minutes(total.p90_minutes)}，{people(total.unreached_people)}"
        )
    return lines


def _mean_said(mean: float, unreached: float) -> str:
    return f"{minutes(mean)}{f'（{people(unreached)} 人不可达 unreached）' if unreached else ''}"


def _tenth_line(total: Any) -> str:  # noqa: ANN401 — a row of pandas
    line = (
        f"最差的一成居民 worst-off tenth: {people(total.people / 10)} 人 people，至少 from {minutes(total.tenth_least_minutes)} 分钟 min，"
    )
    line += f"平均 mean {minutes(total.tenth_mean_minutes)}（{_range(total, 'tenth_mean_minutes', minutes)}）"
    if total.tenth_unreached_people:
        unreached = people(total.tenth_unreached_people)
        at_least = minutes(total.tenth_mean_at_least_minutes)
        line += f"；其中 {unreached} 人不可达，连同他们至少 {unreached} not reached, with them at least {at_least}"
    return line


def _uneven_lines(result: EquityResult) -> list[str]:
    total = result.by_zone[result.by_zone["row"] == "total"].iloc[0]
    lines = [
        (
            f"基尼系数 Gini {_index(total.gini)}（{_range(total, 'gini', _index)}；"
            f"不含县外 w/o external {_index(total.gini_without_external)}）"
        )
    ]
    if total.unreached_people:
        lines[0] += f"；连同不可达的人至少 with those not reached at least {_index(total.gini_at_least)}"
    share = result.theil_between / total.theil if total.theil > 0 else math.nan
    return [
        *lines,
        f"泰尔指数 Theil {_index(total.theil)}，其中乡镇之间 between townships {_index(result.theil_between)}（{percent(share)}）",
        (
            f"平均 mean {minutes(total.mean_minutes)} 分钟 min（{_range(total, 'mean_minutes', minutes)}），"
            f"90 % {minutes(total.p90_minutes)}（{_range(total, 'p90_minutes', minutes)}）"
        ),
    ]


def _range(row: Any, name: str, write: Any) -> str:  # noqa: ANN401 — a row of pandas; a function
    """The figure over the ways to spread the people."""
    low, high = write(row[f"{name}_low"]), write(row[f"{name}_high"])
    return f"区间 range {low if low == high else f'{low}–{high}'}"


def _difference(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:+,.1f} 分钟 min".replace("-", "−")


def _index(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _farthest(table: pd.DataFrame) -> str:
    heads = ["村居 place", "乡镇 township", "人口 people", "分钟 min", "最近机构 nearest", "原因 cause"]
    return align(
        heads,
        [
            [row.name, row.zone, people(row.people), minutes(row.minutes), row.nearest_name, cause_words(row.cause)]
            for row in table[table["people"] > 0].head(MOST_SHOWN).itertuples(index=False)
        ],
    )


def equity_json(prepared: Prepared, service_id: str, result: EquityResult) -> dict[str, Any]:
    """All of it for programs, with parameters and sources."""
    return provenance(prepared, [result.definition]) | {
        "service": service_id,
        "definitions": {service_id: definition_json(result.definition)},
        "facilities_shown": int((~result.facilities.restricted).sum()),
        "remarks": [{"zh": zh, "en": en} for zh, en in _remarks(prepared)],
        "total": rows(result.by_zone[result.by_zone["row"] == "total"])[0],
        "theil_between_townships": result.theil_between if math.isfinite(result.theil_between) else None,
        "worst_townships": list(worst_townships(result.by_zone).head(MOST_TOWNSHIPS)["zone"]),
        "by_zone": rows(result.by_zone),
        "by_settlement": rows(result.by_settlement),
    }


def equity_files(prepared: Prepared, service_id: str, result: EquityResult) -> dict[str, Writer]:
    """Lay out equity.csv (townships), equity_settlements.csv, equity.xlsx and equity.json."""
    return {
        "equity.csv": csv_writer(result.by_zone),
        "equity_settlements.csv": csv_writer(result.by_settlement),
        "equity.xlsx": bytes_writer(lambda: write_sheets(prepared, _sheets(prepared, service_id, result))),
        "equity.json": json_writer(functools.partial(equity_json, prepared, service_id, result)),
    }


def _sheets(prepared: Prepared, service_id: str, result: EquityResult) -> list[Sheet]:
    title = f"出行时间的公平性：{result.definition.name_zh}"
    said: list[Sequence[Cell]] = [["时限 limit", "只看时间，时限不起作用 of times: the limit plays no part"]]
    said += [["结论 finding", line] for line in (*worst_lines(result), *_uneven_lines(result))]
    said += [["说明 remark", f"{zh}\n{en}"] for zh, en in (*TIME_REMARKS, *FORMULAS)]
    sums = frozenset(at for at, row in enumerate(result.by_zone["row"]) if row != "zone")
    return [
        about_sheet(prepared, {service_id: result.definition}, said),
        Sheet("分乡镇", title, _ZONE_COLUMNS, [_zone_cells(row) for row in result.by_zone.to_dict("records")], sums),
        Sheet("村（社区）", title, _PLACE_COLUMNS, [_place_cells(row) for row in result.by_settlement.to_dict("records")]),
    ]


_ZONE_COLUMNS: Final = (
    *(Column("乡镇", "township", "text", 16), Column("人口", "people"), Column("平均\n分钟", "mean", "tenth")),
    *(Column("中位数\n分钟", "median", "tenth"), Column("90 %\n分钟", "90 %", "tenth")),
    *(Column("最差一成\n起于", "worst tenth from", "tenth"), Column("最差一成\n平均", "its mean", "tenth")),
    *(Column("基尼系数", "Gini", "degree"), Column("泰尔指数", "Theil", "degree"), Column("不可达\n人口", "unreached people")),
    *(Column("全部人口平均\n至少", "mean of all at least", "tenth", 14), Column("不含县外\n平均", "w/o external", "tenth")),
    *(
        Column("不含县外\n90 %", "w/o external", "tenth"),
        Column("平均\n区间低", "mean, low", "tenth"),
        Column("平均\n区间高", "mean, high", "tenth"),
    ),
    *(Column("65岁及以上\n人口", "65 and over", width=14), Column("65岁及以上\n平均", "mean of 65+", "tenth", 14)),
)
_PLACE_COLUMNS: Final = (
    *(Column("村居", "place", "text", 20), Column("乡镇", "township", "text", 14), Column("类别", "class", "text", 12)),
    *(Column("人口", "people"), Column("65岁及以上", "65 and over"), Column("分钟", "minutes", "tenth")),
    *(Column("最近机构", "nearest facility", "text", 28), Column("属最差一成\n的人数", "of the worst tenth", width=14)),
    *(Column("不可达原因", "why not reached", "text", 36), Column("编码", "id", "text", 16)),
)


def _zone_cells(row: dict[Any, Any]) -> list[Cell]:
    times = ("mean_minutes", "median_minutes", "p90_minutes", "tenth_least_minutes", "tenth_mean_minutes")
    more = (
        "mean_at_least_minutes",
        "mean_minutes_without_external",
        "p90_minutes_without_external",
        "mean_minutes_low",
        "mean_minutes_high",
    )
    return [
        *(row["zone"], row["people"], *(minutes_cell(row[name]) for name in times)),
        *(row["gini"], row["theil"], row["unreached_people"], *(minutes_cell(row[name]) for name in more)),
        *(row["old"], minutes_cell(row["old_mean_minutes"])),
    ]


def _place_cells(row: dict[Any, Any]) -> list[Cell]:
    cause = both(TIME_CAUSES[row["cause"]]) if row["cause"] else ""
    return [
        *(row["name"], row["zone"], both(CLASS_WORDS[row["class"]]), row["people"], row["old"], minutes_cell(row["minutes"])),
        *(row["nearest_name"], row["tenth_people"], cause, row["id"]),
    ]
