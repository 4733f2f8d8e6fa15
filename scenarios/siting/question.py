"""The siting question as plain data: what the models solve and the checker recounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from geodata.errors import OptionError, Problem

Numbers = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Model = Literal["lexicographic", "mclp", "cmclp", "lscp", "partial", "p-median", "p-center", "bacop1", "bacop2", "mexclp", "dsm"]
MODELS: Final[tuple[Model, ...]] = get_args(Model)


@dataclass(frozen=True, eq=False)
class CoverStage:
    """One thing to maximise: the people of the demand points that chosen candidates cover, once or several times.

    Attributes
    ----------
    name : str
        What the stage is called in results, for example ``backstop``.
    covers : scipy.sparse CSR, bool, shape (demand, candidates)
        True where the candidate serves the demand point within the limit.
    people : ndarray of float64, shape (demand,)
        People at each demand point, fractions allowed.
    gains : tuple of float
        What the first, second, … vehicle that covers a demand point is worth, per person. One cover counts fully unless given.
    busy : ndarray of float64, shape (candidates,), optional
        Share of the time (0 ≤ busy < 1) for which a vehicle of each candidate is out: a demand point then counts with
        1 − Π busy over the vehicles that cover it, and `gains` play no part.
    """

    name: str
    covers: Any
    people: Numbers
    gains: tuple[float, ...] = (1.0,)
    busy: Numbers | None = None

    def __post_init__(self) -> None:
        """Refuse people that do not fit the demand points."""
        if self.covers.shape[0] != self.people.size or not (np.isfinite(self.people) & (self.people >= 0)).all():
            raise OptionError(
                Problem(
                    f"阶段 {self.name}：每个需求点须有一个非负人数（{self.covers.shape[0]} 个点，{self.people.size} 个人数）。",
                    f"Stage {self.name}: every demand point needs one number of people, 0 or more "
                    f"({self.covers.shape[0]} points, {self.people.size} numbers).",
                )
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class Sites:
    """The candidates, and the rules by which some are chosen. Build with :meth:`of`.

    Attributes
    ----------
    id : tuple of str, length (candidates,)
    total : int or None
        How many sites in all: kept and forced ones count, background ones do not. None: as many as the model or the budget says.
    fixed : (candidates,) bool
        Kept or forced: chosen in any case.
    forbidden : (candidates,) bool
        Never chosen.
    background : (candidates,) bool
        Serve anyway (outside the county, restricted): chosen in any case, neither counted nor named.
    movable : (candidates,) bool
        Existing sites that stay, or of which each is replaced by a chosen one of `replaces`, no chosen one replacing two.
    replaces : (candidates, candidates) sparse bool
        Row: a movable site; columns: the candidates that may take its place.
    apart : (pairs, 2) int64
        Positions of two candidates that may not both be chosen, for they are too near each other.
    price : (candidates,) float64
        What choosing each costs; 0 for what exists, as background sites do.
    budget : float or None
        The prices of the chosen ones may not add up to more.
    vehicles : (candidates,) int64
        At each site if it is chosen, one unless given; with a `fleet`, the most that can stand there, any number unless given.
    fleet : int or None
        Vehicles in all, which the model spreads over the chosen sites, at least one each. Background ones do not count.
    """

    id: tuple[str, ...]
    total: int | None
    fixed: Mask
    forbidden: Mask
    background: Mask
    movable: Mask
    replaces: csr_array
    apart: Ints
    price: Numbers
    budget: float | None
    vehicles: Ints
    fleet: int | None

    @classmethod
    def of(  # noqa: PLR0913  each is a rule of its own
        cls,
        ids: Iterable[str],
        *,
        total: int | None = None,
        fixed: Iterable[str] = (),
        forbidden: Iterable[str] = (),
        background: Iterable[str] = (),
        movable: Iterable[str] = (),
        replaces: csr_array | None = None,
        apart: Ints | None = None,
        price: Numbers | None = None,
        budget: float | None = None,
        vehicles: Ints | None = None,
        fleet: int | None = None,
    ) -> Sites:
        """Name the candidates of each rule by id; what is not given does not bind."""
        ids = tuple(ids)
        count = len(ids)

        def among(some: Iterable[str]) -> Mask:
            wanted = set(some)
            return np.fromiter((one in wanted for one in ids), dtype=np.bool_, count=count)

        return cls(
            id=ids,
            total=total,
            fixed=among(fixed),
            forbidden=among(forbidden),
            background=among(background),
            movable=among(movable),
            replaces=csr_array((count, count), dtype=np.bool_) if replaces is None else replaces,
            apart=np.zeros((0, 2), dtype=np.int64) if apart is None else apart,
            price=np.zeros(count) if price is None else np.where(among(background), 0.0, price),
            budget=budget,
            vehicles=np.full(count, fleet or 1, dtype=np.int64) if vehicles is None else vehicles,
            fleet=fleet,
        )

    def __len__(self) -> int:
        """How many candidates."""
        return len(self.id)

    @property
    def always(self) -> Mask:
        """(candidates,) bool: chosen in any case."""
        return self.fixed | self.background

    @property
    def counted(self) -> Mask:
        """(candidates,) bool: count towards the total."""
        return ~self.background

    @property
    def is_plain(self) -> bool:
        """Whether nothing but a number of sites, with fixed and forbidden ones, one vehicle each, binds the choice."""
        return bool(
            self.total is not None
            and self.budget is None
            and self.fleet is None
            and not self.apart.size
            and not self.movable.any()
            and (self.vehicles == 1).all()
        )

    def take(self, order: Ints) -> Sites:
        """The same rules with only these candidates, or with all in another order."""
        new = np.full(len(self), -1, dtype=np.int64)
        new[order] = np.arange(len(order))
        apart = new[self.apart]
        return Sites(
            id=tuple(self.id[at] for at in order),
            total=self.total,
            fixed=self.fixed[order],
            forbidden=self.forbidden[order],
            background=self.background[order],
            movable=self.movable[order],
            replaces=csr_array(self.replaces[order][:, order]),
            apart=apart[(apart >= 0).all(axis=1)],
            price=self.price[order],
            budget=self.budget,
            vehicles=self.vehicles[order],
            fleet=self.fleet,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Terms:
    """What some models ask beside the sites.

    Attributes
    ----------
    share : float or None
        partial: the share (0–1] of all people that must be covered.
    alpha : float or None
        bacop2: weight (0–1) of the first cover, the rest is that of the second. dsm: share of all people to cover within the first limit.
    busy : (candidates,) float64 or None
        mexclp: share of the time for which a vehicle of each candidate is out.
    capacity : (candidates,) float64 or None
        cmclp: people that each candidate can serve.
    weighted : bool
        p-center: times people; unweighted otherwise.
    """

    share: float | None = None
    alpha: float | None = None
    busy: Numbers | None = None
    capacity: Numbers | None = None
    weighted: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """Who asks to be served by whom.

    Attributes
    ----------
    sites : Sites
    demand : tuple of str, length (demand,)
        Ids.
    people : (demand,) float64
        Whatever is weighed: people, ages, calls.
    near : (demand, candidates) sparse bool
        Within the limit(s) of the demand point; every route where p-median and p-center have no limit.
    wide : (demand, candidates) sparse bool or None
        Within the wider limit: the backstop of ``lexicographic``, the second standard of ``dsm``.
    cost : (demand, candidates) sparse float64 or None
        Cost of each route, stored (a stored 0 too) where there is one: p-median and p-center.
    has_route : (demand,) bool
        Whether any candidate can be reached at all, whatever the limit.
    names : mapping of str to str
        Names of sites and demand points by id, where people know them better than the ids.
    """

    sites: Sites
    demand: tuple[str, ...]
    people: Numbers
    near: csr_array
    wide: csr_array | None = None
    cost: csr_array | None = None
    has_route: Mask = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    names: Mapping[str, str] = field(default_factory=dict)
