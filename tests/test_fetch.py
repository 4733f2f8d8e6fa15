"""A county from Nominatim and Overpass, both played by a server on loopback: no test touches the outside."""

import csv
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import geopandas as gpd
import osmium
import osmnx
import pytest
import shapely

from geodata.errors import InputError, OptionError, OutputError
from geodata.fetch.county import fetch_county
from geodata.fetch.osm import MOST_REFUSALS
from geodata.ways.osm import read_roads
from scenarios.cli import main

WEST, SOUTH, SIDE = 116.0, 28.3, 0.02
PLACE = "某县, 江西"
BENT_ROAD_M = 1801.3  # by hand: eight legs, each 0.002° east (195.8 m at 28.31°N) and 0.001° north or south (111.2 m)
STATUS = "Connected as: 1\nCurrent time: 2026-01-01T00:00:00Z\nRate limit: 2\n\n2 slots available now.\n"


def county(osm_id: int = 7, name: str = "某县") -> dict:
    """What Nominatim says of a county."""
    west, south, east, north = WEST, SOUTH, WEST + SIDE, SOUTH + SIDE
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "osm_type": "relation",
        "osm_id": osm_id,
        "class": "boundary",
        "type": "administrative",
        "name": name,
        "display_name": f"{name}, 某市, 江西省, 中国",
        "geojson": {"type": "Polygon", "coordinates": [ring]},
    }


def at(number: int, x: float, y: float, **tags: str) -> dict:
    """A node x and y of the county's side from its south-western corner."""
    return {"type": "node", "id": number, "lon": round(WEST + x * SIDE, 7), "lat": round(SOUTH + y * SIDE, 7)} | _tags(tags)


def way(number: int, *nodes: int, **tags: str) -> dict:
    return {"type": "way", "id": number, "nodes": list(nodes)} | _tags(tags)


def relation(number: int, *ways: int, **tags: str) -> dict:
    members = [{"type": "way", "ref": ref, "role": "outer"} for ref in ways]
    return {"type": "relation", "id": number, "members": members} | _tags(tags)


def _tags(tags: dict[str, str]) -> dict:
    return {"tags": {key.replace("__", ":"): value for key, value in tags.items()}} if tags else {}


CORNERS = [at(1, 0, 0), at(2, 0.5, 0), at(3, 1, 0), at(4, 1, 1), at(5, 0.5, 1), at(6, 0, 1)]
TOWNSHIPS = [
    *CORNERS,
    *(way(11, 2, 5), way(12, 5, 6, 1, 2), way(13, 2, 3, 4, 5)),
    relation(101, 11, 12, boundary="administrative", admin_level="8", name="西镇", type="boundary"),
    relation(102, 11, 13, boundary="administrative", admin_level="8", name="东乡", type="boundary"),
    relation(103, 99, boundary="administrative", admin_level="8", name="破乡", type="boundary"),
]
ROADS = [
    *(at(20 + step, 0.1 + 0.1 * step, 0.5 + 0.05 * (step % 2), **({"barrier": "bollard"} if step == 4 else {})) for step in range(9)),
    way(21, *range(20, 29), highway="secondary", name="人民路", maxspeed="60"),
    *(at(40, 0.1, 0.52), at(41, 0.1, 0.9)),
    way(22, 20, 40, 41, highway="residential"),
]
LAKE = [*(at(50, 0.7, 0.7), at(51, 0.8, 0.7), at(52, 0.8, 0.8)), way(51, 50, 51, 52, 50, natural="water", name="小湖")]
FACILITIES = [
    at(60, 0.2, 0.5, amenity="hospital", name="县人民医院", beds="400", emergency="yes"),
    at(61, 0.6, 0.5, amenity="hospital", name="东乡卫生院"),
    at(62, 0.61, 0.5, amenity="clinic", name="李家村卫生室"),
    at(63, 0.62, 0.5, amenity="pharmacy", name="药店"),
    *(at(70, 0.3, 0.5), at(71, 0.35, 0.5, barrier="gate"), at(72, 0.35, 0.45), at(73, 0.3, 0.45)),
    way(70, 70, 71, 72, 73, 70, leisure="park", name="人民公园"),
]
PLACES = [at(80, 0.2, 0.2, place="village", name="张村"), at(81, 0.8, 0.2, place="town", name="东乡")]
NO_TURN = [
    {
        "type": "relation",
        "id": 104,
        "members": [
            {"type": "way", "ref": 22, "role": "from"},
            {"type": "node", "ref": 20, "role": "via"},
            {"type": "way", "ref": 21, "role": "to"},
        ],
    }
    | _tags({"type": "restriction", "restriction": "no_left_turn"}),
]
BUILT = [*(at(90, 0.2, 0.2), at(91, 0.22, 0.2), at(92, 0.22, 0.22)), way(90, 90, 91, 92, 90, landuse="residential")]
BUILDINGS = [*(at(95, 0.2, 0.3), at(96, 0.201, 0.3), at(97, 0.201, 0.301)), way(95, 95, 96, 97, 95, building="house")]


