"""What the tables of all studies have alike."""

import gridtown as town
import numpy as np

from coverage.tables import groups, place_columns

HOMES = {"town": (0, 0), "village": (2, 0), "hamlet": (6, 0), "abroad": (20, 0)}  # 1, 2, 4, 8 people
ZONES = {"W": town.polygon([(-1, -1), (4, -1), (4, 1), (-1, 1)]), "E": town.polygon([(4, -1), (9, -1), (9, 1), (4, 1)])}
REGION = town.region(town.roads(town.street((0.0, 0.0), (20.0, 0.0))), HOMES, {"C": (0, 0)}, urban=["town", "abroad"], zones=ZONES)


def test_every_township_then_town_country_and_all_and_nobody_from_outside():
    demand = REGION.demand
    rows = groups(REGION.zones, demand.zone, demand.urban)
    assert [(row, zone_id, float(demand.people[which].sum())) for row, zone_id, _, which in rows] == [
        ("zone", "W", 3.0),
        ("zone", "E", 4.0),
        ("urban", "", 1.0),
        ("rural", "", 6.0),
        ("total", "", 7.0),
    ]


def test_a_place_says_its_township_and_class():
    said = place_columns(REGION.zones, REGION.demand, np.array([2, 0]))
    assert {name: list(column) for name, column in said.items()} == {
        "id": ["hamlet", "town"],
        "name": ["hamlet", "town"],
        "zone_id": ["E", "W"],
        "zone": ["E", "W"],
        "class": ["rural", "urban"],
        "people": [4.0, 1.0],
    }
