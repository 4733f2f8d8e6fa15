"""Tables of places: their datum weighed against roads and townships, rows without coordinates listed or put at a seat."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.calls.log import CallLog
from geodata.datum.convert import UNDECLARED, from_wgs84
from geodata.datum.evidence import Evidence, datum_evidence, same_named
from geodata.errors import Problem, Question, first_few
from geodata.extent import Bounds
from geodata.ledger import HIDDEN, Block, Ledger, Loaded
from geodata.model import OUTSIDE, RowNote, Zones
from geodata.network import transformer
from geodata.region_file import PlacesBlock
from geodata.roads import Floats, Ints, Roads
from geodata.tables.names import Renamed, match_villages, match_zones

_NEIGHBOURS = 5  # rows that tell their datum, about one that does not
BORDER_M = 200.0  # a drawn border is no better than this
_ROLES = {"demand": "[demand]", "facilities": "[[facilities]]", "calls": "[calls]"}


class Ground(NamedTuple):
    """What places are held against."""

    roads: Roads
    crs: str
    zones: Zones
    bounds: Bounds


@dataclass(frozen=True, eq=False)
class Seats:
    """Settlements with a place: rows without coordinates may be put there; if certain, they tell the datum of places named after them.

    Attributes
    ----------
    name : (settlements,) str
    zone : (settlements,) int64
    lonlat : (settlements, 2) float64, WGS84
    people : (settlements,) float64
    certain : bool
        The evidence speaks for the datum they were taken as; a declaration alone may be wrong.
    """

    name: tuple[str, ...]
    zone: Ints
    lonlat: Floats
    people: Floats
    certain: bool

    def of(self, names: Sequence[str], zone: Ints) -> list[tuple[int, str, str]]:
        """Position of the settlement that each row names, else of its township's most peopled one, and what it is; -1 if neither."""
        mine = [str(one) for one in self.zone]
        within = pd.Series(["" if one == OUTSIDE else str(one) for one in zone], dtype=object)
        village = match_villages(pd.Series(list(names), dtype=object), within, self.name, mine).to_numpy(copy=True)
        places = same_named(names, zone, self.name, self.zone, self.lonlat)  # 胜利社区采样点 names 胜利社区
        for at in np.flatnonzero((village < 0) & np.isfinite(places[:, 0])):
            village[at] = (self.lonlat == places[at]).all(axis=1).argmax()
        main = {int(one): self._most_peopled(int(one)) for one in np.unique(zone)}
        return [
            (int(one), "村（社区）所在地", "its village")
            if one >= 0
            else (main[int(township)], "所属乡镇人口最多的村（社区）", "the most peopled settlement of its township")
            for one, township in zip(village, zone, strict=True)
        ]

    def _most_peopled(self, zone: int) -> int:
        here = np.flatnonzero(self.zone == zone) if zone != OUTSIDE else np.zeros(0, dtype=np.int64)
        return int(here[self.people[here].argmax()]) if len(here) else -1


def settle(
    loaded: Loaded, frame: pd.DataFrame, block: PlacesBlock, ground: Ground, ledger: Ledger, *, seats: Seats | None = None
) -> gpd.GeoDataFrame:
    """Take the rows of a table of places that have a place, and tell of all others.

    An undeclared table that the evidence says is in another datum becomes a question to the planner (``ledger.questions``).

    Parameters
    ----------
    loaded : Loaded
        The table, read.
    frame : DataFrame
        Its rows.
    block : PlacesBlock
    ground : Ground
    ledger : Ledger
    seats : Seats, optional
        Of the settlement table; its own rows stand in where that is the table itself.

    Returns
    -------
    GeoDataFrame
        Rows with a place.
    """
    if not isinstance(frame, gpd.GeoDataFrame):
        frame = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries([None] * len(frame), index=frame.index), crs="EPSG:4326")
    zone = _named_zones(frame, ground.zones, loaded, ledger)
    lonlat = _lonlat(frame)
    names = list(frame["name"]) if "name" in frame else [""] * len(frame)
    known = same_named(names, zone, seats.name, seats.zone, seats.lonlat) if seats and seats.certain else None
    taken_as = block.datum or loaded.table.datum  # a header or the file may state it
    weighed = datum_evidence(lonlat, ground.roads, ground.crs, ground.zones, zone, taken_as=taken_as, known=known)
    ledger.tell(loaded, verdict=weighed.verdict, evidence=weighed.text, unlocated=int(np.isnan(lonlat[:, 0]).sum()))
    asked = _questions(weighed, frame, loaded) if block.datum is None and not block.datum_rows else []
    ledger.questions += asked
    rows = _Rows(frame, lonlat, zone)
    if loaded.where[0] == "facilities" and not asked:
        ledger.rows += _elsewhere(rows, loaded, ground)
    if block.unlocated == "seat":
        return _placed(rows, seats or _seats(rows, ground.zones, certain=False), loaded, ledger)
    return _listed(rows, loaded, ledger)


