"""Why two definitions differ, as text, tables, JSON and sheets."""

from __future__ import annotations

import functools
import math
from typing import Any, Final

import pandas as pd

from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from scenarios.explain import Explanation, Ingredient, Step
from scenarios.output.legend import DIRECTION_WORDS, ILLUSTRATIVE, MODE_WORDS, ROW_WORDS, Words, both, kind_words, limit_words
from scenarios.output.report import align, definition_json, people, percent, provenance, rows
from scenarios.output.sheets import Column, Sheet
from scenarios.output.workbook import write_sheets
from scenarios.output.writers import Writer, bytes_writer, csv_writer, json_writer

INGREDIENT_WORDS: Final[dict[str, Words]] = {
    "kinds": ("机构类别", "kinds of facility"),
    "mode": ("出行方式", "mode"),
    "hour": ("钟点", "hour of the day"),
    "limit": ("时限或距离", "limit"),
    "direction": ("方向", "direction"),
    "delays": ("受理与出车", "call handling and turnout"),
    "settlement_share": ("村居计为覆盖的比例", "share for a settlement to count"),
    "external": ("不计县外机构", "without facilities outside"),
    "urban": ("只计城镇", "urban only"),
    "rural": ("只计农村", "rural only"),
    "settlements": ("按村居数计", "settlements instead of people"),
    "standing": ("按有机构的村居计", "settlements with a facility in them"),
}
COUNT_WORDS: Final = {
    "people": ("人口", "people"),
    "settlements": ("村居", "settlements"),
    "standing": ("有机构的村居", "settlements with a facility in them"),
}
EXTERNAL_WORDS: Final = {True: ("含县外机构", "external included"), False: ("不含县外机构", "without external")}
CHANGE_WORDS: Final = {"gained": ("只在 B", "only B"), "lost": ("只在 A", "only A")}
ORDER_SAID: Final = (
    "逐项替换，按上列次序；次序会影响各部分的大小：两项合起来才改变的，记在后一项。各部分之和恰为 B − A。按常住人口（中方案）计。",
    "One change after another; the order matters: what only two of them bring together is put to the later one. They add up to B − A.",
)
STANDING_SAID: Final = (
    "“有机构的村居”：机构记在同一乡镇内离其入口最近的村居。",
    "A facility stands in the settlement of its township that is nearest to one of its entrances.",
)
MOST_FIGURES: Final = 8


def _value(definition: ServiceDefinition, ingredient: Ingredient) -> Words:
    """What a definition says of an ingredient."""
    said: dict[Ingredient, Words] = {
        "mode": MODE_WORDS[definition.mode],
        "hour": ("平时", "usual") if definition.hour is None else (f"{definition.hour} 时", f"{definition.hour}:00"),
        "limit": limit_words(definition),
        "direction": DIRECTION_WORDS[definition.direction],
        "delays": (
            f"{definition.call_handling_s:g} + {definition.turnout_s:g} 秒",
            f"{definition.call_handling_s:g} + {definition.turnout_s:g} s",
        ),
        "settlement_share": (f"{definition.settlement_share:.0%}",) * 2,
    }
    return said[ingredient]


def step_words(prepared: Prepared, step: Step) -> Words:
    """Say what changes in a step: of kinds only those that come and go."""
    name = INGREDIENT_WORDS[step.ingredient]
    if step.ingredient == "kinds":
        kinds = kind_words(prepared)
        change = [("＋", kind) for kind in step.after.kinds if kind not in step.before.kinds]
        change += [("－", kind) for kind in step.before.kinds if kind not in step.after.kinds]
        zh, en = (" ".join(sign + kinds[kind][at] for sign, kind in change) for at in (0, 1))
        return f"{name[0]}：{zh}", f"{name[1]}: {en}"
    old, new = (_value(one, step.ingredient) for one in (step.before, step.after))
    return f"{name[0]}：{old[0]} → {new[0]}", f"{name[1]}: {old[1]} → {new[1]}"


