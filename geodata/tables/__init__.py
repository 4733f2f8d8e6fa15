"""Tables as offices keep them → GeoDataFrames with documented columns; ``load`` is the door."""
