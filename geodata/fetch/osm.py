"""A county over the internet: Nominatim for its boundary, Overpass for what lies in it, both asked through osmnx.

osmnx keeps each answer in `cache` (one file a request), waits for its turn on the server and waits again when the server is busy; what it
returns as a success although it is none (a remark, an empty list of places, an error with a body of JSON) is refused here before it is
kept. A fetch that was interrupted asks only for what it does not have yet.
"""

from __future__ import annotations

import datetime as dt
import json
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import requests
import shapely
from osmnx import _nominatim, _overpass, settings
from osmnx._errors import InsufficientResponseError, ResponseStatusCodeError

from geodata.errors import InputError, OptionError, Problem, first_few
from geodata.extent import Bounds
from geodata.fetch.boundary import Boundary, relation_number, short_name
from geodata.fetch.elements import Elements, Relation, Way
from geodata.fetch.tags import ANY, tag_table
from geodata.ways.osm_tags import Tags
from geodata.ways.osm_turns import TURN_KEYS

Say = Callable[[str, str], None]
Answer = dict[str, Any]
_Result = TypeVar("_Result")

BUSY = {429, 504}
MOST_REFUSALS = 5  # osmnx waits 55 s after each, and would go on for ever
MOST_PLACES = 10
_LETTER = {"node": "n", "way": "w", "relation": "r"}


@dataclass
class Server:
    """Where to ask, and what was heard on the way.

    Attributes
    ----------
    cache : Path
        Folder that keeps the answers.
    overpass, nominatim : str, optional
        Other servers than osmnx's own.
    """

    cache: Path
    say: Say
    overpass: str | None = None
    nominatim: str | None = None
    refusals: int = field(default=0, init=False)

    def hear(self, response: requests.Response, **_: object) -> None:
        """Look at each answer before osmnx keeps it: refuse what is no success."""
        where = response.url.split("?")[0]
        if where.endswith("/status"):  # how long to wait: osmnx reads it, and waits a minute where it cannot
            return
        if response.status_code in BUSY:
            self.refusals += 1
            if self.refusals > MOST_REFUSALS:
                raise _no_data(where, f"HTTP {response.status_code} × {self.refusals}")
            self.say(f"服务器忙（{response.status_code}），稍候再试……", f"The server is busy ({response.status_code}), waiting …")
        elif not response.ok:
            raise _no_data(where, f"HTTP {response.status_code}")
        else:
            self.refusals = 0
            if where.endswith("/interpreter") and b'"elements"' not in response.content:
                raise _no_data(where, "no elements")
            if response.content.strip() == b"[]":
                raise _NowhereError

    def find_boundary(self, place: str) -> Boundary:
        """Ask Nominatim for a place's administrative boundary.

        Raises
        ------
        OptionError
            There is none, or there are several: they are listed.
        InputError
            The server cannot be reached, or gives no sense.
        """
        number = relation_number(place)
        query, by_id = (place, False) if number is None else (f"R{number}", True)
        try:
            with self._asked():
                found = self._kept_or(lambda: _nominatim._download_nominatim_element(query, by_osmid=by_id, limit=MOST_PLACES))  # noqa: SLF001
        except _NowhereError:
            found = []
        areas = {one["osm_id"]: one for one in found if _is_area(one)}
        named = {number: one for number, one in areas.items() if one.get("name") == short_name(place)}
        chosen = named if len(named) == 1 else areas
        if len(chosen) != 1:
            raise _not_one(place, chosen)
        [one] = chosen.values()
        area = shapely.make_valid(shapely.geometry.shape(one["geojson"]), method="structure", keep_collapsed=False)
        name = one.get("name") or one["display_name"].split(",")[0]
        return Boundary(name, area, source=f"OpenStreetMap R{one['osm_id']}", relation=one["osm_id"])

    def read_elements(self, *, within: Bounds, core: Bounds) -> Elements:
        """Ask Overpass for roads, water and facilities `within`, and for townships, settlements, land use and buildings in `core`."""
        table = tag_table()
        parts: list[tuple[str, str, Bounds, Mapping[str, Sequence[str]]]] = [
            ("乡镇界", "townships", core, {"admin_level": table.townships.levels}),
            ("设施", "facilities", within, table.asked_tags()),
            ("水面", "lakes and rivers", within, table.water.areas),
            ("转向限制", "turn restrictions", within, dict.fromkeys(TURN_KEYS, (ANY,))),
            ("聚落", "settlements", core, {"place": (*table.settlements.urban, *table.settlements.rural)}),
            ("居住用地", "residential land", core, table.built),
            ("建筑", "buildings", core, {"building": (ANY,)}),
        ]
        lines = [f'["{key}"~"^({"|".join(values)})$"]' for key, values in table.water.lines.items()]
        answers: list[Answer] = []
        with self._asked():
            answers += self._all("道路", "roads", lambda: _overpass._download_overpass_network(_box(within), "all", None))  # noqa: SLF001
            answers += self._all("河流", "rivers", lambda: _overpass._download_overpass_network(_box(within), "", lines))  # noqa: SLF001
            for zh, en, bounds, tags in parts:
                answers += self._all(zh, en, partial(_overpass._download_overpass_features, _box(bounds), _asked_tags(tags)))  # noqa: SLF001
        return _elements(answers)

    def _all(self, zh: str, en: str, ask: Callable[[], Iterator[Answer]]) -> list[Answer]:
        """Every answer of one part; those that are kept already are not asked for again."""
        self.say(f"{zh}……", f"{en} …")
        return self._kept_or(lambda: [_whole(answer) for answer in ask()])

    def _kept_or(self, ask: Callable[[], _Result]) -> _Result:
        """Ask; where an interruption left half an answer in the cache, drop it and ask again."""
        try:
            return ask()
        except (json.JSONDecodeError, UnicodeDecodeError):
            for file in self.cache.glob("*.json"):
                try:
                    json.loads(file.read_text(encoding="utf-8"))
                except ValueError:
                    file.unlink()
            return ask()

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """Set osmnx up, put it back as it was, and say in our words what went wrong."""
        ours = {
            "cache_folder": self.cache,
            "use_cache": True,
            "http_user_agent": f"circle15/{version('circle15')}",
            "http_referer": "circle15",
            "http_accept_language": "zh-CN,zh;q=0.9,en;q=0.5",
            "doh_url_template": None,  # no third server is asked where a name leads
            "overpass_rate_limit": True,
            "requests_kwargs": {"hooks": {"response": self.hear}},
            "overpass_url": self.overpass or settings.overpass_url,
            "nominatim_url": self.nominatim or settings.nominatim_url,
        }
        before, resolve = {name: getattr(settings, name) for name in ours}, socket.getaddrinfo
        for name, value in ours.items():
            setattr(settings, name, value)
        try:
            yield
        except requests.RequestException as error:
            asked = str(error.request.url) if error.request else ""
            raise _no_data(asked.split("?", maxsplit=1)[0], _reason(error)) from error
        except (InsufficientResponseError, ResponseStatusCodeError) as error:
            raise _no_data("", "no JSON") from error
        finally:
            for name, value in before.items():
                setattr(settings, name, value)
            socket.getaddrinfo = resolve  # osmnx turns it to one address of the server


