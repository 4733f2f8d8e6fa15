"""Catchments as they are handed out: their shapes and areas, and the people and settlements that belong to each."""

from __future__ import annotations

from functools import lru_cache

import geopandas as gpd
import pandas as pd
import shapely

from coverage.circles import catchments
from coverage.serving import Served
from coverage.studies.shares import catchment_people
from geodata.model import Demand, Facilities


@lru_cache(maxsize=4)  # the workbook and the layers of one run, or of one click
def catchment_layer(served: Served, facilities: Facilities, demand: Demand) -> gpd.GeoDataFrame:
    """Join what is drawn and what is counted of each catchment.

    Parameters
    ----------
    served : Served
    facilities : Facilities
        Those of `served`, in its order.
    demand : Demand
        The points of `served`.

    Returns
    -------
    GeoDataFrame, WGS84
        facility_id, facility, class, area_km2 as in ``coverage.circles.catchments``, people, settlements as in
        ``catchment_people``, geometry; empty, with no area, where people belong to a facility whose circle has no road.
        Not to be changed: it is kept.
    """
    keys = ["facility_id", "facility", "class"]
    text = dict.fromkeys(keys, object)  # of an empty table too
    drawn = catchments(served.question.definition, served.question.network, facilities).astype(text)
    counted = catchment_people(served, facilities, demand).astype(text)
    rows = drawn.merge(counted, on=keys, how="left")
    bare = counted.merge(drawn[keys], on=keys, how="left", indicator=True)
    bare = bare[bare.pop("_merge") == "left_only"].assign(area_km2=0.0)
    if len(bare):
        shapes = gpd.GeoDataFrame(bare, geometry=[shapely.MultiPolygon()] * len(bare), crs=drawn.crs)
        rows = pd.concat([rows, shapes], ignore_index=True)
    rows["people"], rows["settlements"] = rows["people"].fillna(0.0), rows["settlements"].fillna(0).astype("int64")
    return rows[[*keys, "area_km2", "people", "settlements", "geometry"]]
