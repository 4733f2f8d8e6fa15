"""Mixed-integer programs as plain arrays, and the one call of the solver (HiGHS): one thread, a fixed seed, stopped when it must end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from scenarios.siting.stop import Stop

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]

SEED: Final = 15
_OPTIONS: Final = {
    "output_flag": False,
    "threads": 1,
    "random_seed": SEED,
    "mip_rel_gap": 0.0,
    "mip_feasibility_tolerance": 1e-9,
    "primal_feasibility_tolerance": 1e-9,
}
_ENDED: Final = {
    highspy.HighsModelStatus.kOptimal: "optimal",
    highspy.HighsModelStatus.kInfeasible: "infeasible",
    highspy.HighsModelStatus.kTimeLimit: "stopped",
    highspy.HighsModelStatus.kInterrupt: "stopped",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """Maximise gain · z, with lower ≤ z ≤ upper and row_lower ≤ rows · z ≤ row_upper.

    Attributes
    ----------
    gain, lower, upper : (variables,) float64
    integer : (variables,) bool
    rows : (rows, variables) sparse
    row_lower, row_upper : (rows,) float64
        Infinite where there is no such limit.
    """

    gain: Numbers
    lower: Numbers
    upper: Numbers
    integer: Mask
    rows: csr_array
    row_lower: Numbers
    row_upper: Numbers


@dataclass(frozen=True, eq=False)
class Solution:
    """What the solver found.

    Attributes
    ----------
    status : "optimal", "stopped" or "infeasible"
        ``stopped``: the time ran out or it was cancelled.
    values : (variables,) float64 or None
        The best found; None if none was.
    bound : float
        No values are worth more; infinite if nothing is known.
    """

    status: Literal["optimal", "stopped", "infeasible"]
    values: Numbers | None
    bound: float


def maximise(program: Program, stop: Stop, *, start: Numbers | None = None) -> Solution:
    """Solve a program.

    Parameters
    ----------
    program : Program
    stop : Stop
    start : (some,) float64, optional
        Values of the first variables in a feasible solution, to begin from.

    Raises
    ------
    RuntimeError
        The solver ends in a way that no program of ours should bring about.
    """
    if stop.reason is not None:
        return Solution("stopped", None, math.inf)
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy has no types
    for option, value in _OPTIONS.items():
        solver.setOptionValue(option, value)
    if math.isfinite(stop.left_s):
        solver.setOptionValue("time_limit", stop.left_s)
    _pass(solver, program)
    if start is not None:
        solver.setSolution(start.size, np.arange(start.size, dtype=np.int32), start)

    def interrupt(event: Any) -> None:  # noqa: ANN401  highspy has no types
        event.data_in.user_interrupt = stop.cancelled.is_set()

    solver.cbMipInterrupt += interrupt
    solver.cbSimplexInterrupt += interrupt
    solver.run()
    ended = solver.getModelStatus()
    if ended not in _ENDED:
        msg = f"HiGHS stopped with {solver.modelStatusToString(ended)}"
        raise RuntimeError(msg)
    values, info = np.asarray(solver.getSolution().col_value, dtype=np.float64), solver.getInfo()
    found = values if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible else None
    bound = info.mip_dual_bound if program.integer.any() else info.objective_function_value
    return Solution(_ENDED[ended], found, bound if math.isfinite(bound) else math.inf)  # type: ignore[arg-type]  # one of the three


def _pass(solver: Any, program: Program) -> None:  # noqa: ANN401  highspy has no types
    rows = csr_array(program.rows)
    solver.passModel(
        program.gain.size,
        rows.shape[0],
        rows.nnz,
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMaximize),
        0.0,
        program.gain,
        program.lower,
        np.minimum(program.upper, highspy.kHighsInf),
        np.maximum(program.row_lower, -highspy.kHighsInf),
        np.minimum(program.row_upper, highspy.kHighsInf),
        rows.indptr.astype(np.int32),
        rows.indices.astype(np.int32),
        rows.data.astype(np.float64),
        np.where(program.integer, int(highspy.HighsVarType.kInteger), int(highspy.HighsVarType.kContinuous)).astype(np.int32),
    )
