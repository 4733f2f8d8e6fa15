"""Every error that circle15 raises on purpose.

::

    Circle15Error
    ├── InputError    (ValueError)  a file, row, column or tag is wrong: mend the data
    │   ├── FontError               no font of this computer can show a text: install one
    │   └── UnconfirmedError        the data suggest something that the planner has to confirm
    ├── OptionError   (ValueError)  an argument is wrong: ask differently
    └── OutputError   (OSError)     a result cannot be written

Each carries one or more :class:`Problem`, all those found at once, in Simplified Chinese and in English. The command line prints
them, a line each, and exits with 2; the app shows them; neither ever shows a traceback for one of these.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import Any, NamedTuple

MAX_NAMED = 5


class Problem(NamedTuple):
    """What is wrong, where, and what to do, in both languages."""

    zh: str
    en: str


class Question(NamedTuple):
    """Something that region.toml leaves open and the data answer: asked, never assumed.

    Attributes
    ----------
    role : str
        The block of region.toml: "demand", "facilities", …
    at : int
        Which of the blocks of that role.
    key, value
        What to write there.
    asked : Problem
        The evidence, and the question.
    """

    role: str
    at: int
    key: str
    value: str | dict[str, str]
    asked: Problem


class Circle15Error(Exception):
    """The root: catch this to catch everything that circle15 raises on purpose."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(f"{problem.zh} / {problem.en}" for problem in problems))

    def __reduce__(self) -> tuple[type[Circle15Error], tuple[Any, ...]]:
        """Pickle by the problems, so that an error crosses from one process to another."""
        return type(self), self.problems


class InputError(Circle15Error, ValueError):
    """A file, row, column or tag is wrong."""


class FontError(InputError):
    """No font of this computer can show a text."""


class UnconfirmedError(InputError):
    """Nothing is wrong, but the data suggest something that the planner has to confirm."""

    def __init__(self, *questions: Question) -> None:
        self.questions = questions
        super().__init__(*dict.fromkeys(question.asked for question in questions))

    def __reduce__(self) -> tuple[type[Circle15Error], tuple[Any, ...]]:
        """Pickle by the questions."""
        return type(self), self.questions


class OptionError(Circle15Error, ValueError):
    """An argument of a command or function is wrong."""


class OutputError(Circle15Error, OSError):
    """A result cannot be written."""


_REASONS_ZH = {
    errno.ENOENT: "文件或文件夹不存在",
    errno.EACCES: "没有权限",
    errno.EPERM: "没有权限",
    errno.EEXIST: "已有同名文件",
    errno.ENOTDIR: "路径中有一段不是文件夹",
    errno.EISDIR: "这是文件夹，不是文件",
    errno.ENOSPC: "磁盘已满",
    errno.EROFS: "磁盘只读",
}


def os_reason(error: OSError) -> Problem:
    """Why the operating system refused, in both languages.

    >>> os_reason(FileNotFoundError(errno.ENOENT, "No such file or directory")).zh
    '文件或文件夹不存在'
    """
    en = error.strerror or str(error)
    return Problem(_REASONS_ZH.get(error.errno or 0, en), en)


def first_few(items: Iterable[object]) -> str:
    """Name the first five offenders and count the rest.

    >>> first_few(["a", "b"])
    'a, b'
    >>> first_few(range(7))
    '0, 1, 2, 3, 4 … (7)'
    """
    named = [str(item) for item in items]
    shown = ", ".join(named[:MAX_NAMED])
    return shown if len(named) <= MAX_NAMED else f"{shown} … ({len(named)})"