def explain_text(prepared: Prepared, said: Explanation) -> str:
    """Lay out the groups by township, the parts of the difference, examples and the published figure, in both languages."""
    region, service = prepared.region, prepared.services.service(said.service_id)
    mark = f" [{both(ILLUSTRATIVE)}]" if region.illustrative else ""
    parts = [
        f"{region.name}{mark} · {service.name_zh} {service.name_en} · {region.date} · {region.people_source}",
        f"A  {said.a.id}：{said.a.name_zh} {said.a.name_en}\nB  {said.b.id}：{said.b.name_zh} {said.b.name_en}",
        _groups(said),
        "■ 为何不同 why they differ\n\n" + _steps(prepared, said) + f"\n\n{ORDER_SAID[0]}\n{ORDER_SAID[1]}",
    ]
    if len(said.examples):
        parts.append("■ 例：人口最多的村居 examples: the largest settlements\n\n" + _examples(said))
    parts.append("■ 两个口径的各种算法 both definitions, counted in every way\n\n" + _figure_matrix(said.figures))
    if said.reconciled is not None:
        parts.append(_published(said))
    return "\n\n".join([*parts, *STANDING_SAID[:1]]) + f"\n{STANDING_SAID[1]}\n"


def _groups(said: Explanation) -> str:
    heads = [
        "乡镇 township",
        "人口 people",
        "都覆盖 both",
        "只在 A only A",
        "只在 B only B",
        "都不 neither",
        "A 占比",
        "B 占比",
        "村居",
        "A",
        "B",
    ]
    table = [
        [
            row.zone,
            *(people(count) for count in (row.people, row.both, row.only_a, row.only_b, row.neither)),
            *(percent(row.share_a), percent(row.share_b)),
            *(people(count) for count in (row.settlements, row.settlements_a, row.settlements_b)),
        ]
        for row in said.by_zone.itertuples()
    ]
    return align(heads, table)


def _steps(prepared: Prepared, said: Explanation) -> str:
    """The parts of the whole area: people gained and lost, settlements, and the share after each step."""
    if not said.steps:
        return "两个口径相同。 The two definitions are the same."
    total, parts = said.by_zone.iloc[-1], said.parts[said.parts["row"] == "total"]
    inhabitants = total["people"] or math.nan
    table = [["A", "", "", "", "", percent(total["share_a"]), ""]]
    for step, row in zip(said.steps, parts.itertuples(), strict=True):
        net = row.gained_people - row.lost_people
        share = percent(row.covered_people / inhabitants)
        zh, en = step_words(prepared, step)
        table.append(
            [f"第 {row.step} 步 {zh}", people(row.gained_people), people(row.lost_people), _signed(net), _points(net / inhabitants), share]
        )
        table[-1].append(_signed(row.gained_settlements))
        table.append([f"  {en}", "", "", "", "", "", ""])
    net = total["only_b"] - total["only_a"]
    moved = total["settlements_b"] - total["settlements_a"]
    sums = [
        people(total["only_b"]),
        people(total["only_a"]),
        _signed(net),
        _points(net / inhabitants),
        percent(total["share_b"]),
        _signed(moved),
    ]
    table.append(["B（合计 sum）", *sums])
    heads = ["替换 change", "只在 B 的人 only B", "只在 A 的人 only A", "净 net", "百分点 points", "此时占比 share", "村居 settlements"]
    return align(heads, table)


def _examples(said: Explanation) -> str:
    table = [
        [
            f"第 {row.step} 步 {both(INGREDIENT_WORDS[row.ingredient])}",
            both(CHANGE_WORDS[row.change]),
            row.name,
            row.zone,
            people(row.people),
        ]
        for row in said.examples.itertuples(index=False)
    ]
    return align(["替换 change", "", "村居 settlement", "乡镇 township", "人口 people"], table)


