"""A 120 log read: what of it is kept, what is dropped, where a call is put, and what a strange cell does."""

from dataclasses import fields, replace
from pathlib import Path

import gridtown as town
import numpy as np
import openpyxl
import pandas as pd
import pytest

from geodata.calls.log import CallLog, read_calls
from geodata.calls.model import (
    ARRIVED,
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
from geodata.calls.places import find_places, gazetteer
from geodata.calls.times import read_days, read_moments
from geodata.datum.convert import from_wgs84
from geodata.errors import InputError
from geodata.extent import widened
from geodata.pack import pack, unpack
from geodata.region_file import PlacesBlock

WEST, EAST = town.polygon([(-10, -10), (50, -10), (50, 60), (-10, 60)]), town.polygon([(50, -10), (110, -10), (110, 60), (50, 60)])
HOMES = {"前夏村": (10, 10), "云桥社区": (20, 20), "新街村": (30, 30), "上新街村": (40, 40), "东湖村委会": (60, 10), "石桥村": (80, 20)}
REGION = town.region(town.roads(town.streets(3, 3)), HOMES, {"急救中心": (0, 0)}, zones={"钟陵乡": WEST, "民和镇": EAST})
HEAD = "流水号,受理时间,派车时间,出车时间,到达现场时间,地点,经度,纬度,出车单位,出车结果"
TIMES = "2025-01-01 08:00:00,2025-01-01 08:01:00,2025-01-01 08:03:00,2025-01-01 08:20:00"


def read(folder: Path, text: str | bytes, name: str = "log.csv", **block: object) -> CallLog:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_calls(PlacesBlock(file=Path(name), **block), folder, REGION.demand, REGION.zones, bounds=widened(REGION.zones.bounds, 5))


def placed(folder: Path, where: str, lon: object = "", lat: object = "", **block: object) -> Calls:
    return read(folder, f"{HEAD}\n1,{TIMES},{where},{lon},{lat},急救中心,送达医院\n", **block).calls


def seconds(moment: str) -> int:
    return int(np.datetime64(moment, "s").astype(np.int64))


@pytest.mark.parametrize(
    "cell",
    [
        "2025-01-01 00:03:30",
        "2025/1/1 0:03:30",
        "2025/01/01 00:03:30",
        "2025.1.1 0:03:30",
        "2025年1月1日 0:03:30",
        "2025年1月1日0时3分30秒",
        "2025-01-01T00:03:30",
        "2025-01-01 00:03:30.000",
        "2025-01-01 00:03:29.999997",
        "2025-01-01T00:03:30+08:00",
        "20250101000330",
        "20250101 00:03:30",
        "２０２５－０１－０１　００：０３：３０",
        "45658.002430556",
    ],
)
def test_a_moment_is_read_however_it_is_written(cell: str) -> None:
    read_ = read_moments(pd.Series([cell]))
    assert read_.seconds.tolist() == [seconds("2025-01-01T00:03:30")]
    assert not read_.unread.any()
    assert not read_.clock_only.any()


@pytest.mark.parametrize("cell", ["2025/1/1 0:03", "2025-01-01 00:03", "202501010003", "2025年1月1日0时3分", "2025年1月1日0点03分"])
def test_a_moment_without_seconds_is_at_the_full_minute(cell: str) -> None:
    assert read_moments(pd.Series([cell])).seconds.tolist() == [seconds("2025-01-01T00:03:00")]


@pytest.mark.parametrize(
    "cell",
    ["早上", "2025-13-01 00:00:00", "2025-02-30 10:00", "2025-01-01 25:00:00", "2025-01-01 10:61", "2025-01-01", "2.02501E+13", "45658",
     "1899-12-30 00:03:30", "12345", "-1", "2025-01-01T00:03:30Z"],
)  # fmt: skip
def test_what_is_no_moment_is_counted_and_not_guessed(cell: str) -> None:
    read_ = read_moments(pd.Series([cell, "2025-01-01 00:03:30"]))
    assert read_.unread.tolist() == [True, False]
    assert read_.seconds[0] == MISSING


@pytest.mark.parametrize("cell", ["", "-", "—", "/", "无"])
def test_a_blank_moment_is_missing_and_no_fault(cell: str) -> None:
    read_ = read_moments(pd.Series([cell]))
    assert read_.seconds.tolist() == [MISSING]
    assert not read_.unread.any()


def test_moments_of_several_spellings_in_one_column_are_all_read() -> None:
    cells = pd.Series(["2025-01-01 08:00:00", "2025/1/1 8:00", "", "20250101080000", "45658.333333333", "2025年1月1日8时0分"])
    expected = seconds("2025-01-01T08:00:00")
    assert read_moments(cells).seconds.tolist() == [expected, expected, MISSING, expected, expected, expected]


@pytest.mark.parametrize("cell", ["0:03", "00:03:00", "0时3分", "0.002083333"])
def test_a_time_of_day_is_told_apart_from_a_moment(cell: str) -> None:
    read_ = read_moments(pd.Series([cell]))
    assert read_.clock_only.tolist() == [True]
    assert read_.seconds.tolist() == [180]


@pytest.mark.parametrize("cell", ["2025-01-01", "2025/1/1", "2025年1月1日", "20250101", "45658", "2025-01-01 00:00:00"])
def test_a_day_is_read_however_it_is_written(cell: str) -> None:
    assert read_days(pd.Series([cell])).tolist() == [seconds("2025-01-01T00:00:00")]


def test_nothing_personal_is_kept_and_what_was_not_read_is_listed(tmp_path: Path) -> None:
    personal = {"患者姓名": "张三丰", "联系电话": "13800138000", "身份证号": "360124199001011234", "病情": "胸痛三小时", "备注": "门牌18号"}
    head = f"{HEAD},{','.join(personal)}"
    row = f"{{}},{TIMES},钟陵乡前夏村王家组17号李四家,116.3,28.4,急救中心,送达医院,{','.join(personal.values())}"
    log = read(tmp_path, "\n".join([head, *(row.format(n) for n in range(6))]))
    stored = b"".join(np.asarray(array).tobytes() for array in pack(log.calls).values())
    assert log.calls.dropped == tuple(personal)
    for secret in (*personal.values(), "王家组", "17号", "李四"):
        assert secret.encode() not in stored
        assert secret not in repr(log.note) + repr(log.rows)


def test_a_free_text_outcome_and_a_base_named_once_are_not_stored(tmp_path: Path) -> None:
    rows = [f"{n},{TIMES},前夏村,,,急救中心,送达医院" for n in range(5)] + [f"9,{TIMES},前夏村,,,司机王五代班,患者赵六家属要求送往县医院"]
    calls = read(tmp_path, "\n".join([HEAD, *rows])).calls
    assert calls.bases == ("急救中心",)
    assert calls.base.tolist() == [0, 0, 0, 0, 0, -1]
    assert calls.outcome.tolist() == [DELIVERED] * 6


def test_a_personal_column_cannot_be_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="患者姓名"):
        read(tmp_path, f"{HEAD},患者姓名\n1,{TIMES},前夏村,,,急救中心,送达医院,张三\n", columns={"base": "患者姓名"})


