"""Files of what the page shows, each made when it is asked for."""

from __future__ import annotations

import functools
from pathlib import Path

import streamlit as st

from geodata.region import Prepared
from scenarios.app import cache, session
from scenarios.app.i18n import words
from scenarios.compare import Comparison
from scenarios.output.export import coverage_files
from scenarios.output.legend import Language
from scenarios.output.norms_report import norms_files
from scenarios.output.workbook import site_workbook
from scenarios.output.writers import FileKind, file_bytes
from scenarios.siting.region.standby import RegionPlan

FILES: dict[FileKind, str] = {"html": "map-{}.html", "png": "map-{}.png", "xlsx": "coverage.xlsx", "gpkg": "coverage.gpkg"}
NORMS = "norms.xlsx"


def show(prepared: Prepared, path: Path, service_id: str, comparison: Comparison, *, plan: RegionPlan | None, language: Language) -> None:
    """Offer the files: the map as a page and as a picture of the part in view, tables, layers, norms, the chosen points and proof."""
    say = words(language)
    with st.expander(say["files"]):
        for kind, name in FILES.items():
            file = name.format(service_id)
            make = functools.partial(_make, prepared, service_id, comparison, kind, file, language=language, bounds=session.view())
            about = say["file_png_help"] if kind == "png" else None
            st.download_button(say[f"file_{kind}"], make, file, on_click="ignore", key=f"file-{kind}", width="stretch", help=about)
        make = functools.partial(_make_norms, prepared, path)
        st.download_button(say["file_norms"], make, NORMS, on_click="ignore", key="file-norms", width="stretch")
        if plan is not None:
            make = functools.partial(site_workbook, prepared, service_id, plan)
            st.download_button(say["file_site"], make, "site.xlsx", on_click="ignore", key="file-site", width="stretch")


def _make(
    prepared: Prepared,
    service_id: str,
    comparison: Comparison,
    kind: FileKind,
    file: str,
    *,
    language: Language,
    bounds: tuple[float, float, float, float] | None,
) -> bytes:
    comparisons = {service_id: comparison} if comparison.differs else None
    files = coverage_files(
        prepared, {service_id: comparison.after}, comparisons=comparisons, kinds=(kind,), bounds=bounds, language=language
    )
    return file_bytes(file, files[file])


def _make_norms(prepared: Prepared, path: Path) -> bytes:
    return file_bytes(NORMS, norms_files(prepared, cache.norms(prepared, path))[NORMS])
