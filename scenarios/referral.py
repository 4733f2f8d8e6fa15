"""The chain from the call to the hospital's door on a region: which hospitals can receive, and how long a vehicle stays on the scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from coverage.studies.referral import Referral, capable_hospitals, referral
from geodata.calls.model import ARRIVED, LEFT_SCENE
from geodata.errors import OptionError, Problem, first_few
from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from scenarios.call_runs import leg_s, percentile

KINDS: Final = ("hospital",)
WITHIN_MINUTES: Final = 60.0
WITHIN_SOURCE: Final = (
    "“黄金一小时”（Cowley，1975）：通行说法，有人检索文献，未找到依据（doi:10.1111/j.1553-2712.2001.tb00201.x）[S]；--within 可改",
    (
        "the golden hour (Cowley, 1975): a convention; a search of the literature found no evidence for it "
        "(doi:10.1111/j.1553-2712.2001.tb00201.x) [S]; --within changes it"
    ),
)
ASSUMED_SCENE_MINUTES: Final = 15.0
LEAST_LEGS: Final = 30  # legs of the log, before its median stands for the county


class Scene(NamedTuple):
    """How long a vehicle stays on the scene, and who says so."""

    minutes: float
    zh: str
    en: str


@dataclass(frozen=True)
class ReferralStudy:
    """What was asked, and the chain.

    Attributes
    ----------
    referral : Referral
    scene : Scene
    kinds : tuple of str
        Of the hospitals; none if they were named by id.
    beds : float or None
    beds_unstated : int
        Open hospitals of these kinds that may be shown and state no beds: they do not count where `beds` is asked for.
    """

    referral: Referral
    scene: Scene
    kinds: tuple[str, ...]
    beds: float | None
    beds_unstated: int


def referral_study(
    prepared: Prepared,
    definition: ServiceDefinition,
    *,
    kinds: Sequence[str] | None = None,
    beds: float | None = None,
    hospitals: Sequence[str] | None = None,
    scene_minutes: float | None = None,
    within_minutes: float | None = None,
) -> ReferralStudy:
    """Follow the chain from the call to the hospital's door for every settlement of a region.

    Parameters
    ----------
    prepared : Prepared
    definition : ServiceDefinition
        Of response.
    kinds : sequence of str, optional
        Kinds of facility that can receive a patient; hospitals unless given.
    beds : float, optional
        Only those with at least so many.
    hospitals : sequence of str, optional
        The ids of those that can, in place of `kinds` and `beds`.
    scene_minutes : float, optional
        On the scene; unless given the median of the 120 log, without one 15 minutes, assumed.
    within_minutes : float, optional
        What the total is held against; 60 unless given.

    Raises
    ------
    OptionError
        Options that do not go together, or no capable hospital.
    """
    if hospitals is not None and (kinds is not None or beds is not None):
        zh = "--hospitals 已指名医院，不能再用 --kinds 或 --beds。"
        raise OptionError(Problem(zh, "--hospitals names them: it does not go with --kinds or --beds."))
    if unknown := first_few(kind for kind in kinds or () if kind not in prepared.services.kinds):
        known = ", ".join(prepared.services.kinds)
        raise OptionError(Problem(f"--kinds：没有类别 {unknown}；可选：{known}。", f"--kinds: no kind {unknown}; there are: {known}."))
    chosen = () if hospitals is not None else tuple(kinds or KINDS)
    able = capable_hospitals(prepared.region, kinds=chosen, beds=beds, ids=hospitals)
    scene = scene_time(prepared, scene_minutes)
    found = referral(
        prepared.region,
        definition,
        prepared.network_of(definition),
        able,
        scene_minutes=scene.minutes,
        within_minutes=WITHIN_MINUTES if within_minutes is None else within_minutes,
    )
    return ReferralStudy(found, scene, chosen, beds, _unstated(prepared, chosen) if beds is not None else 0)


def scene_time(prepared: Prepared, minutes: float | None) -> Scene:
    """How long a vehicle stays on the scene: as given, else the median of the 120 log, else assumed."""
    if minutes is not None:
        return Scene(minutes, "--scene 给定", "given by --scene")
    seconds = leg_s(prepared.region.calls, ARRIVED, LEFT_SCENE)
    known = seconds[~np.isnan(seconds)]
    if len(known) >= LEAST_LEGS:
        said = f"{len(known):,}"
        return Scene(percentile(known, 0.5) / 60, f"120 记录中位数（{said} 次）", f"median of the 120 log ({said} runs)")
    return Scene(
        ASSUMED_SCENE_MINUTES,
        "假定 [M]，可用 --scene 给定；美国创伤救护平均 13.4（城市）至 14.6（农村）分钟，doi:10.1080/10903120500541324",
        "assumed [M], --scene changes it; mean of trauma care in the USA: 13.4 (urban) to 14.6 (rural), doi:10.1080/10903120500541324",
    )


def _unstated(prepared: Prepared, kinds: Sequence[str]) -> int:
    places = prepared.region.facilities
    open_ = places.of_kinds(kinds) & places.open_on(prepared.region.date) & ~places.restricted
    return int((open_ & np.isnan(places.capacity)).sum())
