"""Share people out among facilities that have room for so many: first the most people served, then the least total cost. Exact.

A transportation problem in whole people. Which people can be served at all is a maximum flow (people → facilities in reach → room); its
minimum cut tells two parts: *scarce* facilities, full in every best plan, with everybody who might go to one of them or is crowded out
by them, and the rest, where everybody is served. No best plan sends anybody of the rest to a scarce facility, so that the least cost is
a linear program with both parts as equalities, whose corners are whole people. It begins with each point's nearest few facilities and
takes in whatever its prices say would help, until nothing would; the prices are whole numbers, and the last look at them proves the
least cost. Every plan is recounted before it is given.

SOURCE: maximum flow and minimum cut: Ford & Fulkerson, doi:10.4153/CJM-1956-045-5; total unimodularity: Hoffman & Kruskal,
doi:10.1515/9781400881987-014.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from coverage.studies.pairs import Pairs
from geodata.pack import read_only
from geodata.roads import Bools, Floats, Ints

NEAREST_FIRST = 4  # facilities of each point that the linear program begins with
WHOLE = 1e-6  # what the solver may be off a whole number


class ContradictionError(AssertionError):
    """circle15 has contradicted itself: a fault of the program, never of the data."""


@dataclass(frozen=True, eq=False)
class Allocation:
    """Who is served where in a best plan.

    Attributes
    ----------
    pairs : Pairs
        Who may be served where.
    people : (points,) int64
    room : (facilities,) int64
        How many people each facility can take.
    flow : (pairs,) int64
        People of the pair's point served by its facility.
    """

    pairs: Pairs
    people: Ints
    room: Ints
    flow: Ints

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)

    @property
    def served(self) -> Ints:
        """People of each point who are served."""
        return _sums(self.pairs.point, self.flow, self.pairs.points)

    @property
    def load(self) -> Ints:
        """People whom each facility serves."""
        return _sums(self.pairs.facility, self.flow, self.pairs.facilities)

    @property
    def out_of_reach(self) -> Ints:
        """People of each point who are within the limits of no facility."""
        return np.where(self.pairs.in_reach, 0, self.people)

    @property
    def over_capacity(self) -> Ints:
        """People of each point who are within the limits of a facility, and find no room."""
        return self.people - self.served - self.out_of_reach

    @property
    def cost(self) -> int:
        """Milliseconds or millimetres of all people served, added up."""
        return int(self.flow @ self.pairs.cost)


def allocate(people: Ints, room: Ints, pairs: Pairs) -> Allocation:
    """Serve the most people that the room allows, and of those plans take one of least total cost.

    Which people go without where room is short follows from the least cost; of plans equally good in both the solver takes one, always
    the same for the same ids.

    Parameters
    ----------
    people : (points,) int64
    room : (facilities,) int64
    pairs : Pairs

    Returns
    -------
    Allocation

    Raises
    ------
    ContradictionError
        A recount does not agree: the program is wrong.
    """
    room = np.minimum(room, people.sum())
    flow, short = _most_served(people, room, pairs)
    scarce = _scarce(pairs, short)
    plan = Allocation(pairs, people, room, _least_cost(people, room, pairs, flow=flow, short=short))
    _recount(plan, short, scarce)
    return plan


def most_served(people: Ints, room: Ints, pairs: Pairs) -> int:
    """Count the people that the room can serve at most."""
    return int(_most_served(people, np.minimum(room, people.sum()), pairs)[0].sum())


def gains(plan: Allocation) -> Ints:
    """Count how many more people could be served if one facility had all the room it can use, the others as they are.

    The most people served grow by one with every place more at a facility, until they stop growing for good (a maximum flow is concave
    in the capacity of one arc, with slopes 1 and 0): ``k`` places more serve ``min(k, gain)`` people more, exactly. Gains of two
    facilities may be the same people: they must not be added up.

    Returns
    -------
    (facilities,) int64
        0 where room is not what is lacking.
    """
    pairs = plan.pairs
    short = _most_served(plan.people, plan.room, pairs)[1]
    scarce = _scarce(pairs, short)
    part = pairs.take(short[pairs.point])  # nobody else can be crowded out, or moved to make room
    graph, source, sink = _graph(np.where(short, plan.people, 0), np.where(scarce, plan.room, 0), part)
    full, waiting = int(plan.room[scarce].sum()), int(plan.over_capacity.sum())
    gain = np.zeros(pairs.facilities, dtype=np.int64)
    for facility in np.flatnonzero(scarce):
        arc = graph.indptr[pairs.points + facility]
        graph.data[arc] += waiting
        gain[facility] = maximum_flow(graph, source, sink).flow_value - full
        graph.data[arc] -= waiting
    return gain


def _most_served(people: Ints, room: Ints, pairs: Pairs) -> tuple[Ints, Bools]:
    """Find a maximum flow: the people of each pair, and the points on the short side of the minimum cut."""
    graph, source, sink = _graph(people, room, pairs)
    flow = maximum_flow(graph, source, sink).flow
    left = graph - flow  # what may still be sent, and back along what is sent
    left.eliminate_zeros()
    short = np.zeros(graph.shape[0], dtype=bool)
    short[breadth_first_order(left, source, return_predecessors=False)] = True
    return _entries(flow, pairs.point, pairs.points + pairs.facility), short[: pairs.points]


def _graph(people: Ints, room: Ints, pairs: Pairs) -> tuple[csr_array, int, int]:
    """Build the graph of the flow, its source and its sink: points, then facilities; a facility has one arc, to the sink.

    scipy counts in 32 bits: two thousand million people, more than any region has.
    """
    points, size = pairs.points, pairs.points + pairs.facilities + 2
    source, sink = size - 2, size - 1
    there = np.where(pairs.in_reach, people, 0)
    tail = np.concatenate([np.full(points, source), pairs.point, points + np.arange(pairs.facilities)])
    head = np.concatenate([np.arange(points), points + pairs.facility, np.full(pairs.facilities, sink)])
    most = np.concatenate([there, there[pairs.point], room]).astype(np.int32)
    return csr_array((most, (tail, head)), shape=(size, size)), source, sink


def _entries(matrix: csr_array, row: Ints, column: Ints) -> Ints:
    """Entries of a sparse matrix at places sorted by row, then column, in 64 bits; most of them are there."""
    found = matrix.tocoo()
    size = matrix.shape[1]
    keys = found.row.astype(np.int64) * size + found.col
    order = np.argsort(keys)
    keys, wanted = keys[order], row * size + column
    at = np.minimum(np.searchsorted(keys, wanted), max(0, len(keys) - 1))
    if len(keys) == 0:
        return np.zeros(len(wanted), dtype=np.int64)
    return np.where(keys[at] == wanted, found.data[order][at], 0).astype(np.int64)


def _scarce(pairs: Pairs, short: Bools) -> Bools:
    """Facilities on the short side of the cut: those in reach of a point on it."""
    return np.bincount(pairs.facility[short[pairs.point]], minlength=pairs.facilities) > 0


def _least_cost(people: Ints, room: Ints, pairs: Pairs, *, flow: Ints, short: Bools) -> Ints:
    """Of all flows as large as this one, find one of least cost: the people of each pair."""
    scarce = _scarce(pairs, short)
    may = np.flatnonzero(short[pairs.point] | ~scarce[pairs.facility])
    part = pairs.take(may)
    rows = _Rows(np.concatenate([people, room]), np.concatenate([~short & pairs.in_reach, scarce]))
    taken = (_rank(part) < NEAREST_FIRST) | (flow[may] > 0)
    while True:
        chosen = np.flatnonzero(taken)
        amount, price = _transport(rows, part.take(chosen))
        reduced = part.cost - price[part.point] - price[part.points + part.facility]
        if (helps := (reduced < 0) & ~taken).any():
            taken |= helps
            continue
        best = np.zeros(len(pairs), dtype=np.int64)
        best[may[chosen]] = amount
        _prove(rows, part, best[may], price)
        return best


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows of the linear program, points, then facilities: how many people, and which rows hold exactly so many, not at most."""

    people: Ints
    exact: Bools