def test_no_error_shows_a_cell_of_the_log(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read(tmp_path, "受理时间,地点\n张三丰,前夏村\n李四光,前夏村\n")
    assert "张三丰" not in str(error.value)
    assert "2, 3" in str(error.value)


def test_a_place_is_rounded_to_a_hamlet(tmp_path: Path) -> None:
    lon, lat = town.lonlat([(12.34, 12.34)])[0]
    calls = placed(tmp_path, "", f"{lon:.6f}", f"{lat:.6f}")
    assert calls.placed.tolist() == [BY_COORDINATES]
    assert calls.lonlat.tolist() == [[round(lon, 3), round(lat, 3)]]


def test_the_log_of_gb18030_and_the_log_of_utf_8_are_the_same(tmp_path: Path) -> None:
    text = f"{HEAD}\n1,{TIMES},钟陵乡前夏村,,,急救中心,送达医院\n"
    one, other = (read(tmp_path, text.encode(encoding)).calls for encoding in ("gb18030", "utf-8-sig"))
    for field in fields(one):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


def test_a_workbook_is_read_as_the_csv_is(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["受理时间", "到达现场时间", "地点"])
    book.active.append([pd.Timestamp("2025-01-01 08:00:00").to_pydatetime(), "2025/1/1 8:20", "前夏村"])
    book.save(tmp_path / "log.xlsx")
    calls = read_calls(
        PlacesBlock(file=Path("log.xlsx")), tmp_path, REGION.demand, REGION.zones, bounds=widened(REGION.zones.bounds, 5)
    ).calls
    assert calls.stamp_s[0, [RECEIVED, ARRIVED]].tolist() == [seconds("2025-01-01T08:00:00"), seconds("2025-01-01T08:20:00")]
    assert calls.settlement.tolist() == [0]


@pytest.mark.parametrize(
    ("where", "settlement", "zone"),
    [
        ("钟陵乡前夏村王家组", 0, 0),
        ("前夏村委会旁", 0, 0),
        ("江西省 钟陵乡 前夏村", 0, 0),
        ("云桥社区3栋2单元", 1, 0),
        ("民和镇东湖村", 4, 1),
        ("民和镇东湖村民委员会", 4, 1),
        ("民和街道石桥村", 5, 1),
        ("上新街村口", 3, 0),
        ("新街村口", 2, 0),
        ("钟陵乡卫生院", -1, 0),
        ("民和镇前夏村", -1, 1),
        ("钟陵乡与民和镇交界", -1, -1),
        ("前夏村往石桥村方向", -1, -1),
        ("高速公路出口", -1, -1),
        ("", -1, -1),
    ],
)
def test_an_address_names_one_settlement_or_none(where: str, settlement: int, zone: int) -> None:
    found = find_places([where], gazetteer(REGION.demand, REGION.zones))
    assert [found[0][0], found[1][0]] == [settlement, zone]


def test_a_name_of_two_settlements_is_told_apart_by_the_township_only() -> None:
    demand = replace(REGION.demand, name=("石桥村", *REGION.demand.name[1:]))
    settlement, zone = find_places(["石桥村", "钟陵乡石桥村", "民和镇石桥村"], gazetteer(demand, REGION.zones))
    assert settlement.tolist() == [-1, 0, 5]
    assert zone.tolist() == [-1, 0, 1]


def test_a_call_is_put_by_coordinates_else_by_name_else_nowhere(tmp_path: Path) -> None:
    lon, lat = town.lonlat([(60, 10)])[0]
    assert placed(tmp_path, "前夏村", lon, lat).placed.tolist() == [BY_COORDINATES]
    by_name = placed(tmp_path, "前夏村")
    assert by_name.placed.tolist() == [BY_SETTLEMENT]
    np.testing.assert_array_equal(by_name.lonlat[0], REGION.demand.lonlat[0])
    vague = placed(tmp_path, "钟陵乡")
    assert (vague.placed.tolist(), vague.zone.tolist()) == ([BY_TOWNSHIP], [0])
    assert np.isnan(vague.lonlat).all()
    assert placed(tmp_path, "某处").placed.tolist() == [NOWHERE]


@pytest.mark.parametrize(("lon", "lat"), [("0", "0"), ("116.2", ""), ("", "28.4"), ("不详", "不详"), ("inf", "nan")])
def test_coordinates_that_are_none_leave_the_name_to_speak(tmp_path: Path, lon: str, lat: str) -> None:
    calls = placed(tmp_path, "前夏村", lon, lat)
    assert calls.placed.tolist() == [BY_SETTLEMENT]
    assert not calls.far.any()


def test_degrees_with_minutes_and_seconds_are_read(tmp_path: Path) -> None:
    lon, lat = REGION.demand.lonlat[0]
    text = [f"{int(degree)}°{int(degree % 1 * 60)}′{degree * 60 % 1 * 60:.2f}″" for degree in (lon, lat)]
    calls = placed(tmp_path, "", *text)
    np.testing.assert_allclose(calls.lonlat[0], [lon, lat], atol=0.001)


def test_coordinates_in_another_datum_land_where_they_belong(tmp_path: Path) -> None:
    lonlat = REGION.demand.lonlat[[0]]
    shifted = from_wgs84(lonlat, "gcj02")[0]
    log = read(tmp_path, f"{HEAD}\n1,{TIMES},,{shifted[0]:.9f},{shifted[1]:.9f},急救中心,送达医院\n", datum="gcj02")
    np.testing.assert_allclose(log.points, lonlat, atol=1e-7)
    assert (log.note.datum, log.note.declared) == ("gcj02", True)


def test_rows_in_another_datum_are_converted_apart(tmp_path: Path) -> None:
    lonlat = REGION.demand.lonlat[[0]]
    both = np.vstack([lonlat, from_wgs84(lonlat, "bd09")])
    rows = [f"{n},{TIMES},,{lon:.9f},{lat:.9f},急救中心,送达医院" for n, (lon, lat) in enumerate(both)]
    log = read(tmp_path, "\n".join([HEAD, *rows]), datum="wgs84", datum_rows={"bd09": "3-3"})
    np.testing.assert_allclose(log.points, np.vstack([lonlat, lonlat]), atol=1e-7)


def test_a_coordinate_far_away_is_counted_and_not_used(tmp_path: Path) -> None:
    lon, lat = town.lonlat([(10, 10)])[0]
    rows = [f"{n},{TIMES},前夏村,{lon},{lat},急救中心,送达医院" for n in range(3)] + [f"9,{TIMES},前夏村,121.5,31.2,急救中心,送达医院"]
    calls = read(tmp_path, "\n".join([HEAD, *rows])).calls
    assert calls.far.tolist() == [False, False, False, True]
    assert calls.placed.tolist() == [BY_COORDINATES] * 3 + [BY_SETTLEMENT]


def test_coordinates_that_mostly_lie_elsewhere_are_asked_about(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="datum"):
        placed(tmp_path, "前夏村", "39430000", "3140000")


def test_a_row_without_the_time_of_the_call_is_left_out_by_number(tmp_path: Path) -> None:
    good = f"1,{TIMES},前夏村,,,急救中心,送达医院"
    log = read(tmp_path, f"{HEAD}\n{good}\n2,,,,,前夏村,,,急救中心,送达医院\n3,某日{TIMES},前夏村,,,急救中心,送达医院\n{good[1:]}\n")
    assert [(note.row, note.what, note.role) for note in log.rows] == [(3, "left_out", "calls"), (4, "left_out", "calls")]
    assert log.calls.row.tolist() == [2, 5]
    assert (log.note.rows, log.note.read, log.note.left_out) == (4, 2, 2)


def test_a_row_exported_twice_counts_once(tmp_path: Path) -> None:
    row = f"1,{TIMES},前夏村,,,急救中心,送达医院\n"
    log = read(tmp_path, f"{HEAD}\n{row}{row}")
    assert len(log.calls) == 1
    assert [note.row for note in log.rows] == [3]


def test_two_vehicles_to_one_call_are_two_records_and_one_call(tmp_path: Path) -> None:
    later = TIMES.replace("08:20:00", "08:25:00")
    rows = [f"7,{TIMES},前夏村,,,急救中心,送达医院", f"7,{later},前夏村,,,急救中心,空车返回", f"8,{TIMES},前夏村,,,急救中心,送达医院"]
    assert read(tmp_path, "\n".join([HEAD, *rows])).calls.call.tolist() == [0, 0, 1]


def test_a_number_that_begins_anew_each_day_is_another_call(tmp_path: Path) -> None:
    rows = [f"1,{TIMES},前夏村,,,急救中心,送达医院", f"1,{TIMES.replace('-01-01', '-01-02')},前夏村,,,急救中心,送达医院"]
    assert read(tmp_path, "\n".join([HEAD, *rows])).calls.call.tolist() == [0, 1]


def test_a_log_without_numbers_has_a_call_a_row(tmp_path: Path) -> None:
    calls = read(tmp_path, "受理时间,地点\n2025-01-01 08:00,前夏村\n2025-01-01 08:00,前夏村\n").calls
    assert calls.call.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("送达医院", DELIVERED),
        ("现场处置", TREATED),
        ("拒绝送医", TREATED),
        ("空车返回", EMPTY),
        ("途中取消", CANCELLED),
        ("派车前取消", CANCELLED),
        ("", UNKNOWN),
    ],
)
def test_an_outcome_is_one_of_five(tmp_path: Path, said: str, outcome: int) -> None:
    assert read(tmp_path, f"{HEAD}\n1,{TIMES},前夏村,,,急救中心,{said}\n").calls.outcome.tolist() == [outcome]