def weigh_log(log: CallLog, block: PlacesBlock, ground: Ground, ledger: Ledger) -> None:
    """Weigh the datum of a 120 log like that of a table, and note how it was read."""
    nowhere = np.full(len(log.points), OUTSIDE, dtype=np.int64)
    weighed = datum_evidence(log.points, ground.roads, ground.crs, ground.zones, nowhere, taken_as=block.datum or "wgs84")
    ledger.tables.append(replace(log.note, verdict=weighed.verdict, evidence_zh=weighed.text.zh, evidence_en=weighed.text.en))
    ledger.rows += log.rows
    if block.datum is None and not block.datum_rows and weighed.verdict == "other":
        ledger.questions.append(_whole(("calls", 0), log.note.file, UNDECLARED, weighed))


def weigh_roads(points: Floats, file: str, ground: Ground, ledger: Ledger) -> None:
    """Ask for the datum of an undeclared road layer where no table fits it, and all would under another datum of the roads.

    Parameters
    ----------
    points : (places,) lon, lat
        As taken.
    file : str
        The road layer.
    ground : Ground
    ledger : Ledger
    """
    if any(note.verdict in {"fits", "other", "mixed"} for note in ledger.tables):
        return
    for datum in ("gcj02", "bd09"):
        shifted, nowhere = from_wgs84(points, datum), np.full(len(points), OUTSIDE, dtype=np.int64)
        weighed = datum_evidence(shifted, ground.roads, ground.crs, ground.zones, nowhere)
        if weighed.verdict == "fits":
            zh = f"{file}：没有写明坐标系，各表的点都不在路边；路网若为 {datum}，点便落到路边。"
            en = f"{file}: its datum is not stated, and the places of no table lie by the roads; they would if the roads are in {datum}. "
            ledger.questions.append(Question("roads", 0, "datum", datum, _asked((zh, en), "[roads]", f'datum = "{datum}"', weighed)))
            return


class _Rows(NamedTuple):
    """The rows of a table, where they are (nan for nowhere), and the township each names."""

    frame: gpd.GeoDataFrame
    lonlat: Floats
    zone: Ints


def seats_of(frame: gpd.GeoDataFrame, zones: Zones, *, certain: bool) -> Seats:
    """Settlements with a place, each in the township it names, else the one it lies in."""
    lonlat = _lonlat(frame)
    zone = _positions(match_zones(frame["zone"], zones.id, zones.name).code, zones) if "zone" in frame else np.full(len(frame), OUTSIDE)
    return _seats(_Rows(frame, lonlat, zone), zones, certain=certain)


def _seats(rows: _Rows, zones: Zones, *, certain: bool) -> Seats:
    frame, lonlat, zone = rows
    there = np.flatnonzero(np.isfinite(lonlat[:, 0]))
    zone = np.where(zone[there] == OUTSIDE, zones.locate(lonlat[there]), zone[there])
    names = frame["name"] if "name" in frame else frame["id"]
    people = np.array(frame["people"], dtype=np.float64)[there] if "people" in frame else np.zeros(len(there))
    return Seats(tuple(names.iloc[there]), zone, lonlat[there], people, certain)


def lonlat_of(*frames: gpd.GeoDataFrame) -> Floats:
    """Lon and lat of all places of several tables, (places, 2)."""
    return np.concatenate([_lonlat(frame) for frame in frames])


