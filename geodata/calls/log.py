"""A 120 log as a dispatch system exports it → Calls, everything personal left behind.

Only the columns listed here are read; of the text in them only positions are kept (which settlement, which base, which outcome). Messages
name rows and headers, never a cell: a header may stand over the wrong column.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from geodata.calls.model import (
    BY_COORDINATES,
    BY_SETTLEMENT,
    BY_TOWNSHIP,
    CANCELLED,
    DELIVERED,
    EMPTY,
    MISSING,
    NOWHERE,
    RECEIVED,
    STAMPS,
    TREATED,
    UNKNOWN,
    Calls,
)
from geodata.calls.places import NONE, find_places, gazetteer
from geodata.calls.times import DAY_S, read_days, read_moments
from geodata.datum.convert import parse_degrees, to_wgs84
from geodata.errors import InputError, Problem, first_few
from geodata.extent import Bounds
from geodata.model import OUTSIDE, Demand, RowNote, TableNote, Zones
from geodata.region_file import PlacesBlock
from geodata.roads import Bools, Floats, Ints
from geodata.tables.cells import plain, text
from geodata.tables.columns import Column
from geodata.tables.csv_text import read_csv_text
from geodata.tables.headers import HAS
from geodata.tables.load import Table, load_table
from geodata.tables.rejects import REASON, ROW, numbered_rows

LEAST_INSIDE = 0.5  # of the coordinates given: fewer, and they are in another system
MOST_UNREAD = 0.5  # of the cells of a column of times that are not blank: more, and it is the wrong column
LEAST_NAMED = 5  # a base that fewer records name may be a slip of the pen, or a person
PLACE_DEGREES = 3  # decimals that are kept of a place: about 100 m
_ANY = ("文字", "text")
_NUMBER = re.compile(r"\d+")
_COORDINATES = {"lon": "x", "lat": "y"}  # what region.toml calls them as in every table
_MOMENT_HEADERS = {
    "received": ("received", "受理时间", "呼救时间", "来电时间", "接警时间", "呼入时间", "开始受理时间", "接听时间", "报警时间"),
    "dispatched": ("dispatched", "派车时间", "派单时间", "派遣时间", "调度时间", "指派时间", "派出时间", "下达指令时间"),
    "departed": ("departed", "出车时间", "出动时间", "出发时间", "发车时间"),
    "arrived": ("arrived", "到达现场时间", "抵达现场时间", "到现场时间", "到场时间", "到达时间"),
    "left_scene": ("left_scene", "离开现场时间", "驶离现场时间", "病人上车时间", "患者上车时间", "上车时间"),
    "at_hospital": ("at_hospital", "到达医院时间", "抵达医院时间", "送达医院时间", "到院时间", "送达时间"),
    "finished": ("finished", "完成时间", "任务完成时间", "结束时间", "返站时间", "回站时间", "返回时间"),
}
CALL_COLUMNS = (
    Column("number", ("number", "流水号", "事件编号", "呼救编号", "受理编号", "事件流水号", "呼救流水号"), text, _ANY),
    Column("date", ("date", "受理日期", "呼救日期", "出车日期", "日期"), text, _ANY),
    *(Column(name, _MOMENT_HEADERS[name], text, _ANY, required=name == "received") for name in STAMPS),
    Column(
        "place", ("place", "地点", "现场地址", "现场地点", "呼救地点", "呼救地址", "事发地点", "接车地址", "接车地点", "地址"), text, _ANY
    ),
    Column("x", ("经度", "现场经度", "longitude", "lon", "lng", "x"), text, _ANY),
    Column("y", ("纬度", "现场纬度", "latitude", "lat", "y"), text, _ANY),
    Column("base", ("base", "出车单位", "出车分站", "急救分站", "所属分站", "出车站点", "急救站", "分站", "出诊单位"), text, _ANY),
    Column("outcome", ("outcome", "出车结果", "任务结果", "出车结局", "任务状态", "出诊结果", "结果"), text, _ANY),
)
# The first that fits counts: 途中取消 before 送达, 拒绝送医 before 送医.
_OUTCOME_WORDS = (
    (CANCELLED, "取消|撤销|中止|cancel"),
    (EMPTY, "空车|空返|放空|空跑|未见|无人|假警|empty"),
    (TREATED, "现场|拒|死亡|treated|scene"),
    (DELIVERED, "送达|送医|送院|送往|送至|转运|转院|接回|入院|deliver|hospital"),
)
_PERSONAL = re.compile(
    "姓名|患者|病人|电话|手机|号码|身份证|证件|联系|主叫|住址|住所|病情|主诉|病史|诊断|性别|年龄|备注|医生|医师|护士|司机|驾驶|调度员|受理人|人员|说明|描述"
)


@dataclass(frozen=True, eq=False)
class CallLog:
    """What a log gave.

    Attributes
    ----------
    calls : Calls
    note : TableNote
        How the table was read; its `declared` tells whether region.toml states the datum.
    rows : tuple of RowNote
        Rows that were left out, by number and reason; no cell of theirs.
    points : (records, 2) float64
        Coordinates before they were rounded, nan where there are none: for the evidence on their datum, not to be stored.
    """

    calls: Calls
    note: TableNote
    rows: tuple[RowNote, ...]
    points: Floats


def read_calls(block: PlacesBlock, folder: Path, demand: Demand, zones: Zones, *, bounds: Bounds) -> CallLog:
    """Read a 120 log.

    A row without the time of the call is left out, and a second copy of a row; a time that cannot be read is left blank and counted. A call
    is put where its coordinates say, else at the settlement that its address names; a township alone is no place.

    Parameters
    ----------
    block : PlacesBlock
        [calls] of region.toml; `bad_rows` and `unlocated` do not apply: a log has gaps, they are counted.
    folder : Path
        Of region.toml.
    demand : Demand
        Whose settlements an address may name.
    zones : Zones
    bounds : (west, south, east, north)
        In degrees; coordinates beyond are not used.

    Returns
    -------
    CallLog

    Raises
    ------
    InputError
        A column is missing, names a person, or holds something else than times.
    """
    name = block.file.name
    _no_person(block.columns, name)
    table = _loaded(block, folder)
    frame = table.frame
    stamp_s, unread = _stamps(frame, table.mapping, name)
    kept, rows = _kept(frame, stamp_s, name)
    frame, stamp_s, unread = frame.iloc[kept], stamp_s[kept], unread[kept]
    points, used, far = _coordinates(frame, block, bounds)
    settlement, zone = find_places(_column(frame, "place"), gazetteer(demand, zones))
    placed = np.select([used, settlement != NONE, zone != OUTSIDE], [BY_COORDINATES, BY_SETTLEMENT, BY_TOWNSHIP], NOWHERE).astype(np.int64)
    by_name = placed == BY_SETTLEMENT
    lonlat: Floats = np.where(used[:, None], points, np.nan).round(PLACE_DEGREES)
    lonlat[by_name] = demand.lonlat[settlement[by_name]]
    zone[used] = zones.locate(points[used])
    base, bases = _bases(_column(frame, "base"))
    calls = Calls(
        row=np.array(frame.index, dtype=np.int64),
        call=_numbered(_column(frame, "number"), stamp_s[:, RECEIVED]),
        lonlat=lonlat,
        placed=placed,
        settlement=settlement,
        zone=zone,
        stamp_s=stamp_s,
        base=base,
        bases=bases,
        outcome=_outcomes(_column(frame, "outcome")),
        far=far,
        unread=unread.sum(axis=0, dtype=np.int64),
        dropped=tuple(str(header) for header in table.rejected.columns if header not in {*table.mapping.values(), ROW, REASON}),
    )
    return CallLog(calls, _note(table, block, calls, len(rows)), rows, points)


def _loaded(block: PlacesBlock, folder: Path) -> Table:
    """Read the cells as text; coordinates are ours to read, because a log writes 0,0 for a place that it does not know."""
    columns = {_COORDINATES.get(name, name): header for name, header in block.columns.items()}
    own = {"columns": columns, "bad_rows": "leave_out", "datum": None, "datum_rows": {}}
    exported = _exported(folder / block.file, columns) if block.mended is None else None
    try:
        return exported or load_table(block.model_copy(update=own), folder, CALL_COLUMNS)
    except InputError as error:
        raise InputError(*(_without_headers(problem) for problem in error.problems)) from None


def _without_headers(problem: Problem) -> Problem:
    """A problem that lists no header of the file: what is taken for one may be the first call, of a log that has none."""
    zh, en = (text.partition(said) for text, said in zip(problem, HAS, strict=True))
    return Problem(zh[0] + "）。" if zh[1] else zh[0], en[0] + ")." if en[1] else en[0])


def _exported(path: Path, chosen: Mapping[str, str]) -> Table | None:
    """Read a csv as a program exports it, its header in the first line: at once, as there may be some 100,000 rows; None for any other."""
    if path.suffix.lower() != ".csv" or not set(chosen) <= {column.name for column in CALL_COLUMNS}:
        return None
    try:
        cells = read_csv_text(path)
    except InputError:
        return None
    there = [plain(header) for header in cells.columns]
    found = {}
    for column in CALL_COLUMNS:
        names = (plain(chosen[column.name]),) if column.name in chosen else column.plain_headers
        at = next((there.index(name) for name in names if there.count(name) == 1), None)
        if at is not None:
            found[column.name] = at
    if cells.empty or "received" not in found or not set(chosen) <= set(found):
        return None
    frame = pd.DataFrame({name: cells.iloc[:, at] for name, at in found.items()}, index=cells.index)
    header = {name: str(cells.columns[at]) for name, at in found.items()}
    return Table(frame, path.name, "", int(cells.index[0]) - 1, len(frame), header, (), cells.iloc[:0], "")


def _note(table: Table, block: PlacesBlock, calls: Calls, left_out: int) -> TableNote:
    placed = "x" in table.mapping
    return TableNote(
        role="calls",
        file=table.file,
        sheet=table.sheet,
        header_row=table.header_row,
        rows=len(calls) + left_out,
        read=len(calls),
        left_out=left_out,
        unlocated=int(np.isnan(calls.lonlat[:, 0]).sum()),
        passed_over="; ".join(found[0] for found in map(_NUMBER.match, table.passed_over) if found),  # the cells may name a person
        mapping="; ".join(f"{ours} = {header}" for ours, header in table.mapping.items()),
        datum=(block.datum or "undeclared") if placed else "",
        declared=block.datum is not None,
        verdict="",
        evidence_zh="",
        evidence_en="",
    )


def _no_person(columns: Mapping[str, str], name: str) -> None:
    """Refuse a column of the user's own choice whose header speaks of a person; the address may, only its settlement is kept."""
    wrong = [header for ours, header in columns.items() if ours != "place" and _PERSONAL.search(header) and not header.endswith("时间")]
    if wrong:
        zh = f"{name}：“{first_few(wrong)}”可能是个人信息，不读取。请在 columns 中换一列。"
        raise InputError(Problem(zh, f"{name}: {first_few(wrong)} may name a person and is not read. Choose another column."))


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    return frame[name] if name in frame else pd.Series("", index=frame.index, dtype="str")


