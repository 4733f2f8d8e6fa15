"""Long work beside the page: in a thread of its own, so that the page stays usable, and with a switch that ends it with the best so far."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from scenarios.siting.stop import Stop

Answer = TypeVar("Answer")


@dataclass(frozen=True, eq=False)
class Task(Generic[Answer]):
    """Work under way.

    Attributes
    ----------
    stop : Stop
        What the work asks; whoever cancels turns its switch.
    limit_s : float
        When the work is to end by itself, in seconds from its beginning.
    began_s : float
        On the clock of ``time.monotonic``.
    said : list of (zh, en)
        What the work has told of its progress, the latest last.
    """

    stop: Stop
    limit_s: float
    began_s: float
    said: list[tuple[str, str]] = field(default_factory=list)
    _future: Future[Answer] = field(default_factory=Future)

    @property
    def passed_s(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.began_s

    @property
    def done(self) -> bool:
        """Whether there is an answer, or an error."""
        return self._future.done()

    def answer(self) -> Answer:
        """Give the answer, or raise what the work raised; waits until it is done."""
        return self._future.result()

    def tell(self, zh: str, en: str) -> None:
        """Note what is being done."""
        self.said.append((zh, en))


def begin(work: Callable[[Task[Answer]], Answer], *, limit_s: float) -> Task[Answer]:
    """Begin to work; the thread ends with the program."""
    task: Task[Answer] = Task(Stop.after(limit_s), limit_s, time.monotonic())

    def run() -> None:
        try:
            task._future.set_result(work(task))  # noqa: SLF001  its own
        except BaseException as error:  # noqa: BLE001  raised where the answer is asked for
            task._future.set_exception(error)  # noqa: SLF001

    threading.Thread(target=run, name="circle15-siting", daemon=True).start()
    return task
