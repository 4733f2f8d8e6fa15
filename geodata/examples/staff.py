"""Staff, vehicles and rooms of the example county's medical places: assumed ratios to the beds, nothing of any real place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geodata.examples.places import MOVE, MedicalPlace

STAFF_COLUMNS = (
    "执业（助理）医师", "注册护士", "药师", "全科医生", "中医类别执业（助理）医师", "救护车", "业务用房面积（㎡）",
)  # fmt: skip
# physicians, nurses, pharmacists, general practitioners and TCM physicians for each bed, m² for each bed
HOSPITAL, TCM_HOSPITAL, CENTRE = (0.46, 0.66, 0.05, 0.012, 0.03, 92), (0.48, 0.6, 0.09, 0.012, 0.3, 88), (0.42, 0.4, 0.05, 0.09, 0.07, 62)
WITHOUT_BEDS = {"社区卫生服务中心": (16, 18, 2, 7, 4, 1600), "社区卫生服务站": (3, 3, 0, 1, 1, 180), "村卫生室": (1, 0, 0, 0, 0, 75)}
CLINIC_LICENSED = 0.45  # the other village doctors are no licensed (assistant) physicians
CENTRE_VEHICLE = 0.6
VEHICLES = {"急救中心": 6, "医院": 2}


def staff_rows(places: Sequence[MedicalPlace], rng: np.random.Generator) -> list[list[object]]:
    """Draw staff, vehicles and floor area, a row a place.

    Parameters
    ----------
    places : sequence of MedicalPlace
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    list of list
        Cells in the order of ``STAFF_COLUMNS``; blank for a place that is not open yet and for a restricted one.
    """
    return [_row(place, rng) for place in places]


def _row(place: MedicalPlace, rng: np.random.Generator) -> list[object]:
    spread, chance = rng.uniform(0.85, 1.15, 6), rng.random()
    if place.restricted or place.open_from == MOVE:
        return [None] * len(STAFF_COLUMNS)
    if place.kind in {"医院", "乡镇卫生院"} and place.beds:
        ratios = CENTRE if place.kind == "乡镇卫生院" else TCM_HOSPITAL if "中医" in place.name else HOSPITAL
        numbers = place.beds * np.array(ratios) * spread
    else:
        numbers = np.array(WITHOUT_BEDS.get(place.kind, (0,) * len(spread))) * spread
    if place.kind == "村卫生室":
        numbers[0] = chance < CLINIC_LICENSED
    *people, area = (int(number) for number in np.rint(numbers))
    vehicles = VEHICLES.get(place.kind, int(place.kind == "乡镇卫生院" and chance < CENTRE_VEHICLE))
    return [*people, vehicles, area or None]
