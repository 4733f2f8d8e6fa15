"""A font for a picture, chosen by the characters that will be drawn: no name of a font says what it can write."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from geodata.errors import FontError, OptionError, Problem, first_few

SETTING: Final = "CIRCLE15_FONT"
PREFERRED: Final = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "Microsoft YaHei", "PingFang SC", "DengXian"),
    *("SimHei", "Heiti SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "SimSun", "Noto Serif CJK SC"),
)
LAST_RESORT: Final = "Last Resort"  # comes with matplotlib and has a glyph for every character: a box
REGULAR: Final = 400
Face = tuple[str, int]  # a font file, and which of its faces


def find_font(text: str) -> font_manager.FontPath:
    """Find a font that has a glyph for every character of a text.

    The file that the environment variable CIRCLE15_FONT names, or the best font of this computer: those made for Simplified Chinese
    first, sans before serif, then any. A font installed since matplotlib last looked is found too.

    Parameters
    ----------
    text : str
        Everything that will be drawn; white space and control characters need no glyph.

    Returns
    -------
    FontPath
        A file, and which of its faces.

    Raises
    ------
    OptionError
        CIRCLE15_FONT names no file, no font, or one that lacks a character.
    FontError
        No font of this computer has every character; the message says what to install.
    """
    needed = {letter for letter in text if unicodedata.category(letter)[0] not in "CZ"}
    named = os.environ.get(SETTING)
    if named:
        return font_manager.FontPath(*_named_face(Path(named), needed))
    fewest = sorted(needed)
    for face in _faces():
        missing = sorted(needed - _letters(face))
        if not missing:
            return font_manager.FontPath(*face)
        fewest = min(fewest, missing, key=len)
    lacking = first_few(fewest)
    raise FontError(
        Problem(
            f"本机没有能显示全部文字的字体，缺字：{lacking}。请安装中文字体（Debian/Ubuntu：fonts-noto-cjk；Windows 自带微软雅黑），"
            f"或用环境变量 {SETTING} 指定字体文件。",
            f"No font of this computer has every character; missing: {lacking}. Install a Chinese font (Debian, Ubuntu: fonts-noto-cjk; "
            f"Windows has Microsoft YaHei), or name a font file in the environment variable {SETTING}.",
        )
    )


def _named_face(path: Path, needed: set[str]) -> Face:
    """Take the first face of the named file that has every character."""
    if not path.is_file():
        raise OptionError(Problem(f"{SETTING}：没有文件 {path}。", f"{SETTING}: there is no file {path}."))
    faces = [(str(path), at) for at in range(_face_count(path))]
    if not any(_letters(face) for face in faces):
        raise OptionError(Problem(f"{SETTING}：{path} 不是字体文件。", f"{SETTING}: {path} is no font."))
    for face in faces:
        if needed <= _letters(face):
            return face
    lacking = first_few(sorted(needed - _letters(faces[0])))
    raise OptionError(
        Problem(f"{SETTING}：{path} 缺字：{lacking}。请换一个字体文件。", f"{SETTING}: {path} lacks {lacking}. Name another font file.")
    )


def _faces() -> Iterator[Face]:
    """Yield the faces of this computer, the best first; those that are newer than matplotlib's list come last, without its help."""
    listed = font_manager.fontManager.ttflist
    yield from _ranked(listed)
    known = {entry.fname for entry in listed}
    fresh = sorted(path for path in font_manager.findSystemFonts() if path not in known)
    yield from ((path, at) for path in fresh for at in range(_face_count(Path(path))))


def _ranked(entries: Iterable[font_manager.FontEntry]) -> Iterator[Face]:
    ranks = {name: rank for rank, name in enumerate(PREFERRED)}

    def rank(entry: font_manager.FontEntry) -> tuple[object, ...]:
        plain = entry.style == "normal" and entry.weight == REGULAR
        drawn_otherwise = any(word in entry.name for word in ("Serif", "Mono", "Ming", "Song"))
        return not plain, ranks.get(entry.name, len(ranks)), drawn_otherwise, entry.name, entry.fname, entry.index

    return ((entry.fname, entry.index) for entry in sorted(entries, key=rank) if not entry.name.startswith(LAST_RESORT))


def _face_count(path: Path) -> int:
    try:
        return int(FT2Font(str(path)).num_faces)
    except (OSError, RuntimeError):
        return 0


@cache
def _letters(face: Face) -> frozenset[str]:
    """Characters of a face; none where the file is gone or no font."""
    path, at = face
    try:
        return frozenset(map(chr, FT2Font(path, face_index=at).get_charmap()))
    except (OSError, RuntimeError):
        return frozenset()
