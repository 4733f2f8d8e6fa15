"""Turn restrictions: how relations are read, which runs they forbid, and that no way of the expanded graph drives them."""

import heapq
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import gridtown as town
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from random_town import PROFILE

from geodata.roads import Roads, forward_bit
from geodata.turns import Expanded, Turn, Turns, expand, forbidden_runs, unclear
from geodata.ways.graphs import from_networkx, to_networkx
from geodata.ways.join import join_roads
from geodata.ways.osm import read_roads
from geodata.ways.pieces import cut_pieces, keep_within

Runs = tuple[int, ...]

# A crossroads with an arm to each side. Node ids: C 1, W 2, E 3, S 4, N 5. Way ids: 12 W–C, 13 C–E, 14 S–C, 15 C–N.
PLACES = {1: (1, 1), 2: (0, 1), 3: (2, 1), 4: (1, 0), 5: (1, 2)}
ARMS = {12: [2, 1], 13: [1, 3], 14: [4, 1], 15: [1, 5]}
NAMES = {1: "C", 2: "W", 3: "E", 4: "S", 5: "N", 6: "X", 7: "Y"}


def roads(ways: dict[int, list[int]], *rows: Turn, places: dict[int, town.Node] = PLACES, **options: object) -> Roads:
    """Roads with these node and way ids, cut at every node, and these restrictions."""
    pieces = [(way, a, b) for way, nodes in ways.items() for a, b in pairwise(nodes)]
    made = town.roads([(places[a], places[b]) for _, a, b in pieces], **options)
    ids = {place: node for node, place in places.items()}
    at = [ids[place] for place in sorted({places[end] for _, *ends in pieces for end in ends})]
    return replace(made, node_id=np.array(at), way_id=np.array([way for way, *_ in pieces]), turns=Turns.of(rows))


def turn(from_way: int, via: int | tuple[int, ...], to_way: int, *, only: bool = False) -> Turn:
    return Turn(99, from_way, via if isinstance(via, tuple) else (via,), to_way, via_ways=isinstance(via, tuple), only=only)


def driven(made: Roads) -> tuple[np.ndarray, np.ndarray]:
    bit = forward_bit("drive")
    return made.permit & bit > 0, made.permit & (bit << 1) > 0


