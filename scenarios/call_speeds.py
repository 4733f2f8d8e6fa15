"""Speeds by class of road from a 120 log: what fits the times from departure to arrival best.

Each run is routed from its base to its call; its seconds are the sum over classes of kilometres × seconds per kilometre, plus the legs
beside the road, plus a constant (setting off, stopping). Non-negative least squares finds the seconds per kilometre; runs are weighted by
one over their expected time, because a long run is off by more; runs whose time is far from expected (not from the base, stamps pressed
late) are left out once the fit is known. Since the fastest way depends on the speeds, routing and fit are repeated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from coverage.routes import network_pieces, routes
from coverage.snap import snap, snap_facilities
from geodata.calls.model import ARRIVED, BY_SETTLEMENT, DEPARTED, MISSING, Calls
from geodata.network import NEVER, Network
from geodata.region import Prepared
from geodata.roads import Bools, Floats, Ints

HOUR_S = 3600
KMH_S = 3600.0  # km/h × seconds per kilometre
NORMAL_MAD = 1.4826  # standard deviations in a median absolute deviation, for normal errors
BANDS = {"peak": (7, 8, 17, 18), "day": (6, 9, 10, 11, 12, 13, 14, 15, 16, 19, 20, 21), "night": (22, 23, 0, 1, 2, 3, 4, 5)}
SHORTEST_S, LONGEST_S = 60, 2 * HOUR_S  # runs beyond say more of the stamps than of the roads
LEAST_RUNS, LEAST_KM = 30, 30.0  # of a class, to be fitted at all; with less it keeps its assumed speed
LEAST_ON_CLASS_KM = 0.2  # a run with less does not count for the class
SLOWEST_KMH, FASTEST_KMH = 5.0, 130.0  # beyond, it is no speed of an ambulance on a road: the assumed one stays
ROUNDS = 4  # of routing and fit
MOST_SPREAD = 3.0  # standard deviations of log(time / expected) within which a run counts
CONFIDENT = 1.96  # standard errors to each side: 95 %
MOST_HALF_WIDTH = 0.1  # of the range of a band's factor, for it to be used
MOST_FACTOR = 10.0  # no traffic is lighter; keeps the ends of a wild range finite


@dataclass(frozen=True)
class ClassSpeed:
    """The speed of one class of road.

    Attributes
    ----------
    road_class : str
    km : float
        Driven on it by all runs counted.
    runs : int
        With at least 200 m on it.
    kmh, low_kmh, high_kmh : float
        Fitted, with a rough 95 % range; nan if there was too little to fit.
    assumed_kmh : float
    share_tagged : float
        Of those kilometres, on pieces with a maxspeed, which the class speed does not touch.
    band_kmh : dict
        Fitted by hour band, nan where there was too little.
    """

    road_class: str
    km: float
    runs: int
    kmh: float
    low_kmh: float
    high_kmh: float
    assumed_kmh: float
    share_tagged: float
    band_kmh: dict[str, float]

    @property
    def confidence(self) -> str:
        """How sure: "good" within 10 % to each side, "fair" within 25 %, else "weak"; "none" if not fitted."""
        if np.isnan(self.kmh):
            return "none"
        half = (self.high_kmh - self.low_kmh) / 2 / self.kmh
        return "good" if half <= 0.1 else "fair" if half <= 0.25 else "weak"  # noqa: PLR2004 — said in the docstring


@dataclass(frozen=True)
class BandSpeed:
    """How fast one drives in an hour band, against the speeds of the whole day: 0.9 is a tenth slower, on every class of road.

    Attributes
    ----------
    factor, low, high : float
        With a rough 95 % range.
    runs : int
    """

    factor: float
    low: float
    high: float
    runs: int

    @property
    def good(self) -> bool:
        """Whether it is within 10 % to each side, which is good enough to be used."""
        return (self.high - self.low) / 2 <= MOST_HALF_WIDTH * self.factor


@dataclass(frozen=True)
class SpeedFit:
    """Speeds from a log.

    Attributes
    ----------
    classes : tuple of ClassSpeed
        Those driven on, the most driven first.
    runs, outliers : int
        Runs the fit rests on; runs left out because their time is far from expected.
    constant_s : float
        Seconds of a run that depend on no distance.
    access_kmh : float
        Fitted speed beside the road; nan if there was too little.
    spread : float
        Standard deviation of log(time / expected): 0.2 is about ±20 %.
    band_factor : dict
        Time against that of the whole day, by hour band: 1.1 is a tenth slower; nan where there are fewer than 30 runs.
    band_runs : dict
    band_speed : dict
        Factor on the speeds by hour band; only bands with 30 runs or more.
    """

    classes: tuple[ClassSpeed, ...]
    runs: int
    outliers: int
    constant_s: float
    access_kmh: float
    spread: float
    band_factor: dict[str, float]
    band_runs: dict[str, int]
    band_speed: dict[str, BandSpeed]


@dataclass(frozen=True, eq=False)
class _Runs:
    """Runs to fit: seconds, kilometres by class (and of those with a maxspeed) and beside the road, hour of departure."""

    seconds: Floats
    km: Floats
    tagged_km: Floats
    access_km: Floats
    hour: Ints

    def take(self, which: Ints | Bools) -> _Runs:
        return _Runs(*(getattr(self, name)[which] for name in ("seconds", "km", "tagged_km", "access_km", "hour")))


@dataclass(frozen=True, eq=False)
class _Fit:
    """Seconds per kilometre by class and then beside the road, and the constant; standard errors, nan where held at the assumed pace."""

    pace: Floats
    error: Floats
    expected_s: Floats


def fit_speeds(prepared: Prepared, calls: Calls, base: Ints) -> SpeedFit | None:
    """Fit speeds by class of road and hour band.

    Parameters
    ----------
    prepared : Prepared
    calls : Calls
    base : (records,) int64
        Position in the region's facilities of the base each vehicle left from, -1 if unknown.

    Returns
    -------
    SpeedFit or None
        None if fewer than 30 runs can be routed.
    """
    departed, arrived = calls.stamp_s[:, DEPARTED], calls.stamp_s[:, ARRIVED]
    seconds = arrived - departed
    timed = (departed != MISSING) & (arrived != MISSING) & (seconds >= SHORTEST_S) & (seconds <= LONGEST_S)
    record = np.flatnonzero(timed & (base >= 0) & (calls.placed >= BY_SETTLEMENT))
    if len(record) < LEAST_RUNS:
        return None
    way, names, network = prepared.speeds.drive, prepared.region.roads.class_names, prepared.network("drive")
    assumed_kmh = np.array([*(way.classes.get(name, way.kmh) for name in names), way.access_kmh])
    assumed = np.append(KMH_S / assumed_kmh, 0.0)
    classes = prepared.region.roads.road_class[network_pieces(prepared.region.roads, network)]
    driven, pace = network, assumed
    for _ in range(ROUNDS):
        runs = _routed(prepared, driven, calls.lonlat[record], base[record])
        runs = replace(runs, seconds=seconds[record].astype(np.float64), hour=departed[record] // HOUR_S % 24)
        runs = runs.take(runs.km.sum(axis=1) > 0)
        if len(runs.seconds) < LEAST_RUNS:
            return None
        near = _near(runs, _fit(runs, pace, assumed))
        fit = _fit(runs.take(near), pace, assumed)
        pace = fit.pace
        driven = _with_pace(network, pace[classes])
    return _told(names, assumed, assumed_kmh, runs.take(near), fit, outliers=int((~near).sum()))


def _routed(prepared: Prepared, network: Network, lonlat: Floats, base: Ints) -> _Runs:
    """Kilometres of every run on its fastest way, 0 where there is none."""
    roads, places = prepared.region.roads, prepared.region.facilities
    count = len(roads.class_names)
    used = network_pieces(roads, network)
    tagged = np.isfinite(roads.maxspeed_kmh[used]).any(axis=1)
    spot, point = np.unique(lonlat, axis=0, return_inverse=True)
    targets = snap(network, spot, np.arange(len(spot)), len(spot))
    km, access_km = np.zeros((len(base), 2 * count)), np.zeros(len(base))
    for one in np.unique(base):
        mine = np.flatnonzero(base == one)
        origin = snap_facilities(network, places.take(np.array([one])))
        way = routes(network, roads.road_class[used] + count * tagged, 2 * count, origin, targets)
        km[mine], access_km[mine] = way.class_mm[point[mine]] / 1e6, way.access_mm[point[mine]] / 1e6
    return _Runs(np.zeros(len(base)), km[:, :count] + km[:, count:], km[:, count:], access_km, np.zeros(len(base), dtype=np.int64))


def _with_pace(network: Network, pace_s: Floats) -> Network:
    """Give every piece its seconds per kilometre, whichever way it may be travelled."""
    ms = np.rint(network.length_mm * pace_s / 1e3).astype(np.int64)
    forward, backward = (np.where(way == NEVER, NEVER, ms) for way in (network.forward_ms, network.backward_ms))
    return replace(network, forward_ms=forward, backward_ms=backward)


def _design(runs: _Runs) -> Floats:
    return np.column_stack([runs.km, runs.access_km, np.ones(len(runs.seconds))])


def _fit(runs: _Runs, before: Floats, assumed: Floats) -> _Fit:
    """Weighted non-negative least squares; a class with little driven on it, or a speed beyond belief, is held at its assumed pace."""
    from scipy.optimize import nnls  # noqa: PLC0415 — takes its time, and the page, which brings this module too, fits no speeds

    driven = _design(runs)
    weight = 1 / np.maximum(driven @ before, SHORTEST_S)
    enough = ((driven > LEAST_ON_CLASS_KM).sum(axis=0) >= LEAST_RUNS) & (driven.sum(axis=0) >= LEAST_KM)
    enough[-2:] = [driven[:, -2].sum() >= LEAST_KM, True]
    while True:
        free = np.flatnonzero(enough)
        rest = runs.seconds - driven[:, ~enough] @ assumed[~enough]
        scaled = driven[:, free] * weight[:, None]
        found = nnls(scaled, rest * weight)[0]
        wild = (free < len(assumed) - 1) & ((found < KMH_S / FASTEST_KMH) | (found > KMH_S / SLOWEST_KMH))
        if not wild.any():
            break
        enough[free[wild]] = False
    pace, error = assumed.copy(), np.full(len(assumed), np.nan)
    pace[free] = found
    off = (rest * weight - scaled @ found) ** 2
    error[free] = np.sqrt(np.diag(np.linalg.pinv(scaled.T @ scaled)) * off.sum() / max(1, len(off) - len(free)))
    return _Fit(pace, error, driven @ pace)


def _near(runs: _Runs, fit: _Fit) -> Bools:
    """Runs whose time is not far from expected; the spread is taken from the middle, so that strange runs do not widen it."""
    off = np.log(runs.seconds / fit.expected_s)
    off = off - np.median(off)
    return np.asarray(np.abs(off) <= MOST_SPREAD * NORMAL_MAD * np.median(np.abs(off)))


def _told(names: tuple[str, ...], assumed: Floats, assumed_kmh: Floats, runs: _Runs, fit: _Fit, *, outliers: int) -> SpeedFit:
    """Say the fit in km/h, with each hour band fitted alone beside it."""
    band_kmh, factor, count, band_speed = {}, {}, {}, {}
    for band, hours in BANDS.items():
        mine = np.isin(runs.hour, hours)
        count[band] = int(mine.sum())
        some = runs.take(mine)
        factor[band] = float((some.seconds / fit.expected_s[mine]).mean()) if count[band] >= LEAST_RUNS else np.nan
        alone = _fit(some, fit.pace, assumed) if count[band] >= LEAST_RUNS else None
        if alone:
            band_speed[band] = _band_speed(some, fit)
        band_kmh[band] = _kmh(alone.pace, alone.error) if alone else np.full(len(assumed), np.nan)
    kmh, km = _kmh(fit.pace, fit.error), runs.km.sum(axis=0)
    low, high = (KMH_S / np.maximum(fit.pace + sign * CONFIDENT * fit.error, KMH_S / FASTEST_KMH) for sign in (1, -1))
    on_class = (runs.km > LEAST_ON_CLASS_KM).sum(axis=0)
    classes = tuple(
        ClassSpeed(
            road_class=names[at],
            km=float(km[at]),
            runs=int(on_class[at]),
            kmh=float(kmh[at]),
            low_kmh=float(low[at]),
            high_kmh=float(high[at]),
            assumed_kmh=float(assumed_kmh[at]),
            share_tagged=float(runs.tagged_km[:, at].sum() / km[at]),
            band_kmh={band: float(speeds[at]) for band, speeds in band_kmh.items()},
        )
        for at in np.argsort(-km, kind="stable")[: len(names)]
        if km[at] > 0
    )
    spread = float(np.log(runs.seconds / fit.expected_s).std())
    return SpeedFit(classes, len(runs.seconds), outliers, float(fit.pace[-1]), float(kmh[-2]), spread, factor, count, band_speed)


def _band_speed(runs: _Runs, fit: _Fit) -> BandSpeed:
    """One factor for all classes of road by weighted least squares, constant and legs beside the road as over the whole day."""
    whole_day = _design(runs)
    driving = runs.km @ fit.pace[:-2]
    weight = 1 / np.maximum(whole_day @ fit.pace, SHORTEST_S)
    rest, driven = (runs.seconds - (whole_day @ fit.pace - driving)) * weight, driving * weight
    slower = float(rest @ driven / (driven @ driven))
    error = float(np.sqrt(((rest - slower * driven) ** 2).sum() / (len(rest) - 1) / (driven @ driven)))
    low, factor, high = (1 / max(slower + sign * CONFIDENT * error, 1 / MOST_FACTOR) for sign in (1, 0, -1))
    return BandSpeed(factor, low, high, len(rest))


def _kmh(pace: Floats, error: Floats) -> Floats:
    """Kilometres an hour of seconds per kilometre; nan where held."""
    return np.where(np.isnan(error), np.nan, KMH_S / np.maximum(pace, KMH_S / FASTEST_KMH))