def test_times_of_day_stand_on_the_day_of_their_row_and_pass_midnight(tmp_path: Path) -> None:
    text = "日期,受理时间,派车时间,到达现场时间\n2025-01-01,23:50,23:52:30,0:10\n2025-01-02,8:05,8:04,8:20\n"
    stamps = read(tmp_path, text).calls.stamp_s[:, [RECEIVED, 1, ARRIVED]]
    first = ["2025-01-01T23:50:00", "2025-01-01T23:52:30", "2025-01-02T00:10:00"]
    second = ["2025-01-02T08:05:00", "2025-01-02T08:04:00", "2025-01-02T08:20:00"]
    assert stamps.tolist() == [[seconds(moment) for moment in row] for row in (first, second)]


def test_times_of_day_without_any_date_are_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="date"):
        read(tmp_path, "受理时间,地点\n23:50,前夏村\n")


def test_a_time_that_cannot_be_read_is_counted_and_its_row_stays(tmp_path: Path) -> None:
    rows = [f"{n},{TIMES},前夏村,,,急救中心,送达医院" for n in range(3)] + [f"4,{TIMES[:-8]}约八点,前夏村,,,急救中心,送达医院"]
    calls = read(tmp_path, "\n".join([HEAD, *rows])).calls
    assert len(calls) == 4
    assert dict(zip(STAMPS, calls.unread.tolist(), strict=True))["arrived"] == 1
    assert calls.stamp_s[3, ARRIVED] == MISSING