def _figure_matrix(figures: pd.DataFrame) -> str:
    """A row a definition and class, a column a way to count."""
    ways = [("people", True), ("people", False), ("settlements", True), ("settlements", False), ("standing", False)]
    heads = ["人口 people", "不含县外 w/o external", "村居 settlements", "不含县外 w/o external", "有机构的村居 with a facility"]
    shares = figures.set_index(["definition", "row", "count", "external"])["share"].to_dict()
    table = [
        [definition, both(ROW_WORDS[row]), *(percent(shares.get((definition, row, *way), math.nan)) for way in ways)]
        for definition, row in dict.fromkeys(zip(figures["definition"], figures["row"], strict=True))
    ]
    return align(["口径 definition", "范围", *heads], table)


def _figure_table(figures: pd.DataFrame) -> str:
    """The figures nearest to the published one."""
    table = [[*_figure_cells(one), percent(one["share"]), _points(one["gap"])] for one in figures.to_dict("records")]
    return align(["口径 definition", "范围", "单位 counted", "县外", "占比 share", "相差 gap"], table)


def _figure_cells(one: dict[Any, Any]) -> list[str]:
    return [one["definition"], both(ROW_WORDS[one["row"]]), both(COUNT_WORDS[one["count"]]), both(EXTERNAL_WORDS[one["external"]])]


def _published(said: Explanation) -> str:
    made = said.reconciled
    if made is None:
        return ""
    nearest = made.figures.iloc[0]
    words = [ROW_WORDS[nearest["row"]], COUNT_WORDS[nearest["count"]], EXTERNAL_WORDS[bool(nearest["external"])]]
    zh, en = ("，".join(one[0] for one in words), ", ".join(one[1] for one in words))
    text = f"■ 已公布的占比 published share: {percent(made.share)}\n\n"
    text += f"最接近：口径 {nearest['definition']}（{zh}）{percent(nearest['share'])}，相差 {_points(nearest['gap'])} 个百分点。\n"
    text += f"Nearest: definition {nearest['definition']} ({en}) {percent(nearest['share'])}, {_points(nearest['gap'])} points off.\n"
    text += "相近不等于就是这样算的，请与公布单位核对。 Near is no proof that it was counted so: ask who published it.\n\n"
    text += _figure_table(made.figures.head(MOST_FIGURES))
    if len(made.walk):
        steps = [
            [both(INGREDIENT_WORDS[one["ingredient"]]), _points(one["change"]), percent(one["share_after"])]
            for one in made.walk.to_dict("records")
        ]
        steps.append(["未能解释 unexplained", _points(-nearest["gap"]), percent(made.share)])
        start = made.walk.iloc[0]["share_before"]
        text += "\n\n从 A（人口）走到公布数 from A (people) to the published figure:\n\n"
        text += align(["替换 change", "百分点 points", "此时占比 share"], [["A", "", percent(start)], *steps])
    return text


def _signed(value: float) -> str:
    return "0" if value == 0 else f"{value:+,.0f}".replace("-", "−")


def _points(share: float) -> str:
    """A difference of shares in percentage points."""
    return "–" if math.isnan(share) else f"{share * 100:+.1f}".replace("-", "−")


def explain_json(prepared: Prepared, said: Explanation) -> dict[str, Any]:
    """All of it for programs, with parameters and sources."""
    steps = []
    for at, step in enumerate(said.steps, 1):
        zh, en = step_words(prepared, step)
        steps.append({"step": at, "ingredient": step.ingredient, "zh": zh, "en": en})
    made = said.reconciled
    found = (
        {"share": made.share, "nearest": rows(made.figures.head(1))[0], "figures": rows(made.figures), "walk": rows(made.walk)}
        if made
        else None
    )
    return provenance(prepared, [said.a, said.b]) | {
        "service": said.service_id,
        "a": definition_json(said.a),
        "b": definition_json(said.b),
        "order": {"zh": ORDER_SAID[0], "en": ORDER_SAID[1]},
        "steps": steps,
        "total": rows(said.by_zone.tail(1))[0],
        "by_zone": rows(said.by_zone),
        "parts": rows(said.parts),
        "examples": rows(said.examples),
        "figures": rows(said.figures),
        "published": found,
    }


