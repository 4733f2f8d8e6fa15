"""The findings as files: a table for Excel, layers for a GIS, and all of it for programs."""

from __future__ import annotations

from scenarios.audit.check import Audit
from scenarios.audit.finding import findings_layers, findings_table
from scenarios.output.writers import Writer, csv_writer, geopackage_writer, json_writer


def audit_files(audit: Audit) -> dict[str, Writer]:
    """Lay out findings.csv, findings.gpkg (points, lines, polygons; left out if no finding has a place) and check.json."""
    layers = findings_layers(audit.findings)
    placed = {"findings.gpkg": geopackage_writer(lambda: layers)} if layers else {}
    return {"findings.csv": csv_writer(findings_table(audit.findings)), **placed, "check.json": json_writer(audit.to_json)}
