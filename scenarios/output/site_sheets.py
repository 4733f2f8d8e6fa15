"""What stands on the sheets of a plan's workbook: the points, before and after, why these, what is as good, who is out of reach."""

from __future__ import annotations

from typing import Final

from geodata.region import Prepared
from scenarios.output.legend import STATE_WORDS, both, kind_words
from scenarios.output.report import people
from scenarios.output.sheets import (
    ABOUT_COLUMNS,
    ID,
    LAT,
    LON,
    MEANINGS,
    TOWNSHIP,
    Cell,
    Column,
    Sheet,
    about_sheet,
    before_after_columns,
    before_after_rows,
    gap_sheet,
    sums,
    table_sheet,
    townships,
)
from scenarios.output.site_report import (
    EQUAL_WORDS,
    OUT_OF_REACH_WORDS,
    before_and_after,
    counted_lines,
    equal_said,
    equal_table,
    given_up_lines,
    lost_lines,
    out_of_reach_said,
    site_table,
    term_lines,
)
from scenarios.siting.region.standby import RegionPlan
from scenarios.siting.region.weights import COUNTED
from scenarios.siting.region.words import proof

_SITE_COLUMNS: Final = (
    Column("序号", "no.", width=6),
    Column("站点", "site", "text", 28),
    Column("类别", "kind", "text", 18),
    TOWNSHIP,
    Column("状态", "state", "text", 12),
)
_MORE_COLUMNS: Final = {
    "lon": LON,
    "lat": LAT,
    "id": ID,
    "covered_people": Column("时限内人口\n（站点间重复）", "people within (overlaps)", width=16),
    "uncovered_today": Column("其中现状\n未覆盖人口", "of them uncovered today", width=14),
    "vehicles": Column("车辆", "vehicles", width=8),
    "price": Column("费用", "price", "figure"),
    "instead_of": Column("代替", "instead of", "text", 16),
}
_EQUAL_COLUMNS: Final = {
    "number": Column("序号", "no.", width=6),
    "without": Column("换下", "without", "text", 60),
    "instead": Column("换上", "instead", "text", 60),
}


def site_sheets(prepared: Prepared, service_id: str, plan: RegionPlan) -> list[Sheet]:
    """Lay out a plan: the points, before and after by township, the proof, what is as good, who is out of reach."""
    title = f"{prepared.services.service(service_id).name_zh} · {plan.definition.name_zh}"
    demand, compared = prepared.region.demand, before_and_after(plan)
    table = before_after_rows(demand, compared.to_dict("records"))
    beyond = f"{plan.backstop_minutes:g} 分钟以内 within {plan.backstop_minutes:g} min"
    first, last = (table.to_dict("records")[-1] for table in (plan.before_backstop, plan.after_backstop))
    backstop = {f"{key}_before": value for key, value in first.items()} | {f"{key}_after": value for key, value in last.items()}
    table += before_after_rows(demand, [{"zone": beyond, "people": first["people"]} | backstop])
    sheets = [
        about_sheet(prepared, {service_id: plan.definition}, MEANINGS),
        _site_sheet(prepared, plan, title),
        Sheet("前后对比", f"前后对比：{title}", before_after_columns(demand), table, sums(compared["row"]) | {len(compared)}),
        Sheet("证明", f"为什么是这些点：{title}", ABOUT_COLUMNS, _proof_rows(plan)),
    ]
    if plan.result.equal:
        sheets.append(table_sheet(EQUAL_WORDS[0], title, _EQUAL_COLUMNS, equal_table(plan)))
    if len(plan.out_of_reach):
        sheets.append(gap_sheet("够不着的村居", f"{OUT_OF_REACH_WORDS[0]}：{title}", plan.definition, plan.out_of_reach))
    return sheets


def _site_sheet(prepared: Prepared, plan: RegionPlan, title: str) -> Sheet:
    kinds, table = kind_words(prepared), site_table(plan)
    zones = townships(prepared, table[["lon", "lat"]].to_numpy())
    states = [both(STATE_WORDS["new" if new else "kept"]) for new in table["new"]]
    more = [name for name in _MORE_COLUMNS if name in table]
    columns = (table["name"], [both(kinds[kind]) for kind in table["kind"]], zones, states, *(table[name] for name in more))
    cells: list[list[Cell]] = [[n, *row] for n, row in enumerate(zip(*columns, strict=True), 1)]
    return Sheet("急救点", f"急救点：{title}", (*_SITE_COLUMNS, *(_MORE_COLUMNS[name] for name in more)), cells)


def _proof_rows(plan: RegionPlan) -> list[list[Cell]]:
    zh, en = proof(plan)
    solved = {"optimal": "已证明最优 proven optimal", "feasible": "未证明最优 not proven"}.get(plan.result.status, plan.result.status)
    rows: list[list[Cell]] = [["结论", zh], ["Conclusion", en], ["求解状态 status", solved], ["求解方法 method", plan.result.method]]
    rows += [[name, value] for name, value in term_lines(plan)]
    rows += [["候选点 candidates", f"{plan.candidates:,}"], ["按什么计 counted", both(COUNTED[plan.weigh])]]
    if plan.backstop is not None:
        minutes = f"{plan.backstop_minutes:g}"
        rows.append(
            [f"{minutes} 分钟以内 within {minutes} min", f"{people(plan.backstop.objective)}（上界 bound {people(plan.backstop.bound)}）"]
        )
        rows.append([f"任何地点都无法在 {minutes} 分钟内到达 beyond every place", f"{people(plan.beyond_all_people)} 人 people"])
    rows.append(["符合口径 within the limits", people(plan.result.served)])
    rows += [[f"阶段 stage {stage.name}", f"{stage.objective:,.10g}（界限 bound {stage.bound:,.10g}）"] for stage in plan.result.stages]
    rows += [[what, said] for what, said in (*counted_lines(plan), *given_up_lines(plan), *lost_lines(plan))]
    rows += [["候选点说明 on the candidates", both(words)] for words in plan.notes]
    rows += [
        [what, said] for what, said in ((both(OUT_OF_REACH_WORDS), out_of_reach_said(plan)), (both(EQUAL_WORDS), equal_said(plan))) if said
    ]
    return rows
