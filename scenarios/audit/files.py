"""The findings as files: a table for Excel, layers for a GIS, and all of it for programs."""

from __future__ import annotations

from scenarios.audit.check import Audit
from scenarios.audit.finding import findings_layers, findings_table
from scenarios.output.export import Writer, _csv, _geopackage, _json


def audit_files(audit: Audit) -> dict[str, Writer]:
    """Lay out findings.csv, findings.gpkg (points, lines, polygons; left out if no finding has a place) and check.json."""
    layers = findings_layers(audit.findings)
    placed = {"findings.gpkg": _geopackage(lambda: layers)} if layers else {}
    return {"findings.csv": _csv(findings_table(audit.findings)), **placed, "check.json": _json(audit.to_json)}
