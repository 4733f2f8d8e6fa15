"""Nouns as plain arrays: one way to freeze, store and fingerprint every frozen dataclass of the house.

Supported fields: numeric and bool arrays, arrays of geometries, str, int, float, bool, date, nested nouns, tuples of str or of small nouns.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import shapely

Array = npt.NDArray[Any]
Noun = TypeVar("Noun")


def read_only(noun: Any) -> None:  # noqa: ANN401 — any dataclass
    """Make every array of a noun read-only, so that a cached noun cannot change under its users."""
    for field in dataclasses.fields(noun):
        value = getattr(noun, field.name)
        if isinstance(value, np.ndarray):
            value.setflags(write=False)


def pack(noun: Any, prefix: str = "") -> dict[str, Array]:  # noqa: ANN401 — any dataclass
    """Turn a noun into named arrays without objects: what ``numpy.savez`` stores without pickling.

    Raises
    ------
    TypeError
        If a field has a type that is not supported.
    """
    packed: dict[str, Array] = {}
    for field in dataclasses.fields(noun):
        name, value = prefix + field.name, getattr(noun, field.name)
        if dataclasses.is_dataclass(value):
            packed |= pack(value, name + ".")
        elif isinstance(value, np.ndarray) and value.dtype == object:
            wkb = [shapely.to_wkb(geometry) for geometry in value]
            packed[name + ":ends"] = np.cumsum([len(one) for one in wkb], dtype=np.int64)
            packed[name] = np.frombuffer(b"".join(wkb), dtype=np.uint8)
        elif isinstance(value, np.ndarray):
            packed[name] = value
        elif isinstance(value, str | int | float | tuple | dt.date):
            packed[name] = np.frombuffer(json.dumps(value, ensure_ascii=False, default=_plain).encode(), dtype=np.uint8)
        else:
            msg = f"{type(noun).__name__}.{field.name}: cannot pack a {type(value).__name__}"
            raise TypeError(msg)
    return packed


def unpack(noun_type: type[Noun], packed: Mapping[str, Array], prefix: str = "") -> Noun:
    """Turn the arrays of :func:`pack` back into the noun."""
    values: dict[str, Any] = {}
    hints = typing.get_type_hints(noun_type)
    for field in dataclasses.fields(noun_type):  # type: ignore[arg-type] # a dataclass, by contract
        name, hint = prefix + field.name, hints[field.name]
        if dataclasses.is_dataclass(hint):
            values[field.name] = unpack(hint, packed, name + ".")  # type: ignore[arg-type] # a noun's field is a noun's type
        elif name + ":ends" in packed:
            raw, ends = packed[name].tobytes(), packed[name + ":ends"].tolist()
            wkb = [raw[start:end] for start, end in zip([0, *ends], ends, strict=False)]
            values[field.name] = np.array(shapely.from_wkb(np.array(wkb, dtype=object)), dtype=object)
        elif typing.get_origin(hint) is np.ndarray:
            values[field.name] = packed[name]
        else:
            values[field.name] = _typed(json.loads(packed[name].tobytes()), hint)
    return noun_type(**values)


def _plain(value: Any) -> Any:  # noqa: ANN401 — what json cannot write itself
    return value.isoformat() if isinstance(value, dt.date) else dataclasses.asdict(value)


def _typed(value: Any, hint: Any) -> Any:  # noqa: ANN401 — JSON back to the field's type
    if hint is dt.date:
        return dt.date.fromisoformat(value)
    if typing.get_origin(hint) is tuple:
        item = typing.get_args(hint)[0]
        return tuple(item(**one) if isinstance(one, dict) else one for one in value)
    return value


def fingerprint(noun: Any) -> str:  # noqa: ANN401 — any dataclass
    """Sha256 over the names, types and bytes of a noun's fields."""
    digest = hashlib.sha256()
    for name, array in sorted(pack(noun).items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
