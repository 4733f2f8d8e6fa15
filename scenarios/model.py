"""What if: a scenario is an ordered list of small changes to facilities and roads, applied to a copy. The empty one is the baseline."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import geopandas as gpd
import numpy as np
import shapely
from pydantic import Field

from geodata.errors import InputError, OptionError, Problem, os_reason
from geodata.model import RESOURCES, Facilities, Region
from geodata.region import Prepared
from geodata.toml import Strict, check_toml
from scenarios.road_changes import AddRoad, CloseRoad, Latitude, Longitude, RoadChange, SetSpeed, numbered, road_works
from scenarios.roadworks import RoadWorks, works_network


class Open(Strict):
    """A new facility, at a place, or in a facility that exists (`host`): then it has the host's entrances, and its turnout unless given."""

    do: Literal["open"] = "open"
    id: Annotated[str, Field(min_length=1)]
    name: str
    kind: str
    lon: Longitude | None = None
    lat: Latitude | None = None
    host: str | None = None
    turnout_s: Annotated[float, Field(ge=0)] | None = None
    vehicles: Annotated[int, Field(ge=1)] | None = None


class Move(Strict):
    """A facility of the region or of an earlier change stands elsewhere, entered there and nowhere else."""

    do: Literal["move"] = "move"
    id: str
    lon: Longitude
    lat: Latitude


class Close(Strict):
    """A facility of the region or of an earlier change is no longer there."""

    do: Literal["close"] = "close"
    id: str


class Equip(Strict):
    """A facility of the region or of an earlier change has another number of vehicles."""

    do: Literal["equip"] = "equip"
    id: str
    vehicles: Annotated[int, Field(ge=1)]


AnyChange = Open | Move | Close | Equip | RoadChange
Change = Annotated[Open | Move | Close | Equip | CloseRoad | AddRoad | SetSpeed, Field(discriminator="do")]


class Scenario(Strict):
    """Changes in the order in which they were made.

    Attributes
    ----------
    circle15 : "scenario"
        What kind of file this is.
    region, region_fingerprint : str
        The region it was made on.
    """

    circle15: Literal["scenario"] = "scenario"
    name: str = ""
    region: str = ""
    region_fingerprint: str = ""
    changes: tuple[Change, ...] = ()

    def then(self, *changes: AnyChange) -> Scenario:
        """Build the scenario with more changes."""
        return self.model_copy(update={"changes": (*self.changes, *changes)})

    def without(self, *ids: str) -> Scenario:
        """Build the scenario without its changes to these facilities: as they stood, or not there if it opened them; or these new roads."""
        return self.model_copy(update={"changes": tuple(change for change in self.changes if getattr(change, "id", None) not in ids)})

    def moved(self, one: str, lon: float, lat: float) -> Scenario:
        """Build the scenario with a facility elsewhere.

        A point that the scenario opened simply opens there. One that it opened in a facility leaves it: it gets an id of its own, and
        its name says so, for it no longer stands in the facility whose name it bore. Of other facilities only the last move is kept.
        """
        if one not in self.opened:
            kept = tuple(change for change in self.changes if not (change.do == "move" and change.id == one))
            return self.model_copy(update={"changes": (*kept, Move(id=one, lon=lon, lat=lat))})
        return self.model_copy(update={"changes": tuple(self._opened_at(change, one, lon, lat) for change in self.changes)})

    def _opened_at(self, change: AnyChange, one: str, lon: float, lat: float) -> AnyChange:
        if change.do != "open" or change.id != one:
            return change
        there: dict[str, Any] = {"lon": lon, "lat": lat}
        if change.host is not None:
            number = next(n for n in itertools.count(1) if f"moved-{n}" not in self.opened)
            there |= {"host": None, "id": f"moved-{number}", "name": f"{change.name}（移位 moved）"}
        return change.model_copy(update=there)

    def closed(self, one: str) -> Scenario:
        """Build the scenario with a facility closed; one that it opened itself leaves no trace."""
        return self.without(one) if one in self.opened else self.then(Close(id=one))

    @property
    def of_roads(self) -> Scenario:
        """Only its changes to roads."""
        return Scenario(changes=tuple(change for change in self.changes if isinstance(change, RoadChange)))

    @property
    def opened(self) -> tuple[str, ...]:
        """Ids of the facilities that it opens, in order."""
        return tuple(change.id for change in self.changes if change.do == "open")

    def to_json(self) -> str:
        """Write as the text of a file."""
        return json.dumps(self.model_dump(exclude_none=True), ensure_ascii=False, indent=1) + "\n"


