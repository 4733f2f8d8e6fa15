"""Target-year people: the residents of each township grown at its yearly rate, in whole people; and the county's stated figure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np

from geodata.demand import aged, rows_by_zone, spread_evenly
from geodata.errors import InputError, OptionError, Problem, first_few
from geodata.model import GROWTH, Region
from geodata.population import spread
from geodata.region_file import GrowthBlock
from geodata.roads import Floats
from geodata.tables import columns
from geodata.tables.load import read_table

MOST_YEARS = 50
MOST_RATE = 0.1  # of a year, either way: beyond it a percentage was written without its sign
VARIANT_WORDS = {"low": ("低方案", "low"), "central": ("中方案", "central"), "high": ("高方案", "high")}


def growth_rates(block: GrowthBlock, folder: Path, zones: gpd.GeoDataFrame) -> Floats:
    """Read the yearly growth of each township, the same for all or from a table.

    Returns
    -------
    (zones, 3) float64
        Shares a year in the order of ``geodata.model.GROWTH``.

    Raises
    ------
    InputError
        A township without a row, low above central or central above high, or a rate beyond 10 % a year.
    """
    if block.file is None:
        name, rates = "[growth]", np.tile(np.array([block.low, block.central, block.high], dtype=np.float64), (len(zones), 1))
    else:
        name = block.file.name
        table = read_table(folder / block.file, columns.GROWTH, headers=block.columns, sheet=block.sheet)
        rates = rows_by_zone(table, zones, name)[list(GROWTH)].to_numpy(dtype=np.float64)
    problems = []
    wild = (np.abs(rates) > MOST_RATE).any(axis=1)
    if wild.any():
        named = first_few(zones["name"][wild])
        zh = f"{name}：年增长率超过 {MOST_RATE:.0%}：{named}。千分之四写作 0.004 或 0.4%。"
        problems.append(Problem(zh, f"{name}: more than {MOST_RATE:.0%} a year: {named}. Four per mille is 0.004 or 0.4%."))
    crossed = (np.diff(rates, axis=1) < 0).any(axis=1)
    if crossed.any():
        named = first_few(zones["name"][crossed])
        problems.append(Problem(f"{name}：增长率须低 ≤ 中 ≤ 高：{named}。", f"{name}: growth must be low ≤ central ≤ high: {named}."))
    if problems:
        raise InputError(*problems)
    return rates


def grown(region: Region, year: int, variant: str = "central") -> Region:
    """Grow the people of a region to a later year: each township by ``(1 + rate) ** years``, spread over its points as before.

    The base year is that of the region's date. The county's figure is rounded to whole people, the townships add up to it (largest
    remainder), the points to their townships, under every spread. Each point keeps its share of 65 and over: ageing is not foretold.
    Where the people are the fractions of a raster without township totals, they stay fractions. People outside the county, registered
    people and the facilities stay; the date moves to the target year, so that a facility counts if it is there then, and a norm if it is
    in force then. The county's published number of residents is not known for that year.

    Parameters
    ----------
    region : Region
    year : int
        Not before the region's date, at most 50 years later.
    variant : "low", "central" or "high"

    Raises
    ------
    OptionError
        No growth is given for the region, or the year cannot be asked about.
    InputError
        Townships with people but without a rate.
    """
    years = year - region.date.year
    rate = _rates(region, year, variant)
    zones, demand = region.zones, region.demand
    within = np.bincount(demand.zone + 1, demand.people, minlength=len(zones.id) + 1)[1:]
    base = np.where(np.isfinite(zones.people), zones.people, within)
    exact = np.where(base > 0, base * (1 + np.nan_to_num(rate)) ** years, 0.0)
    mine = demand.inside
    if (demand.people[mine] == np.floor(demand.people[mine])).all():
        totals = spread(np.array([np.rint(exact.sum())]), np.zeros(len(exact), dtype=np.int64), exact)
        spreads = np.stack([spread_evenly(totals, demand, one) for one in demand.spreads])
    else:
        totals = exact
        factor = np.divide(exact, within, out=np.ones(len(exact)), where=within > 0)
        spreads = demand.spreads * np.append(factor, 1.0)[demand.zone]  # OUTSIDE is the last
    return replace(
        region,
        date=_same_day(region.date, year),
        zones=replace(zones, people=np.where(np.isfinite(zones.people), totals, np.nan)),
        demand=replace(demand, people=spreads[0], spreads=spreads, old=aged(demand, spreads[0])),
        county_people=region.county_people if years == 0 else np.nan,
        people_source=f"{_said(region, year, variant, rate[base > 0])}；{region.people_source}",
    )


def _rates(region: Region, year: int, variant: str) -> Floats:
    """Rates of a variant, if the question can be answered."""
    zones, base = region.zones, region.date.year
    if not base <= year <= base + MOST_YEARS:
        zh = f"规划年 {year} 须在 {base}（本地区日期）与 {base + MOST_YEARS} 之间。"
        raise OptionError(Problem(zh, f"The year {year} must be from {base} (the region's date) to {base + MOST_YEARS}."))
    if not np.isfinite(zones.growth).any():
        raise OptionError(
            Problem(
                "region.toml 没有 [growth]：请写 low、central、high 三个年均增长率（如 central = 0.004），或 file = 分乡镇的表。",
                "region.toml has no [growth]: write low, central and high a year (such as central = 0.004), or file = a table by township.",
            )
        )
    rate = zones.growth[:, GROWTH.index(variant)]
    missing = [zones.name[at] for at in np.flatnonzero(np.isnan(rate))]
    if missing:
        named = first_few(missing)
        raise InputError(Problem(f"这些乡镇没有增长率：{named}。", f"Townships without a rate of growth: {named}."))
    return np.asarray(rate)


def _same_day(day: dt.date, year: int) -> dt.date:
    """The same day of another year; the day before 29 February where there is none."""
    return day.replace(year=year, day=min(day.day, 28)) if day.month == 2 else day.replace(year=year)  # noqa: PLR2004 — February


def _said(region: Region, year: int, variant: str, rate: Floats) -> str:
    """Say how the people were grown, in both languages."""
    (zh, en), base = VARIANT_WORDS[variant], region.date.year
    low, high = (f"{one * 100:.2f}".rstrip("0").rstrip(".") for one in (rate.min(initial=np.inf), rate.max(initial=-np.inf)))
    per_year = f"{low} %" if low == high else f"{low}–{high} %"
    return (
        f"{year} 年推算人口：{base} 年起按{zh}年均增长 {per_year}，各村（社区）占比与 65 岁及以上占比不变，机构按该年同日是否启用计 "
        f"people of {year}: {en} growth from {base}, {per_year} a year, shares of settlements and of 65+ as they were; "
        "facilities as on the same day of that year"
    )


@dataclass(frozen=True)
class CountyDifference:
    """How far the townships are from the county's stated figure.

    Attributes
    ----------
    people, stated : float
        Sum of the townships, and what the county states.
    more : float
        The sum less the stated figure.
    share : float
        `more` of the stated figure, 0–1.
    """

    people: float
    stated: float
    more: float
    share: float


def county_difference(by_zone: Floats, stated: float) -> CountyDifference | None:
    """Compare the townships with the county's figure: of residents (``zones.people``) or of registered people; None if either is missing.

    >>> county_difference(np.array([60.0, 39.0]), 100.0)
    CountyDifference(people=99.0, stated=100.0, more=-1.0, share=-0.01)
    """
    if not np.isfinite(stated) or not np.isfinite(by_zone).all():
        return None
    people = float(by_zone.sum())
    return CountyDifference(people, stated, people - stated, (people - stated) / stated if stated else np.nan)
