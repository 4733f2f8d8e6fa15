"""A county of two townships as files: one street from west to east, a village in each township, a hospital and a park.

A street of 20 blocks of 0.001 degrees along 28.305 N; 西镇 is its western half, 东镇 its eastern half.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

WEST, LAT, STEP = 116.0, 28.305, 0.001

TOML = """
name = "某县"
date = 2026-01-01
buffer_km = 5
[roads]
file = "roads.osm"
[zones]
file = "zones.geojson"
[population]
file = "people.csv"
[demand]
file = "villages.csv"
[[facilities]]
file = "hospitals.csv"
[[facilities]]
file = "parks.csv"
kind = "公园"
"""
FILES = {
    "region.toml": TOML,
    "people.csv": "乡镇,常住人口\n西镇,1000\n东镇,2000\n",
    "villages.csv": """编码,村名,经度,纬度,人口,乡镇代码,城乡
001,西村,116.002,28.305,3,W,农村
002,西街,116.008,28.305,1,W,城市
003,东村,116.018,28.305,5,E,农村
""",
    "hospitals.csv": """编码,名称,类别,经度,纬度,床位数,可设急救点
H1,县医院,医院,116.005,28.305,400,是
H2,东镇卫生院,乡镇卫生院,116.015,28.305,,否
""",
    "parks.csv": "id,lon,lat,entrances\nP1,116.010,28.305,116.010 28.305; 116.011 28.305\n",
}


def write_county(folder: Path, changed: Mapping[str, str | bytes | None] | None = None, *, toml: str = "") -> Path:
    """Write the files, some with other content or (None) not at all, and `toml` at the top of region.toml."""
    files: dict[str, str | bytes | None] = {**FILES, "roads.osm": roads(), "zones.geojson": zones(), **(changed or {})}
    files["region.toml"] = f"{toml}\n{files['region.toml']}"
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        if content is not None:
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / "region.toml"


def roads(lon: float = WEST, lat: float = LAT) -> str:
    """The street, from some corner."""
    nodes = "".join(f'<node id="{i + 1}" lon="{lon + i * STEP:.4f}" lat="{lat}"/>' for i in range(21))
    refs = "".join(f'<nd ref="{i + 1}"/>' for i in range(21))
    return f'<osm version="0.6">{nodes}<way id="1">{refs}<tag k="highway" v="residential"/></way></osm>'


def zones(**boxes: tuple[float, float]) -> str:
    """Townships by code, each from one longitude to another."""
    names = {"W": "西镇", "E": "东镇"}
    features = [
        {
            "type": "Feature",
            "properties": {"id": code, "name": names.get(code, code)},
            "geometry": {"type": "Polygon", "coordinates": [[[a, 28.30], [b, 28.30], [b, 28.31], [a, 28.31], [a, 28.30]]]},
        }
        for code, (a, b) in (boxes or {"W": (116.0, 116.01), "E": (116.01, 116.02)}).items()
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})
