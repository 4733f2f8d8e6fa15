"""``circle15 check``: what a region holds, and what is doubtful in it, before anybody trusts a number."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geodata.model import TableNote
from geodata.region import Prepared
from geodata.standards import MODES
from scenarios.audit.finding import Finding
from scenarios.audit.network import mode_findings
from scenarios.audit.people import settlement_findings, sum_findings
from scenarios.audit.places import facility_findings
from scenarios.audit.roads import road_classes, road_findings
from scenarios.audit.tables import call_findings, table_findings
from scenarios.audit.zones import zone_findings
from scenarios.output.report import rows


@dataclass(frozen=True, eq=False)
class Audit:
    """What a region holds and what is doubtful in it.

    Attributes
    ----------
    facts : dict
        Name → value.
    tables : tuple of TableNote
    classes : DataFrame
        Roads by class, see :func:`scenarios.audit.roads.road_classes`.
    findings : tuple of Finding
        Graver first, then those that touch more people.
    """

    facts: dict[str, Any]
    tables: tuple[TableNote, ...]
    classes: pd.DataFrame
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """Everything but the geometry."""
        return {
            "facts": self.facts,
            "tables": [note.__dict__ for note in self.tables],
            "roads": rows(self.classes),
            "findings": [finding.to_json() for finding in self.findings],
        }


def check_region(prepared: Prepared) -> Audit:
    """Say what a region holds (files, rows, people, roads by class) and what is doubtful in it."""
    region = prepared.region
    classes = road_classes(region.roads, prepared.speeds)
    findings = [
        *table_findings(region),
        *call_findings(region),
        *zone_findings(region.zones, region.demand, region.crs),
        *settlement_findings(region),
        *sum_findings(region),
        *facility_findings(prepared),
        *road_findings(prepared, classes),
    ]
    for mode in MODES:
        findings += mode_findings(prepared, mode)
    told = sorted((finding for finding in findings if finding.count), key=lambda finding: finding.rank)
    return Audit(_facts(prepared), region.tables, classes, tuple(told))


def _facts(prepared: Prepared) -> dict[str, Any]:
    region = prepared.region
    inside = region.demand.inside
    stated = {"county_people": region.county_people, "county_registered": region.county_registered}
    return {
        "region": region.name,
        "illustrative": region.illustrative,
        "date": region.date.isoformat(),
        "crs": region.crs,
        "fingerprint": region.fingerprint,
        "sources": [source.__dict__ for source in region.sources],
        "zones": len(region.zones.id),
        "demand_points": len(region.demand),
        "people_inside": math.fsum(region.demand.people[inside]),
        "people_outside": math.fsum(region.demand.people[~inside]),
        "people_source": region.people_source,
        **{name: None if math.isnan(value) else value for name, value in stated.items()},
        "facilities_by_kind": dict(sorted(Counter(region.facilities.take(np.flatnonzero(~region.facilities.restricted)).kind).items())),
        "calls": len(region.calls),
        "road_pieces": len(region.roads),
        "road_km": round(float(region.roads.length_mm.sum()) / 1e6, 1),
    }