def parse_scenario(text: str, file_name: str) -> Scenario:
    """Read a scenario from the text of its file; `file_name` goes into the messages.

    Raises
    ------
    InputError
        The text is no JSON, or no scenario; all problems at once.
    """
    try:
        said = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(Problem(f"{file_name}：不是情景文件。", f"{file_name}: no scenario file (not valid JSON).")) from error
    if not isinstance(said, dict) or said.get("circle15") != "scenario":
        zh = f'{file_name}：不是 circle15 的情景文件（缺少 "circle15": "scenario"）。'
        raise InputError(Problem(zh, f'{file_name}: no scenario file of circle15 ("circle15": "scenario" is missing).'))
    return check_toml(said, Scenario, file_name)


def read_scenario(path: Path) -> Scenario:
    """Read a scenario file.

    Raises
    ------
    InputError
        It cannot be read, or is no scenario.
    """
    try:
        return parse_scenario(path.read_bytes().decode("utf-8-sig"), path.name)
    except OSError as error:
        reason = os_reason(error)
        raise InputError(Problem(f"无法读取 {path}（{reason.zh}）。", f"Cannot read {path} ({reason.en}).")) from error
    except UnicodeDecodeError as error:
        raise InputError(Problem(f"{path.name}：不是 UTF-8 文字。", f"{path.name}: not UTF-8 text.")) from error


@dataclass(frozen=True, eq=False)
class Changed:
    """A region after a scenario, and what it does to the roads; None if nothing."""

    prepared: Prepared
    works: RoadWorks | None


def with_scenario(prepared: Prepared, scenario: Scenario) -> Prepared:
    """Put the changed region in place of the region: unless the roads change, its networks serve both."""
    return changed(prepared, scenario).prepared


def changed_region(prepared: Prepared, scenario: Scenario) -> Region:
    """Apply a scenario to a copy of the region; see :func:`changed`."""
    return changed(prepared, scenario).prepared.region


def changed(prepared: Prepared, scenario: Scenario) -> Changed:
    """Apply a scenario to a copy.

    Raises
    ------
    OptionError
        Changes that fit neither the region nor the changes before them: all of them at once, and nothing is applied.
    """
    region, problems = prepared.region, []
    facilities, works = region.facilities, None
    for number, change in enumerate(scenario.changes, 1):
        if change.do in _CHANGES:
            try:
                facilities = _CHANGES[change.do](facilities, change, prepared)
            except OptionError as error:
                problems += numbered(number, error)
    roads = tuple((number, change) for number, change in enumerate(scenario.changes, 1) if isinstance(change, RoadChange))
    if roads:
        try:
            works = road_works(region.roads, roads)
        except OptionError as error:
            problems += error.problems
    if problems and scenario.region not in {"", region.name}:
        zh, en = (
            f"这个情景是在“{scenario.region}”上做的，不是“{region.name}”。",
            f"This scenario was made on {scenario.region!r}, not {region.name!r}.",
        )
        problems.insert(0, Problem(zh, en))
    if problems:
        raise OptionError(*problems)
    if works is None:
        return Changed(replace(prepared, region=replace(region, facilities=facilities)), None)
    built = partial(works_network, works, prepared)
    after = replace(region, facilities=facilities, roads=works.roads)
    return Changed(replace(prepared, region=after, speeds=works.speeds(prepared.speeds), build=built), works)


