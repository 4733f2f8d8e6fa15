"""What each finding says, how grave it is, and what to do about it: ``words.toml``, where the three severities are explained."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Final, Literal, NamedTuple

Severity = Literal["error", "warning", "note"]
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")
SEVERITY_WORDS: Final[dict[Severity, tuple[str, str]]] = {
    "error": ("错误", "error"),
    "warning": ("警告", "warning"),
    "note": ("提示", "note"),
}


class Words(NamedTuple):
    """One kind of finding; braces are filled with its own numbers."""

    severity: Severity
    zh: str
    en: str
    do_zh: str
    do_en: str


WORDS: Final = {
    code: Words(**said) for code, said in tomllib.loads(files("scenarios.audit").joinpath("words.toml").read_text(encoding="utf-8")).items()
}
