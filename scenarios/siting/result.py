"""The answer to a siting question, as plain data: no solver inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["optimal", "feasible", "infeasible"]


@dataclass(frozen=True, kw_only=True)
class SitingResult:
    """Which sites were chosen, whom they serve, and how sure that is.

    Attributes
    ----------
    model : str
        The question asked, for example ``mclp``.
    status : {'optimal', 'feasible', 'infeasible'}
        ``optimal``: proven that no other choice is better. ``feasible``: the time ran out first; `bound` says what is still possible.
    objective, bound : float or None
        What the choice achieves, and what no choice can beat: people for mclp. None where nothing is feasible.
    sites : tuple of str
        All chosen sites, fixed ones included, sorted by id.
    fixed : tuple of str
        Those that had to be chosen, sorted by id.
    served, total : float
        People served by `sites`, and all people, unreachable ones included.
    unreachable : tuple of str
        Demand that no candidate reaches at all, whatever the limit; sorted by id.
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
            "objective": _whole(self.objective),
            "bound": _whole(self.bound),
            "gap": _whole(self.gap),
            "sites": list(self.sites),
            "new_sites": list(self.new_sites),
            "served": _whole(self.served),
            "total": _whole(self.total),
            "unreachable": list(self.unreachable),
            "seconds": round(self.seconds, 3),
        }


def _whole(value: float | None) -> float | None:
    return int(value) if value is not None and float(value).is_integer() else value
