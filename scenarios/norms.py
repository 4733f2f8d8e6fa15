"""Norms and plan indicators held against a region: required, present, shortfall, by township and in all. Unknown is unknown, never 0."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from geodata.errors import OptionError, Problem
from geodata.norms import Area, Norm, Norms
from geodata.region import Prepared
from geodata.roads import Floats
from scenarios.norm_counts import Counted, Stock, base, present

Status = Literal["met", "short", "unknown", "none", "no_figure", "reported"]
Timing = Literal["in_force", "due", "passed", "expired", "future"]
CEILING: Final = 1e-9  # a requirement of exactly 21 stays 21
UNROUNDED: Final = ("share", "min")
_IN_BRACKETS: Final = re.compile(r"[（(].*?[）)]")
_COUNTY: Final = ("县", "旗", "市", "county", "banner", "city")
_DISTRICT: Final = ("区", "district")


@dataclass(frozen=True)
class AreaKind:
    """Whether the region is a county or a city district, and how that is known.

    Attributes
    ----------
    kind : "county" or "district"
    sure : bool
        Stated, or plain from the name; only then are a county's own factors applied.
    how : Problem
        In both languages.
    """

    kind: Area
    sure: bool
    how: Problem


@dataclass(frozen=True, eq=False)
class NormsReport:
    """A region held against all norms that speak to it.

    Attributes
    ----------
    area : AreaKind
    ambulance_base : float or None
        The factor asked for; None for the norms' own.
    norms : dict of str to Norm
        Those that apply, by key.
    elsewhere : tuple of str
        Keys of those left out: plans of other places, norms for the other kind of area.
    factors : dict of str to float
        What the people were multiplied by, for each norm that knows such a factor.
    rows : DataFrame
        See :func:`hold_against`.
    """

    area: AreaKind
    ambulance_base: float | None
    norms: dict[str, Norm]
    elsewhere: tuple[str, ...]
    factors: dict[str, float]
    rows: pd.DataFrame

    @property
    def totals(self) -> pd.DataFrame:
        """The row of the whole area, a norm each."""
        return self.rows[self.rows["row"] == "total"].set_index("key")


def area_kind(name: str, stated: Area | None = None) -> AreaKind:
    """Tell whether a region is a county or a city district: as stated, else by its name; a county if the name says nothing.

    >>> area_kind("进贤县（示意）").kind, area_kind("昌江区").kind, area_kind("gridtown").sure
    ('county', 'district', False)
    """
    if stated is not None:
        return AreaKind(stated, sure=True, how=Problem("由 --area 给出", "as stated by --area"))
    plain = _IN_BRACKETS.sub("", name).strip().casefold()
    said = Problem("由名称判断，可用 --area 更改", "by its name; --area changes it")
    if plain.endswith(_DISTRICT):
        return AreaKind("district", sure=True, how=said)
    if plain.endswith(_COUNTY):
        return AreaKind("county", sure=True, how=said)
    unsure = Problem(
        "名称看不出，暂按县，但不用县的人口基数倍数；请用 --area 说明",
        "its name does not say: taken as a county, without a county's factor",
    )
    return AreaKind("county", sure=False, how=unsure)


def norms_report(prepared: Prepared, norms: Norms, *, area: Area | None = None, ambulance_base: float | None = None) -> NormsReport:
    """Hold a region against the norms that speak to it.

    Parameters
    ----------
    prepared : Prepared
        With the people of its own day, or grown to a later year: its date is the day on which norms are in force or not.
    norms : Norms
    area : "county" or "district", optional
        By the region's name unless stated.
    ambulance_base : float, optional
        Factor on the people for norms that know one (`county_factor`); their own in a county, 1 in a district unless given.

    Raises
    ------
    OptionError
        The factor is not a number above 0.
    """
    if ambulance_base is not None and not 0 < ambulance_base < math.inf:
        raise OptionError(
            Problem(f"--ambulance-base 须大于 0（给出 {ambulance_base}）。", f"--ambulance-base must be above 0 (given: {ambulance_base}).")
        )
    region = prepared.region
    kind = area_kind(region.name, area)
    speaks = {key: norm.area in {"any", kind.kind} and norm.place in region.name for key, norm in norms.norms.items()}
    applying = {key: norm for key, norm in norms.norms.items() if speaks[key]}
    stock = Stock.of(prepared)
    factors = {key: _factor(norm, kind, ambulance_base) for key, norm in applying.items() if norm.county_factor != 1}
    tables = [hold_against(stock, key, norm, factor=factors.get(key, 1.0)) for key, norm in applying.items()]
    return NormsReport(
        area=kind,
        ambulance_base=ambulance_base,
        norms=applying,
        elsewhere=tuple(key for key in norms.norms if not speaks[key]),
        factors=factors,
        rows=pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["key", "row"]),
    )


def _factor(norm: Norm, kind: AreaKind, asked: float | None) -> float:
    if asked is not None:
        return asked
    return norm.county_factor if kind.kind == "county" and kind.sure else 1.0


def timing(norm: Norm, day: dt.date) -> Timing:
    """Tell whether a norm is in force on a day: dates are held as exactly as they are known.

    >>> timing(Norm.model_construct(date="2022", expiry="2022-12", by=None), dt.date(2026, 1, 1))
    'expired'
    """
    text = day.isoformat()
    if norm.date and text[: len(norm.date)] < norm.date:
        return "future"
    if norm.expiry and text[: len(norm.expiry)] > norm.expiry:
        return "expired"
    if norm.by is None:
        return "in_force"
    return "due" if day.year <= norm.by else "passed"


def hold_against(stock: Stock, key: str, norm: Norm, *, factor: float = 1.0) -> pd.DataFrame:
    """Hold a region against one norm: required = ⌈value × base × factor ÷ per⌉, shortfall = max(0, required − present).

    Where each township is held for itself (scope "township"), the required, present and short of the whole are the sums of theirs: one
    township's surplus is no help to another.

    Returns
    -------
    DataFrame
        A row a township, then the whole: key, row ("zone", "total"), zone_id, zone, held (the norm speaks of this row; other rows are for
        comparison), base, required, required_most (of the stricter end of a range), present, stated, of (how many facilities state it, of
        how many: `present` is a lower bound if not all), shortfall, shortfall_most, status, missing_zh, missing_en.
    """
    found, of = present(stock, norm), base(stock, norm)
    required, most = (required_of(norm, of.amount * factor, per) for per in (max(norm.per), min(norm.per)))
    if norm.scope == "township":
        required[-1], most[-1] = required[:-1].sum(), most[:-1].sum()
    short, short_most = (_shortfall(norm, wanted, found.amount) for wanted in (required, most))
    bounds = zip(required, found.amount, found.stated < found.of, strict=True)
    status = [_status(norm, wanted, there, is_lower_bound=bound) for wanted, there, bound in bounds]
    if norm.scope == "township":
        status[-1] = next((one for one in ("short", "unknown", "met", "none") if one in status[:-1]), status[-1])
    missing = [("", "") if one in {"met", "none"} else _missing(found, of, at) for at, one in enumerate(status)]
    figures = {
        "base": of.amount,
        "required": required,
        "required_most": most,
        "present": found.amount,
        "stated": found.stated,
        "of": found.of,
    }
    return _labels(stock, key, norm).assign(
        **figures,
        shortfall=short,
        shortfall_most=short_most,
        status=status,
        missing_zh=[zh for zh, _ in missing],
        missing_en=[en for _, en in missing],
    )


def _labels(stock: Stock, key: str, norm: Norm) -> pd.DataFrame:
    """Which norm and which row."""
    zones = stock.prepared.region.zones
    count = len(zones.id)
    columns = {"row": ["zone"] * count + ["total"], "zone_id": [*zones.id, ""], "zone": [*zones.name, "合计 total"]}
    return pd.DataFrame({"key": key} | columns | {"held": [norm.scope == "township"] * count + [True]})


def required_of(norm: Norm, of: Floats, per: float) -> Floats:
    """What is asked for of a base, up to whole sites, beds, vehicles, people; nan where the document gives no figure."""
    if norm.value is None:
        return np.full(len(of), np.nan)
    if norm.measure == "floor_area_each":
        return of.copy()  # each of them
    if norm.unit in UNROUNDED:
        return np.where(of > 0, norm.value, of * 0)
    exact = norm.value * of / per
    whole = np.ceil(exact - CEILING * np.maximum(1.0, exact))
    return np.minimum(whole, of) if norm.unit == "people" and norm.value <= 1 else whole  # a raster holds parts of a person


def _shortfall(norm: Norm, required: Floats, there: Floats) -> Floats:
    """Unknown where either is unknown; at most this where what is there is a lower bound."""
    lack = there - required if norm.sense == "at_most" else required - there
    short = np.where(np.isnan(lack), np.nan, np.fmax(lack, 0.0))
    if norm.scope == "township":
        short[-1] = np.nan if np.isnan(short[:-1]).all() else np.nansum(short[:-1])
    return np.asarray(short)


def _status(norm: Norm, required: float, there: float, *, is_lower_bound: bool) -> Status:
    if norm.force == "reported":
        return "reported"
    if norm.value is None:
        return "no_figure"
    if required == 0:
        return "none"
    if math.isnan(required) or math.isnan(there):
        return "unknown"
    at_most = norm.sense == "at_most"
    met = there <= required if at_most else there >= required
    if is_lower_bound and met == at_most:
        return "unknown"  # what is not stated may turn it
    return "met" if met else "short"


def _missing(found: Counted, of: Counted, at: int) -> tuple[str, str]:
    """Which input is missing, where something is not known."""
    lacks = [one.missing for one in (found, of) if one.missing and (np.isnan(one.amount[at]) or one.stated[at] < one.of[at])]
    return "；".join(one.zh for one in dict.fromkeys(lacks)), "; ".join(one.en for one in dict.fromkeys(lacks))