def explain_files(prepared: Prepared, said: Explanation) -> dict[str, Writer]:
    """Lay out explain.csv (groups), explain_parts.csv, explain_figures.csv, explain.xlsx and explain.json."""
    figures = said.figures if said.reconciled is None else said.reconciled.figures
    return {
        "explain.csv": csv_writer(said.by_zone),
        "explain_parts.csv": csv_writer(said.parts),
        "explain_figures.csv": csv_writer(figures),
        "explain.xlsx": bytes_writer(lambda: write_sheets(prepared, explain_sheets(prepared, said))),
        "explain.json": json_writer(functools.partial(explain_json, prepared, said)),
    }


def explain_sheets(prepared: Prepared, said: Explanation) -> list[Sheet]:
    """Lay out what is compared, the groups by township, the parts by township, examples and figures."""
    title = f"口径对比：{said.a.name_zh} 与 {said.b.name_zh}"
    names = {at: both(step_words(prepared, step)) for at, step in enumerate(said.steps, 1)}
    sums = frozenset(at for at, row in enumerate(said.by_zone["row"]) if row != "zone")
    figures = said.figures if said.reconciled is None else said.reconciled.figures
    about = [
        ["A", f"{said.a.id}：{said.a.name_zh} {said.a.name_en}（{said.a.source}）"],
        ["B", f"{said.b.id}：{said.b.name_zh} {said.b.name_en}（{said.b.source}）"],
    ]
    about += [["次序 order", "\n".join(ORDER_SAID)], ["", "\n".join(STANDING_SAID)], ["人口 people", prepared.region.people_source]]
    about += [["", both(ILLUSTRATIVE)]] if prepared.region.illustrative else []
    groups = said.by_zone.drop(columns=["row", "zone_id"]).to_numpy(dtype=object).tolist()
    parts = [[names[row.step], row.zone, row.gained_people, row.lost_people, row.gained_settlements] for row in said.parts.itertuples()]
    examples = [
        [names[row.step], both(CHANGE_WORDS[row.change]), row.name, row.zone, row.people] for row in said.examples.itertuples(index=False)
    ]
    counted = [[*_figure_cells(one), one["share"]] for one in figures.to_dict("records")]
    return [
        Sheet("说明", title, (Column("项目", "item", "text", 20), Column("内容", "content", "text", 100)), about),
        Sheet("分乡镇", title, _GROUP_COLUMNS, groups, sums),
        Sheet(
            "原因",
            title,
            (_CHANGE, _TOWNSHIP, Column("只在 B", "only B"), Column("只在 A", "only A"), Column("村居净增", "settlements")),
            parts,
        ),
        Sheet(
            "例",
            title,
            (_CHANGE, Column("", "", "text", 14), Column("村居", "place", "text", 20), _TOWNSHIP, Column("人口", "people")),
            examples,
        ),
        Sheet("各种算法", title, _FIGURE_COLUMNS, counted),
    ]


_CHANGE: Final = Column("替换", "change", "text", 60)
_TOWNSHIP: Final = Column("乡镇", "township", "text", 14)
_GROUP_COLUMNS: Final = (
    *(_TOWNSHIP, Column("人口", "people"), Column("都覆盖", "both"), Column("只在 A", "only A"), Column("只在 B", "only B")),
    *(Column("都不", "neither"), Column("A 占比", "share A", "share"), Column("B 占比", "share B", "share")),
    *(Column("村居", "settlements"), Column("A 覆盖村居", "settlements A"), Column("B 覆盖村居", "settlements B")),
)
_FIGURE_COLUMNS: Final = (
    *(Column("口径", "definition", "text", 14), Column("范围", "of", "text", 14), Column("单位", "counted", "text", 40)),
    *(Column("县外机构", "external", "text", 30), Column("占比", "share", "share")),
)
