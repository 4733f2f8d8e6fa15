"""A prepared region on disk, beside its region.toml, found again by the fingerprint of everything it was made from.

The fingerprint covers region.toml, every file it names and the code that reads them; a change in any of these reads the region anew.
"""

from __future__ import annotations

import glob
import hashlib
import logging
import os
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from geodata.model import Region
from geodata.pack import pack, unpack
from geodata.region import Prepared, read_region, sha256
from geodata.region_file import RegionFile, read_region_file
from geodata.standards import read_services, read_speeds

FOLDER = ".circle15"
_OF_SEVERAL_FILES = {".shp", ".tif", ".tiff"}  # attributes, CRS and place of a raster stand in files beside
_DIGITS = 16  # of the fingerprint in a name
_log = logging.getLogger(__name__)


def open_region(path: Path, *, progress: Callable[[str, str], None] = lambda _zh, _en: None) -> Prepared:
    """Open a region: from its prepared form if nothing changed since, else from its files, and keep the prepared form.

    Parameters
    ----------
    path : Path
        region.toml, or the folder that holds it.
    progress : callable, optional
        Told, in both languages, what is being done.

    Raises
    ------
    InputError
        The region or one of its files is wrong.
    """
    path = path / "region.toml" if path.is_dir() else path
    described = read_region_file(path)
    prepared = path.parent / FOLDER / f"{path.stem}-{input_fingerprint(path, described)[:_DIGITS]}.npz"
    region = _load(prepared)
    if region is None:
        progress("正在读取数据与路网（首次或数据有变）……", "Reading tables and roads (the first time, or after a change) …")
        region = read_region(path)
        _save(region, prepared, path.stem)
    folder = path.parent
    return Prepared(
        region,
        read_services(folder / described.services if described.services else None),
        read_speeds(folder / described.speeds if described.speeds else None),
    )


def input_fingerprint(path: Path, described: RegionFile) -> str:
    """Sha256 over region.toml, the files it names (those that exist) and the reading code."""
    digest = hashlib.sha256(_code_fingerprint().encode())
    digest.update(path.read_bytes())
    for role, named, _ in described.files(path.parent):
        several = named.suffix.lower() in _OF_SEVERAL_FILES
        for file in sorted(named.parent.glob(f"{glob.escape(named.stem)}.*")) if several else [named]:
            digest.update(f"{role} {file.name} {sha256(file) if file.is_file() else 'missing'}\n".encode())
    return digest.hexdigest()


@cache
def _code_fingerprint() -> str:
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    not_reading = {folder / "examples", folder / "fetch"}
    for file in sorted([*folder.rglob("*.py"), *folder.glob("defaults/*.toml")]):
        if file.parent in not_reading:
            continue
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _load(prepared: Path) -> Region | None:
    """The stored region; None if there is none or it cannot be read (it is then made anew)."""
    try:
        with prepared.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return unpack(Region, dict(arrays))
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile):
        return None


def _save(region: Region, prepared: Path, stem: str) -> None:
    """Keep the prepared form, whole or not at all; a folder that cannot be written only costs time on the next start."""
    try:
        prepared.parent.mkdir(exist_ok=True)
        handle, name = tempfile.mkstemp(dir=prepared.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                arrays: dict[str, Any] = pack(region)
                np.savez(file, **arrays)
            Path(name).replace(prepared)
        finally:
            Path(name).unlink(missing_ok=True)
        for old in prepared.parent.glob(f"{glob.escape(stem)}-{'?' * _DIGITS}.npz"):
            if old != prepared:
                old.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("%s cannot be written (%s): the region is read anew each time", prepared.parent, error.strerror)
