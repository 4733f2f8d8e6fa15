"""Plans over situations and models: as tables, and what is to be said of them in sentences."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from scenarios.output.legend import Words, both
from scenarios.output.stage_words import amount, place_names, stage_unit, stage_words
from scenarios.siting.region.robust import RegionRobust
from scenarios.siting.several.robust import EVERY, PROGRAM
from scenarios.siting.words import MODEL_WORDS

ROBUST_WORDS: Final = ("稳健方案", "the robust plan")
METHOD: Final[tuple[Words, ...]] = (
    (
        "遗憾：一个方案比某情形自己的最好方案少多少。稳健方案使各情形中最大的遗憾最小；目标有先后的，先比第一个。",
        "Regret: how much less a plan achieves than a situation's own best plan. The robust plan has the least largest one, goal by goal.",
    ),
    (
        "来源：最小最大遗憾，Kouvelis 与 Yu 1997，doi:10.1007/978-1-4757-2620-6。",
        "Source: min-max regret, Kouvelis & Yu 1997, Robust Discrete Optimization and Its Applications.",
    ),
    (
        "情形每次只变一项，其余按现有假定，重新计算全部出行时间；变动幅度是假定（速度 ±20 %），不是概率。",
        "Situations differ in one thing each, travel times computed anew; how far is an assumption (speeds ± 20 %), no probability.",
    ),
    (
        "车速相差不到 1% 的钟点并为一个情形；7-9 时是七点到九点前。",
        "Hours whose speeds differ by less than 1 % are one situation; 7-9 is from 7:00 until before 9:00.",
    ),
)
MODEL_METHOD: Final[Words] = (
    "各模型的方案互相评价：占该模型自己最好值的比例（路程取倒数；后一个目标可超过 100%）。最差的一项最好的方案，最不依赖模型。",
    "Each model's plan as every model sees it, as a share of its best (costs inverted; a later goal may exceed 100 %).",
)


def situation_table(result: RegionRobust) -> pd.DataFrame:
    """One row a situation: number, zh, en, status, what its own best plan achieves by stage, and its points that are new."""
    robust, table = result.robust, []
    for at, (one, found) in enumerate(zip(robust.situations, robust.results, strict=True), 1):
        row: dict[str, Any] = {"situation": at, "zh": one.zh, "en": one.en, "status": found.status}
        row |= {stage.name: stage.objective / stage_unit(result.question, robust.model, stage.name) for stage in found.stages}
        new = new_points(result, found.sites)
        table.append(row | {"new_ids": "，".join(new), "new": "，".join(place_names(result.question)[one] for one in new)})
    return pd.DataFrame(table)


def regret_table(result: RegionRobust) -> pd.DataFrame:
    """One row a plan (of a situation; 0: the robust one), situation and stage: achieved, best, regret, share (of the best)."""
    robust, count, table = result.robust, len(result.robust.situations), []
    for plan in range(count + 1):
        for at in range(count):
            for stage, name in enumerate(robust.stages):
                unit = stage_unit(result.question, robust.model, name)
                achieved, regret = float(robust.achieved[plan, at, stage]), float(robust.regret[plan, at, stage])
                best = robust.results[at].stages[stage].objective
                row = {
                    "plan": (plan + 1) % (count + 1),
                    "situation": at + 1,
                    "stage": name,
                    "achieved": achieved / unit,
                    "best": best / unit,
                }
                table.append(row | {"regret": regret / unit, "share": regret / best if best else 0.0})
    return pd.DataFrame(table)


def chosen_table(result: RegionRobust) -> pd.DataFrame:
    """One row a candidate that is in any plan: id, name, of how many situations (and models, if they ran), whether of the robust plan."""
    robust, names = result.robust, place_names(result.question)
    of_models = dict(result.models.chosen) if result.models else {}
    of_situations = dict(robust.chosen)
    anyway = {one for one, always in zip(result.question.places.id, result.question.asked.sites.always, strict=True) if always}
    ids = {*of_situations, *of_models, *robust.plan.sites} - anyway
    table = [
        {
            "id": one,
            "name": names[one],
            "situations": of_situations.get(one, 0),
            "models": of_models.get(one, 0),
            "robust": one in robust.plan.sites,
        }
        for one in sorted(ids, key=lambda one: (-of_situations.get(one, 0), -of_models.get(one, 0), one))
    ]
    columns = ["id", "name", "situations", *(["models"] if result.models else []), "robust"]
    return pd.DataFrame(table, columns=columns)


def model_table(result: RegionRobust) -> pd.DataFrame:
    """One row a model's plan and a view (stage of a model): achieved, share of the best, whether the plan is the robust one over models."""
    models = result.models
    if models is None:
        return pd.DataFrame()
    table = [
        {
            "plan": plan,
            "model": view.model,
            "stage": view.stage,
            "achieved": float(models.achieved[at, column]) / stage_unit(result.question, view.model, view.stage),
            "share": float(models.share[at, column]),
            "robust": at == models.robust,
            "site_ids": "，".join(models.results[at].sites),
        }
        for at, plan in enumerate(models.models)
        for column, view in enumerate(models.views)
    ]
    return pd.DataFrame(table)


