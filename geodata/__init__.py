"""The nouns of circle15, and the readers that fill them from files, OSM, rasters and tables."""
