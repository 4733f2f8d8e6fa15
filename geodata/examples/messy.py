"""The example county as its offices would hand it in: the same facts in tables that were made to be printed, not read."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from geodata.datum.convert import from_wgs84
from geodata.examples.files import save_workbook
from geodata.examples.staff import STAFF_COLUMNS

MEDICAL, PEOPLE, VILLAGES, SAMPLING = "医疗卫生机构一览表.xlsx", "各乡镇人口.xlsx", "村（社区）名册.csv", "采样点.xlsx"
MEDICAL_REST = ("床位数", "启用日期", "停用日期", "可设急救点", "涉密", "出动秒数", *STAFF_COLUMNS)
DEGREE_DIGITS = 9  # 0.1 mm: the way to GCJ-02 and back must not be lost in the rounding
REGION = """\
# {name}: the example county with its tables as offices hand them in: titles, merged headers, totals, notes, 万, GCJ-02 and BD-09
# coordinates that nobody declared. `circle15 tables . ` says how each is read and what has to be confirmed.
name = "{name}"
illustrative = true
date = 2026-01-01
crs = "EPSG:4548"
buffer_km = 20

[roads]
file = "roads.osm.pbf"

[zones]
file = "townships.gpkg"

[population]
file = "{people}"

[demand]
file = "{villages}"

[[facilities]]
file = "{medical}"

[[facilities]]
file = "fitness.geojson"

[[facilities]]
file = "{sampling}"
kind = "采样点"

[calls]
file = "calls_120_2025.csv"
datum = "wgs84"

[growth]
low = -0.008
central = -0.003
high = 0.002
"""
Row = dict[str, Any]


def mess_up(folder: Path, name: str, rng: np.random.Generator) -> None:
    """Replace the clean tables of a written example county by messy ones of the same content, and region.toml by one that names them."""
    _medical(_sheet(folder / "medical.xlsx"), folder / MEDICAL, rng)
    _people(_csv(folder / "township_population.csv", "gb18030"), folder / PEOPLE, rng)
    _villages(_sheet(folder / "settlements.xlsx"), _csv(folder / "township_population.csv", "gb18030"), folder / VILLAGES, rng)
    _sampling(_csv(folder / "sampling.csv", "utf-8-sig"), folder / SAMPLING, rng)
    for clean in ("medical.xlsx", "township_population.csv", "settlements.xlsx", "sampling.csv"):
        (folder / clean).unlink()
    text = REGION.format(name=name, people=PEOPLE, villages=VILLAGES, medical=MEDICAL, sampling=SAMPLING)
    (folder / "region.toml").write_text(text, encoding="utf-8", newline="\n")


def _sheet(path: Path) -> list[Row]:
    rows: Iterator[tuple[Any, ...]] = load_workbook(path).worksheets[0].iter_rows(values_only=True)
    heads = next(rows)
    return [dict(zip(map(str, heads), row, strict=True)) for row in rows]


def _csv(path: Path, encoding: str) -> list[Row]:
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file))


def _shifted(rows: Sequence[Row], datum: str) -> list[tuple[float, float]]:
    lonlat = np.array([[float(row["经度"]), float(row["纬度"])] for row in rows])
    return [(round(lon, DEGREE_DIGITS), round(lat, DEGREE_DIGITS)) for lon, lat in from_wgs84(lonlat, datum).tolist()]


def _shuffled(rows: list[Row], rng: np.random.Generator) -> list[Row]:
    return [rows[at] for at in rng.permutation(len(rows))]


def _medical(rows: list[Row], path: Path, rng: np.random.Generator) -> None:
    """A printed list: title, unit and date, a header of two lines with merged cells, beds in all, a note; AMap's coordinates."""
    rows = _shuffled(rows, rng)
    heads = ("序号", "机构编码", "机构名称", "机构类别", "坐标", "", "床位数（张）", *MEDICAL_REST[1:])
    book = Workbook()
    book.worksheets[0].title = "填表说明"
    book.worksheets[0].append(["本表由各医疗卫生机构填报，县卫健委汇总（示意）。"])
    sheet = book.create_sheet("一览表")
    _title(sheet, "医疗卫生机构一览表（示意）", len(heads))
    sheet.append(["填报单位：县卫生健康委（示意）", *[""] * 8, "填报日期：2026年1月1日"])
    sheet.append(list(heads))
    sheet.append(["", "", "", "", "经度", "纬度"])
    for number in range(1, len(heads) + 1):
        if heads[number - 1] not in {"坐标", ""}:
            sheet.merge_cells(start_row=3, end_row=4, start_column=number, end_column=number)
    sheet.merge_cells("E3:F3")
    for number, (row, place) in enumerate(zip(rows, _shifted(rows, "gcj02"), strict=True), start=1):
        sheet.append([number, row["编码"], row["名称"], row["类别"], *place, *(row[name] for name in MEDICAL_REST)])
    sheet.append(["合计", "", f"{len(rows)} 家", "", "", "", sum(row["床位数"] or 0 for row in rows)])
    sheet.append(["注：坐标由高德地图拾取；未启用机构的床位不计入当年统计。"])
    save_workbook(book, path)


