"""Map sheets: the right size, names as they are, nothing restricted, a font that has every character."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from answers import Covered, Drawn
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.image import imread

from coverage.circles import circles
from coverage.stats import CoverageResult, coverage
from geodata.errors import InputError, OptionError
from geodata.region import Prepared
from scenarios.compare import compare
from scenarios.model import Close, Open, Scenario
from scenarios.output import picture
from scenarios.output.panel import shorten, wrapped
from scenarios.output.picture import _draw_north, coverage_picture, find_font

TOWN = (116.22, 28.35, 116.27, 28.41)
HOSTILE = (r"$\frac{镇", "a_b^c镇", r"{{7*7}}\镇$", "_下划线镇", "换\n行镇")
LATIN_ONLY = font_manager.findfont("DejaVu Sans")


@pytest.fixture(scope="module")
def fitness(covered: Covered) -> CoverageResult:
    return covered("fitness")


@pytest.fixture(scope="module")
def medical(covered: Covered) -> CoverageResult:
    return covered("medical")


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch, chinese_font: None) -> list[str]:
    """Everything that is written on a picture, as the search for a font sees it."""
    del chinese_font  # without one there is nothing to write with
    texts: list[str] = []

    def note(text: str) -> font_manager.FontPath:
        texts.append(text)
        return find_font(text)

    monkeypatch.setattr(picture, "find_font", note)
    return texts


@pytest.fixture
def no_font(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def forget() -> None:
        monkeypatch.setattr(font_manager.fontManager, "ttflist", [])

    return forget


def circles_of(prepared: Prepared, result: CoverageResult) -> gpd.GeoDataFrame:
    return circles(result.definition, prepared.network_of(result.definition), result.facilities)


@pytest.mark.usefixtures("chinese_font")
def test_sheet_is_a4_landscape_at_200_dots_an_inch(prepared: Prepared, fitness: CoverageResult, drawn: Drawn, tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    path.write_bytes(coverage_picture(prepared, "fitness", fitness, circles=drawn("fitness")))
    assert imread(path).shape[:2] == (1654, 2338)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ["15分钟健身圈", "内部资料 未经审图", "示意数据", "公园 (16)"]),
        ("en", ["15-minute fitness circle", "internal use", "illustrative"]),
    ],
)
def test_sheet_says_what_it_shows_in_both_languages(
    prepared: Prepared, covered: Covered, drawn: Drawn, written: list[str], *, language: str, words: list[str]
) -> None:
    coverage_picture(prepared, "fitness", covered("fitness"), circles=drawn("fitness"), bounds=TOWN, language=language)
    total = covered("fitness").by_zone.iloc[-1]
    figures = [f"{total['covered_people']:,.0f}", f"{total['share_people'] * 100:.1f} %", str(prepared.region.date)]
    assert [word for word in [*words, *figures, "民和镇", "fitness.geojson"] if word not in written[0]] == []


def test_names_are_drawn_as_they_are(prepared: Prepared, fitness: CoverageResult, drawn: Drawn, written: list[str]) -> None:
    zones = replace(prepared.region.zones, name=HOSTILE + prepared.region.zones.name[len(HOSTILE) :])
    region = replace(prepared.region, zones=zones, name=HOSTILE[0])
    coverage_picture(replace(prepared, region=region), "fitness", fitness, circles=drawn("fitness"))
    assert [name for name in HOSTILE if name.replace("\n", " ") not in written[0]] == []


def test_a_restricted_facility_leaves_no_trace_on_the_sheet(
    prepared: Prepared, medical: CoverageResult, drawn: Drawn, written: list[str]
) -> None:
    hidden = int(np.flatnonzero(medical.facilities.restricted)[0])
    assert medical.facilities.kind[hidden] == "hospital"
    elsewhere = medical.facilities.geometry.copy()
    elsewhere[hidden] = shapely.Point(116.3, 28.5)
    moved = replace(medical, facilities=replace(medical.facilities, geometry=elsewhere))
    sheets = [coverage_picture(prepared, "medical", one, circles=drawn("medical"), bounds=TOWN) for one in (medical, moved)]
    assert sheets[0] == sheets[1]
    assert medical.facilities.name[hidden] not in written[0]
    shown = sum(kind == "hospital" for kind in medical.facilities.kind) - 1
    assert f"医院 ({shown})" in written[0]


def test_a_scenario_shows_its_facilities_and_who_gains_and_loses(prepared: Prepared, medical: CoverageResult, written: list[str]) -> None:
    new = Open(id="X1", name="新站", kind="community_health_station", lon=116.25, lat=28.375)
    changed = compare(prepared, Scenario(name="北门方案").then(new, Close(id="WS-0016")), medical.definition, before=medical)
    circle = circles_of(prepared, changed.after)
    with_changes = coverage_picture(prepared, "medical", changed.after, circles=circle, comparison=changed, bounds=TOWN)
    assert with_changes != coverage_picture(prepared, "medical", changed.after, circles=circle, bounds=TOWN)
    lost = f"{changed.by_zone['lost_people'].iloc[-1]:,.0f}"
    assert [word for word in ("北门方案", "新增", "关闭", "新覆盖", f"不再覆盖 {lost} 人") if word not in written[0]] == []


def test_a_limit_for_each_class_has_its_own_line_in_the_legend(
    prepared: Prepared, covered: Covered, drawn: Drawn, written: list[str]
) -> None:
    coverage_picture(prepared, "emergency", covered("emergency"), circles=drawn("emergency"), bounds=TOWN)
    assert "城镇服务圈 15 分钟" in written[0]
    assert "农村服务圈 30 分钟" in written[0]


def test_a_straight_line_has_no_mode_of_travel(prepared: Prepared, written: list[str]) -> None:
    definition = prepared.services.service("medical").definition("straight")
    result = coverage(prepared.region, definition, prepared.network_of(definition))
    coverage_picture(prepared, "medical", result, circles=circles_of(prepared, result), bounds=TOWN)
    assert "时限：直线 1000 米" in written[0]
    assert "无人居住" not in written[0]


@pytest.mark.parametrize(
    "bounds", [(116.3, 28.3, 116.2, 28.4), (116.2, 28.4, 116.3, 28.4), (0, 0, 361, 1), (116.2, float("nan"), 116.3, 28.4)]
)
def test_bounds_that_are_none_are_refused(prepared: Prepared, fitness: CoverageResult, drawn: Drawn, bounds: picture.Bounds) -> None:
    with pytest.raises(OptionError, match="west, south, east, north"):
        coverage_picture(prepared, "fitness", fitness, circles=drawn("fitness"), bounds=bounds)


def test_the_north_arrow_points_up() -> None:
    axes = Figure().add_axes((0, 0, 1, 1))
    _draw_north(axes, "zh")
    for half in axes.patches:
        heights = half.get_transform().transform(half.get_xy())[:3, 1]
        assert heights[0] > max(heights[1:])  # the tip is the first corner


@pytest.mark.usefixtures("chinese_font")
def test_a_font_has_every_character_it_is_asked_for() -> None:
    found = find_font("进贤县 abc\n→")
    letters = font_manager.get_font(found).get_charmap()
    assert {ord(letter) for letter in "进贤县abc→"} <= set(letters)


@pytest.mark.usefixtures("chinese_font")
def test_a_font_installed_since_matplotlib_looked_is_found(no_font: Callable[[], None]) -> None:
    no_font()
    assert find_font("进贤县")


def test_a_character_that_no_font_has_is_named_with_what_to_install(no_font: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    no_font()
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [LATIN_ONLY])
    with pytest.raises(InputError, match=r"缺字：县.*fonts-noto-cjk.*CIRCLE15_FONT"):
        find_font("abc县")


def test_boxes_for_unknown_characters_are_no_glyphs(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = [entry for entry in font_manager.fontManager.ttflist if entry.name.startswith("Last Resort")]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", boxes)
    monkeypatch.setattr(font_manager, "findSystemFonts", list)
    with pytest.raises(InputError, match="缺字"):
        find_font("县")


def test_a_named_font_is_taken_and_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CIRCLE15_FONT", LATIN_ONLY)
    assert find_font("abc") == LATIN_ONLY
    with pytest.raises(OptionError, match="缺字：县"):
        find_font("abc县")
    for path, wrong in ((tmp_path / "none.ttf", "没有文件"), (Path(__file__), "不是字体文件")):
        monkeypatch.setenv("CIRCLE15_FONT", str(path))
        with pytest.raises(OptionError, match=wrong):
            find_font("abc")


def test_long_texts_are_cut_and_wrapped_by_their_width() -> None:
    assert shorten("乡镇卫生院", 10) == "乡镇卫生院"
    assert shorten("乡镇卫生院", 9) == "乡镇卫生…"
    assert wrapped("甲乙丙丁戊己庚辛", 6, 2) == ["甲乙", "丙丁…"]
    assert wrapped("甲乙", 6, 2) == ["甲乙"]