def overpass(query: str) -> list[dict]:
    """The elements that a query is answered with."""
    cases = {
        "admin_level": TOWNSHIPS,
        '["highway"]': ROADS,
        '["waterway"~': [],
        '["natural"~': [],
        "'natural'": LAKE,
        "'restriction'": NO_TURN,
        "'amenity'": FACILITIES,
        "'place'": PLACES,
        "'landuse'='residential'": BUILT,
        "'building'": BUILDINGS,
    }
    return next(elements for part, elements in cases.items() if part in query)


class StandIn:
    """Nominatim and Overpass on loopback; `failures` are given instead of the next answers to questions (not to /status)."""

    def __init__(self) -> None:
        self.places: list[dict] = [county()]
        self.failures: list[tuple[int, bytes]] = []
        self.answer: Callable[[str], list[dict]] = overpass
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.endswith("/status"):
                    self.reply(200, STATUS.encode())
                else:
                    self.question(parse_qs(urlsplit(self.path).query).get("q", ["by number"])[0])

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.question(parse_qs(body)["data"][0])

            def question(self, text: str) -> None:
                stand_in.asked.append(text)
                stand_in.headers.append(dict(self.headers))
                if stand_in.failures:
                    self.reply(*stand_in.failures.pop(0))
                elif self.path.startswith("/overpass"):
                    date = {"timestamp_osm_base": "2026-02-03T04:05:06Z"}
                    self.reply(200, json.dumps({"osm3s": date, "elements": stand_in.answer(text)}).encode())
                else:
                    self.reply(200, json.dumps(stand_in.places).encode())

            def reply(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def options(self) -> list[str]:
        return ["--overpass", f"{self.url}/overpass", "--nominatim", f"{self.url}/nominatim"]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    stand_in = StandIn()
    thread = threading.Thread(target=stand_in.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield stand_in
    stand_in.server.shutdown()
    thread.join()
    stand_in.server.server_close()


@pytest.fixture(autouse=True)
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long osmnx would have slept."""
    slept: list[float] = []
    monkeypatch.setattr("osmnx._overpass.time", _Clock(slept))
    monkeypatch.setattr("osmnx._nominatim.time", _Clock(slept))
    return slept


class _Clock:
    def __init__(self, slept: list[float]) -> None:
        self.sleep = slept.append


def fetch(server: StandIn, folder: Path, place: str = PLACE, **options: object) -> Path:
    urls = {"overpass": f"{server.url}/overpass", "nominatim": f"{server.url}/nominatim"}
    return fetch_county(folder, place=place, buffer_km=1, **(urls | options))


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_county_is_written_as_a_folder_with_all_that_was_found(server: StandIn, tmp_path: Path) -> None:
    assert fetch(server, tmp_path) == tmp_path / "region.toml"
    assert table(tmp_path / "township_population.csv") == [
        {"乡镇代码": "R101", "乡镇": "西镇", "常住人口": ""},
        {"乡镇代码": "R102", "乡镇": "东乡", "常住人口": ""},
    ]
    settlements = [(row["编码"], row["名称"], row["乡镇代码"], row["人口"], row["城乡"]) for row in table(tmp_path / "settlements.csv")]
    assert settlements == [("N80", "张村", "R101", "", "农村"), ("N81", "东乡", "R102", "", "城市")]
    medical = [(row["编码"], row["类别"], row["床位数"], row["可设急救点"]) for row in table(tmp_path / "medical.csv")]
    assert medical == [("N60", "医院", "400", "是"), ("N61", "乡镇卫生院", "", "否"), ("N62", "村卫生室", "", "否")]
    parks = gpd.read_file(tmp_path / "fitness.gpkg")
    assert parks[["id", "kind", "entrances"]].to_numpy().tolist() == [["W70", "公园", "116.0070000 28.3100000"]]
    assert len(gpd.read_file(tmp_path / "landuse.gpkg")) == 1
    assert gpd.read_file(tmp_path / "buildings.gpkg")["area_m2"].tolist() == [pytest.approx(2.2, abs=0.1)]
    assert gpd.read_file(tmp_path / "boundary.gpkg")["name"].tolist() == ["某县"]


def test_sources_say_the_date_the_licence_what_was_found_and_what_is_missing(server: StandIn, tmp_path: Path) -> None:
    fetch(server, tmp_path)
    said = (tmp_path / "SOURCES.md").read_text(encoding="utf-8")
    assert "2026-02-03" in said
    assert "ODbL" in said
    assert "| 乡镇卫生院 township health centre | 1 |" in said
    assert "破乡 (R103)" in said
    assert "66.9% of road km have a maxspeed" in said  # 1801 of 1801 + 890 m
    assert "township_population.csv" in said


def test_roads_keep_every_node_id_and_barrier_of_osm_and_their_true_length(server: StandIn, tmp_path: Path) -> None:
    fetch(server, tmp_path)
    roads = read_roads(tmp_path / "roads.osm.pbf")
    assert roads.turns.from_way.tolist() == [22]
    road = roads.way_id == 21
    assert roads.length_mm[road].sum() / 1000 == pytest.approx(BENT_ROAD_M, abs=1)
    assert sorted({21, 22}) == sorted(set(roads.way_id.tolist()))
    assert 24 in roads.node_id  # the bollard cuts the road
    assert len(roads.water) == 1
    with osmium.io.Reader(str(tmp_path / "roads.osm.pbf")) as file:
        assert "OpenStreetMap" in file.header().get("generator")


def test_the_same_answers_give_the_same_bytes(server: StandIn, tmp_path: Path) -> None:
    for name in ("a", "b"):
        fetch(server, tmp_path / name)
    for file in (tmp_path / "a").iterdir():
        assert file.is_dir() or file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_the_server_is_asked_politely_by_our_name_and_osmnx_is_left_as_it_was(server: StandIn, tmp_path: Path, naps: list[float]) -> None:
    before = {name: value for name, value in vars(osmnx.settings).items() if not name.startswith("_")}
    fetch(server, tmp_path)
    assert all(headers["User-Agent"].startswith("circle15/") for headers in server.headers)
    assert 1 in naps  # Nominatim's second between questions
    assert {name: value for name, value in vars(osmnx.settings).items() if not name.startswith("_")} == before


def test_a_busy_server_is_waited_for(server: StandIn, tmp_path: Path, naps: list[float]) -> None:
    server.failures = [(429, b""), (504, b"")]
    said: list[str] = []
    fetch(server, tmp_path, say=lambda zh, en: said.append(zh + en))
    assert naps.count(55) == 2
    assert sum("429" in line or "504" in line for line in said) == 2


def test_a_server_that_stays_busy_is_given_up(server: StandIn, tmp_path: Path, naps: list[float]) -> None:
    server.failures = [(504, b"")] * (MOST_REFUSALS + 1)
    with pytest.raises(InputError, match=r"504.*--pbf"):
        fetch(server, tmp_path)
    assert naps.count(55) == MOST_REFUSALS


@pytest.mark.parametrize(
    "failure",
    [
        (500, b"oh"),
        (400, b'{"elements": []}'),
        (200, b"<html>rate limited</html>"),
        (200, b'{"elements": [], "remark": "runtime error: Query timed out"}'),
        (200, b'{"error": "overloaded"}'),
        (200, b"[1]"),
    ],
)
def test_after_a_failure_only_what_is_missing_is_asked_again_and_the_failure_is_not_kept(
    server: StandIn, tmp_path: Path, failure: tuple[int, bytes]
) -> None:
    def say(zh: str, _en: str) -> None:
        if zh.startswith("河流"):  # the place and the roads are there by now
            server.failures = [failure]

    with pytest.raises(InputError, match=r"重跑同一命令"):
        fetch(server, tmp_path, say=say)
    assert not (tmp_path / "region.toml").exists()
    asked = list(server.asked)
    fetch(server, tmp_path)
    again = server.asked[len(asked) :]
    assert len(asked) == 3
    assert set(again).isdisjoint(asked[:2])
    assert asked[2] in again
    assert (tmp_path / "region.toml").exists()


def test_an_answer_cut_off_by_an_interruption_is_asked_for_again(server: StandIn, tmp_path: Path) -> None:
    fetch(server, tmp_path)
    for file in [file for file in tmp_path.iterdir() if file.is_file()]:
        file.unlink()
    kept = sorted((tmp_path / ".cache").glob("*.json"))
    kept[3].write_text(kept[3].read_text()[:20])
    asked = len(server.asked)
    fetch(server, tmp_path)
    assert len(server.asked) == asked + 1


def test_cancelling_keeps_what_was_fetched(server: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def stop(zh: str, _en: str) -> None:
        if zh.startswith("设施"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(server, tmp_path, say=stop)
    asked = list(server.asked)
    assert main(["fetch", PLACE, str(tmp_path), "--buffer-km", "1", *server.options]) == 0
    assert not set(server.asked[len(asked) :]) & set(asked)
    assert "SOURCES.md" in capsys.readouterr().err


def test_a_place_that_nobody_knows_is_an_error_that_is_not_kept(server: StandIn, tmp_path: Path) -> None:
    server.places = []
    with pytest.raises(OptionError, match=r"没有找到“某县, 江西”"):
        fetch(server, tmp_path)
    server.places = [county()]
    fetch(server, tmp_path)


def test_a_place_that_is_a_point_is_no_county(server: StandIn, tmp_path: Path) -> None:
    server.places = [county() | {"osm_type": "node", "geojson": {"type": "Point", "coordinates": [116, 28]}}]
    with pytest.raises(OptionError, match="No administrative boundary"):
        fetch(server, tmp_path)


def test_of_several_places_a_list_is_given_and_one_is_chosen_by_its_number(server: StandIn, tmp_path: Path) -> None:
    server.places = [county(7), county(8)]
    with pytest.raises(OptionError, match=r"R7 某县.*R8 某县"):
        fetch(server, tmp_path)
    server.places = [county(8)]
    assert fetch(server, tmp_path, "R8").exists()
    assert server.asked[1] == "by number"


def test_of_several_places_the_one_of_that_very_name_is_meant(server: StandIn, tmp_path: Path) -> None:
    server.places = [county(7), county(8, "某县经济开发区")]
    fetch(server, tmp_path)
    assert "R7" in (tmp_path / "region.toml").read_text(encoding="utf-8")


def test_without_a_network_the_offline_way_is_named(server: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.server.server_close()  # nobody listens there any more
    assert main(["fetch", PLACE, str(tmp_path), *server.options]) == 2
    said = capsys.readouterr().err
    assert "无法连接" in said
    assert "--pbf" in said
    assert "Traceback" not in said


def test_a_county_without_a_road_is_refused(server: StandIn, tmp_path: Path) -> None:
    server.answer = lambda _query: []
    with pytest.raises(InputError, match="没有一条道路"):
        fetch(server, tmp_path)
    assert not (tmp_path / "region.toml").exists()


def test_nothing_is_overwritten(server: StandIn, tmp_path: Path) -> None:
    (tmp_path / "region.toml").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"region\.toml"):
        fetch(server, tmp_path)
    assert (tmp_path / "region.toml").read_text(encoding="utf-8") == "mine"
    assert server.asked == []


def test_a_county_without_townships_places_or_facilities_says_so(server: StandIn, tmp_path: Path) -> None:
    server.answer = lambda query: ROADS if '["highway"]' in query else []
    fetch(server, tmp_path)
    assert table(tmp_path / "township_population.csv") == [{"乡镇代码": "REST", "乡镇": "某县", "常住人口": ""}]
    assert table(tmp_path / "medical.csv") == table(tmp_path / "settlements.csv") == []
    said = (tmp_path / "SOURCES.md").read_text(encoding="utf-8")
    assert "没有一个聚落点" in said
    assert "没有一个医疗机构" in said


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"place": None}, "请给出县名"),
        ({"pbf": Path("a.osm.pbf")}, "--pbf asks no server"),
        ({"buffer_km": -1}, "--buffer-km"),
        ({"buffer_km": float("nan")}, "--buffer-km"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_is_asked(tmp_path: Path, options: dict, complaint: str) -> None:
    given = {"place": PLACE, "overpass": "http://127.0.0.1:9/"} | options
    with pytest.raises(OptionError, match=complaint):
        fetch_county(tmp_path, **given)


def test_with_a_boundary_of_ones_own_nominatim_is_not_asked(server: StandIn, tmp_path: Path) -> None:
    area = gpd.GeoDataFrame({"name": ["某县"]}, geometry=[shapely.box(WEST, SOUTH, WEST + SIDE, SOUTH + SIDE)], crs="EPSG:4326")
    area.to_file(tmp_path / "mine.gpkg")
    fetch(server, tmp_path / "county", boundary=tmp_path / "mine.gpkg")
    assert PLACE not in server.asked
    assert "mine.gpkg" in (tmp_path / "county" / "SOURCES.md").read_text(encoding="utf-8")
