"""A folium map for notebooks and for embedding: one page that draws without a network, and shows every name as it was written.

folium puts text into JavaScript and HTML, and branca renders what comes out as a Jinja template once more: ``{{…}}`` in a name would run
in this process, a tag in the reader's browser. So every text goes through :func:`escape`, and no other module imports folium.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import folium
import geopandas as gpd
import numpy as np
import shapely
import xstatic.pkg.leaflet
from branca.element import Element, MacroElement
from folium.template import Template

from coverage.gaps import CAUSES
from coverage.stats import CoverageResult
from geodata.region import Prepared
from geodata.roads import Geometries
from geodata.standards import ServiceDefinition
from scenarios.compare import Comparison
from scenarios.output import legend
from scenarios.output.report import ILLUSTRATIVE, people, percent, round_up

LEAFLET: Final = Path(xstatic.pkg.leaflet.BASE_DIR)
SIMPLIFY_M: Final = 5.0
MANY: Final = 60  # facilities of a kind, drawn smaller
DECIMALS: Final = 5  # of a degree: about a metre
_ENTITIES: Final = str.maketrans({letter: f"&#{ord(letter)};" for letter in "&<>\"'{}$\\`"})
_ROAD_WEIGHTS: Final = {"local": 0.7, "main": 1.6, "motorway": 3.0}
_STYLE: Final = """
.leaflet-container { background: #f4f4f1; font-size: 12px }
.leaflet-tooltip.name { background: none; border: 0; box-shadow: none; padding: 0; font-weight: 600; color: #222;
  text-shadow: 0 0 3px #fff, 0 0 3px #fff, 0 0 3px #fff }
.legend { background: #fffe; padding: 7px 10px; line-height: 1.5; max-width: 260px; border-radius: 4px; box-shadow: 0 1px 4px #0006 }
.legend i { display: inline-block; width: 18px; height: 11px; margin-right: 7px; vertical-align: -1px }
.legend i.dot { width: 10px; height: 10px; border-radius: 50%; margin: 0 11px 0 4px }
.legend b.mark { color: #d7191c }
"""
_WRITE_NAME: Final = """function (feature, layer) {
    layer.bindTooltip(feature.properties.says, {permanent: true, direction: "center", className: "name"});
}"""


def escape(text: object) -> str:
    """Make a text safe in HTML, in a JavaScript string or template, and in the Jinja template that branca makes of both.

    >>> escape("{{7*7}}<b>")
    '&#123;&#123;7*7&#125;&#125;&#60;b&#62;'
    """
    return str(text).translate(_ENTITIES)


def coverage_map(
    prepared: Prepared, service_id: str, result: CoverageResult, *, circles: gpd.GeoDataFrame, comparison: Comparison | None = None
) -> folium.Map:
    """Draw coverage as a folium map that needs no network.

    Parameters
    ----------
    prepared : Prepared
    service_id : str
    result : CoverageResult
        After the changes, if there is a comparison.
    circles : GeoDataFrame
        As from ``coverage.circles.circles``; the merged rows are drawn.
    comparison : Comparison, optional
        Adds the facilities that a scenario changed, and who gains and loses.

    Returns
    -------
    folium.Map
        ``get_root().render()`` gives the page, the same bytes for the same input.
    """
    west, south, east, north = prepared.region.zones.bounds
    page = folium.Map(location=((south + north) / 2, (west + east) / 2), tiles=None, prefer_canvas=True, zoom_snap=0.25)
    page.default_js = [("leaflet", _data_uri("text/javascript", _leaflet_script()))]
    page.default_css = [("leaflet_css", _data_uri("text/css", _leaflet_style()))]
    for layer in _layers(prepared, result, circles, comparison):
        layer.add_to(page)
    page.fit_bounds([[south, west], [north, east]])
    folium.LayerControl(collapsed=False).add_to(page)
    page.add_child(_Frame(_legend_html(prepared, service_id, result, comparison), " ".join(legend.UNREVIEWED)))
    name = "|".join(
        (prepared.region.fingerprint, service_id, result.definition.model_dump_json(), comparison.scenario.to_json() if comparison else "")
    )
    _number(page, hashlib.sha256(name.encode()).hexdigest()[:12])
    return page


# Layers, from the ground up


def _layers(
    prepared: Prepared, result: CoverageResult, circles: gpd.GeoDataFrame, comparison: Comparison | None
) -> Iterator[folium.GeoJson]:
    yield _layer("乡镇 townships", _zone_features(prepared, result))
    yield _layer("水面 water", _plain_features(prepared, {"water": prepared.region.roads.water}, {"water": (legend.WATER_COLOUR, 1.5)}))
    merged = circles[circles["facility_id"] == ""]
    rings = {name: np.array([shape], dtype=object) for name, shape in zip(merged["class"], merged.geometry, strict=True)}
    yield _layer("服务圈 circles", _plain_features(prepared, rings, dict.fromkeys(rings, (legend.CIRCLE_COLOUR, 1.0))))
    lines, classes = prepared.region.roads.lines(), np.array(prepared.region.roads.class_names)[prepared.region.roads.road_class]
    roads = {group: lines[np.isin(classes, legend.ROAD_GROUPS[group])] for group in _ROAD_WEIGHTS}
    looks = {group: (legend.ROAD_COLOURS[group], weight) for group, weight in _ROAD_WEIGHTS.items()}
    yield _layer("道路 roads", _plain_features(prepared, roads, looks))
    yield _layer("未覆盖 out of reach", _gap_features(prepared, result))
    yield _layer("机构 facilities", _facility_features(prepared, result))
    if comparison is not None:
        yield _layer("情景变化 changes", _changed_features(comparison))
        yield _layer("情景机构 scenario", _site_features(prepared, comparison))
    yield _name_layer(prepared)


def _layer(name: str, features: Sequence[dict[str, Any]]) -> folium.GeoJson:
    """Build one layer; each feature brings its style, and `says`: the safe HTML that it tells when pointed at."""
    tells = any("says" in feature["properties"] for feature in features)
    layer = folium.GeoJson(
        {"type": "FeatureCollection", "features": list(features)}, name=escape(name), marker=folium.CircleMarker(), interactive=tells
    )
    if tells:
        folium.GeoJsonTooltip(fields=["says"], labels=False, class_name="says").add_to(layer)
    return layer


def _name_layer(prepared: Prepared) -> folium.GeoJson:
    """Build the layer of township names, each written where its township is widest."""
    centres = shapely.get_point(shapely.maximum_inscribed_circle(np.array(prepared.region.zones.geometry), tolerance=0.002), 0)
    nothing = {"stroke": False, "fill": False}
    named = [_dot((at.x, at.y), nothing, name) for name, at in zip(prepared.region.zones.name, centres, strict=True)]
    return folium.GeoJson(
        {"type": "FeatureCollection", "features": named},
        name=escape("乡镇名 names"),
        marker=folium.CircleMarker(),
        interactive=False,
        on_each_feature=folium.JsCode(_WRITE_NAME),
    )


def _zone_features(prepared: Prepared, result: CoverageResult) -> list[dict[str, Any]]:
    table = result.by_zone[result.by_zone["row"] == "zone"].to_dict("records")
    shapes = shapely.coverage_simplify(np.array(prepared.region.zones.geometry), SIMPLIFY_M / 100_000)
    return [
        _feature(
            shape,
            {"color": "#777", "weight": 1, "dashArray": "5 3", "fillColor": legend.share_colour(row["share_people"]), "fillOpacity": 0.85},
            row["zone"],
            f"人口 people：{people(row['people'])}",
            f"覆盖人口 covered：{people(row['covered_people'])}（{percent(row['share_people'])}）",
        )
        for shape, row in zip(shapes, table, strict=True)
    ]


def _plain_features(prepared: Prepared, shapes: Mapping[str, Geometries], looks: Mapping[str, tuple[str, float]]) -> list[dict[str, Any]]:
    """Shapes that say nothing, all of a group as one feature: a canvas draws one much faster than many."""
    features = []
    for group, some in shapes.items():
        colour, weight = looks[group]
        metric = gpd.GeoSeries(list(some), crs="EPSG:4326").to_crs(prepared.region.crs).simplify(SIMPLIFY_M).to_crs("EPSG:4326")
        parts = shapely.get_parts(np.array(metric, dtype=object))
        area = shapely.get_dimensions(parts) == 2  # noqa: PLR2004 — the dimension of a polygon
        style = {"color": colour, "weight": weight, "fillColor": colour}
        opaque = 1.0 if colour == legend.WATER_COLOUR else 0.18
        if area.any():
            features.append(_feature(shapely.multipolygons(parts[area]), style | {"fillOpacity": opaque}))
        if not area.all():
            features.append(_feature(shapely.multilinestrings(parts[~area]), style | {"fill": False}))
    return features


def _gap_features(prepared: Prepared, result: CoverageResult) -> list[dict[str, Any]]:
    at = dict(zip(prepared.region.demand.id, prepared.region.demand.lonlat, strict=True))
    features = []
    for gap in result.gaps.to_dict("records"):
        minutes = gap["nearest_minutes"]
        reach = f"，{round_up(minutes):,.1f} 分钟 min" if minutes == minutes else ""  # noqa: PLR0124 — nan: not by minutes
        says = [f"人口 people：{people(gap['people'])}", " ".join(CAUSES[gap["cause"]])]
        says += [f"最近 nearest：{gap['nearest_name']}{reach}"] if gap["nearest_name"] else []
        features.append(_dot(at[gap["id"]], _gap_style(gap["people"], legend.GAP_COLOUR), f"{gap['name']}（{gap['zone']}）", *says))
    return features


def _facility_features(prepared: Prepared, result: CoverageResult) -> list[dict[str, Any]]:
    shown = result.facilities.to_geodataframe()
    colours, words = legend.kind_colours(result.definition.kinds), legend.kind_words(prepared)
    places = shapely.get_coordinates(shapely.point_on_surface(np.array(shown.geometry, dtype=object)))
    radius = {kind: 3.0 if count > MANY else 5.0 for kind, count in shown["kind"].value_counts().items()}
    features = []
    for facility, place in zip(shown.to_dict("records"), places, strict=True):
        style = {"color": "#fff", "weight": 1, "fillColor": colours[facility["kind"]], "fillOpacity": 1, "radius": radius[facility["kind"]]}
        features.append(_dot(place, style, facility["name"], " ".join(words[facility["kind"]]), *_external(facility["external"])))
    return features


def _changed_features(comparison: Comparison) -> list[dict[str, Any]]:
    return [
        _dot(
            (row.lon, row.lat),
            _gap_style(row.people, legend.CHANGE_COLOURS[row.change]),
            f"{row.name}（{row.zone}）",
            f"{' '.join(legend.CHANGE_WORDS[row.change])}：{people(row.people)}",
        )
        for row in comparison.changed.itertuples(index=False)
    ]


def _site_features(prepared: Prepared, comparison: Comparison) -> list[dict[str, Any]]:
    words = legend.kind_words(prepared)
    return [
        _dot(
            (row.lon, row.lat),
            {"color": "#222", "weight": 2, "fillColor": legend.STATE_COLOURS[row.state], "fillOpacity": 1, "radius": 8},
            row.name,
            " ".join(words[row.kind]),
            " ".join(legend.STATE_WORDS[row.state]),
        )
        for row in comparison.sites.itertuples(index=False)
    ]


def _external(external: bool) -> list[str]:  # noqa: FBT001 — a cell of a table
    return ["县外 external"] if external else []


def _gap_style(people_there: float, colour: str) -> dict[str, Any]:
    return {"color": "#fff", "weight": 1, "fillColor": colour, "fillOpacity": 0.85, "radius": round(2 + (people_there / 60) ** 0.5, 1)}


def _dot(lonlat: Sequence[float], style: dict[str, Any], *says: str) -> dict[str, Any]:
    return _feature(shapely.Point(lonlat), {"fill": True} | style, *says)


def _feature(shape: shapely.Geometry, style: dict[str, Any], *says: str) -> dict[str, Any]:
    """Build a GeoJSON feature; the first of the lines it says is the name."""
    told = [f"<b>{escape(line)}</b>" if at == 0 else escape(line) for at, line in enumerate(says)]
    properties = {"style": style} | ({"says": "<br>".join(told)} if told else {})
    rounded = shapely.transform(shape, lambda degrees: np.round(degrees, DECIMALS))
    return {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(rounded)}


# Around the map


class _Frame(MacroElement):
    """The legend, the mark of use, and Leaflet's name in place of its link."""

    _template = Template(
        """
        {% macro header(this, kwargs) %}<style>{{ this.style }}</style>{% endmacro %}
        {% macro script(this, kwargs) %}
        {{ this._parent.get_name() }}.attributionControl.setPrefix("Leaflet").addAttribution({{ this.mark|tojson }});
        var {{ this.get_name() }} = L.control({position: "bottomleft"});
        {{ this.get_name() }}.onAdd = function () {
            var box = L.DomUtil.create("div", "legend");
            box.innerHTML = {{ this.html|tojson }};
            L.DomEvent.disableClickPropagation(box);
            return box;
        };
        {{ this.get_name() }}.addTo({{ this._parent.get_name() }});
        L.control.scale({imperial: false}).addTo({{ this._parent.get_name() }});
        {% endmacro %}
        """
    )

    def __init__(self, html: str, mark: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Frame"
        self.style, self.html, self.mark = _STYLE, html, mark


def _legend_html(prepared: Prepared, service_id: str, result: CoverageResult, comparison: Comparison | None) -> str:
    region, service, definition = prepared.region, prepared.services.service(service_id), result.definition
    total = result.by_zone.to_dict("records")[-1]
    lines = [f"<b>{escape(region.name)} · {escape(service.name_zh)}</b>", escape(definition.name_zh), escape(region.date)]
    lines += [escape(comparison.scenario.name)] if comparison and comparison.scenario.name else []
    lines += [f'<b class="mark">{escape(ILLUSTRATIVE)}</b>'] if region.illustrative else []
    lines.append(
        escape(f"覆盖人口 covered：{people(total['covered_people'])} / {people(total['people'])}（{percent(total['share_people'])}）")
    )
    lines += [_swatch(colour, text) for colour, text in zip(legend.SHARE_COLOURS, legend.SHARE_LABELS, strict=True)]
    lines.append(_swatch(legend.CIRCLE_COLOUR + "55", f"服务圈 circle：{' '.join(legend.limit_words(definition))}"))
    lines += [_swatch(colour, text, dot=True) for text, colour in _kinds_shown(prepared, definition, result)]
    lines.append(_swatch(legend.GAP_COLOUR, "未覆盖 out of reach", dot=True))
    if comparison is not None:
        lines += [_swatch(colour, " ".join(legend.CHANGE_WORDS[change]), dot=True) for change, colour in legend.CHANGE_COLOURS.items()]
        lines.append(_swatch(legend.STATE_COLOURS["new"], "新增或迁建 new or moved", dot=True))
        lines.append(_swatch(legend.STATE_COLOURS["closed"], "关闭 closed", dot=True))
    return "<br>".join(lines)


def _kinds_shown(prepared: Prepared, definition: ServiceDefinition, result: CoverageResult) -> Iterator[tuple[str, str]]:
    counts = result.facilities.to_geodataframe()["kind"].value_counts()
    for kind, colour in legend.kind_colours(definition.kinds).items():
        if kind in counts:
            yield f"{' '.join(legend.kind_words(prepared)[kind])} ({counts[kind]:,})", colour


def _swatch(colour: str, text: str, *, dot: bool = False) -> str:
    return f'<i{" class=dot" if dot else ""} style="background:{colour}"></i>{escape(text)}'


def _number(page: folium.Map, name: str) -> None:
    """Give every element a name that depends on the content, not on chance."""
    waiting: list[Element] = [page]
    for count, element in enumerate(waiting):
        element._id = f"{name}{count:04}"  # noqa: SLF001 — branca offers no other way
        waiting += element._children.values()  # noqa: SLF001


def _data_uri(kind: str, content: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content.encode()).decode()}"


@cache
def _leaflet_script() -> str:
    return (LEAFLET / "leaflet.js").read_text(encoding="utf-8").split("//# sourceMappingURL", maxsplit=1)[0]


@cache
def _leaflet_style() -> str:
    """Leaflet's style sheet without its pictures, of which none is shown here."""
    return re.sub(r"url\([^)]*\)", "none", (LEAFLET / "leaflet.css").read_text(encoding="utf-8"))