def _transport(rows: _Rows, pairs: Pairs) -> tuple[Ints, Ints]:
    """Solve the linear program over these pairs: people of each, and the price of each row in units of cost."""
    each = np.arange(len(pairs))
    at = (np.concatenate([pairs.point, pairs.points + pairs.facility]), np.tile(each, 2))
    uses = csr_array((np.ones(2 * len(pairs)), at), shape=(len(rows.people), len(pairs)))
    exact, at_most = np.flatnonzero(rows.exact), np.flatnonzero(~rows.exact)
    if len(pairs) == 0:
        return each, np.zeros(len(rows.people), dtype=np.int64)
    found = linprog(pairs.cost, A_ub=uses[at_most], b_ub=rows.people[at_most], A_eq=uses[exact], b_eq=rows.people[exact], method="highs-ds")
    if found.status != 0:
        raise ContradictionError(found.message)
    price = np.zeros(len(rows.people))
    price[at_most], price[exact] = found.ineqlin.marginals, found.eqlin.marginals
    return _whole(found.x), _whole(price)


def _whole(values: Floats) -> Ints:
    """Whole numbers that a solver found to within its tolerance."""
    whole = np.rint(values)
    if np.abs(values - whole).max(initial=0.0) > WHOLE * max(1.0, np.abs(whole).max(initial=0.0)):
        msg = "the solver's corner is not whole"
        raise ContradictionError(msg)
    return whole.astype(np.int64)