def test_a_column_that_holds_no_times_is_the_wrong_column(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="出车时间"):
        read(tmp_path, "受理时间,出车时间,地点\n2025-01-01 08:00,一车,前夏村\n2025-01-01 09:00,二车,前夏村\n")


def test_a_log_without_the_time_of_the_call_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="受理时间"):
        read(tmp_path, "流水号,地点\n1,前夏村\n")


@pytest.mark.parametrize("name", ["log.csv", "log.txt"])
def test_the_first_call_of_a_log_without_a_header_is_not_shown(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="受理时间") as caught:
        read(tmp_path, "张三,13800000000,2025-01-01 00:03:30,民和镇某路3号\n李四,13900000000,2025-01-01 00:09:30,前夏村\n", name=name)
    (problem,) = caught.value.problems
    assert problem.zh.endswith("报警时间）。")
    assert not any(cell in str(caught.value) for cell in ("张三", "13800000000", "某路"))


def test_the_users_own_headers_are_taken(tmp_path: Path) -> None:
    text = "开始,东经,北纬\n2025-01-01 08:00,{},{}\n".format(*REGION.demand.lonlat[0])
    calls = read(tmp_path, text, columns={"received": "开始", "lon": "东经", "lat": "北纬"}).calls
    assert calls.placed.tolist() == [BY_COORDINATES]