def _open(facilities: Facilities, change: Open, prepared: Prepared) -> Facilities:
    if change.id in facilities.id:
        raise OptionError(Problem(f"编码 {change.id} 已被使用。", f"The id {change.id!r} is in use."))
    if change.kind not in prepared.services.kinds:
        known = ", ".join(prepared.services.kinds)
        zh, en = f"没有机构类别“{change.kind}”；可选：{known}。", f"No kind {change.kind!r}; there are: {known}."
        raise OptionError(Problem(zh, en))
    if change.host is not None:
        host = facilities.take(np.array([_position(facilities, change.host)]))
        always: dict[str, Any] = {"open_from": ("",), "open_to": ("",), "eligible_for": ("",), "capacity": np.array([np.nan])}
        always["resources"] = np.full_like(host.resources, np.nan)  # the beds and the staff stay the host's
        new = replace(host, id=(change.id,), name=(change.name or change.id,), kind=(change.kind,), **always)
        return facilities.joined(_stated(new, change))
    if change.lon is None or change.lat is None:
        raise OptionError(Problem(f"{change.id} 须有 lon 与 lat，或 host。", f"{change.id!r} needs lon and lat, or host."))
    return facilities.joined(_stated(_stand_at(change.id, change.name, change.kind, (change.lon, change.lat), prepared.region), change))


def _stated(new: Facilities, change: Open) -> Facilities:
    """With the turnout and the vehicles that a change states."""
    new = new if change.vehicles is None else _with_vehicles(new, 0, change.vehicles)
    return new if change.turnout_s is None else replace(new, turnout_s=np.array([change.turnout_s]))


def _with_vehicles(facilities: Facilities, at: int, vehicles: int) -> Facilities:
    resources = facilities.resources.copy()
    resources[at, RESOURCES.index("vehicles")] = vehicles
    return replace(facilities, resources=resources)


def _move(facilities: Facilities, change: Move, prepared: Prepared) -> Facilities:
    at = _position(facilities, change.id)
    old = facilities.take(np.array([at]))
    new = _stand_at(old.id[0], old.name[0], old.kind[0], (change.lon, change.lat), prepared.region)
    stood = {name: getattr(old, name) for name in ("open_from", "open_to", "eligible_for", "capacity", "turnout_s", "resources")}
    return _without(facilities, at).joined(replace(new, **stood))


def _close(facilities: Facilities, change: Close, _prepared: Prepared) -> Facilities:
    return _without(facilities, _position(facilities, change.id))


def _equip(facilities: Facilities, change: Equip, _prepared: Prepared) -> Facilities:
    return _with_vehicles(facilities, _position(facilities, change.id), change.vehicles)


_CHANGES: dict[str, Callable[[Facilities, Any, Prepared], Facilities]] = {"open": _open, "move": _move, "close": _close, "equip": _equip}


def _position(facilities: Facilities, one: str) -> int:
    """Find a facility that may be shown: of a restricted one nothing is told."""
    if one not in facilities.id or facilities.restricted[facilities.id.index(one)]:
        raise OptionError(Problem(f"没有机构 {one}（或已关闭）。", f"There is no facility {one!r} (or it is closed already)."))
    return facilities.id.index(one)


def _without(facilities: Facilities, at: int) -> Facilities:
    return facilities.take(np.delete(np.arange(len(facilities)), at))


def _stand_at(one: str, name: str, kind: str, lonlat: tuple[float, float], region: Region) -> Facilities:
    """A facility at a point."""
    frame = gpd.GeoDataFrame({"id": [one], "name": [name or one], "kind": [kind]}, geometry=[shapely.Point(lonlat)], crs="EPSG:4326")
    return Facilities.from_geodataframe(frame, region.zones, region.crs)
