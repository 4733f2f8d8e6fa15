"""Answers about times: who is worst off, how long from the call to the hospital, how far a figure moves with what it assumes."""

from __future__ import annotations

from typing import Any, Final

from coverage.studies.equity import EquityResult, equity, worst_townships
from coverage.studies.referral import PARTS, Referral
from geodata.errors import Problem
from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from scenarios.output.equity_report import FORMULAS, equity_files
from scenarios.output.legend import SPREAD_WORDS, Words, kind_words
from scenarios.output.referral_report import REMARKS, referral_files
from scenarios.output.report import people, percent
from scenarios.output.sensitivity_report import METHOD, PARAMETER_WORDS, sensitivity_files
from scenarios.output.time_words import TIME_REMARKS, minutes
from scenarios.referral import WITHIN_SOURCE, ReferralStudy, referral_study
from scenarios.sensitivity import POPULATION, TOGETHER, Sensitivity, sensitivity
from scenarios.studies.answer import (
    INNER,
    MOST_NAMED,
    Answer,
    Figure,
    Grid,
    from_to,
    grid,
    index,
    joined,
    listed,
    persons,
    question_notes,
    ranged,
    same,
    shown,
    time_said,
    total,
    without,
    word,
    workbook_of,
    zone_grid,
)
from scenarios.studies.terms import Chain
from scenarios.studies.words import on_the_page

BAD, GOOD = "_unfavourable", "_favourable"
CHAIN: Final[dict[str, Words]] = {
    "call_handling": ("受理", "call"),
    "turnout": ("出车", "turnout"),
    "to_scene": ("到现场", "to the scene"),
    "scene": ("现场", "on the scene"),
    "to_hospital": ("到医院", "to the hospital"),
}


def equity_answer(prepared: Prepared, service_id: str, definition: ServiceDefinition) -> Answer:
    """Say who is worst off."""
    result = equity(prepared.region, definition, prepared.network_of(definition))
    worst = worst_townships(result.by_zone).head(MOST_NAMED)
    named = listed(f"{row.zone} {minutes(row.mean_minutes)}" for row in worst.itertuples())
    columns = [
        shown("人口", "People", "people"),
        shown("平均", "Mean, min", "mean_minutes", write=minutes),
        shown("九成在", "90 % within", "p90_minutes", write=minutes),
        shown("最差一成平均", "Worst tenth, mean", "tenth_mean_minutes", write=minutes),
        shown("不可达人口", "Not reached", "unreached_people"),
        shown("基尼系数", "Gini", "gini", write=index),
        shown("65+ 平均", "Mean of 65+", "old_mean_minutes", write=minutes),
        shown("平均（不含县外）", "Mean without external", f"mean_minutes{INNER}", write=minutes),
    ]
    return Answer(
        _equity_figures(prepared, result),
        ((f"平均时间最长的乡镇（分钟）：{named[0]}", f"Townships with the longest mean (minutes): {named[1]}"),),
        (zone_grid(columns, result.by_zone),),
        (*question_notes(prepared, definition), *TIME_REMARKS, *FORMULAS),
        *workbook_of(equity_files(prepared, service_id, result)),
    )


def _equity_figures(prepared: Prepared, result: EquityResult) -> tuple[Figure, ...]:
    every = total(result.by_zone)
    begins, lost = minutes(every.tenth_least_minutes), people(every.unreached_people)
    tenth, span = people(every.people / 10), ranged(prepared, minutes(every.mean_minutes_low), minutes(every.mean_minutes_high))
    inner = joined(span, without(minutes(every[f"mean_minutes{INNER}"])))
    return (
        Figure(("平均时间", "Mean time"), time_said(every.mean_minutes), inner),
        Figure(
            ("最差的一成居民，平均", "Worst-off tenth of people, mean"),
            time_said(every.tenth_mean_minutes),
            (f"{tenth} 人，{begins} 分钟起", f"{tenth} people, from {begins} min"),
        ),
        Figure(
            ("九成居民在多久以内", "Nine people in ten are within"),
            time_said(every.p90_minutes),
            (f"{lost} 人不可达", f"{lost} people are not reached"),
        ),
    )


