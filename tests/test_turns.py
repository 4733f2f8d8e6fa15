"""Turn restrictions: which runs they forbid, and that no way of the expanded graph drives them."""

import heapq

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from random_town import PROFILE

from geodata.turns import Expanded, expand

Runs = tuple[int, ...]


# --- the graph, against a search over whole histories


@st.composite
def mazes(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, list[Runs], list[int]]:
    """Pieces between a few nodes, who may drive them, sequences of runs that are forbidden (most of them drivable), and costs of runs."""
    count = draw(st.integers(1, 7))
    node = st.integers(0, 4)
    start, end = (np.array(draw(st.lists(node, min_size=count, max_size=count))) for _ in range(2))
    forward, backward = (np.array(draw(st.lists(st.sampled_from([True, True, False]), min_size=count, max_size=count))) for _ in range(2))
    begin, finish = np.column_stack([start, end]).ravel(), np.column_stack([end, start]).ravel()
    sequences = []
    for _ in range(draw(st.integers(0, 5))):
        sequence = [draw(st.integers(0, 2 * count - 1))]
        for _ in range(draw(st.integers(1, 3))):
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


@PROFILE
@given(mazes())
def test_the_expanded_graph_agrees_with_a_search_that_remembers_the_whole_way(maze):
    start, end, forward, backward, sequences, cost = maze
    links = expanded(maze)
    begin, finish = np.column_stack([start, end]).ravel().tolist(), np.column_stack([end, start]).ravel().tolist()
    permitted = np.column_stack([forward, backward]).ravel().tolist()
    longest = max((len(one) for one in sequences), default=1)

    def by_history(state: tuple[int, Runs]) -> list[tuple[int, tuple[int, Runs]]]:
        node, lately = state
        after = [(run, (*lately, run)) for run in range(len(begin)) if begin[run] == node and permitted[run]]
        free = [(run, way) for run, way in after if not any(way[-len(one) :] == one for one in sequences)]
        return [(cost[run], (finish[run], way[-longest:])) for run, way in free]

    def by_links(node: int) -> list[tuple[int, int]]:
        return [(cost[links.run[at]], int(links.head[at])) for at in np.flatnonzero(links.tail == node)]

    for node in range(int(max(start.max(), end.max())) + 1):
        judged = [(state[0], c) for state, c in search((node, ()), by_history).items()]
        assert cheapest([(int(links.copy_of[at]), c) for at, c in search(node, by_links).items()]) == cheapest(judged)
    for run in np.flatnonzero(permitted).tolist():  # who starts somewhere on a piece
        judged = [(state[0], c) for state, c in search((finish[run], (run,)), by_history).items()]
        entered = int(links.entered[run // 2, run % 2])
        assert cheapest([(int(links.copy_of[at]), c) for at, c in search(entered, by_links).items()]) == cheapest(judged)