def new_points(result: RegionRobust, sites: tuple[str, ...]) -> list[str]:
    """The points of a plan that do not exist."""
    existing = {one for one, stands in zip(result.question.places.id, result.question.existing, strict=True) if stands}
    return [one for one in sites if one not in existing]


def plan_name(result: RegionRobust, plan: int) -> str:
    """Name a plan by all situations whose best it is (0: the robust one); "" for one that bears the name of an earlier situation."""
    if plan == 0:
        return both(ROBUST_WORDS)
    results = result.robust.results
    same = [at for at, found in enumerate(results, 1) if found.sites == results[plan - 1].sites]
    listed = "、".join(map(str, same))
    return f"情形 {listed} 的方案 of situation {listed.replace('、', ', ')}" if same[0] == plan else ""


def robust_said(result: RegionRobust) -> list[Words]:
    """How much the robust plan loses at worst, whether that is proven, and in which situations it is the best plan too."""
    robust = result.robust
    said = []
    for stage in robust.plan.regrets:
        zh, en = stage_words(result.question, robust.model, stage.name)
        unit = stage_unit(result.question, robust.model, stage.name)
        most = amount(stage.objective / unit)
        known = stage.bound == stage.objective or stage.bound > 0
        least_zh, least_en = (f"（下界 {amount(stage.bound / unit)}）", f" (bound {amount(stage.bound / unit)})") if known else ("", "")
        said.append((f"稳健方案的最大遗憾（{zh}）：{most}{least_zh}。", f"Largest regret of the robust plan ({en}): {most}{least_en}."))
    same = [at for at, found in enumerate(robust.results, 1) if found.sites == robust.plan.sites]
    if same:
        listed = "、".join(map(str, same))
        said.append((f"它就是情形 {listed} 的最好方案。", f"It is the best plan of situation {listed.replace('、', ', ')}."))
    else:
        said.append(("它不是任何一个情形的最好方案。", "It is the best plan of no situation."))
    return [*said, _certain(result)]


def _certain(result: RegionRobust) -> Words:
    plan = result.robust.plan
    unproven = [str(at) for at, found in enumerate(result.robust.results, 1) if found.status != "optimal"]
    if unproven:
        listed = "、".join(unproven)
        zh = f"情形 {listed} 的最好方案未证明最优，遗憾是对已找到的最好方案而言。"
        return zh, f"The best plans of situation {listed.replace('、', ', ')} are not proven: regrets are against the best found."
    if plan.status == "optimal":
        zh, en = ("比较了全部选法，", "All choices were compared. ") if plan.method == EVERY else ("", "")
        return f"{zh}已证明：没有另一种选法的最大遗憾更小。", f"{en}Proven: no other choice has a smaller largest regret."
    if plan.method == PROGRAM:
        return "到时限或取消而停止，未证明。", "Stopped at the time limit, or cancelled: not proven."
    zh, en = MODEL_WORDS[result.robust.model]
    return f"模型“{zh}”：只在各情形的方案中取最大遗憾最小的，未证明。", f"Model {en}: the best among the situations' plans; not proven."


def models_said(result: RegionRobust) -> list[Words]:
    """Which model's plan depends least on the model, and which models have none."""
    models = result.models
    if models is None:
        return []
    plan = models.models[models.robust]
    least = float(pd.Series(models.share[models.robust]).fillna(0.0).min())
    zh, en = MODEL_WORDS[plan]
    said = [MODEL_METHOD]
    said.append(
        (
            f"最不依赖模型的是“{zh}”的方案：最差的一项也有 {least:.1%}。",
            f"The plan of {en} depends least on the model: its least share is {least:.1%}.",
        )
    )
    if models.without:
        listed_zh = "、".join(MODEL_WORDS[one][0] for one in models.without)
        listed_en = ", ".join(MODEL_WORDS[one][1] for one in models.without)
        said.append(
            (f"这么多点做不到这些模型的要求：{listed_zh}。", f"With as many points the demands of these models cannot be met: {listed_en}.")
        )
    return said