def referral_answer(prepared: Prepared, service_id: str, definition: ServiceDefinition, terms: Chain) -> Answer:
    """Say how long it is from the call to the hospital's door."""
    study = referral_study(prepared, definition, scene_minutes=terms.scene, within_minutes=terms.within)
    result = study.referral
    every = total(result.by_zone)
    parts = [(CHAIN[part], minutes(every[f"{part}_mean_minutes"])) for part in PARTS]
    zh, en = (" + ".join(f"{name[at]} {value}" for name, value in parts) for at in range(2))
    whole = minutes(every.mean_minutes)
    columns = [
        shown("人口", "People", "people"),
        shown("时限内到院", "In hospital in time", "within_people"),
        shown("占比", "Share", "share_within", write=percent),
        shown("占比（不含县外）", "Share without external", f"share_within{INNER}", write=percent),
        shown("65+ 占比", "Share of 65+", "share_old", write=percent),
        shown("全程平均", "Mean total, min", "mean_minutes", write=minutes),
        shown("九成在", "90 % within", "p90_minutes", write=minutes),
        shown("反应达标", "Response in time", "share_response", write=percent),
        shown("不可达人口", "Not reached", "unreached_people"),
        shown("最久的村居", "Longest", "worst_name", write=str),
        shown("分钟", "Min", "worst_minutes", write=minutes),
    ]
    return Answer(
        _referral_figures(prepared, result),
        ((f"各段平均（分钟）：{zh} = {whole}", f"Parts, mean minutes: {en} = {whole}"),),
        (zone_grid(columns, result.by_zone),),
        (*question_notes(prepared, definition), *_chain_notes(prepared, study), *REMARKS, *TIME_REMARKS),
        *workbook_of(referral_files(prepared, service_id, study)),
    )


def _referral_figures(prepared: Prepared, result: Referral) -> tuple[Figure, ...]:
    every, within = total(result.by_zone), f"{result.within_minutes:g}"
    span = ranged(prepared, percent(every.share_within_low), percent(every.share_within_high))
    ninety, stationed = minutes(every.p90_minutes), percent(every.share_stationed_response)
    return (
        Figure(
            (f"{within} 分钟内到院的人", f"In hospital within {within} min"),
            same(percent(every.share_within)),
            joined(persons(every.within_people), span, without(percent(every[f"share_within{INNER}"]))),
        ),
        Figure(
            ("全程中位数", "Median of the total"),
            time_said(every.median_minutes),
            (f"九成在 {ninety} 分钟以内", f"nine in ten within {ninety} min"),
        ),
        Figure(
            ("反应达标的人", "Response within the limits"),
            same(percent(every.share_response)),
            joined(
                without(percent(every[f"share_response{INNER}"])),
                (f"若车在医院 {stationed}", f"with ambulances at hospitals {stationed}"),
            ),
        ),
    )


def _chain_notes(prepared: Prepared, study: ReferralStudy) -> list[Words]:
    result, kinds = study.referral, kind_words(prepared)
    hospitals = listed(result.hospitals.to_geodataframe()["name"])
    zh, en = ("、".join(kinds[kind][at] for kind in study.kinds) for at in range(2))
    source, scene = WITHIN_SOURCE, f"{result.scene_minutes:.1f}"
    words = [
        Problem(f"能够收治：{zh}（{hospitals[0]}）", f"Capable of receiving: {en} ({hospitals[1]})"),
        Problem(f"现场停留：{scene} 分钟；{study.scene.zh}", f"On the scene: {scene} min; {study.scene.en}"),
        Problem(
            f"全程时限：{result.within_minutes:g} 分钟；{source[0]}", f"Limit of the total: {result.within_minutes:g} min; {source[1]}"
        ),
    ]
    return [(one.zh, one.en) for one in on_the_page(words)]


