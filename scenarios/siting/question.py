"""The covering question as plain data: what the model solves and the checker recounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.errors import OptionError, Problem

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CoverStage:
    """One thing to maximise: the people of the demand points that a chosen candidate covers.

    Attributes
    ----------
    name : str
        What the stage is called in results, for example ``backstop``.
    covers : scipy.sparse CSR, bool, shape (demand, candidates)
        True where the candidate serves the demand point within the limit.
    people : ndarray of float64, shape (demand,)
        People at each demand point, fractions allowed.
    """

    name: str
    covers: Any
    people: Numbers

    def __post_init__(self) -> None:
        """Refuse people that do not fit the demand points."""
        if self.covers.shape[0] != self.people.size or not (np.isfinite(self.people) & (self.people >= 0)).all():
            raise OptionError(
                Problem(
                    f"阶段 {self.name}：每个需求点须有一个非负人数（{self.covers.shape[0]} 个点，{self.people.size} 个人数）。",
                    f"Stage {self.name}: every demand point needs one number of people, 0 or more "
                    f"({self.covers.shape[0]} points, {self.people.size} numbers).",
                )
            )
