"""A covering question as a mixed-integer program, and its solution; also with the value of every stage pinned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from scenarios.siting.covering.blocks import SAME_SHARE, Block, Covering, block_of, enough, is_rising, served_people
from scenarios.siting.milp import Program, Solution, maximise
from scenarios.siting.question import Ints, Numbers
from scenarios.siting.rules import SiteRows, site_rows
from scenarios.siting.stop import Stop

TANGENTS: Final = 8  # of a block with busy shares, to begin with
MOST_ROUNDS: Final = 60


class Found(NamedTuple):
    """Vehicles at each candidate, None if nothing was found, and whether nothing is feasible."""

    vehicles: Numbers | None
    is_infeasible: bool


class Layer(NamedTuple):
    """A block in the program: its own variables, how they hang on those of the choice, and what they are worth.

    The rows say  on_choice · choice + on_own · own ≤ upper.
    """

    on_choice: csr_array
    on_own: csr_array
    upper: Numbers
    gain: Numbers
    is_integer: bool
    offset_people: float


def best_of_last(asked: Covering, blocks: Sequence[Block], floors: Sequence[float], best: Numbers, stop: Stop) -> tuple[Numbers, float]:
    """Find a better plan in the last block that keeps the floors (people) of the blocks before it, and a bound in people."""
    goal, points, bound = blocks[-1], [_tangents(block, asked) for block in blocks], math.inf
    for _ in range(MOST_ROUNDS if goal.is_expected else 1):
        program = _program(asked, blocks, floors, points, goal=True)
        found, top = _solved(asked, goal, points[-1], program, best=best, stop=stop)
        bound = min(bound, top)
        if found is None:
            break
        if served_people(goal, found) > served_people(goal, best):
            best = found
        if bound - served_people(goal, best) < goal.same_people or stop.reason is not None:
            break
        points[-1] = np.column_stack([points[-1], goal.cover(found)])
    return best, bound


def pinned(asked: Covering, vehicles: Numbers) -> Program:
    """A program whose feasible choices are those as good in every stage as this one; its first variables are the candidates.

    Candidates are in the order of `asked`. Stages with busy shares are not supported: their value is not linear.
    """
    blocks = [block_of(stage, asked.sites) for stage in asked.stages]
    floors = [served_people(block, vehicles) - block.same_people for block in blocks]
    return _program(asked, blocks, floors, [_tangents(block, asked) for block in blocks], goal=False)


def _solved(asked: Covering, goal: Block, points: Numbers, program: Program, *, best: Numbers, stop: Stop) -> tuple[Numbers | None, float]:
    rules = site_rows(asked.sites)
    solution = maximise(program, stop, start=_start(asked, best))
    bound = _layer(goal, rules, points).offset_people + solution.bound / goal.scale
    if goal.is_whole and math.isfinite(bound):
        bound = math.floor(bound + max(1e-6, SAME_SHARE * bound))
    return None if solution.values is None else _vehicles(asked, rules, solution.values), bound


def _vehicles(asked: Covering, rules: SiteRows, values: Numbers) -> Numbers:
    """(candidates,) vehicles at each, of the values of a program's variables."""
    choice = np.rint(values[: rules.lower.size])
    return np.where(choice[: len(asked.sites)] > 0, rules.vehicles @ choice, 0.0)


def _start(asked: Covering, vehicles: Numbers) -> Numbers:
    """The first variables of a program for a choice: whether each is chosen and, with a fleet, how many vehicles stand there."""
    chosen = (vehicles > 0).astype(np.float64)
    return chosen if asked.sites.fleet is None else np.concatenate([chosen, vehicles])


def any_plan(asked: Covering, stop: Stop) -> Found:
    """Find a choice that keeps the rules, `must` and `floor`, whatever it is worth in the stages."""
    solution = maximise(_program(asked, [], [], [], goal=False), stop)
    if solution.values is None:
        return Found(None, solution.status == "infeasible")
    return Found(_vehicles(asked, site_rows(asked.sites), solution.values), is_infeasible=False)


def fewest(asked: Covering, stop: Stop) -> Solution:
    """Find the fewest sites (the least price where there are prices) that keep the rules, `must` and `floor`; values are minus that."""
    program = _program(asked, [], [], [], goal=False)
    cost = asked.sites.price if asked.sites.price.any() else asked.sites.counted.astype(np.float64)
    gain = program.gain.copy()
    gain[: len(asked.sites)] = -cost
    return maximise(replace(program, gain=gain), stop)


