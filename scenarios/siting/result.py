"""The answer to a siting question, as plain data: no solver inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from scenarios.siting.milp import SEED
from scenarios.siting.stop import Reason

Status = Literal["optimal", "feasible", "infeasible"]


class StageValue(NamedTuple):
    """What one stage achieves, and the number that no plan can beat (that is at least as good in the stages before)."""

    name: str
    objective: float
    bound: float


class Conflict(NamedTuple):
    """A demand that cannot be met together with the others it is named with.

    Attributes
    ----------
    kind : str
        ``sites``, ``fixed``, ``forbidden``, ``movable``, ``apart``, ``budget``, ``fleet``, ``cover``, ``share`` …
    ids : tuple of str
        The sites or demand points that it is about.
    zh, en : str
        The demand in words.
    """

    kind: str
    ids: tuple[str, ...]
    zh: str
    en: str


class Plan(NamedTuple):
    """What a model found.

    Attributes
    ----------
    chosen : tuple of str
        Sorted ids, background ones left out; empty if infeasible.
    vehicles : tuple of int
        At each of `chosen`.
    status : "optimal", "feasible" or "infeasible"
        ``feasible``: not proven best; each stage's bound says what is still possible.
    stages : tuple of StageValue
        The most important first. The last is the objective.
    method : str
        How it was found and proven, in English, for provenance.
    """

    chosen: tuple[str, ...]
    vehicles: tuple[int, ...]
    status: Status
    stages: tuple[StageValue, ...]
    method: str


@dataclass(frozen=True, kw_only=True)
class SitingResult:
    """Which sites were chosen, whom they serve, and how sure that is.

    Attributes
    ----------
    model : str
        The question asked, for example ``mclp``.
    status : {'optimal', 'feasible', 'infeasible'}
        ``optimal``: proven that no other choice is better. ``feasible``: it was stopped first; `bound` says what is still possible.
        ``infeasible``: no choice meets what was demanded; `conflict` says what contradicts what.
    stopped : {'time', 'cancelled'} or None
        Why the search ended before its proof.
    objective, bound : float or None
        What the choice achieves, and what no choice can beat: people for mclp, sites for lscp, people times cost for p-median, the largest
        cost for p-center. None where nothing is feasible.
    sites : tuple of str
        All chosen sites, fixed ones included, sorted by id.
    fixed : tuple of str
        Those that had to be chosen, sorted by id.
    vehicles : tuple of int
        At each of `sites`.
    served, total : float
        People served by `sites` within the limit (without one: who have a route), and all people, unreachable ones included.
    unreachable : tuple of str
        Demand that no candidate reaches at all, whatever the limit; sorted by id.
    beyond : tuple of str
        Demand that has a route, but to no candidate within the limit; sorted by id.
    stages : tuple of StageValue
        What was optimised in turn, the most important first.
    equal : tuple of tuple of str
        Other choices that are exactly as good, at most as many as asked for.
    equal_complete : bool
        Whether there are no more of them. False too where none were asked for.
    conflict : tuple of Conflict
        Demands that contradict each other; any one less, and they would not.
    method : str
        How it was found and proven.
    share : float or None
        partial: the share (0–1] of all people that was asked for; more than `served` where it cannot be had.
    seconds : float
        Wall clock, which differs from run to run.
    """

    model: str
    status: Status
    objective: float | None
    bound: float | None
    sites: tuple[str, ...]
    fixed: tuple[str, ...]
    served: float
    total: float
    unreachable: tuple[str, ...]
    seconds: float
    stopped: Reason | None = None
    vehicles: tuple[int, ...] = ()
    beyond: tuple[str, ...] = ()
    stages: tuple[StageValue, ...] = ()
    equal: tuple[tuple[str, ...], ...] = ()
    equal_complete: bool = False
    conflict: tuple[Conflict, ...] = ()
    method: str = ""
    share: float | None = None

    @property
    def new_sites(self) -> tuple[str, ...]:
        """The chosen sites that were not fixed, sorted by id."""
        return tuple(site for site in self.sites if site not in self.fixed)

    @property
    def gap(self) -> float | None:
        """What may still be missing, as a share (0–1) of the larger of objective and bound; 0 when optimal."""
        if self.objective is None or self.bound is None:
            return None
        larger = max(abs(self.objective), abs(self.bound))
        return 0.0 if larger == 0 else abs(self.bound - self.objective) / larger

    def to_json(self) -> dict[str, object]:
        """Return the fields as ``circle15 site --matrix --json`` prints them; whole numbers as integers.

        Examples
        --------
        >>> result = SitingResult(
        ...     model="mclp", status="optimal", objective=425.0, bound=425.0, sites=("04",), fixed=(),
        ...     served=425.0, total=640.0, unreachable=(), seconds=0.01,
        ... )
        >>> result.to_json()["objective"]
        425
        """
        return {
            "model": self.model,
            "status": self.status,
            "stopped": self.stopped,
            "objective": _whole(self.objective),
            "bound": _whole(self.bound),
            "gap": _whole(self.gap),
            "sites": list(self.sites),
            "new_sites": list(self.new_sites),
            "vehicles": dict(zip(self.sites, self.vehicles, strict=False)),
            "served": _whole(self.served),
            "total": _whole(self.total),
            "unreachable": list(self.unreachable),
            "beyond_limit": list(self.beyond),
            "stages": [stage._asdict() for stage in self.stages],
            "equal_optima": [list(one) for one in self.equal],
            "equal_optima_complete": self.equal_complete,
            "conflict": [one._asdict() for one in self.conflict],
            "method": self.method,
            "seed": SEED,
            "seconds": round(self.seconds, 3),
        }


def _whole(value: float | None) -> float | None:
    return int(value) if value is not None and float(value).is_integer() else value
