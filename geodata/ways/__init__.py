"""Roads from files: OSM, a bureau's link tables, GraphML; ``files`` is the door."""
