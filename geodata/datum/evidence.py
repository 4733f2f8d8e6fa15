"""Which datum the coordinates of a table are in: what its roads, townships and known places say (METHOD: report, and ask).

A table in GCJ-02 or BD-09 that is taken as WGS84 lies some hundreds of metres off, in one direction. Under the true datum its points lie
nearer to roads, more often in the township named in their row, and nearer to places of the same name, than under any other shift of that
size. ``geodata.datum.support`` measures by how much; here it is judged, and said. A false alarm is worse than none: what does not stand
out clearly is "cannot_tell".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geodata.datum.convert import from_wgs84, to_wgs84
from geodata.datum.gcj02 import in_mainland
from geodata.datum.support import Measured, Support, measure, mixture, support
from geodata.errors import Problem
from geodata.model import OUTSIDE, Zones
from geodata.roads import Floats, Ints, Roads

CANDIDATES = ("wgs84", "gcj02", "bd09")
VERDICTS = ("fits", "other", "mixed", "perhaps_mixed", "cannot_tell")
Objects = npt.NDArray[np.object_]
NAMES = {"wgs84": "WGS84", "gcj02": "GCJ-02", "bd09": "BD-09"}
NEAR_ROAD_M = 50.0
_MOST_ROWS = 600  # of a longer table rows are taken evenly
_FEWEST = 4.0  # places, before a table may be called otherwise than declared
_FITS_NATS, _OTHER_NATS, _OTHER_ABOVE_CHANCE = 3.0, 7.0, 3.0
_MIXED_NATS, _MIXED_ABOVE_CHANCE, _SURE, _FEWEST_SURE = 12.0, 8.0, 0.95, 2
_VILLAGE_ENDINGS = ("村民委员会", "居民委员会", "村委会", "居委会", "社区", "村")


@dataclass(frozen=True)
class Fit:
    """How a table lies under one datum.

    Attributes
    ----------
    median_road_m : float
        Median distance to the nearest road, 1,000 for anything farther.
    share_near_road : float
        Rows within 50 m of a road.
    share_in_zone : float
        Rows in the township named in them, of those that name one; nan if none does.
    median_place_m : float
        Median distance to the known place of the same name; nan if there is none.
    support : float
        Log likelihood ratio against chance, in nats; comparable between the datums of one table only.
    """

    datum: str
    median_road_m: float
    share_near_road: float
    share_in_zone: float
    median_place_m: float
    support: float


@dataclass(frozen=True)
class Evidence:
    """What speaks for each datum of a table.

    Attributes
    ----------
    rows : int
        Rows with coordinates.
    taken_as : str
        The datum they were taken as.
    fits : tuple of Fit
        One a datum of ``CANDIDATES``; empty outside mainland China, where they are the same, and where there is nothing to compare.
    best : str
        The datum with most support; `taken_as` where there is nothing to compare.
    verdict : str
        "fits" (as taken), "other" (`best` is clearly right), "mixed" (two datums hold a clear group of rows each, at least two rows of each
        tell by themselves), "perhaps_mixed" (two datums seem to be mixed, and the rows do not tell which is which), "cannot_tell".
    datum_of_row : tuple of str
        The datum of each row: of all rows for "fits" and "other", of the rows that tell by themselves for "mixed", else "".
    text : Problem
        The evidence in a sentence of each language, without a stop at its end.
    """

    rows: int
    taken_as: str
    fits: tuple[Fit, ...]
    best: str
    verdict: str
    datum_of_row: tuple[str, ...]
    text: Problem


def datum_evidence(
    lonlat: Floats, roads: Roads, crs: str, zones: Zones, zone: Ints, *, taken_as: str = "wgs84", known: Floats | None = None
) -> Evidence:
    """Find out which datum a table is in.

    Parameters
    ----------
    lonlat : (rows, 2) float64
        As taken: in WGS84, if `taken_as` was right; nan for rows without coordinates.
    roads : Roads
    crs : str
        The region's projected CRS, in metres.
    zones : Zones
    zone : (rows,) int64
        Position of the township *named* in the row (never the one it lies in), OUTSIDE where none is.
    taken_as : str
        The declared datum; "wgs84" if none is declared, or one that is neither GCJ-02 nor BD-09.
    known : (rows, 2) float64, optional
        WGS84 of a place of the same name whose datum is certain (:func:`same_named`); nan where there is none.
    """
    taken_as = taken_as if taken_as in CANDIDATES else "wgs84"
    there = np.flatnonzero(np.isfinite(lonlat).all(axis=1))
    if len(there) == 0 or not in_mainland(lonlat[there]).mean() > 1 / 2:
        return _nothing_to_compare(len(lonlat), len(there), taken_as)
    known = np.full(lonlat.shape, np.nan) if known is None else known
    written = from_wgs84(lonlat, taken_as)

    def weighed(rows: Ints) -> tuple[Measured, Support]:
        under = np.stack([to_wgs84(written[rows, 0], written[rows, 1], datum) for datum in CANDIDATES])
        found = measure(under, roads, crs, zones=zones, zone=zone[rows], known=known[rows])
        return found, support(found, len(CANDIDATES))

    sample = there[np.unique(np.linspace(0, len(there) - 1, min(len(there), _MOST_ROWS)).astype(np.int64))]
    found, speaks = weighed(sample)
    verdict, best = _verdict(speaks, found.weight, CANDIDATES.index(taken_as))
    of_row = np.full(len(lonlat), "" if verdict == "cannot_tell" else CANDIDATES[best], dtype=object)
    fits = tuple(_fit(datum, found, speaks, at) for at, datum in enumerate(CANDIDATES))
    if parts := _mixed_parts(speaks, found.weight):
        whole, whole_speaks = (found, speaks) if len(sample) == len(there) else weighed(there)
        _, owner = mixture(whole_speaks, whole.weight, parts)
        of_row[there] = np.append([CANDIDATES[at] for at in parts], "")[_surely(owner)]
        sure = min((of_row == CANDIDATES[at]).sum() for at in parts)
        verdict = "mixed" if sure >= _FEWEST_SURE else "perhaps_mixed"
        text = _mixed_text(of_row[there], parts, owner.mean(axis=1), sure=verdict == "mixed")
        of_row[:] = of_row if verdict == "mixed" else ""
    else:
        text = _text(verdict, fits, CANDIDATES.index(taken_as), best, len(there))
    of_row[np.setdiff1d(np.arange(len(lonlat)), there)] = ""
    return Evidence(len(there), taken_as, fits, CANDIDATES[best], verdict, tuple(of_row), text)


def same_named(names: Sequence[str], zone: Ints, known_names: Sequence[str], known_zone: Ints, known_lonlat: Floats) -> Floats:
    """Where the village or community that a row is named after lies: 胜利社区采样点 → 胜利社区; nan where none or several fit.

    Parameters
    ----------
    names : sequence of str
    zone : (rows,) int64
        Township named in the row; only its places are looked at. OUTSIDE: those of all.
    known_names : sequence of str
    known_zone : (places,) int64
    known_lonlat : (places, 2) float64
        WGS84.
    """
    stems: dict[str, list[int]] = {}
    for at, name in enumerate(known_names):
        stem = next((name.removesuffix(ending) for ending in _VILLAGE_ENDINGS if name.endswith(ending)), name)
        for form in {name, f"{stem}村", f"{stem}社区"} if stem else ():
            stems.setdefault(form, []).append(at)
    longest_first = sorted(stems, key=lambda form: (-len(form), form))
    found = np.full((len(names), 2), np.nan)
    for row, name in enumerate(names):
        form = next((form for form in longest_first if form in name), "")
        places = [at for at in stems.get(form, []) if zone[row] in (OUTSIDE, known_zone[at])]
        if len(places) == 1:
            found[row] = known_lonlat[places[0]]
    return found


def _surely(owner: Floats) -> Ints:
    """Part that each row is of, the last where none is sure."""
    part = owner[:-1].argmax(axis=0)
    return np.where(owner[:-1].max(axis=0) >= _SURE, part, len(owner) - 1)


def _nothing_to_compare(rows: int, there: int, taken_as: str) -> Evidence:
    if there == 0:
        return Evidence(0, taken_as, (), taken_as, "cannot_tell", ("",) * rows, Problem("没有坐标", "no coordinates"))
    text = Problem("不在中国大陆，GCJ-02 与 BD-09 在此不适用", "not in mainland China, where GCJ-02 and BD-09 do not apply")
    return Evidence(there, taken_as, (), taken_as, "fits", (taken_as,) * rows, text)


def _fit(datum: str, found: Measured, speaks: Support, at: int) -> Fit:
    road, in_zone, place = found.road_m[at], found.in_zone[at], found.place_m[at]
    named, matched = np.isfinite(in_zone), np.isfinite(place)
    return Fit(
        datum=datum,
        median_road_m=float(np.median(road)),
        share_near_road=float((road <= NEAR_ROAD_M).mean()),
        share_in_zone=float(in_zone[named].mean()) if named.any() else float("nan"),
        median_place_m=float(np.median(place[matched])) if matched.any() else float("nan"),
        support=float(speaks.total[at]),
    )


def _verdict(speaks: Support, weight: Floats, taken: int) -> tuple[str, int]:
    """Whether one datum stands out of the others, and out of chance."""
    total, chance = speaks.total[: len(CANDIDATES)], speaks.total[len(CANDIDATES) :].max()
    best = int(total.argmax())
    ahead = total[best] - np.delete(total, best).max()
    if best == taken and ahead >= _FITS_NATS and total[best] > chance:
        return "fits", best
    clear = ahead >= _OTHER_NATS and total[best] - chance >= _OTHER_ABOVE_CHANCE and weight.sum() >= _FEWEST
    return ("other" if clear and best != taken else "cannot_tell"), best


def _mixed_parts(speaks: Support, weight: Floats) -> tuple[int, ...]:
    """The two datums that explain the table together, where they do so far better than one of them and any shift of chance."""
    total = speaks.total[: len(CANDIDATES)]
    first = int(total.argmax())
    alone, _ = mixture(speaks, weight, [first])
    gain, second, owner = max(
        (
            (mixed - alone, at, owner)
            for at in range(len(CANDIDATES))
            if at != first
            for mixed, owner in [mixture(speaks, weight, [first, at])]
        ),
        key=lambda found: found[0],
    )
    held = (owner[:2] @ weight).min()
    if gain < _MIXED_NATS or held < _FEWEST:
        return ()
    chance = max(mixture(speaks, weight, [first, at])[0] - alone for at in range(len(CANDIDATES), len(speaks.total)))
    return (first, second) if gain - chance >= _MIXED_ABOVE_CHANCE else ()


def _text(verdict: str, fits: Sequence[Fit], taken: int, best: int, rows: int) -> Problem:
    if verdict == "other":
        return _other_text(fits[taken], fits[best])
    measured = [f"{NAMES[fit.datum]} {fit.median_road_m:.0f}" for fit in fits]
    zh, en = f"到最近道路的中位距离：{'，'.join(measured)} 米", f"median distance to a road: {', '.join(measured)} m"
    if verdict == "fits":
        name = NAMES[fits[taken].datum]
        return Problem(f"与 {name} 相符；{zh}{_zone_text(fits[taken]).zh}", f"fits {name}; {en}{_zone_text(fits[taken]).en}")
    return Problem(f"凭这 {rows} 行无法判断坐标系；{zh}", f"these {rows} rows cannot tell the datum; {en}")


def _other_text(taken: Fit, best: Fit) -> Problem:
    """Say what improves under another datum."""
    rises = best.median_road_m > taken.median_road_m
    road = f"{taken.median_road_m:.0f}", f"{best.median_road_m:.0f}"
    zh = f"若为 {NAMES[best.datum]}，到最近道路的中位距离由 {road[0]} 米{'升' if rises else '降'}为 {road[1]} 米"
    en = f"as {NAMES[best.datum]} the median distance to a road {'rises' if rises else 'falls'} from {road[0]} m to {road[1]} m"
    if np.isfinite(best.share_in_zone):
        zh += f"；落在所填乡镇内的点由 {taken.share_in_zone:.0%} 变为 {best.share_in_zone:.0%}"
        en += f"; {best.share_in_zone:.0%} instead of {taken.share_in_zone:.0%} lie in their township"
    if np.isfinite(best.median_place_m):
        zh += f"；到同名村（社区）的中位距离由 {taken.median_place_m:.0f} 米变为 {best.median_place_m:.0f} 米"
        en += f"; the median distance to the place of the same name goes from {taken.median_place_m:.0f} m to {best.median_place_m:.0f} m"
    return Problem(zh, en)


def _mixed_text(of_row: Objects, parts: Sequence[int], share: Floats, *, sure: bool) -> Problem:
    """Say which datums, how large their groups are, and how many rows tell by themselves."""
    zh, en = [], []
    for at, part in zip(parts, share, strict=False):
        alone = (of_row == CANDIDATES[at]).sum()
        zh.append(f"{NAMES[CANDIDATES[at]]} 约 {part:.0%}（{alone} 行单独看即可确定）")
        en.append(f"about {part:.0%} {NAMES[CANDIDATES[at]]} ({alone} rows are sure by themselves)")
    start = ("表中混有两种坐标系", "two datums are mixed") if sure else ("表中似混有两种坐标系", "two datums seem to be mixed")
    return Problem(f"{start[0]}：{'，'.join(zh)}，其余的行单独看不能确定", f"{start[1]}: {', '.join(en)}; the other rows do not tell")


def _zone_text(fit: Fit) -> Problem:
    if not np.isfinite(fit.share_in_zone):
        return Problem("", "")
    return Problem(f"；{fit.share_in_zone:.0%} 的点落在所填乡镇内", f"; {fit.share_in_zone:.0%} lie in their township")
