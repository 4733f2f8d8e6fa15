"""TOML files checked as a whole: every problem at once, by the name of the file and of the key."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from geodata.errors import InputError, Problem, os_reason


class Strict(BaseModel):
    """A block of a TOML file: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Model = TypeVar("Model", bound=BaseModel)

_REASONS_ZH = {
    "missing": "缺少此项",
    "extra_forbidden": "没有这个设置项，请检查拼写",
    "greater_than": "必须大于 {gt}",
    "greater_than_equal": "不得小于 {ge}",
    "less_than_equal": "不得大于 {le}",
    "literal_error": "只能是 {expected}",
    "string_type": "应为文字",
    "string_too_short": "不能为空",
    "float_type": "应为数字",
    "finite_number": "应为有限的数字",
    "float_parsing": "应为数字",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "bool_parsing": "应为 true 或 false",
    "tuple_type": "应为列表",
    "date_from_datetime_parsing": "应为日期，如 2026-01-01",
    "date_type": "应为日期，如 2026-01-01",
    "too_short": "至少要有 {min_length} 项",
}


_NUMBERED = {"changes": ("第 {} 项改动", "change {}")}  # lists whose items people count from 1


def read_toml(path: Path, model: type[Model]) -> Model:
    """Read a TOML file into a pydantic model.

    Raises
    ------
    InputError
        The file is missing, is no TOML, or does not fit the model; all problems at once.
    """
    if path.is_file() and path.suffix.lower() != ".toml":
        raise InputError(
            Problem(f"{path.name}：应给出 region.toml 或它所在的文件夹。", f"{path.name}: name region.toml, or the folder it is in.")
        )
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = os_reason(error)
        raise InputError(Problem(f"无法读取 {path}（{reason.zh}）。", f"Cannot read {path} ({reason.en}).")) from error
    except UnicodeDecodeError as error:
        raise InputError(
            Problem(f"{path.name}：不是 UTF-8 文字，请另存为 UTF-8。", f"{path.name}: not UTF-8 text; save it as UTF-8.")
        ) from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            Problem(
                f'{path.name}：格式有误（{error}）：文字须在英文双引号 "…" 里，等号左边只能用英文名。',
                f'{path.name}: not valid TOML ({error}): text stands in straight quotes "…", keys are English.',
            )
        ) from error
    return check_toml(data, model, path.name)


def check_toml(data: dict[str, Any], model: type[Model], file_name: str) -> Model:
    """Check a dictionary against a pydantic model; `file_name` goes into the messages."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InputError(*(_problem(detail, file_name) for detail in error.errors())) from error


def _problem(detail: ErrorDetails, file_name: str) -> Problem:
    where_zh, where_en = _where(detail["loc"])
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, InputError):  # raised by a validator of ours, in both languages
        return Problem(
            "".join(f"{file_name}：{where_zh}：{problem.zh}" for problem in cause.problems),
            " ".join(f"{file_name}: {where_en}: {problem.en}" for problem in cause.problems),
        )
    zh = _REASONS_ZH.get(detail["type"], detail["msg"]).format_map(detail.get("ctx", {}))
    given = "" if detail["type"] == "missing" else f" ({str(detail['input'])[:40]})"
    return Problem(f"{file_name}：{where_zh}：{zh}{given}。", f"{file_name}: {where_en}: {detail['msg']}{given}.")


def _where(loc: tuple[int | str, ...]) -> tuple[str, str]:
    """The key in both languages: ``drive.factors.0``, ``change 2: line``."""
    match loc:
        case (str(name), int(at), *rest) if name in _NUMBERED:
            inner = ".".join(map(str, rest))
            zh, en = (words.format(at + 1) for words in _NUMBERED[name])
            return (f"{zh}：{inner}", f"{en}: {inner}") if inner else (zh, en)
    whole = ".".join(map(str, loc)) or "(file)"
    return whole, whole