def _program(asked: Covering, blocks: Sequence[Block], floors: Sequence[float], points: Sequence[Numbers], *, goal: bool) -> Program:
    """Put the choice, the blocks, the floors and what must be covered together; with a goal, the last block is maximised."""
    rules = site_rows(asked.sites)
    blocks, floors, points = list(blocks), list(floors), list(points)
    if asked.floor is not None:
        stage, least = asked.floor
        held = block_of(stage, asked.sites)
        blocks, floors, points = [held, *blocks], [enough(held, least), *floors], [_tangents(held, asked), *points]
    layers = [_layer(block, rules, some) for block, some in zip(blocks, points, strict=True)]
    sizes = [layer.gain.size for layer in layers]
    own, starts = sum(sizes), np.cumsum([0, *sizes])
    rows = [csr_array(hstack([rules.rows, csr_array((rules.rows.shape[0], own))]))]
    lower, upper = [rules.row_lower], [rules.row_upper]
    for number, layer in enumerate(layers):
        before, after = starts[number], own - starts[number + 1]
        height = layer.upper.size
        rows.append(
            csr_array(hstack([layer.on_choice, csr_array((height, before)), layer.on_own, csr_array((height, after))], format="csr"))
        )
        lower.append(np.full(height, -np.inf))
        upper.append(layer.upper)
    for number, floor in enumerate(floors):
        row = np.zeros(rules.lower.size + own)
        row[rules.lower.size + starts[number] : rules.lower.size + starts[number + 1]] = layers[number].gain
        rows.append(csr_array(row[None, :]))
        lower.append(np.array([(floor - layers[number].offset_people) * blocks[number].scale]))
        upper.append(np.array([np.inf]))
    if asked.must is not None:
        must, count = csr_array(asked.must, dtype=np.float64), asked.must.shape[0]
        rows.append(csr_array(hstack([must, csr_array((count, rules.lower.size - must.shape[1] + own))])))
        lower.append(np.ones(count))
        upper.append(np.full(count, np.inf))
    gain = np.zeros(rules.lower.size + own)
    if goal:
        gain[rules.lower.size + starts[-2] :] = layers[-1].gain
    return Program(
        gain=gain,
        lower=np.concatenate([rules.lower, np.zeros(own)]),
        upper=np.concatenate([rules.upper, np.ones(own)]),
        integer=np.concatenate([rules.integer, *(np.full(layer.gain.size, layer.is_integer) for layer in layers)]),
        rows=csr_array(vstack(rows, format="csr")),
        row_lower=np.concatenate(lower),
        row_upper=np.concatenate(upper),
    )


def _tangents(block: Block, asked: Covering) -> Numbers:
    """Where tangents of 1 − exp(−n) are laid to begin with: (rows, points); none for blocks that need none."""
    if not block.is_expected:
        return np.zeros((block.people.size, 0))
    most = block.cover(asked.sites.vehicles.astype(np.float64))
    return np.asarray(block.base[:, None] + (most - block.base)[:, None] * (np.linspace(0, 1, TANGENTS) ** 2)[None, :])


def _layer(block: Block, rules: SiteRows, points: Numbers) -> Layer:
    reached = csr_array(csr_array(block.rows * block.weight[None, :]) @ rules.vehicles)
    return _expected(block, reached, points) if block.is_expected else _levels(block, reached, rules)


def _levels(block: Block, reached: csr_array, rules: SiteRows) -> Layer:
    """A variable for each further vehicle that counts at a row: together no more than there are."""
    most = np.minimum(len(block.gains), block.base + np.rint(reached @ rules.upper))
    levels = (most - block.base).astype(np.int64)
    row = np.repeat(np.arange(levels.size), levels)
    level = np.arange(row.size) - np.repeat(np.cumsum(levels) - levels, levels) + block.base[row].astype(np.int64)
    gain = np.asarray(block.gains)[level] * block.people[row] * block.scale
    on_own = csr_array((np.ones(row.size), (row, np.arange(row.size))), shape=(levels.size, row.size))
    on_choice = -reached
    on_choice.data = -np.minimum(-on_choice.data, np.repeat(levels, np.diff(on_choice.indptr)))  # tighter, and the same for whole numbers
    settled = block.settled_people + math.fsum(block.people * block.worth(block.base))
    layer = Layer(on_choice, on_own, np.zeros(levels.size), gain, is_integer=is_rising(block), offset_people=settled)
    return layer if not is_rising(block) else _in_order(layer, row, level, reached, rules)


def _in_order(layer: Layer, row: Ints, level: Ints, reached: csr_array, rules: SiteRows) -> Layer:
    """Where a later vehicle is worth more than an earlier one, it counts only after that one.

    Where one vehicle stands at each candidate, the second cover of a row also is no more than all candidates but any one of them give:
    with it the bound is closer.
    """
    later = np.flatnonzero(row[1:] == row[:-1]) + 1
    order = np.arange(later.size)
    after = csr_array(
        (np.repeat([1.0, -1.0], later.size), (np.tile(order, 2), np.concatenate([later, later - 1]))), shape=(later.size, row.size)
    )
    on_own, on_choice = [layer.on_own, after], [layer.on_choice, csr_array((later.size, reached.shape[1]))]
    second = np.flatnonzero((level == 1) & np.isin(row, row[level == 0]))
    if (reached.data * rules.upper[reached.indices] == 1.0).all():
        rows = csr_array(reached[row[second]])
        sizes = np.diff(rows.indptr)
        each = np.arange(rows.nnz)
        but_one = csr_array(rows[np.repeat(np.arange(len(second)), sizes)]) - csr_array(
            (np.ones(rows.nnz), (each, rows.indices)), shape=(rows.nnz, rows.shape[1])
        )
        on_choice.append(-but_one)
        on_own.append(csr_array((np.ones(rows.nnz), (each, np.repeat(second, sizes))), shape=(rows.nnz, row.size)))
    own, choice = csr_array(vstack(on_own, format="csr")), csr_array(vstack(on_choice, format="csr"))
    return layer._replace(on_own=own, on_choice=choice, upper=np.zeros(own.shape[0]))


def _expected(block: Block, reached: csr_array, points: Numbers) -> Layer:
    """One variable a row, under the tangents of 1 − exp(−n) at the given points."""
    count, many = points.shape
    at = points.T.ravel()
    slope = np.exp(-at)
    stacked = csr_array(vstack([reached] * many, format="csr"))
    on_choice = csr_array(-stacked.multiply(slope[:, None]))
    on_own = csr_array(vstack([_identity(count)] * many, format="csr"))
    upper = -np.expm1(-at) + slope * (np.tile(block.base, many) - at)
    return Layer(on_choice, on_own, upper, block.people * block.scale, is_integer=False, offset_people=block.settled_people)


def _identity(count: int) -> csr_array:
    return csr_array((np.ones(count), (np.arange(count), np.arange(count))), shape=(count, count))
