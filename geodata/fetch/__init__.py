"""A county's data from OpenStreetMap, as the folder that a planner completes: over the internet by osmnx, or from an extract on disk.

Both ways end in the same few nouns and the same writer::

    osm.py (osmnx: Nominatim, Overpass) ┐
                                        ├→ elements.py → layers.py → write.py
    extract.py (pyosmium: .osm.pbf)     ┘      tags.py with tags.toml says what counts as what
"""