def _stamps(frame: pd.DataFrame, header: Mapping[str, str], name: str) -> tuple[Ints, Bools]:
    """Seconds of each stamp, and which cells could not be read."""
    stamp_s = np.full((len(frame), len(STAMPS)), MISSING, dtype=np.int64)
    clock, unread = (np.zeros(stamp_s.shape, dtype=bool) for _ in range(2))
    problems = []
    for at, stamp in enumerate(STAMPS):
        if stamp not in frame:
            continue
        read = read_moments(frame[stamp])
        stamp_s[:, at], clock[:, at], unread[:, at] = read.seconds, read.clock_only, read.unread
        filled = int((read.unread | (read.seconds != MISSING)).sum())
        if read.unread.sum() > MOST_UNREAD * filled:
            rows = first_few(frame.index[read.unread])
            zh = f"{name}：“{header[stamp]}”列多数不是时间（应如 2025-01-01 00:03:30），行：{rows}。请在 columns 中另指一列。"
            en = f"{name}: most cells of {header[stamp]!r} are no time such as 2025-01-01 00:03:30, rows: {rows}. Name another column."
            problems.append(Problem(zh, en))
    if problems:
        raise InputError(*problems)
    if clock.any():
        stamp_s, without = _dated(stamp_s, clock, read_days(_column(frame, "date")))
        if without.any() and "date" not in frame:
            rows = first_few(frame.index[without])
            zh = f"{name}：时间没有日期，行：{rows}。请在 columns 中用 date 指明日期列，或重新导出带日期的时间。"
            raise InputError(Problem(zh, f"{name}: times without a date, rows: {rows}. Name a column of dates as date, or export again."))
        unread |= clock & (stamp_s == MISSING)
    return stamp_s, unread


