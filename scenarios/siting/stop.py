"""When a search must end: a deadline, or somebody who cancels it. What was found by then is kept."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field
from typing import Literal

Reason = Literal["time", "cancelled"]


@dataclass(frozen=True, eq=False)
class Stop:
    """A deadline and a switch that another thread may turn; long work asks it often.

    Attributes
    ----------
    deadline_s : float
        On the clock of ``time.monotonic``; never unless given.
    cancelled : threading.Event
        Set by whoever cancels.
    """

    deadline_s: float = math.inf
    cancelled: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def after(cls, seconds: float | None) -> Stop:
        """Stop after so many seconds from now, or never."""
        return cls(math.inf if seconds is None else time.monotonic() + seconds)

    def within(self, seconds: float) -> Stop:
        """The same switch with an earlier deadline, if this one is not earlier."""
        return Stop(min(self.deadline_s, time.monotonic() + seconds), self.cancelled)

    @property
    def left_s(self) -> float:
        """Seconds left: 0 once it is over, infinite without a deadline."""
        return 0.0 if self.cancelled.is_set() else max(0.0, self.deadline_s - time.monotonic())

    @property
    def reason(self) -> Reason | None:
        """Why it is over; None as long as it is not."""
        if self.cancelled.is_set():
            return "cancelled"
        return "time" if self.left_s == 0 else None
