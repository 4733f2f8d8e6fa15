"""The compiled loops of the search, and nothing else: what they mean is told in ``coverage.search`` and ``coverage.travel_times``.

Dijkstra's algorithm with buckets instead of a heap (Dial 1969, doi:10.1145/363269.363610; widths of several units as in Meyer & Sanders
2003, doi:10.1016/S0196-6774(03)00076-2): a node whose cost is improved goes into the bucket of its new cost, buckets are emptied in order,
and an entry whose cost is no longer its node's is passed over. Within a bucket nodes come in any order, so one may be searched twice; the
costs are exact all the same. Costs are whole numbers. Plain loops over plain arrays: numba compiles them at their first call and keeps the
result on disk.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from coverage.compiled import compiled
from coverage.graph import FAR, Bools, Grouped, Int64, Seeds, UInt32

_FIRST_ROOM = 1024  # entries a bucket; doubled when one is full


class _Queue(NamedTuple):
    """Buckets in a ring, each a stack: an entry's bucket is its cost >> shift, its place in the ring that & mask.

    What costs more than the ring spans goes around with it until its turn comes, so that one endless road makes no endless ring.
    """

    shift: int
    mask: int
    room: int
    height: Int64
    node: UInt32
    cost: Int64


class _Labels(NamedTuple):
    """Of every node: the least cost so far, the other cost along that way, the link it was reached by (-1 - seed for a seed)."""

    cost: Int64
    other: Int64
    link: Int64


@compiled
def _queue(shift: int, buckets: int, room: int) -> _Queue:
    nodes, costs = np.empty(buckets * room, dtype=np.uint32), np.empty(buckets * room, dtype=np.int64)
    return _Queue(shift, buckets - 1, room, np.zeros(buckets, dtype=np.int64), nodes, costs)


@compiled
def _search(
    links: Grouped, seeds: Seeds, source: int, limit: int, queue: _Queue, labels: _Labels, touched: UInt32, paired: bool, traced: bool
) -> int:
    """Search from one source; how many nodes were touched, or -1 - that if a bucket was full."""
    shift, mask, room, height, held_node, held_cost = queue
    first, head, cost, other = links
    label, label_other, label_link = labels
    count, waiting, bucket = 0, 0, FAR
    for seed in range(seeds.first[source], seeds.first[source + 1]):
        node, new = seeds.node[seed], seeds.cost[seed]
        old = label[node]
        if new > limit or new > old or (new == old and not (paired and seeds.other[seed] < label_other[node])):
            continue
        if old == FAR:
            touched[count] = node
            count += 1
        label[node] = new
        if paired:
            label_other[node] = seeds.other[seed]
        if traced:
            label_link[node] = -1 - seed
        bucket = min(bucket, new >> shift)
        at = (new >> shift) & mask
        if height[at] == room:
            return -1 - count
        held_node[at * room + height[at]] = node
        held_cost[at * room + height[at]] = new
        height[at] += 1
        waiting += 1
    while waiting > 0:
        at = bucket & mask
        top = height[at] - 1
        if top < 0:
            bucket += 1
            continue
        height[at] = top
        waiting -= 1
        here, so_far = held_node[at * room + top], held_cost[at * room + top]
        if so_far != label[here]:
            continue
        if so_far >> shift > bucket:  # not yet its turn
            to = (bucket - 1) & mask
            if height[to] == room:
                return -1 - count
            held_node[to * room + height[to]] = here
            held_cost[to * room + height[to]] = so_far
            height[to] += 1
            waiting += 1
            continue
        for link in range(first[here], first[here + 1]):
            node, new = head[link], so_far + cost[link]
            old = label[node]
            if new > limit or (new >= old and (not paired or new > old or label_other[here] + other[link] >= label_other[node])):
                continue
            if old == FAR:
                touched[count] = node
                count += 1
            label[node] = new
            if paired:
                label_other[node] = label_other[here] + other[link]
            if traced:
                label_link[node] = link
            to = (new >> shift) & mask
            top = height[to]
            if top == room:
                return -1 - count
            held_node[to * room + top] = node
            held_cost[to * room + top] = new
            height[to] = top + 1
            waiting += 1
    return count


@compiled
def _retry(count: int, queue: _Queue, labels: _Labels, touched: UInt32) -> _Queue:
    """Forget a search that overfilled a bucket; a queue with twice the room."""
    for i in range(-1 - count):
        labels.cost[touched[i]] = FAR
    return _queue(queue.shift, queue.mask + 1, 2 * queue.room)


@compiled
def reach_many(
    links: Grouped, seeds: Seeds, limit: int, shift: int, buckets: int, far: Int64, paired: bool
) -> tuple[Int64, Int64, Int64, Int64]:
    """Reached nodes of every source: where each one's rows begin, node, cost, other cost (empty unless `paired`).

    `far` is a column of FAR, one a node: the workspace of one thread, given back as it was.
    """
    size, sources = len(links.first) - 1, len(seeds.first) - 1
    labels = _Labels(far, np.zeros(size if paired else 0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    touched, queue = np.empty(size, dtype=np.uint32), _queue(shift, buckets, _FIRST_ROOM)
    first = np.zeros(sources + 1, dtype=np.int64)
    nodes, costs = np.empty(_FIRST_ROOM, dtype=np.int64), np.empty(_FIRST_ROOM, dtype=np.int64)
    others = np.empty(_FIRST_ROOM if paired else 0, dtype=np.int64)
    filled = 0
    for source in range(sources):
        count = -1
        while count < 0:
            count = _search(links, seeds, source, limit, queue, labels, touched, paired, False)
            if count < 0:
                queue = _retry(count, queue, labels, touched)
        if filled + count > len(nodes):
            nodes, costs = _longer(nodes, filled + count), _longer(costs, filled + count)
            if paired:
                others = _longer(others, filled + count)
        filled = _take(touched, count, labels.cost, labels.other, nodes, costs, others, filled, paired)
        first[source + 1] = filled
    return first, nodes[:filled], costs[:filled], others[: filled if paired else 0]


@compiled
def _take(
    touched: UInt32, count: int, cost: Int64, other: Int64, nodes: Int64, costs: Int64, others: Int64, filled: int, paired: bool
) -> int:
    """Write down what was touched, and forget it; how much is written down so far."""
    for i in range(count):
        node = touched[i]
        nodes[filled + i], costs[filled + i] = node, cost[node]
        if paired:
            others[filled + i] = other[node]
        cost[node] = FAR
    return filled + count


@compiled
def _longer(column: Int64, least: int) -> Int64:
    """The same column with room for more."""
    longer = np.empty(max(least, 2 * len(column)), dtype=np.int64)
    longer[: len(column)] = column
    return longer


@compiled
def tree(links: Grouped, seeds: Seeds, shift: int, buckets: int) -> tuple[Int64, Int64, Int64]:
    """Of every node the least cost from one source (FAR: none), the other cost, the link it is reached by (-1 - seed for a seed)."""
    size = len(links.first) - 1
    labels = _Labels(np.full(size, FAR), np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64))
    touched, queue = np.empty(size, dtype=np.uint32), _queue(shift, buckets, _FIRST_ROOM)
    count = -1
    while count < 0:
        count = _search(links, seeds, 0, FAR - 1, queue, labels, touched, True, True)
        if count < 0:
            queue = _retry(count, queue, labels, touched)
    return labels.cost, labels.other, labels.link


@compiled
def _offer(costs: Int64, owners: Int64, node: int, new: int, owner: int) -> bool:
    """Offer a node a cost from an owner; whether it is among the best of two different owners."""
    if owner == owners[node, 0]:
        if new >= costs[node, 0]:
            return False
        costs[node, 0] = new
        return True
    if new < costs[node, 0] or (new == costs[node, 0] and owner < owners[node, 0]):
        costs[node, 1], owners[node, 1] = costs[node, 0], owners[node, 0]
        costs[node, 0], owners[node, 0] = new, owner
        return True
    if new > costs[node, 1] or (new == costs[node, 1] and owner >= owners[node, 1]):
        return False
    costs[node, 1], owners[node, 1] = new, owner
    return True


@compiled
def _push(queue: _Queue, owner_of: UInt32, bucket: int, node: int, new: int, owner: int) -> bool:
    """Put a node into a bucket, unless that is full."""
    at = bucket & queue.mask
    top = queue.height[at]
    if top == queue.room:
        return False
    queue.node[at * queue.room + top], queue.cost[at * queue.room + top] = node, new
    owner_of[at * queue.room + top] = owner
    queue.height[at] = top + 1
    return True


@compiled
def _nearest(links: Grouped, seeds: Seeds, queue: _Queue, owner_of: UInt32, costs: Int64, owners: Int64) -> bool:
    """Search from all sources at once; False if a bucket was full."""
    shift, mask, room, height, held_node, held_cost = queue
    waiting, bucket = 0, FAR
    for owner in range(len(seeds.first) - 1):
        for seed in range(seeds.first[owner], seeds.first[owner + 1]):
            if _offer(costs, owners, seeds.node[seed], seeds.cost[seed], owner):
                if not _push(queue, owner_of, seeds.cost[seed] >> shift, seeds.node[seed], seeds.cost[seed], owner):
                    return False
                waiting += 1
                bucket = min(bucket, seeds.cost[seed] >> shift)
    while waiting > 0:
        at = bucket & mask
        top = height[at] - 1
        if top < 0:
            bucket += 1
            continue
        height[at] = top
        waiting -= 1
        here, so_far, owner = held_node[at * room + top], held_cost[at * room + top], owner_of[at * room + top]
        if (so_far != costs[here, 0] or owner != owners[here, 0]) and (so_far != costs[here, 1] or owner != owners[here, 1]):
            continue
        if so_far >> shift > bucket:  # not yet its turn
            if not _push(queue, owner_of, bucket - 1, here, so_far, owner):
                return False
            waiting += 1
            continue
        for link in range(links.first[here], links.first[here + 1]):
            new = so_far + links.cost[link]
            if _offer(costs, owners, links.head[link], new, owner):
                if not _push(queue, owner_of, new >> shift, links.head[link], new, owner):
                    return False
                waiting += 1
    return True


@compiled
def nearest_two(links: Grouped, seeds: Seeds, shift: int, buckets: int) -> tuple[Int64, Int64]:
    """Cost and position of the two nearest sources of every node; of equal ones the first; FAR, -1 for none."""
    size, room = len(links.first) - 1, _FIRST_ROOM
    while True:
        queue = _queue(shift, buckets, room)
        costs, owners = np.full((size, 2), FAR), np.full((size, 2), np.int64(-1))
        if _nearest(links, seeds, queue, np.empty(len(queue.node), dtype=np.uint32), costs, owners):
            return costs, owners
        room *= 2


@compiled
def grouped(groups: int, places: int, group: Int64, place: Int64, cost: Int64, other: Int64) -> Grouped:
    """Links by their group, 0..groups-1; of several between a group and a place the one of least cost, of those of least other cost."""
    first = np.zeros(groups + 1, dtype=np.int64)
    for row in range(len(group)):
        first[group[row] + 1] += 1
    for at in range(groups):
        first[at + 1] += first[at]
    free, rows = first[:-1].copy(), np.empty(len(group), dtype=np.int64)
    for row in range(len(group)):
        rows[free[group[row]]] = row
        free[group[row]] += 1
    kept, seen = np.zeros(groups + 1, dtype=np.int64), np.full(places, np.int64(-1))
    head, best, best_other = (
        np.empty(len(group), dtype=np.uint32),
        np.empty(len(group), dtype=np.int64),
        np.empty(len(group), dtype=np.int64),
    )
    filled = 0
    for at in range(groups):
        begin = filled
        for i in range(first[at], first[at + 1]):
            row = rows[i]
            slot = seen[place[row]]
            if slot < begin:
                slot = filled
                seen[place[row]] = slot
                filled += 1
            elif cost[row] > best[slot] or (cost[row] == best[slot] and other[row] >= best_other[slot]):
                continue
            head[slot], best[slot], best_other[slot] = place[row], cost[row], other[row]
        kept[at + 1] = filled
    return Grouped(kept, head[:filled], best[:filled], best_other[:filled])


@compiled
def useful(graph: Grouped, legs: Grouped) -> Bools:
    """Which legs from places to nodes (place → node) can be part of a best way.

    Not those that cost more than to go one link on, as the search walks, and to take the leg of the node there: whatever is reached by
    the former is reached for less by the latter. The costs of a way are exact without them.
    """
    places, size = len(legs.first) - 1, len(graph.first) - 1
    keep, place_of, leg_of = np.ones(len(legs.head), dtype=np.bool_), np.full(size, np.int64(-1)), np.zeros(size, dtype=np.int64)
    for place in range(places):
        for leg in range(legs.first[place], legs.first[place + 1]):
            place_of[legs.head[leg]], leg_of[legs.head[leg]] = place, legs.cost[leg]
        for leg in range(legs.first[place], legs.first[place + 1]):
            node = legs.head[leg]
            for link in range(graph.first[node], graph.first[node + 1]):
                onward = graph.head[link]
                if place_of[onward] == place and legs.cost[leg] > graph.cost[link] + leg_of[onward]:
                    keep[leg] = False
    return keep


@compiled
def arrivals(
    reached: Grouped, delay: Int64, legs: Grouped, near: Grouped, limit: int, places: int, paired: bool
) -> tuple[Int64, Int64, Int64, Int64]:
    """Bring what each source reaches (`reached`: source → node) over the last `legs` (node → place) to places.

    `near` holds ways that pass no node (source → place); the source's delay is added to those. Where each source's rows begin, place, cost,
    other cost (empty unless `paired`).
    """
    sources = len(reached.first) - 1
    best, best_other = np.full(places, FAR), np.zeros(places if paired else 0, dtype=np.int64)
    touched, first = np.empty(places, dtype=np.uint32), np.zeros(sources + 1, dtype=np.int64)
    found, costs = np.empty(places, dtype=np.int64), np.empty(places, dtype=np.int64)
    others = np.empty(places if paired else 0, dtype=np.int64)
    filled = 0
    each, nothing = np.arange(sources), np.zeros(sources, dtype=np.int64)
    for source in range(sources):
        count = _visit(reached, reached.first[source], reached.first[source + 1], legs, limit, best, best_other, touched, 0, paired)
        at_door = Grouped(each, each, delay, nothing)
        count = _visit(at_door, source, source + 1, near, limit, best, best_other, touched, count, paired)
        if filled + count > len(found):
            found, costs = _longer(found, filled + count), _longer(costs, filled + count)
            if paired:
                others = _longer(others, filled + count)
        filled = _take(touched, count, best, best_other, found, costs, others, filled, paired)
        first[source + 1] = filled
    return first, found[:filled], costs[:filled], others[: filled if paired else 0]


@compiled
def _visit(
    rows: Grouped,
    begin: int,
    end: int,
    legs: Grouped,
    limit: int,
    best: Int64,
    best_other: Int64,
    touched: UInt32,
    count: int,
    paired: bool,
) -> int:
    """Offer places the cost of these rows and of each leg from there; how many places were touched so far."""
    for row in range(begin, end):
        at, so_far = rows.head[row], rows.cost[row]
        for leg in range(legs.first[at], legs.first[at + 1]):
            place, new = legs.head[leg], so_far + legs.cost[leg]
            old = best[place]
            if new > limit or (new >= old and (not paired or new > old or rows.other[row] + legs.other[leg] >= best_other[place])):
                continue
            if old == FAR:
                touched[count] = place
                count += 1
            best[place] = new
            if paired:
                best_other[place] = rows.other[row] + legs.other[leg]
    return count