def sensitivity_answer(prepared: Prepared, service_id: str, definition: ServiceDefinition) -> Answer:
    """Say how far the coverage figure moves with what it assumes."""
    result = sensitivity(prepared, definition)
    columns = [
        shown("人口", "People", "people"),
        shown("不利", "Unfavourable", f"share_people{BAD}", write=percent),
        shown("基准", "Base", "share_people", write=percent),
        shown("有利", "Favourable", f"share_people{GOOD}", write=percent),
        shown("不利（不含县外）", "Unfavourable, without external", f"share_people{INNER}{BAD}", write=percent),
        shown("基准（不含县外）", "Base, without external", f"share_people{INNER}", write=percent),
        shown("有利（不含县外）", "Favourable, without external", f"share_people{INNER}{GOOD}", write=percent),
    ]
    named = listed(dict.fromkeys(f"{row.name} {row.zone} {people(row.people)}" for row in result.flips.head(MOST_NAMED).itertuples()))
    findings = ((f"由假定决定的村居（人口），如：{named[0]}", f"Settlements that an assumption decides (people), such as {named[1]}"),)
    return Answer(
        _sensitivity_figures(result),
        findings if len(result.flips) else (),
        (_assumptions(result), zone_grid(columns, result.by_zone, ("分乡镇，全部同时", "By township, all together"))),
        (*question_notes(prepared, definition), *METHOD),
        *workbook_of(sensitivity_files(prepared, service_id, result)),
    )


def _sensitivity_figures(result: Sensitivity) -> tuple[Figure, ...]:
    rows = result.parameters.set_index("parameter")
    both, alone = rows.loc[TOGETHER], rows.drop(index=TOGETHER)
    figures = [
        Figure(
            ("覆盖率（基准）", "Coverage (base)"),
            same(percent(result.share_people)),
            without(percent(result.share_people_without_external)),
        ),
        Figure(
            ("全部同时：不利 → 有利", "All together: unfavourable → favourable"),
            same(from_to(both[f"share_people{BAD}"], both[f"share_people{GOOD}"])),
            without(from_to(both[f"share_people{INNER}{BAD}"], both[f"share_people{INNER}{GOOD}"])),
        ),
    ]
    if len(alone):
        first = alone.iloc[0]
        values = (_value(first.name, first["value_unfavourable"]), _value(first.name, first["value_favourable"]))
        name, said = PARAMETER_WORDS[str(first.name)], tuple(f"{values[0][at]} → {values[1][at]}" for at in range(2))
        shares = from_to(first[f"share_people{BAD}"], first[f"share_people{GOOD}"])
        figures.append(
            Figure((f"影响最大：{name[0]}", f"The widest: {name[1]}"), same(shares), (said[0], said[1])),
        )
    return tuple(figures)


def _assumptions(result: Sensitivity) -> Grid:
    """The table of assumptions, the widest swing first."""
    table, named = result.parameters, result.parameters["parameter"]
    values = {
        column: [_value(name, value) for name, value in zip(named, table[column], strict=True)]
        for column in ("value_unfavourable", "value_base", "value_favourable")
    }
    columns = [
        shown("假定", "Assumption", "parameter", write=word),
        shown("不利", "Unfavourable", "value_unfavourable", write=word),
        shown("基准", "Base", "value_base", write=word),
        shown("有利", "Favourable", "value_favourable", write=word),
        shown("覆盖率", "Share covered", f"share_people{BAD}", f"share_people{GOOD}", write=from_to),
        shown("不含县外", "Without external", f"share_people{INNER}{BAD}", f"share_people{INNER}{GOOD}", write=from_to),
        shown("人口：不利时变动", "People moved, unfavourable", f"moved_people{BAD}"),
        shown("有利时变动", "Favourable", f"moved_people{GOOD}"),
    ]
    laid = grid(
        ("逐项变动", "One assumption at a time"), columns, table.assign(parameter=[PARAMETER_WORDS[name] for name in named], **values)
    )
    return Grid(laid.title, laid.heads, laid.rows, laid.numbers, frozenset({len(table) - 1}))


def _value(parameter: Any, value: str) -> Words:  # noqa: ANN401 — a label of pandas
    return SPREAD_WORDS[value] if parameter == POPULATION else same(value)
