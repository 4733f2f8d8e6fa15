"""Types of the fixtures that answer by service. Not in conftest.py: the browser tests have another module of that name."""

from collections.abc import Callable

import geopandas as gpd

from coverage.stats import CoverageResult

Covered = Callable[[str], CoverageResult]
Drawn = Callable[[str], gpd.GeoDataFrame]