def _rank(pairs: Pairs) -> Ints:
    """How near the facility of each pair is to its point: 0 the nearest, of equal ones the first."""
    order = np.lexsort((pairs.facility, pairs.cost, pairs.point))
    rank = np.empty(len(pairs), dtype=np.int64)
    rank[order] = np.arange(len(pairs)) - np.searchsorted(pairs.point[order], pairs.point[order])
    return rank


def _prove(rows: _Rows, pairs: Pairs, flow: Ints, price: Ints) -> None:
    """Hold the plan against the prices (complementary slackness), in whole numbers: no other plan of as many people costs less."""
    reduced = pairs.cost - price[pairs.point] - price[pairs.points + pairs.facility]
    used = _sums(pairs.point, flow, pairs.points), _sums(pairs.facility, flow, pairs.facilities)
    slack = rows.people - np.concatenate(used)
    wrong = (flow < 0).any() or (reduced < 0).any() or (reduced[flow > 0] > 0).any() or (slack < 0).any()
    if wrong or slack[rows.exact].any() or (price[~rows.exact] > 0).any() or price[~rows.exact & (slack > 0)].any():
        msg = "the plan is not proven to be of least cost"
        raise ContradictionError(msg)


def _recount(plan: Allocation, short: Bools, scarce: Bools) -> None:
    """Count the plan again: nobody twice, no facility beyond its room, and as many served as the minimum cut allows."""
    cut = int(plan.people[~short & plan.pairs.in_reach].sum() + plan.room[scarce].sum())
    beyond = (plan.flow < 0).any() or (plan.served > plan.people).any() or (plan.load > plan.room).any()
    if beyond or int(plan.flow.sum()) != cut:
        msg = f"the plan serves {plan.flow.sum()} people, the cut allows {cut}"
        raise ContradictionError(msg)


def _sums(at: Ints, amount: Ints, count: int) -> Ints:
    """Whole sums by position."""
    total = np.zeros(count, dtype=np.int64)
    np.add.at(total, at, amount)
    return total