def _people(rows: list[Row], path: Path, rng: np.random.Generator) -> None:
    """Registered beside resident people, in 万, with a total."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "2025年末"
    _title(sheet, "各乡镇人口情况（示意）", 5)
    sheet.append(["序号", "乡镇名称", "户籍人口（万人）", "常住人口（万人）", "备注"])
    registered = 0.0
    rows = _shuffled(rows, rng)
    for number, row in enumerate(rows, start=1):
        people = int(row["常住人口"])
        more = round(people * rng.uniform(0.98, 1.35) / 1e4, 4)
        registered += more
        sheet.append([number, f"{row['乡镇'][:1]} {row['乡镇'][1:]}", more, people / 1e4, ""])
    sheet.append(["", "合　计", round(registered, 4), sum(int(row["常住人口"]) for row in rows) / 1e4, ""])
    sheet.append(["注：常住人口为推算数（示意）。"])
    save_workbook(book, path)


def _villages(rows: list[Row], townships: list[Row], path: Path, rng: np.random.Generator) -> None:
    """Townships by name, thousands set off, some digits full-width, in another order; AMap's coordinates."""
    names = {row["行政区划代码"]: row["乡镇"] for row in townships}
    rows = _shuffled(rows, rng)
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["村（社区）名册（示意）"])
        writer.writerow(
            ["序号", "所属乡镇", "村（社区）", "统计用区划代码", "城乡分类", "户籍人口", "常住人口", "65岁及以上占比", "经度", "纬度"]
        )
        for number, (row, (lon, lat)) in enumerate(zip(rows, _shifted(rows, "gcj02"), strict=True), start=1):
            people = f"{row['常住人口']:,}"
            if rng.random() < 1 / 8:
                people = people.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
            registered = f"{round(row['常住人口'] * rng.uniform(0.95, 1.4)):,}"
            place = (names[row["乡镇代码"]], row["名称"], f"'{row['编码']}", row["城乡"])
            writer.writerow([number, *place, registered, people, f"{row['65岁及以上占比']:.2%}", lon, lat])
        writer.writerow(["合计", "", "", "", "", "", f"{sum(row['常住人口'] for row in rows):,}"])


def _sampling(rows: list[Row], path: Path, rng: np.random.Generator) -> None:
    """Degrees, minutes and seconds of Baidu's map."""
    rows = _shuffled(rows, rng)
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "采样点"
    _title(sheet, "采样点设置情况（示意）", 5)
    sheet.append(["编号", "采样点名称", "通道数（条）", "东经", "北纬"])
    for row, place in zip(rows, _shifted(rows, "bd09"), strict=True):
        sheet.append([row["编码"], row["名称"], int(row["通道数"]), *map(_dms, place)])
    save_workbook(book, path)


def _dms(degrees: float) -> str:
    """Degrees, minutes and seconds to 0.00001 seconds (0.3 mm)."""
    seconds = round(degrees * 3600, 5)
    whole, rest = divmod(seconds, 3600)
    return f"{whole:.0f}°{rest // 60:.0f}′{rest % 60:.5f}″"


def _title(sheet: Worksheet, text: str, width: int) -> None:
    sheet.append([text])
    sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=width)