def _lonlat(frame: gpd.GeoDataFrame) -> Floats:
    shapes = np.array(frame.geometry, dtype=object)
    centre = shapely.point_on_surface(shapes)
    return np.column_stack([shapely.get_x(centre), shapely.get_y(centre)])


def _positions(code: pd.Series, zones: Zones) -> Ints:
    at = {zone_id: position for position, zone_id in enumerate(zones.id)}
    return np.array([at.get(one, OUTSIDE) for one in code], dtype=np.int64)


def _named_zones(frame: gpd.GeoDataFrame, zones: Zones, loaded: Loaded, ledger: Ledger) -> Ints:
    """Position of the township that each row names; matches through another name are told."""
    if "zone" not in frame:
        return np.full(len(frame), OUTSIDE, dtype=np.int64)
    found = match_zones(frame["zone"], zones.id, zones.name)
    tell_renamed(found.renamed, loaded, ledger)
    return _positions(found.code, zones)


def tell_renamed(renamed: Iterable[Renamed], loaded: Loaded, ledger: Ledger) -> None:
    """Tell of the rows that were matched to a township through another name."""
    for row, given, taken in renamed:
        zh, en = f"“{given}”按“{taken}”对应", f"{given!r} was matched to {taken!r}"
        ledger.rows.append(_note("renamed", loaded, loaded.table.frame.loc[row], row, (zh, en)))


def _elsewhere(rows: _Rows, loaded: Loaded, ground: Ground) -> list[RowNote]:
    """Tell of the rows that lie farther from the township that they name than a drawn border is exact."""
    zones, named = ground.zones, np.flatnonzero((rows.zone != OUTSIDE) & np.isfinite(rows.lonlat[:, 0]))
    lies = zones.locate(rows.lonlat[named])
    to_crs = transformer(ground.crs).transform
    notes = []
    for at, here in zip(named[lies != rows.zone[named]].tolist(), lies[lies != rows.zone[named]].tolist(), strict=True):
        township, place = (
            shapely.transform(shape, to_crs, interleaved=False) for shape in (zones.geometry[rows.zone[at]], shapely.Point(rows.lonlat[at]))
        )
        metres = float(shapely.distance(township, place))
        if metres > BORDER_M:
            said, there = zones.name[rows.zone[at]], zones.name[here] if here != OUTSIDE else "县外 outside"
            km = f"{metres / 1000:.1f}"
            reason = f"写在{said}，坐标在{there}（相距 {km} 公里）", f"in {said} by its row, in {there} by its place ({km} km away)"
            notes.append(_note("other_zone", loaded, rows.frame.iloc[at], int(rows.frame.index[at]), reason))
    return notes


def _questions(weighed: Evidence, frame: gpd.GeoDataFrame, loaded: Loaded) -> list[Question]:
    """Ask for the datum where the evidence says that it is not WGS84."""
    file, role = loaded.table.file, _ROLES[loaded.where[0]]
    if weighed.verdict == "other":
        return [_whole(loaded.where, file, loaded.table.datum, weighed)]
    if weighed.verdict != "mixed":
        return []
    start_zh, start_en = _start(file, loaded.table.datum, weighed)
    of_row = np.array(weighed.datum_of_row, dtype=str)
    unsure = frame.index[of_row == ""]
    of_row = _as_the_nearest(of_row)
    datums, counts = np.unique(of_row, return_counts=True)
    base = str(datums[counts.argmax()])
    others = {str(datum): _row_text(frame.index[of_row == datum]) for datum in datums if datum != base}
    lines = "，".join(f'{datum} = "{rows}"' for datum, rows in others.items())
    if len(unsure):
        start_zh += f"有 {len(unsure)} 行单凭位置分不清，将与上下相邻的多数行同样读（行：{first_few(unsure)}）。"
        start_en += (
            f"{len(unsure)} rows cannot be told by their place alone and would be read as most rows near them are ({first_few(unsure)}). "
        )
    asked = _asked((start_zh, start_en), role, f'datum = "{base}"; datum_rows = {{ {lines} }}', weighed)
    return [Question(*loaded.where, "datum", base, asked), Question(*loaded.where, "datum_rows", others, asked)]


