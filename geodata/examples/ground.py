"""The ground that roads are laid on: a fine mesh of possible road pieces, and the least-effort search for a course.

The mesh is planar (a Delaunay triangulation without the pieces that touch water), so that roads laid on it meet at nodes; a road
that follows one already there costs less, so that roads merge and branch as real ones do.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from geodata.examples.curves import Noise, noise
from geodata.examples.facts import Facts, Indices, Points, to_plane
from geodata.examples.land import Land, neighbours, scatter
from geodata.examples.people import Peopled
from geodata.examples.towns import ON_FOOT, RESIDENTIAL, TERTIARY, StreetPlan

FINE_M, COARSE_M, FRINGE_M, BUFFER_M = 430.0, 2100.0, 1500.0, 21_000.0
SHORE_M, APPROACH_M, BESIDE_TOWN_M, BESIDE_EXPRESSWAY_M, LONELY_M = 70.0, 140.0, 190.0, 130.0, 620.0
LONGEST_M = 5200.0
CROSSING_EFFORT_M, LIVED_ON = 600.0, 1.7


@dataclass(slots=True)
class Ground:
    """Nodes and possible road pieces; ``grade`` 0 where no road is laid (yet), else a position in ``towns.GRADES``.

    ``fixed`` marks crossings of street plans and bridge ends, which stay where they are; ``plan`` numbers the street plan a node
    belongs to (-1: open country); ``lived_on`` marks pieces that lead to one, which main roads rather pass by. ``graph`` holds
    row numbers of pieces, counted from 1; ``entries`` says at which two of its entries each piece stands.
    """

    points: Points
    plan: Indices
    fixed: npt.NDArray[np.bool_]
    pairs: Indices
    effort: Points
    grade: Indices
    name: list[str]
    ref: list[str]
    bridge: list[str]
    flow: Indices
    ring: Indices
    lived_on: npt.NDArray[np.bool_]
    graph: csr_array
    entries: Indices
    row_of: dict[tuple[int, int], int]
    place: dict[str, int] = field(default_factory=dict)
    hamlets: tuple[int, ...] = ()
    weighted: dict[tuple[int, bool], csr_array] = field(default_factory=dict)


@dataclass(slots=True)
class _Draft:
    """What is known of nodes and pieces before the mesh is woven."""

    points: list[Points] = field(default_factory=list)
    plan: list[int] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)
    grade: list[int] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    bridge: list[str] = field(default_factory=list)
    flow: list[int] = field(default_factory=list)
    ring: list[int] = field(default_factory=list)
    plans: int = 0

    def add_node(self, point: Points, plan: int) -> int:
        self.points.append(point)
        self.plan.append(plan)
        return len(self.points) - 1

    def add_piece(self, pair: tuple[int, int], grade: int, name: str = "", bridge: str = "") -> None:
        self.pairs.append(pair)
        self.grade.append(grade)
        self.name.append(name)
        self.bridge.append(bridge)
        self.flow.append(0)
        self.ring.append(0)

    def add_plan(self, streets: StreetPlan, names: dict[str, str]) -> int:
        first = len(self.points)
        for point in streets.points:
            self.add_node(point, self.plans)
        for row, (start, end) in enumerate(streets.streets):
            self.add_piece((first + int(start), first + int(end)), int(streets.grade[row]), names.get(streets.label[row], ""))
            self.flow[-1], self.ring[-1] = int(streets.flow[row]), int(streets.ring[row])
        self.plans += 1
        return first


def survey(facts: Facts, land: Land, people: Peopled, names: dict[str, dict[str, str]], rng: np.random.Generator) -> Ground:
    """Weave the mesh of possible road pieces around the street plans and bridges.

    Parameters
    ----------
    facts : Facts
        Bridges and places outside the county.
    land : Land
        Water that no piece touches, and the expressway that pieces avoid to cross.
    people : Peopled
        Street plans of towns, villages and hamlets.
    names : dict
        By township code, names of the lines of the town's street plan.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Ground
        Streets and bridges are there; all other pieces have grade 0.
    """
    draft = _Draft()
    place: dict[str, int] = {}
    first_of: dict[str, int] = {}
    for code, plan in {**people.towns, **people.outside}.items():
        first_of[code] = draft.add_plan(plan, names.get(code, {}))
        place[code] = first_of[code] + plan.centre
    place |= _avenues(first_of, facts, people)
    towns = len(draft.points)
    for code, plan in people.villages.items():
        first_of[code] = draft.add_plan(plan, {})
        place[code] = first_of[code] + plan.centre
    hamlets = tuple(draft.add_plan(plan, {}) + plan.centre for plan in people.hamlets)
    for name, spot in facts.outside.items():
        if name not in place:
            place[name] = draft.add_node(to_plane(spot)[0], -1)
    for name, ends in facts.bridges.items():
        banks = _bridge(draft, name, to_plane(ends), land.water)
        place |= {f"{name}/{number}": bank for number, bank in enumerate(banks, start=1)}
    lonely = np.vstack([people.villages[s.code].points for s in people.settlements if s.remote])
    fixed_points = np.array(draft.points)
    mesh = _mesh(land, fixed_points, towns, lonely, rng)
    points = np.vstack((fixed_points, mesh))
    cut_off = _cut_off(people, first_of, len(points)) | shapely.contains_xy(land.island, points[:, 0], points[:, 1])
    ground = _woven(draft, points, cut_off, land, noise(rng, 2600.0))
    ground.place, ground.hamlets = place, hamlets
    return ground


def lay(
    ground: Ground, ends: tuple[int, int], grade: int, *, name: str = "", ref: str = "", follow: int = RESIDENTIAL, reach_m: float = np.inf
) -> bool:
    """Lay a road along the course of least effort, following roads that are already there.

    Parameters
    ----------
    ground : Ground
        Changed in place: pieces on the course get the grade (if theirs is lower) and, in open country, the name.
    ends : (int, int)
        Nodes to join.
    grade : int
        Position in ``towns.GRADES``.
    name, ref : str
        Name and number of the road.
    follow : int
        Least grade of a road that is worth following.
    reach_m : float
        Give up beyond this effort.

    Returns
    -------
    bool
        Whether a course was found.
    """
    distance, before = dijkstra(_weighted(ground, follow, grade), indices=ends[0], return_predecessors=True, limit=reach_m)
    if not np.isfinite(distance[ends[1]]):
        return False
    node, paved = ends[1], []
    while node != ends[0]:
        earlier = int(before[node])
        row = ground.row_of[min(node, earlier), max(node, earlier)]
        if ground.grade[row] < grade and ground.grade[row] not in ON_FOOT:
            ground.grade[row] = grade
            ground.ref[row] = ref
            own = ground.bridge[row] or (ground.name[row] if _in_town(ground, row) else "")
            ground.name[row] = own or name
            paved.append(row)
        node = earlier
    for kind, known in ground.weighted.items():
        known.data[ground.entries[paved]] = _effort(ground, np.array(paved, dtype=np.int64), kind)[:, None]
    return True


def _weighted(ground: Ground, follow: int, grade: int) -> csr_array:
    """Pieces with the effort of this kind of road; kept, and mended where a road is laid, for the next one."""
    kind = (follow, grade >= TERTIARY)
    if kind not in ground.weighted:
        effort = _effort(ground, np.arange(len(ground.pairs)), kind)
        ground.weighted[kind] = csr_array((effort[ground.graph.data - 1], ground.graph.indices, ground.graph.indptr), ground.graph.shape)
    return ground.weighted[kind]


def _effort(ground: Ground, rows: Indices, kind: tuple[int, bool]) -> Points:
    """Roads that are there invite to be followed; main roads rather pass by where people live."""
    follow, main = kind
    grade = ground.grade[rows]
    effort: Points = ground.effort[rows] * np.where(grade >= follow, 0.42, 1.0)
    return effort * np.where(main & ground.lived_on[rows] & (grade <= RESIDENTIAL), LIVED_ON, 1.0)


def _avenues(first_of: dict[str, int], facts: Facts, people: Peopled) -> dict[str, int]:
    """The middle of each avenue of the county town by its name, and its ends (/1, /2), so that a main road can take it."""
    code = next(township.code for township in facts.townships if township.name == facts.county_town)
    plan = people.towns[code]
    nodes: dict[str, list[int]] = {}
    for label, (start, _) in zip(plan.label, plan.streets.tolist(), strict=True):
        nodes.setdefault(label, []).append(start)
    found = {}
    seat = plan.points[plan.centre]
    for street in facts.avenues:
        mine = np.array(nodes.get(street.name, [plan.centre]))
        middle = plan.points[mine].mean(axis=0)
        spots = {"": middle, "/1": seat + street.course[0], "/2": seat + street.course[-1]}
        for end, spot in spots.items():
            found[street.name + end] = first_of[code] + int(mine[np.argmin(np.hypot(*(plan.points[mine] - spot).T))])
    return found


def _in_town(ground: Ground, row: int) -> bool:
    start, end = ground.pairs[row]
    return bool(ground.plan[start] >= 0 and ground.plan[start] == ground.plan[end])


def _bridge(draft: _Draft, name: str, ends: Points, water: shapely.Geometry) -> list[int]:
    """Span the water between two rough ends; give the nodes on the two banks."""
    wet = shapely.get_coordinates(water.intersection(shapely.LineString(ends)))
    wet = wet if len(wet) else ends.mean(axis=0, keepdims=True)
    along = (ends[1] - ends[0]) / np.hypot(*(ends[1] - ends[0]))
    offsets = (wet - ends[0]) @ along
    banks = [draft.add_node(ends[0] + along * offset, -1) for offset in (offsets.min() - APPROACH_M, offsets.max() + APPROACH_M)]
    draft.add_piece((banks[0], banks[1]), 0, name, name)
    return banks


def _mesh(land: Land, fixed: Points, towns: int, lonely: Points, rng: np.random.Generator) -> Points:
    near = land.outline.buffer(FRINGE_M)
    fine = scatter(rng, near, FINE_M)
    coarse = scatter(rng, land.outline.buffer(BUFFER_M).difference(near.buffer(COARSE_M / 3)), COARSE_M)
    mesh = np.vstack((fine, coarse))
    dry = ~land.is_near_water(mesh, SHORE_M)
    dry &= shapely.distance(shapely.points(mesh), shapely.LineString(land.expressway)) > BESIDE_EXPRESSWAY_M
    clear = cKDTree(fixed).query(mesh)[0] > BESIDE_TOWN_M * 0.75
    clear &= cKDTree(fixed[:towns]).query(mesh)[0] > BESIDE_TOWN_M
    clear &= cKDTree(lonely).query(mesh)[0] > LONELY_M
    dry_and_clear: Points = mesh[dry & clear]
    return dry_and_clear


def _cut_off(people: Peopled, first_of: dict[str, int], nodes: int) -> npt.NDArray[np.bool_]:
    cut = np.zeros(nodes, dtype=np.bool_)
    for settlement in people.settlements:
        if settlement.remote:
            first = first_of[settlement.code]
            cut[first : first + len(people.villages[settlement.code].points)] = True
    return cut


def _woven(draft: _Draft, points: Points, cut_off: npt.NDArray[np.bool_], land: Land, relief: Noise) -> Ground:
    plan = np.concatenate((draft.plan, np.full(len(points) - len(draft.plan), -1)))
    woven = neighbours(points)
    same = (plan[woven[:, 0]] == plan[woven[:, 1]]) & (plan[woven[:, 0]] >= 0)
    lengths = np.hypot(*(points[woven[:, 0]] - points[woven[:, 1]]).T)
    woven = woven[~same & ~cut_off[woven].any(axis=1) & (lengths < LONGEST_M)]
    drawn = np.sort(np.array(draft.pairs), axis=1)
    reversed_flow = np.array(draft.pairs)[:, 0] != drawn[:, 0]
    known = {(int(start), int(end)) for start, end in drawn}
    woven = woven[~land.cross_shore(shapely.linestrings(points[woven]))]
    woven = np.array([pair for pair in woven.tolist() if tuple(pair) not in known])
    pairs = np.vstack((drawn, woven))
    lines = shapely.linestrings(points[pairs])
    effort = shapely.length(lines) * np.exp(0.22 * relief.at(points[pairs].mean(axis=1)))
    effort += CROSSING_EFFORT_M * shapely.intersects(lines, shapely.LineString(land.expressway))
    grade = np.concatenate((draft.grade, np.zeros(len(woven), dtype=np.int64)))
    effort *= np.where(np.isin(grade, ON_FOOT), 30.0, 1.0)
    ids = np.arange(1, len(pairs) + 1)
    both = (np.concatenate((pairs[:, 0], pairs[:, 1])), np.concatenate((pairs[:, 1], pairs[:, 0])))
    graph = coo_array((np.concatenate((ids, ids)), both), shape=(len(points), len(points))).tocsr()
    more = len(woven)
    return Ground(
        points=points,
        plan=plan,
        fixed=np.arange(len(points)) < len(draft.points),
        pairs=pairs,
        effort=effort,
        grade=grade,
        name=draft.name + [""] * more,
        ref=[""] * len(pairs),
        bridge=draft.bridge + [""] * more,
        flow=np.concatenate((np.where(reversed_flow, -1, 1) * np.array(draft.flow), np.zeros(more, dtype=np.int64))),
        ring=np.concatenate((draft.ring, np.zeros(more, dtype=np.int64))),
        lived_on=(plan[pairs] >= 0).any(axis=1) & (np.array(draft.bridge + [""] * more) == ""),
        graph=graph,
        entries=np.argsort(graph.data, kind="stable").reshape(-1, 2),
        row_of={(int(start), int(end)): row for row, (start, end) in enumerate(pairs)},
    )