def test_a_log_with_a_title_and_notes_is_read_to_the_same_calls(tmp_path: Path) -> None:
    rows = [f"{n},{TIMES},钟陵乡前夏村,,,急救中心,送达医院" for n in range(5)]
    clean = read(tmp_path, "\n".join([HEAD, *rows]))
    messy = read(tmp_path, "\n".join(["某县急救中心二〇二五年出车登记", HEAD, *rows, "注：制表人张三丰 13800138000"]))
    assert messy.note.header_row == 2
    assert "张三丰" not in repr(messy.note) + repr(messy.rows)
    for field in fields(Calls):
        shift = 1 if field.name == "row" else 0
        expected = getattr(clean.calls, field.name)
        np.testing.assert_array_equal(getattr(messy.calls, field.name), expected + shift if shift else expected)


def test_calls_survive_packing_and_there_may_be_none(tmp_path: Path) -> None:
    for calls in (Calls.none(), placed(tmp_path, "前夏村")):
        again = unpack(Calls, pack(calls))
        for field in fields(Calls):
            np.testing.assert_array_equal(getattr(again, field.name), getattr(calls, field.name))


def test_every_row_of_the_log_is_a_record_or_is_listed(tmp_path: Path) -> None:
    rng = np.random.default_rng(15)
    cells = [[str(rng.integers(6)), rng.choice(["2025-01-01 08:00", "", "某日"], p=[0.8, 0.1, 0.1]), "前夏村"] for _ in range(200)]
    text = "\n".join(["流水号,受理时间,地点", *(",".join(row) for row in cells)])
    log = read(tmp_path, text)
    assert len(log.calls) + len(log.rows) == log.note.rows == 200
    assert sorted([*log.calls.row.tolist(), *(note.row for note in log.rows)]) == list(range(2, 202))