def forbidden(made: Roads) -> set[str]:
    """The ways that may not be driven, each by the names of its nodes."""
    runs, first = forbidden_runs(made, made.turns, *driven(made))
    ends = np.column_stack([made.node_id[made.tail], made.node_id[made.head]])
    name = {run: [NAMES[int(node)] for node in ends[run // 2][:: -1 if run % 2 else 1]] for run in runs.tolist()}
    ways = [runs[a:b].tolist() for a, b in pairwise(first.tolist())]
    return {"".join([name[way[0]][0], *(name[run][1] for run in way)]) for way in ways}


# --- what a restriction forbids


def test_no_left_turn_forbids_that_one_way_through_the_junction():
    assert forbidden(roads(ARMS, turn(12, 1, 15))) == {"WCN"}


def test_only_straight_on_forbids_every_other_way_on_and_the_u_turn():
    assert forbidden(roads(ARMS, turn(12, 1, 13, only=True))) == {"WCN", "WCS", "WCW"}


def test_no_u_turn_forbids_to_turn_where_the_way_ends_and_on_both_sides_where_it_goes_on():
    assert forbidden(roads(ARMS, turn(12, 1, 12))) == {"WCW"}
    assert forbidden(roads({12: [2, 1, 3], 14: [4, 1], 15: [1, 5]}, turn(12, 1, 12))) == {"WCW", "ECE"}


def test_several_restrictions_of_one_junction_hold_together():
    assert forbidden(roads(ARMS, turn(12, 1, 15), turn(12, 1, 15), turn(13, 1, 14))) == {"WCN", "ECS"}


def test_a_way_that_was_not_split_at_the_junction_leaves_it_unclear_unless_it_is_a_one_way():
    unsplit = {12: [2, 1, 3], 14: [4, 1], 15: [1, 5]}
    vague, clear = (roads(unsplit, turn(12, 1, 15), permit={0: permit, 1: permit}) for permit in (town.BOTH, town.FORWARD))
    assert (forbidden(vague), unclear(vague, vague.turns, *driven(vague)).tolist()) == (set(), [True])
    assert (forbidden(clear), unclear(clear, clear.turns, *driven(clear)).tolist()) == ({"WCN"}, [False])


def test_members_that_do_not_meet_forbid_nothing_and_are_unclear():
    apart = roads(ARMS, turn(12, 5, 15), turn(12, 1, 77), turn(12, (14,), 15))
    assert (forbidden(apart), unclear(apart, apart.turns, *driven(apart)).tolist()) == (set(), [True, True, True])


@pytest.mark.parametrize("only", [False, True])
def test_where_nobody_may_drive_that_way_there_is_nothing_to_forbid(only):
    against = roads(ARMS, turn(12, 1, 15, only=only), permit={3: town.BACKWARD})
    assert (forbidden(against), unclear(against, against.turns, *driven(against)).tolist()) == (set(), [False])


# Two carriageways, W–C–E eastwards and Y–X–N westwards, and a link 16 between them, C–X.
DUAL = {1: (1, 0), 2: (0, 0), 3: (2, 0), 5: (0, 1), 6: (1, 1), 7: (2, 1)}
CARRIAGEWAYS = {12: [2, 1], 13: [1, 3], 14: [7, 6], 15: [6, 5], 16: [1, 6]}
ONE_WAYS = dict.fromkeys(range(4), town.FORWARD)


def test_a_restriction_over_a_way_forbids_the_whole_way_round_and_no_part_of_it():
    assert forbidden(roads(CARRIAGEWAYS, turn(12, (16,), 15), places=DUAL, permit=ONE_WAYS)) == {"WCXN"}


def test_a_restriction_over_several_ways_and_over_a_way_in_pieces():
    ring = {12: [2, 1], 16: [1, 6, 7], 17: [7, 3], 18: [3, 1]}
    assert forbidden(roads(ring, turn(12, (16, 17), 18), places=DUAL)) == {"WCXYEC"}


def test_only_over_a_way_binds_whoever_has_entered_it():
    made = roads(CARRIAGEWAYS, turn(12, (16,), 15, only=True), places=DUAL, permit={0: town.FORWARD, 1: town.FORWARD, 2: town.FORWARD})
    assert forbidden(made) == {"WCXC"}  # nobody may drive from X to Y; straight on at C is free
    both = replace(made, permit=np.full(5, town.BOTH, dtype=np.uint8))
    assert forbidden(both) == {"WCXC", "WCXY"}


def test_only_over_several_pieces_forbids_to_leave_at_a_junction_between_them():
    ring = {12: [2, 1], 16: [1, 6, 7], 15: [6, 5], 17: [7, 3]}
    assert forbidden(roads(ring, turn(12, (16,), 17, only=True), places=DUAL)) == {"WCXC", "WCXN", "WCXYX"}


# --- what it costs: a lattice of 3 × 3 corners, 10 s a block; from half way W of the middle to half way N of it


def lattice(*rows: Turn, **options: object) -> Roads:
    return replace(town.roads(town.streets(3, 3), **options), turns=Turns.of(rows))


def way_between(a: town.Node, b: town.Node) -> int:
    return 1 + town.streets(3, 3).index((a, b))


WEST, NORTH, MIDDLE = way_between((0, 1), (1, 1)), way_between((1, 1), (1, 2)), 5


def test_who_may_not_turn_left_goes_round_the_block():
    home, clinic = (0.5, 1), (1, 1.5)
    trips = [town.trip(town.network(made, "drive"), home, clinic) for made in (lattice(), lattice(turn(WEST, MIDDLE, NORTH)))]
    assert trips == [10_000, 30_000]


def test_the_way_back_and_the_walk_are_free():
    made = lattice(turn(WEST, MIDDLE, NORTH))
    assert town.trip(town.network(made, "drive"), (1, 1.5), (0.5, 1)) == 10_000
    assert town.trip(town.network(made, "walk"), (0.5, 1), (1, 1.5)) == town.BLOCK_MS


def test_a_search_towards_the_clinic_and_one_from_it_agree():
    net = town.network(lattice(turn(WEST, MIDDLE, NORTH)), "drive")
    west, north = (0.5, 1), (1, 1.5)
    assert town.trip(net, west, north) == town.trip(net, north, west, direction="from_facility") == 30_000
    assert town.trip(net, north, west) == town.trip(net, west, north, direction="from_facility") == 10_000


# --- what is read of OSM


def xml(relations: str, ways: dict[int, list[int]] = ARMS, tags: str = "") -> str:
    nodes = "".join(f'<node id="{node}" lon="{x / 1000}" lat="{y / 1000}" version="1"/>' for node, (x, y) in PLACES.items())
    drawn = (
        f'<way id="{way}" version="1">{"".join(f"""<nd ref="{ref}"/>""" for ref in refs)}<tag k="highway" v="residential"/>{tags}</way>'
        for way, refs in ways.items()
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><osm version="0.6">{nodes}{"".join(drawn)}{relations}</osm>'


def relation(members: str = "w12 from, n1 via, w15 to", number: int = 1, **tags: str) -> str:
    sorts = {"n": "node", "w": "way", "r": "relation"}
    told = [member.split(" ") for member in members.split(", ")]
    parts = "".join(f'<member type="{sorts[ref[0]]}" ref="{ref[1:]}" role="{role}"/>' for ref, role in told)
    said = "".join(f'<tag k="{key.replace("__", ":")}" v="{value}"/>' for key, value in ({"type": "restriction"} | tags).items())
    return f'<relation id="{number}" version="1">{parts}{said}</relation>'


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Roads]:
    def read_relations(*relations: str, **options: object) -> Roads:
        path = tmp_path / "town.osm"
        path.write_text(xml("".join(relations), **options), encoding="utf-8")
        return read_roads(path)

    return read_relations


def test_a_relation_becomes_a_restriction_and_the_note_says_so(read):
    made = read(relation(restriction="no_left_turn"))
    assert forbidden(made) == {"WCN"}
    assert made.notes == ("town.osm：采用驾车转向限制 1 条 · town.osm: 1 turn restrictions for driving taken",)


def test_a_file_without_restrictions_has_no_note_on_them(read):
    assert read().notes == ()


def test_no_entry_with_several_ways_binds_each_of_them(read):
    assert forbidden(read(relation("w12 from, w13 from, n1 via, w15 to", restriction="no_entry"))) == {"WCN", "ECN"}
    assert forbidden(read(relation("w12 from, n1 via, w15 to, w14 to", restriction="no_exit"))) == {"WCN", "WCS"}


def test_via_ways_may_stand_in_any_order(read):
    ways = {12: [2, 1], 13: [1, 3], 14: [4, 3], 15: [4, 5]}
    made = read(relation("w12 from, w14 via, w13 via, w15 to", restriction="no_u_turn"), ways=ways)
    assert made.turns.via.tolist() == [13, 14]
    assert forbidden(made) == {"WCESN"}


@pytest.mark.parametrize(
    "tags",
    [
        {"restriction": "no_left_turn", "except": "psv;bicycle;emergency"},
        {"restriction__motorcar": "no_left_turn"},
        {"restriction__motorcar": "no_left_turn", "restriction": "only_straight_on"},
        {"restriction__motor_vehicle": "no_left_turn"},
        {"restriction": "no_left_turn", "restriction__conditional": "only_straight_on @ (Mo-Fr 07:00-09:00)"},
    ],
)
def test_what_binds_cars_is_taken(read, tags):
    assert forbidden(read(relation(**tags))) == {"WCN"}


@pytest.mark.parametrize(
    "tags",
    [
        {"restriction": "no_left_turn", "except": "bus; motorcar"},
        {"restriction": "no_left_turn", "except": "motor_vehicle"},
        {"restriction__hgv": "no_left_turn"},
        {"restriction": "no_left_turn", "type": "route"},
    ],
)
def test_what_does_not_bind_cars_is_passed_over_without_a_word(read, tags):
    made = read(relation(**tags))
    assert (len(made.turns), made.notes) == (0, ())


@pytest.mark.parametrize(
    ("members", "tags", "why"),
    [
        ("w12 from, n1 via, w15 to", {"restriction__conditional": "no_left_turn @ (Mo-Fr 07:00-09:00)"}, "under conditions only"),
        ("w12 from, n1 via, w15 to", {"restriction": "no_left_turn", "hour_on": "07:00"}, "under conditions only"),
        ("w12 from, n1 via, w15 to", {"restriction": "no_turn_on_red"}, "of unknown kind"),
        ("w12 from, w15 to", {"restriction": "no_left_turn"}, "with members missing"),
        ("n1 via", {"restriction": "no_left_turn"}, "with members missing"),
        ("w12 from, n1 via, n5 to", {"restriction": "no_left_turn"}, "with members missing"),
        ("w12 from, n1 via, n5 via, w15 to", {"restriction": "no_left_turn"}, "with members missing"),
        ("w12 from, w13 from, n1 via, w15 to", {"restriction": "no_left_turn"}, "with members missing or too many"),
        ("w12 from, n1 via, w77 to", {"restriction": "no_left_turn"}, "no passable roads of the file"),
        ("w12 from, w77 via, w15 to", {"restriction": "no_left_turn"}, "no passable roads of the file"),
        ("w12 from, n5 via, w15 to", {"restriction": "no_left_turn"}, "do not meet"),
        ("w12 from, w13 via, w15 to", {"restriction": "no_left_turn"}, "do not meet"),
        ("w12 from, n1 via, w12 to", {"restriction": "no_left_turn"}, "several readings"),
    ],
)
def test_what_cannot_be_taken_is_counted_never_guessed(read, members, tags, why):
    made = read(relation(members, **tags))
    assert len(made.turns) == 0
    assert len(made.notes) == 1
    assert f"1 not taken, {why}" in made.notes[0] or ("1 not taken" in made.notes[0] and why in made.notes[0])
    assert "未采用 1 条" in made.notes[0]


def test_of_a_relation_that_occurs_twice_the_last_counts(read):
    assert forbidden(read(relation(restriction="no_left_turn"), relation("w12 from, n1 via, w14 to", restriction="no_right_turn"))) == {
        "WCS"
    }


def test_a_bridge_is_known_by_its_tag(read):
    assert not read().bridge.any()
    assert read(tags='<tag k="bridge" v="viaduct"/>').bridge.all()
    assert not read(tags='<tag k="bridge" v="no"/>').bridge.any()


def test_tsinghua_has_two_restrictions_and_three_at_certain_hours(data_file: Callable[[str], Path]):
    made = read_roads(data_file("beijing/tsinghua.osm"))
    assert (len(made.turns), made.bridge.sum()) == (2, 63)
    assert "2 turn restrictions for driving taken; 3 not taken, hold under conditions only" in made.notes[0]


# --- restrictions outlive what is done to roads


def test_a_restriction_outlives_the_cutting_of_its_ways():
    cut, _ = cut_pieces(roads(ARMS, turn(12, 1, 15)), np.array([0, 6]), np.array([0.5, 0.5]))
    runs, first = forbidden_runs(cut, cut.turns, *driven(cut))
    assert (len(cut), len(first) - 1) == (6, 1)
    assert set(cut.way_id[runs // 2].tolist()) == {12, 15}
    assert cut.node_id[cut.head[runs[0] // 2]] == cut.node_id[cut.tail[runs[1] // 2]] == 1


def test_a_restriction_goes_with_its_ways_where_roads_are_cut_out():
    made = roads(ARMS, turn(12, 1, 15), turn(13, 1, 14))
    assert forbidden(made.take(np.array([3, 0]))) == {"WCN"}
    west, south = town.lonlat([(0, 1)])[0]
    near = keep_within(made, "town.osm", (west - 1e-4, south - 1e-4, west + 1e-4, south + 1e-4))
    assert len(near.turns) == 0


def test_joined_to_a_layer_with_the_same_ids_restrictions_keep_their_junction():
    far = {node: (x + 20, y) for node, (x, y) in PLACES.items()}
    both = join_roads([roads(ARMS, turn(12, 1, 15)), roads(ARMS, turn(13, 1, 14), places=far)], [2, 2])
    runs, first = forbidden_runs(both, both.turns, *driven(both))
    assert [runs[a:b].tolist() for a, b in pairwise(first.tolist())] == [[0, 6], [11, 13]]


def test_a_crossroads_that_is_given_twice_keeps_the_restriction_of_either_layer():
    for layers in ([roads(ARMS, turn(12, 1, 15)), roads(ARMS)], [roads(ARMS), roads(ARMS, turn(12, 1, 15))]):
        both = join_roads(layers, [2, 2])
        assert len(both) == 4
        assert forbidden(both) == {"WCN"}


def test_a_graph_for_networkx_brings_restrictions_and_bridges_back():
    made = roads(ARMS, turn(12, 1, 15), turn(12, (13,), 14, only=True), bridges={1})
    back = from_networkx(to_networkx(made))
    assert back.turns.rows() == made.turns.rows()
    assert back.way_id[back.bridge].tolist() == [13]
    assert forbidden(back) == {"WCN"}


# --- the graph, against a search over whole histories


@st.composite
def mazes(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, list[Runs], list[int]]:
    """Pieces between a few nodes, who may drive them, forbidden sequences (most drivable, many from within another one), costs of runs."""
    count = draw(st.integers(2, 7))
    node = st.integers(0, 3)
    start, end = (np.array(draw(st.lists(node, min_size=count, max_size=count))) for _ in range(2))
    forward, backward = (np.array(draw(st.lists(st.sampled_from([True, True, False]), min_size=count, max_size=count))) for _ in range(2))
    begin, finish = np.column_stack([start, end]).ravel(), np.column_stack([end, start]).ravel()
    sequences = []
    for _ in range(draw(st.integers(0, 7))):
        within = [one[at : at + 2] for one in sequences for at in range(1, len(one))]
        sequence = list(draw(st.sampled_from([*within, (draw(st.integers(0, 2 * count - 1)),)])))
        for _ in range(draw(st.integers(2 - len(sequence), 3))):
            onward = np.flatnonzero(begin == finish[sequence[-1]]).tolist() or [0]
            sequence.append(draw(st.sampled_from([*onward, draw(st.integers(0, 2 * count - 1))])))
        sequences.append(tuple(sequence))
    return start, end, forward, backward, sequences, draw(st.lists(st.integers(1, 9), min_size=2 * count, max_size=2 * count))


def expanded(maze: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, list[Runs], list[int]]) -> Expanded:
    sequences = maze[4]
    return expand(*maze[:4], np.array([run for one in sequences for run in one], dtype=int), np.cumsum([0, *map(len, sequences)]))


def search(first: object, onward: dict) -> dict:
    """Cost to each state by Dijkstra; `onward(state)` gives (cost, state)."""
    cost, heap = {}, [(0, first)]
    while heap:
        so_far, state = heapq.heappop(heap)
        if state not in cost:
            cost[state] = so_far
            for step, then in onward(state):
                heapq.heappush(heap, (so_far + step, then))
    return cost


def cheapest(costs: list[tuple[int, int]]) -> dict[int, int]:
    return {node: min(cost for at, cost in costs if at == node) for node, _ in costs}


def one_ways(*sequences: Runs) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, list[Runs], list[int]]:
    """From 0 over 1 to 2, and on to 3 and 5, or to 4."""
    start, end = np.array([0, 1, 2, 2, 3]), np.array([1, 2, 3, 4, 5])
    return start, end, np.ones(5, dtype=bool), np.zeros(5, dtype=bool), list(sequences), [1] * 10


@PROFILE
@given(mazes())
@example(one_ways((0, 2, 4), (2, 6)))  # one begins within another
@example(one_ways((0, 2, 4), (0, 2), (2, 6)))
@example(one_ways((0, 2, 4, 8), (2, 4)))  # one lies within another
def test_the_expanded_graph_agrees_with_a_search_that_remembers_the_whole_way(maze):
    start, end, forward, backward, sequences, cost = maze
    links = expanded(maze)
    begin, finish = np.column_stack([start, end]).ravel().tolist(), np.column_stack([end, start]).ravel().tolist()
    permitted = np.column_stack([forward, backward]).ravel().tolist()
    longest = max((len(one) for one in sequences), default=2)
    out = defaultdict(list)
    for tail, head, run in zip(links.tail.tolist(), links.head.tolist(), links.run.tolist(), strict=True):
        out[tail].append((cost[run], head))

    def by_history(state: tuple[int, Runs]) -> list[tuple[int, tuple[int, Runs]]]:
        node, lately = state
        after = [(run, (*lately, run)) for run in range(len(begin)) if begin[run] == node and permitted[run]]
        free = [(run, way) for run, way in after if not any(way[-len(one) :] == one for one in sequences)]
        return [(cost[run], (finish[run], way[1 - longest :])) for run, way in free]

    for node in range(int(max(start.max(), end.max())) + 1):
        judged = [(state[0], c) for state, c in search((node, ()), by_history).items()]
        assert cheapest([(int(links.copy_of[at]), c) for at, c in search(node, out.__getitem__).items()]) == cheapest(judged)
    for run in np.flatnonzero(permitted).tolist():  # who starts somewhere on a piece
        judged = [(state[0], c) for state, c in search((finish[run], (run,)), by_history).items()]
        entered = int(links.entered[run // 2, run % 2])
        assert cheapest([(int(links.copy_of[at]), c) for at, c in search(entered, out.__getitem__).items()]) == cheapest(judged)
