"""Turn restrictions of OSM (type=restriction): what a driver may not do at a junction, by ids of ways and nodes, and as a graph.

A *run* is a piece of road driven in one direction: ``2 * piece`` along it, ``2 * piece + 1`` against it. A restriction comes down to
sequences of runs that may not be driven one after another. U-turns are allowed wherever no restriction forbids them: a general rule against
them could make a new road, which turns a dead end into a junction, lower somebody's access.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from geodata.pack import read_only

if TYPE_CHECKING:
    from geodata.roads import Roads  # which holds Turns

_Ints = npt.NDArray[np.int64]
_Bools = npt.NDArray[np.bool_]
_Sequence = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Turns:
    """Restrictions for driving, by OSM ids, so that they outlive any cutting and choosing of pieces.

    Attributes
    ----------
    relation_id, from_way, to_way : (turns,) int64
    first_via : (turns + 1,) int64
        Restriction i leads through ``via[first_via[i]:first_via[i + 1]]``.
    via : (vias,) int64
        One node id, or the ids of one or more ways in their order.
    via_ways : (turns,) bool
        `via` holds ways, not a node.
    only : (turns,) bool
        True: having come from `from_way` this is the only way on (only_*); False: this way on is forbidden (no_*).
    """

    relation_id: _Ints
    from_way: _Ints
    to_way: _Ints
    first_via: _Ints
    via: _Ints
    via_ways: _Bools
    only: _Bools

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)

    def __len__(self) -> int:
        """Count the restrictions."""
        return len(self.from_way)

    @classmethod
    def none(cls) -> Turns:
        """No restrictions."""
        return cls.of([])

    @classmethod
    def of(cls, rows: Sequence[Turn]) -> Turns:
        """Build from single restrictions."""
        return cls(
            relation_id=np.array([row.relation_id for row in rows], dtype=np.int64),
            from_way=np.array([row.from_way for row in rows], dtype=np.int64),
            to_way=np.array([row.to_way for row in rows], dtype=np.int64),
            first_via=np.cumsum([0, *(len(row.via) for row in rows)], dtype=np.int64),
            via=np.array([via for row in rows for via in row.via], dtype=np.int64),
            via_ways=np.array([row.via_ways for row in rows], dtype=bool),
            only=np.array([row.only for row in rows], dtype=bool),
        )

    def rows(self) -> list[Turn]:
        """Single restrictions."""
        columns = (self.relation_id, self.from_way, self.to_way, self.via_ways, self.only)
        via, first = self.via.tolist(), self.first_via.tolist()
        return [
            Turn(relation_id, from_way, tuple(via[start:end]), to_way, via_ways=via_ways, only=only)
            for (relation_id, from_way, to_way, via_ways, only), start, end in zip(
                zip(*(column.tolist() for column in columns), strict=True), first, first[1:], strict=False
            )
        ]

    def on(self, ways: _Ints) -> Turns:
        """Only the restrictions all of whose ways are among these."""
        known = set(ways.tolist())
        return Turns.of([row for row in self.rows() if known.issuperset((row.from_way, row.to_way, *row.via * row.via_ways))])

    def renamed(self, ways: Mapping[int, int], nodes: Mapping[int, int]) -> Turns:
        """The same restrictions after some ways and nodes got other ids."""
        return Turns.of(
            [
                replace(
                    row,
                    from_way=ways.get(row.from_way, row.from_way),
                    to_way=ways.get(row.to_way, row.to_way),
                    via=tuple((ways if row.via_ways else nodes).get(via, via) for via in row.via),
                )
                for row in self.rows()
            ]
        )


@dataclass(frozen=True)
class Turn:
    """One restriction; the attributes are those of :class:`Turns`."""

    relation_id: int
    from_way: int
    via: tuple[int, ...]
    to_way: int
    via_ways: bool
    only: bool


@dataclass(frozen=True, eq=False)
class Expanded:
    """Directed links on the nodes and on copies of nodes, such that no way along them holds a forbidden sequence.

    Attributes
    ----------
    tail, head : (links,) int64
        Nodes, or copies from ``node_count`` on: who stands on a copy has just driven the beginning of a forbidden sequence.
    run : (links,) int64
        Which run the link is; several links may be the same one, from several copies.
    copy_of : (nodes + copies,) int64
        The node that each stands for; a node stands for itself.
    entered : (pieces, 2) int64
        Node or copy on which one arrives who started on the piece, by driving to its end, and to its start.
    """

    tail: _Ints
    head: _Ints
    run: _Ints
    copy_of: _Ints
    entered: _Ints

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)


def forbidden_runs(roads: Roads, turns: Turns, forward: _Bools, backward: _Bools) -> tuple[_Ints, _Ints]:
    """Sequences of runs that may not be driven one after another.

    A no_* restriction forbids the one way through the junction that its members name. An only_* restriction forbids every other run that
    leaves the via node, the U-turn included; with via ways, every other run at any junction after the first via way was entered. A
    restriction whose members do not meet, or that allows of several readings (a way that was not split at the via node), forbids nothing.

    Parameters
    ----------
    roads : Roads
    turns : Turns
    forward, backward : (pieces,) bool
        Whether the piece may be driven along, and against, its drawn direction; runs that may not are no part of any sequence.

    Returns
    -------
    runs : (k,) int64
        ``2 * piece + 1 * backward``, the sequences in a row, sorted, each once.
    first : (sequences + 1,) int64
        Sequence i is ``runs[first[i]:first[i + 1]]``, two runs or more.
    """
    ground = _Ground.of(roads, turns, forward, backward)
    found = sorted({sequence for turn in turns.rows() for sequence in _forbidden(turn, ground)})
    runs = np.array([run for sequence in found for run in sequence], dtype=np.int64)
    return runs, np.cumsum([0, *map(len, found)], dtype=np.int64)


def unclear(roads: Roads, turns: Turns, forward: _Bools, backward: _Bools) -> _Bools:
    """Tell which restrictions forbid nothing because their members do not meet, or allow of several readings; see `forbidden_runs`."""
    ground = _Ground.of(roads, turns, forward, backward)
    return np.array([_ways_through(turn, ground) is None for turn in turns.rows()], dtype=bool)


@dataclass(frozen=True)
class _Ground:
    """The runs around the restricted junctions, nodes by their ids."""

    of_way: Mapping[int, Sequence[int]]
    begin: Mapping[int, int]
    finish: Mapping[int, int]
    leaving: Mapping[int, Sequence[int]]  # of a node, only those that are permitted
    permitted: frozenset[int]

    @classmethod
    def of(cls, roads: Roads, turns: Turns, forward: _Bools, backward: _Bools) -> _Ground:
        via_ways = turns.via[np.repeat(turns.via_ways, np.diff(turns.first_via))]
        named = np.isin(roads.way_id, np.concatenate([turns.from_way, turns.to_way, via_ways]))
        near = np.zeros(len(roads.node_id), dtype=bool)
        near[roads.tail[named]] = near[roads.head[named]] = True
        piece = np.flatnonzero(near[roads.tail] | near[roads.head])
        ends = roads.node_id[np.column_stack([roads.tail[piece], roads.head[piece]])]
        runs: list[int] = np.column_stack([2 * piece, 2 * piece + 1]).ravel().tolist()
        begin, finish = (dict(zip(runs, side.ravel().tolist(), strict=True)) for side in (ends, ends[:, ::-1]))
        permitted = [run for run in runs if (backward if run % 2 else forward)[run // 2]]
        way = {run: int(roads.way_id[run // 2]) for run in runs}
        return cls(_grouped(runs, way), begin, finish, _grouped(permitted, begin), frozenset(permitted))


def _grouped(runs: Iterable[int], by: Mapping[int, int]) -> Mapping[int, Sequence[int]]:
    groups = defaultdict(list)
    for run in runs:
        groups[by[run]].append(run)
    return groups


def _forbidden(turn: Turn, ground: _Ground) -> list[_Sequence]:
    """Sequences that a restriction forbids; none where it is unclear, or where nobody may drive that way anyhow."""
    through = _ways_through(turn, ground) or []
    if not turn.only:
        return through
    bound = 1 + turn.via_ways  # runs after which a driver is bound: that to the via node; that and the first on the via ways
    return [
        (*way[:at], other)
        for way in through
        for at in range(bound, len(way))
        for other in ground.leaving.get(ground.finish[way[at - 1]], ())
        if other != way[at]
    ]


def _ways_through(turn: Turn, ground: _Ground) -> list[_Sequence] | None:
    """The way through the junction that the members name: one, or several for U-turns on a way that goes on; None if unclear."""
    begun: list[_Sequence] = [(run,) for run in ground.of_way.get(turn.from_way, ())]
    if turn.via_ways:
        for via in turn.via:
            begun = [(*way, *along) for way in begun if (along := _along(via, ground.finish[way[-1]], ground))]
    else:
        begun = [way for way in begun if ground.finish[way[0]] == turn.via[0]]
    ways = [(*way, run) for way in begun for run in ground.of_way.get(turn.to_way, ()) if ground.begin[run] == ground.finish[way[-1]]]
    turns_round = turn.from_way == turn.to_way and not turn.via_ways
    if turns_round:
        ways = [(run, back) for run, back in ways if back == run ^ 1]
    driven = [way for way in ways if ground.permitted.issuperset(way)]
    return driven if ways and (turns_round or len(driven) <= 1) else None


def _along(way: int, node: int, ground: _Ground) -> _Sequence:
    """Runs along a whole way from a node at its end; none if it does not begin there, or meets itself."""
    runs: _Sequence = ()
    while onward := [run for run in ground.of_way.get(way, ()) if ground.begin[run] == node and run ^ 1 not in runs[-1:]]:
        if len(onward) > 1:
            return ()
        runs, node = (*runs, onward[0]), ground.finish[onward[0]]
    return runs


def expand(  # noqa: PLR0917 — the columns of the pieces, then the answer of forbidden_runs
    start: _Ints, end: _Ints, forward: _Bools, backward: _Bools, runs: _Ints, first: _Ints
) -> Expanded:
    """Make links along which no forbidden sequence of runs can be driven: who has driven the beginning of one stands on a copy of the node.

    There is a copy for each proper beginning of a forbidden sequence; a driver stands on that of the longest beginning with which the way
    driven so far ends (the states of an Aho-Corasick automaton). The links out of a copy are those of its node, without the run that would
    complete a sequence. The copies cost time and memory, the rest of the town does not.

    Parameters
    ----------
    start, end : (pieces,) int64
        Nodes, 0..n-1, at the first and the last vertex.
    forward, backward : (pieces,) bool
        Whether the piece may be driven along, and against, its drawn direction.
    runs : (k,) int64
        Runs of the forbidden sequences, in a row; two or more each.
    first : (sequences + 1,) int64
        Sequence i is ``runs[first[i]:first[i + 1]]``.

    Returns
    -------
    Expanded
        Links along the pieces, then those against them, then those out of copies.

    Notes
    -----
    Villeneuve and Desaulniers, The shortest path problem with forbidden paths, 2005, doi:10.1016/j.ejor.2004.01.032; Aho and Corasick,
    Efficient string matching, 1975, doi:10.1145/360825.360855.

    Examples
    --------
    Two streets from 0 over 1 to 2, one may not go on: who comes from 0 stands on the copy 3 and can only turn back.

    >>> nodes, both = np.array([0, 1, 2]), np.array([True, True])
    >>> links = expand(nodes[:2], nodes[1:], both, both, np.array([0, 2]), np.array([0, 2]))
    >>> list(zip(links.tail.tolist(), links.head.tolist()))
    [(0, 3), (1, 2), (1, 0), (2, 1), (3, 0)]
    """
    begin, finish = np.column_stack([start, end]).ravel(), np.column_stack([end, start]).ravel()
    permitted = np.column_stack([forward, backward]).ravel()
    sequences = [runs[a:b] for a, b in pairwise(first.tolist())]
    drivable = [one.tolist() for one in sequences if permitted[one].all() and (finish[one[:-1]] == begin[one[1:]]).all()]
    histories = _Histories.of(drivable)
    nodes = int(finish.max(initial=-1)) + 1
    copy = dict(zip(histories.kept, range(nodes, nodes + len(histories.kept)), strict=True))
    entered = finish.copy()
    for begun, history in histories.longer[0].items():
        entered[begun] = copy[history]
    run = np.concatenate([2 * np.flatnonzero(forward), 2 * np.flatnonzero(backward) + 1])
    copied = finish[[histories.last[history] for history in copy]] if copy else finish[:0]
    near = run[np.isin(begin[run], copied)]
    leaving = _grouped(near.tolist(), dict(zip(near.tolist(), begin[near].tolist(), strict=True)))
    links = []
    for history, node in zip(copy, copied.tolist(), strict=True):
        for onward in leaving[node]:
            then = histories.after(history, onward)
            if not histories.barred[then]:
                links.append((copy[history], copy.get(then, int(finish[onward])), onward))
    more = np.array(links, dtype=np.int64).reshape(-1, 3)
    return Expanded(
        tail=np.concatenate([begin[run], more[:, 0]]),
        head=np.concatenate([entered[run], more[:, 1]]),
        run=np.concatenate([run, more[:, 2]]),
        copy_of=np.concatenate([np.arange(nodes), copied]),
        entered=entered.reshape(-1, 2),
    )


@dataclass(frozen=True)
class _Histories:
    """What a driver has lately driven, as far as it matters: the beginnings of forbidden sequences, 0 for none of them.

    Attributes
    ----------
    longer : list of dict
        Of each, by the next run, that which is one run longer.
    shorter : list of int
        Of each, the longest other one with which it ends.
    last : list of int
        The run with which each ends.
    barred : list of bool
        Whether each ends with a whole forbidden sequence.
    kept : list of int
        Those that one can have driven, but for 0.
    """

    longer: list[dict[int, int]]
    shorter: list[int]
    last: list[int]
    barred: list[bool]
    kept: list[int]

    @classmethod
    def of(cls, sequences: Iterable[Sequence[int]]) -> _Histories:
        found = cls([{}], [0], [-1], [False], [])
        for sequence in sequences:
            at = 0
            for run in sequence:
                if run not in found.longer[at]:
                    found.longer[at][run] = len(found.last)
                    found.longer.append({})
                    found.last.append(run)
                    found.barred.append(False)
                    found.shorter.append(0)
                at = found.longer[at][run]
            found.barred[at] = True
        level = [0]
        while level:  # from short to long: what is shorter is known
            at = level.pop(0)
            for run, history in found.longer[at].items():
                found.shorter[history] = found.after(found.shorter[at], run) if at else 0
                found.barred[history] |= found.barred[found.shorter[history]]
                if not found.barred[history]:
                    found.kept.append(history)
                    level.append(history)
        return found

    def after(self, history: int, run: int) -> int:
        """What one has driven after one more run."""
        while history and run not in self.longer[history]:
            history = self.shorter[history]
        return self.longer[history].get(run, 0)