def _whole(where: Block, file: str, said: str, weighed: Evidence) -> Question:
    """Ask for the datum of a whole table, of which the file itself says this."""
    asked = _asked(_start(file, said, weighed), _ROLES[where[0]], f'datum = "{weighed.best}"', weighed)
    return Question(*where, "datum", weighed.best, asked)


def _start(file: str, said: str, weighed: Evidence) -> tuple[str, str]:
    """Say what states the datum, if anything does, and what speaks against it."""
    zh, en = ("没有写明坐标系", "its datum is not stated") if said == UNDECLARED else (f"文件写的是 {said}", f"the file says {said}")
    return f"{file}：{zh}。{weighed.text.zh}。", f"{file}: {en}; {weighed.text.en}. "


def _asked(start: tuple[str, str], role: str, line: str, weighed: Evidence) -> Problem:
    zh, en = start
    as_taken = f'datum = "{weighed.taken_as}"'
    return Problem(
        f"{zh}若属实，请在 region.toml 的 {role} 下写 {line}（circle15 tables REGION --confirm 可代写）；若不是，请写 {as_taken}。",
        f"{en}If so, write {line} under {role} in region.toml (`circle15 tables REGION --confirm` does it); if not, {as_taken}.",
    )


def _as_the_nearest(of_row: npt.NDArray[np.str_]) -> npt.NDArray[np.str_]:
    """Give a row that does not tell the datum that most of the nearest rows have that do: rows pasted together stand together."""
    sure, told = np.flatnonzero(of_row != ""), of_row.copy()
    for at in np.flatnonzero(of_row == ""):
        near = sure[np.argsort(np.abs(sure - at), kind="stable")[:_NEIGHBOURS]]
        datums, counts = np.unique(of_row[near], return_counts=True)
        told[at] = datums[counts.argmax()]
    return told


def _row_text(rows: pd.Index) -> str:
    """Row numbers as ``3-9, 12``."""
    numbers = sorted(int(row) for row in rows)
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _listed(rows: _Rows, loaded: Loaded, ledger: Ledger) -> gpd.GeoDataFrame:
    """Tell of the rows without coordinates, and take the others."""
    nowhere = np.isnan(rows.lonlat[:, 0])
    for number in rows.frame.index[nowhere]:
        ledger.rows.append(_note("unlocated", loaded, rows.frame.loc[number], int(number), ("没有坐标", "no coordinates")))
    return rows.frame[~nowhere]


def _placed(rows: _Rows, seats: Seats, loaded: Loaded, ledger: Ledger) -> gpd.GeoDataFrame:
    """Put rows without coordinates at the seat of their village or township; list those that name neither."""
    frame, lonlat = rows.frame.copy(), rows.lonlat.copy()
    nowhere = np.flatnonzero(np.isnan(lonlat[:, 0]))
    named = [column for column in ("settlement", "name") if column in frame]
    names = [next((str(row[column]) for column in named if row[column]), "") for _, row in frame.iloc[nowhere].iterrows()]
    for position, (seat, zh, en) in zip(nowhere, seats.of(names, rows.zone[nowhere]), strict=True):
        row, number = frame.iloc[position], int(frame.index[position])
        if seat < 0:
            continue
        lonlat[position] = seats.lonlat[seat]
        frame.loc[number, "geometry"] = shapely.Point(lonlat[position])
        reason = f"没有坐标，放在{zh}：{seats.name[seat]}", f"no coordinates: put at {en}, {seats.name[seat]}"
        ledger.rows.append(_note("placed", loaded, row, number, reason))
    return _listed(_Rows(frame, lonlat, rows.zone), loaded, ledger)


def _note(what: str, loaded: Loaded, row: pd.Series, number: int, reason: tuple[str, str]) -> RowNote:
    """Tell of a row; of a restricted facility only that there is such a row."""
    role, file = loaded.where[0], loaded.table.file
    if row.get("restricted", False):
        return RowNote(what, role, file, number, "", "", "", 0.0, *HIDDEN)
    people = float(row["people"]) if "people" in row and role == "demand" else 0.0
    texts = {name: str(row[name]) if name in row else "" for name in ("id", "name", "zone")}
    return RowNote(what, role, file, number, **texts, people=people, reason_zh=reason[0], reason_en=reason[1])