def _dated(stamp_s: Ints, clock: Bools, day_s: Ints) -> tuple[Ints, Bools]:
    """Put times of day on their day: that of the row, the next once the clock has gone back by more than half a day (midnight)."""
    dated = stamp_s.copy()
    latest = np.where(clock.any(axis=1), day_s, MISSING)
    for at in range(stamp_s.shape[1]):
        mine = clock[:, at]
        moment = latest - latest % DAY_S + stamp_s[:, at]
        moment = np.where(moment < latest - DAY_S // 2, moment + DAY_S, moment)
        dated[mine, at] = np.where(latest != MISSING, moment, MISSING)[mine]
        latest = np.where(dated[:, at] != MISSING, np.maximum(latest, dated[:, at]), latest)
    return dated, np.asarray((clock & (dated == MISSING)).any(axis=1))


def _kept(frame: pd.DataFrame, stamp_s: Ints, name: str) -> tuple[Ints, tuple[RowNote, ...]]:
    """Rows that are taken, and a note for each that is not."""
    untimed = stamp_s[:, RECEIVED] == MISSING
    keys = pd.DataFrame(stamp_s).assign(number=_column(frame, "number").to_numpy(), base=_column(frame, "base").to_numpy())
    again = keys.duplicated().to_numpy() & (keys["number"] != "").to_numpy() & ~untimed
    reasons = (
        (untimed, "没有受理时间，或无法读取", "no time of the call, or one that cannot be read"),
        (again, "与前面一行重复", "the same as a row before"),
    )
    notes = [RowNote("left_out", "calls", name, int(row), "", "", "", 0.0, zh, en) for left, zh, en in reasons for row in frame.index[left]]
    return np.flatnonzero(~untimed & ~again), tuple(sorted(notes, key=lambda note: note.row))


def _coordinates(frame: pd.DataFrame, block: PlacesBlock, bounds: Bounds) -> tuple[Floats, Bools, Bools]:
    """Coordinates in WGS84, which of them are used, and which were given but lie beyond the bounds."""
    x, y = (_degrees(_column(frame, name)) for name in ("x", "y"))
    given = ~np.isnan(x) & ~np.isnan(y) & ~((x == 0) & (y == 0))
    points = np.full((len(frame), 2), np.nan)
    points[given] = to_wgs84(x[given], y[given], block.datum or "wgs84")
    for datum, rows in block.datum_rows.items():
        other = given & np.isin(frame.index, numbered_rows(rows))
        points[other] = to_wgs84(x[other], y[other], datum)
    west, south, east, north = bounds
    inside = given & (points >= [west, south]).all(axis=1) & (points <= [east, north]).all(axis=1)
    if inside.sum() < given.sum() * LEAST_INSIDE:
        rows = first_few(frame.index[given & ~inside])
        zh = f"{block.file.name}：多数坐标不在本县附近，行：{rows}。请在 [calls] 中用 datum 写明坐标系，或核对经度、纬度两列。"
        en = f"{block.file.name}: most coordinates are not near the county, rows: {rows}. State their datum, or check lon and lat."
        raise InputError(Problem(zh, en))
    return points, inside, np.asarray(given & ~inside)


def _degrees(cells: pd.Series) -> Floats:
    """Numbers, or degrees spelled with minutes and seconds; nan for the rest."""
    value = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, copy=True)
    for at in np.flatnonzero(np.isnan(value) & (cells != "").to_numpy()):
        try:
            value[at] = parse_degrees(cells.iloc[at])
        except ValueError:
            continue
    return np.where(np.isfinite(value), value, np.nan)


def _bases(cells: pd.Series) -> tuple[Ints, tuple[str, ...]]:
    count = cells[cells != ""].value_counts()
    bases = tuple(sorted(count.index[count >= LEAST_NAMED]))
    return cells.map({base: at for at, base in enumerate(bases)}).fillna(NONE).to_numpy(dtype=np.int64), bases


def _outcomes(cells: pd.Series) -> Ints:
    known = {
        cell: next((outcome for outcome, words in _OUTCOME_WORDS if re.search(words, cell.lower())), UNKNOWN) for cell in cells.unique()
    }
    return np.array(cells.map(known), dtype=np.int64)


def _numbered(numbers: pd.Series, received_s: Ints) -> Ints:
    """Number the calls: records of one number and one day are one call, a record without a number is its own."""
    own = (numbers == "").to_numpy()
    keys = pd.DataFrame({"number": numbers.to_numpy(), "day": received_s // DAY_S, "own": np.where(own, np.arange(len(own)), NONE)})
    return np.array(keys.groupby(["number", "day", "own"], sort=False).ngroup(), dtype=np.int64)