class _NowhereError(Exception):
    """Nominatim knows no such place; raised before the empty answer is kept."""


def _no_data(where: str, reason: str) -> InputError:
    return InputError(
        Problem(
            f"没有从服务器取得数据（{where} {reason}）。请检查网络，稍后重跑同一命令：已取得的部分不会重取。"
            "也可换服务器（--overpass、--nominatim），或下载省的 .osm.pbf，用 --pbf 离线提取。",
            f"No data from the server ({where} {reason}). Check the network and run the same command later: what was fetched is kept. "
            "Or name another server (--overpass, --nominatim), or take an extract on disk: --pbf works offline.",
        )
    )


def _whole(answer: Answer) -> Answer:
    """An answer with a remark ran out of time or memory: what came is not all, and osmnx does not keep it."""
    if "remark" in answer:
        raise _no_data(settings.overpass_url, str(answer["remark"]))
    return answer


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "超时 timed out"
    return "无法连接 cannot connect" if isinstance(error, requests.ConnectionError) else type(error).__name__


def _is_area(place: dict[str, Any]) -> bool:
    of_areas = place.get("geojson", {}).get("type") in {"Polygon", "MultiPolygon"}
    return of_areas and place.get("osm_type") == "relation" and place.get("class") == "boundary"


def _not_one(place: str, found: dict[int, dict[str, Any]]) -> OptionError:
    if not found:
        return OptionError(
            Problem(
                f"没有找到“{place}”的行政边界。请写全称并加上省市，如“进贤县, 江西”，或用 --boundary 给出县界。",
                f"No administrative boundary of {place!r} was found. Give its full name and province, or the boundary by --boundary.",
            )
        )
    listed = first_few(f"R{number} {one.get('display_name', '')}" for number, one in found.items())
    return OptionError(
        Problem(f"“{place}”有多个：{listed}。请用编号代替名称，如 R123。", f"{place!r} is several: {listed}. Give the number as PLACE.")
    )


def _box(bounds: Bounds) -> shapely.Polygon:
    return shapely.box(*bounds)


def _asked_tags(tags: Mapping[str, Sequence[str]]) -> dict[str, bool | str | list[str]]:
    return {key: True if ANY in values else list(values) for key, values in tags.items()}


def _elements(answers: Iterable[Answer]) -> Elements:
    """Put the answers together; an object that came more than once counts once."""
    nodes: dict[int, tuple[float, float]] = {}
    tags: dict[int, Tags] = {}
    ways: dict[int, Way] = {}
    relations: dict[int, Relation] = {}
    dates: list[str] = []
    for answer in answers:
        dates += [answer["osm3s"]["timestamp_osm_base"]] if "timestamp_osm_base" in answer.get("osm3s", {}) else []
        for one in answer["elements"]:
            if one["type"] == "node":
                nodes[one["id"]] = one["lon"], one["lat"]
                tags |= {one["id"]: one["tags"]} if "tags" in one else {}
            elif one["type"] == "way":
                ways[one["id"]] = Way(np.array(one["nodes"], dtype=np.int64), one.get("tags", {}))
            elif one["type"] == "relation":
                members = tuple((_LETTER[member["type"]], member["ref"], member["role"]) for member in one.get("members", []))
                relations[one["id"]] = Relation(members, one.get("tags", {}))
    order = np.array(sorted(nodes), dtype=np.int64)
    lonlat = np.array([nodes[node] for node in order.tolist()], dtype=np.float64).reshape(-1, 2)
    date = dt.datetime.fromisoformat(min(dates)) if dates else dt.datetime.now(dt.UTC)
    return Elements(order, lonlat, tags, dict(sorted(ways.items())), dict(sorted(relations.items())), date.date())
