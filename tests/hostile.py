"""Names that must be shown as they are wherever a name can appear, and a town in which everything bears one."""

from __future__ import annotations

from dataclasses import replace

from gridtown import definition, polygon, region, roads, speeds, streets

from coverage.circles import circles
from coverage.stats import coverage
from geodata.region import Prepared
from geodata.standards import Kind, Service, Services
from scenarios.output.webmap import html_map

NAMES = (
    "<img src=x onerror=window.__hit=1>院",
    "{{7*7}}院",
    "{% x %}",
    "{#1号楼",
    "a}}b",
    "`+(window.__hit=1)+`",
    "${window.__hit=1}",
    "</script><script>window.__hit=1</script>",
    "甲\\u003cb\\",
    "\"'&amp;",
)
ALL = " ".join(NAMES)


def hostile_town() -> Prepared:
    """Ten townships side by side, in each a village out of reach of the township's clinic; every name is one of the ten, or all ten."""
    homes = {f"H{at}": (2.0 * at, 0.0) for at in range(10)}
    clinics = {f"K{at}": (2.0 * at, 12.0) for at in range(10)}
    zones = {f"Z{at}": polygon([(2 * at - 1, -1), (2 * at + 1, -1), (2 * at + 1, 13), (2 * at - 1, 13)]) for at in range(10)}
    town = region(roads(streets(19, 13)), homes, clinics, zones=zones)
    town = replace(
        town,
        name=ALL,
        people_source=ALL,
        zones=replace(town.zones, name=NAMES),
        demand=replace(town.demand, name=NAMES),
        facilities=replace(town.facilities, name=NAMES),
    )
    said = definition().model_copy(update={"name_zh": ALL, "name_en": ALL, "source": ALL})
    service = Service(name_zh=ALL, name_en=ALL, definitions=(said,))
    return Prepared(town, Services(kinds={"hospital": Kind(zh=ALL, en=ALL)}, services={"medical": service}), speeds())


def hostile_map() -> str:
    """The town as a page."""
    prepared = hostile_town()
    said = prepared.services.service("medical").definition(None)
    network = prepared.network_of(said)
    result = coverage(prepared.region, said, network)
    return html_map(prepared, "medical", result, circles=circles(said, network, result.facilities))
