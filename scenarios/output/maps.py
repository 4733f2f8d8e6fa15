"""A folium map for notebooks and for embedding: one page that draws without a network, and shows every name as it was written.

folium puts text into JavaScript and HTML, and branca renders what comes out as a Jinja template once more: ``{{…}}`` in a name would run
in this process, a tag in the reader's browser. So every text goes through :func:`escape`, and no other module imports folium.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

import folium
import geopandas as gpd
import numpy as np
import shapely
from branca.element import Element, MacroElement
from folium.template import Template

from coverage.gaps import CAUSES
from coverage.stats import CoverageResult
from geodata.region import Prepared
from geodata.roads import Geometries
from scenarios.compare import Comparison
from scenarios.output import legend
from scenarios.output.ground import road_lines, simplified, water_shapes, zone_shapes
from scenarios.output.report import people, percent, round_up
from scenarios.output.webmap import leaflet_script, leaflet_style

DECIMALS: Final = 5  # of a degree: about a metre
_ENTITIES: Final = str.maketrans({letter: f"&#{ord(letter)};" for letter in "&<>\"'{}$\\`"})
_ROADS: Final = ("local", "main", "motorway")  # without paths: for them the page would be half as large again
_SMALLER: Final = 0.75  # than on the page with the panel, for a map that is embedded is smaller
_STYLE: Final = """
.leaflet-container { background: #f4f4f1; font-size: 12px }
.leaflet-tooltip.name { background: none; border: 0; box-shadow: none; padding: 0; font-weight: 600; color: #222;
  text-shadow: 0 0 3px #fff, 0 0 3px #fff, 0 0 3px #fff }
.legend { background: #fffe; padding: 7px 10px; line-height: 1.5; max-width: 330px; border-radius: 4px; box-shadow: 0 1px 4px #0006 }
.legend i { display: inline-block; width: 18px; height: 11px; margin-right: 7px; vertical-align: -1px }
.legend i.dot { width: 10px; height: 10px; border-radius: 50%; margin: 0 11px 0 4px }
.legend i.hollow { width: 6px; height: 6px; border: 2px solid }
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
    page.default_js = [("leaflet", _data_uri("text/javascript", leaflet_script()))]
    page.default_css = [("leaflet_css", _data_uri("text/css", leaflet_style()))]
    for layer in _layers(prepared, result, circles, comparison):
        layer.add_to(page)
    page.fit_bounds([[south, west], [north, east]])
    folium.LayerControl(collapsed=False).add_to(page)
    page.add_child(_Frame(_legend_html(prepared, service_id, result, circles, comparison), legend.both(legend.UNREVIEWED)))
    name = "|".join(
        (prepared.region.fingerprint, service_id, result.definition.model_dump_json(), comparison.scenario.to_json() if comparison else "")
    )
    _number(page, hashlib.sha256(name.encode()).hexdigest()[:12])
    return page


# Layers, from the ground up


def _layers(
    prepared: Prepared, result: CoverageResult, circles: gpd.GeoDataFrame, comparison: Comparison | None
) -> Iterator[folium.GeoJson]:
    shapes, labels = zone_shapes(prepared.region)
    yield _layer("乡镇 townships", _zone_features(result, shapes))
    areas, rivers = water_shapes(prepared.region)
    water = [_area(areas, legend.WATER_COLOUR, 1.0), _stroke(rivers, legend.RIVER_COLOUR, 2.0)]
    yield _layer(legend.both(legend.WATER_WORDS), water)
    drawn = legend.merged(circles)
    circle = [
        _area(simplified(np.array([shape], dtype=object), prepared.region), legend.CIRCLE_COLOURS[name], legend.CIRCLE_OPACITY)
        for name, shape in zip(drawn["class"], drawn.geometry, strict=True)
    ]
    yield _layer(legend.both(legend.CIRCLE_WORDS["all"]), circle)
    looks = {group: legend.ROADS[group] for group in _ROADS}
    roads = [_stroke(road_lines(prepared.region, group), look.colour, look.width_px) for group, look in looks.items()]
    yield _layer(legend.both(legend.ROLE_WORDS["roads"]), roads)
    yield _layer(legend.both(legend.GAP_WORDS), _gap_features(prepared, result))
    yield _layer(legend.both(legend.ROLE_WORDS["facilities"]), _facility_features(prepared, result))
    if comparison is not None:
        yield _layer("情景变化 changes", _changed_features(comparison))
        yield _layer("情景机构 scenario", _site_features(prepared, comparison))
    yield _name_layer(prepared, labels)


def _layer(name: str, features: Sequence[dict[str, Any]]) -> folium.GeoJson:
    """Build one layer; each feature brings its style, and `says`: the safe HTML that it tells when pointed at."""
    tells = any("says" in feature["properties"] for feature in features)
    layer = folium.GeoJson(
        {"type": "FeatureCollection", "features": list(features)}, name=escape(name), marker=folium.CircleMarker(), interactive=tells
    )
    if tells:
        folium.GeoJsonTooltip(fields=["says"], labels=False, class_name="says").add_to(layer)
    return layer


def _name_layer(prepared: Prepared, labels: Geometries) -> folium.GeoJson:
    """Build the layer of township names, each written where its township is widest."""
    nothing = {"stroke": False, "fill": False}
    named = [_dot((at.x, at.y), nothing, name) for name, at in zip(prepared.region.zones.name, labels, strict=True)]
    return folium.GeoJson(
        {"type": "FeatureCollection", "features": named},
        name=escape("乡镇名 names"),
        marker=folium.CircleMarker(),
        interactive=False,
        on_each_feature=folium.JsCode(_WRITE_NAME),
    )


def _zone_features(result: CoverageResult, shapes: Geometries) -> list[dict[str, Any]]:
    table = result.by_zone[result.by_zone["row"] == "zone"].to_dict("records")
    border = {"color": legend.BORDER_COLOUR, "weight": 1, "dashArray": "5 3", "fillOpacity": 1}
    return [
        _feature(
            shape,
            border | {"fillColor": legend.share_colour(row["share_people"])},
            row["zone"],
            f"人口 people：{people(row['people'])}",
            f"覆盖人口 covered：{people(row['covered_people'])}（{percent(row['share_people'])}）",
        )
        for shape, row in zip(shapes, table, strict=True)
    ]


def _area(shapes: Geometries, colour: str, opacity: float) -> dict[str, Any]:
    """Fill areas that say nothing, all as one feature: a canvas draws one much faster than many."""
    parts = [part for part in shapely.get_parts(shapely.get_parts(shapes)) if part.geom_type == "Polygon"]
    style = {"color": colour, "weight": 1, "fillColor": colour, "fillOpacity": opacity}
    return _feature(shapely.multipolygons(parts), style)


def _stroke(lines: Geometries, colour: str, width_px: float) -> dict[str, Any]:
    """Draw lines that say nothing, all as one feature."""
    return _feature(shapely.multilinestrings(shapely.get_parts(lines)), {"color": colour, "weight": width_px, "fill": False})


def _gap_features(prepared: Prepared, result: CoverageResult) -> list[dict[str, Any]]:
    at = dict(zip(prepared.region.demand.id, prepared.region.demand.lonlat, strict=True))
    features = []
    for gap in result.gaps.to_dict("records"):
        minutes = gap["nearest_minutes"]
        reach = f"，{round_up(minutes):,.1f} 分钟 min" if minutes == minutes else ""  # noqa: PLR0124 — nan: not by minutes
        says = [f"人口 people：{people(gap['people'])}", legend.both(CAUSES[gap["cause"]])]
        says += [f"最近 nearest：{gap['nearest_name']}{reach}"] if gap["nearest_name"] else []
        features.append(_dot(at[gap["id"]], _place_style(gap["people"], legend.GAP_COLOUR), f"{gap['name']}（{gap['zone']}）", *says))
    return features


def _facility_features(prepared: Prepared, result: CoverageResult) -> list[dict[str, Any]]:
    shown = result.facilities.to_geodataframe()
    looks = {look.id: look for look in legend.kind_looks(prepared.services, result.facilities)}
    places = shapely.get_coordinates(shapely.point_on_surface(np.array(shown.geometry, dtype=object)))
    features = []
    for facility, place in zip(shown.to_dict("records"), places, strict=True):
        look = looks[facility["kind"]]
        style = {"color": "#fff", "weight": 1, "fillColor": look.colour, "fillOpacity": 1, "radius": look.radius_px * _SMALLER}
        if facility["external"]:
            style |= {"color": look.colour, "weight": 2, "fillColor": "#fff"}
        features.append(_dot(place, style, facility["name"], legend.both(look.words), *_external(facility["external"])))
    return features


def _changed_features(comparison: Comparison) -> list[dict[str, Any]]:
    return [
        _dot(
            (row.lon, row.lat),
            _place_style(row.people, legend.CHANGE_COLOURS[row.change]),
            f"{row.name}（{row.zone}）",
            f"{legend.both(legend.CHANGE_WORDS[row.change])}：{people(row.people)}",
        )
        for row in comparison.changed.itertuples(index=False)
    ]


def _site_features(prepared: Prepared, comparison: Comparison) -> list[dict[str, Any]]:
    words = legend.kind_words(prepared)
    return [
        _dot(
            (row.lon, row.lat),
            {
                "color": "#222",
                "weight": 2,
                "fillColor": legend.SITE_COLOURS["closed" if row.state == "closed" else "placed"],
                "fillOpacity": 1,
                "radius": 8,
            },
            row.name,
            legend.both(words[row.kind]),
            legend.both(legend.STATE_WORDS[row.state]),
        )
        for row in comparison.sites.itertuples(index=False)
    ]


def _external(external: bool) -> list[str]:  # noqa: FBT001 — a cell of a table
    return [legend.both(legend.OUTSIDE_WORDS)] if external else []


def _place_style(people_there: float, colour: str) -> dict[str, Any]:
    radius_px = legend.place_radius_px(people_there) * _SMALLER
    return {"color": "#fff", "weight": 1, "fillColor": colour, "fillOpacity": 0.85, "radius": round(radius_px, 1)}


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


def _legend_html(
    prepared: Prepared, service_id: str, result: CoverageResult, circles: gpd.GeoDataFrame, comparison: Comparison | None
) -> str:
    region, total = prepared.region, result.by_zone.to_dict("records")[-1]
    covered = f"{people(total['covered_people'])} / {people(total['people'])}（{percent(total['share_people'])}）"
    lines = [f"<b>{escape(legend.title_words(prepared, service_id, comparison)[0])}</b>"]
    lines += [escape(part) for part in legend.about_words(prepared, result.definition)[0].split(" · ")]
    lines += [f'<b style="color:{legend.GAP_COLOUR}">{escape(legend.both(legend.ILLUSTRATIVE))}</b>'] if region.illustrative else []
    lines.append(escape(f"覆盖人口 covered：{covered}"))
    lines += [_swatch(colour, text) for colour, text in zip(legend.SHARE_COLOURS, legend.share_labels(), strict=True)]
    if result.by_zone.loc[result.by_zone["row"] == "zone", "share_people"].isna().any():
        lines.append(_swatch(legend.NOBODY_COLOUR, legend.both(legend.NOBODY_WORDS)))
    for name in legend.merged(circles)["class"][::-1]:
        lines.append(
            _swatch(
                f"{legend.CIRCLE_COLOURS[name]}{round(255 * legend.CIRCLE_OPACITY):02x}",
                legend.both(legend.circle_words(result.definition, name)),
            )
        )
    lines += _facility_lines(prepared, result)
    lines.append(_swatch(legend.GAP_COLOUR, legend.both(legend.GAP_WORDS), "dot"))
    if comparison is not None:
        lines += [_swatch(colour, legend.both(legend.CHANGE_WORDS[change]), "dot") for change, colour in legend.CHANGE_COLOURS.items()]
        lines += [_swatch(colour, legend.both(legend.SITE_WORDS[site]), "dot") for site, colour in legend.SITE_COLOURS.items()]
    return "<br>".join(lines)


def _facility_lines(prepared: Prepared, result: CoverageResult) -> Iterator[str]:
    """Yield the kinds with how many are shown, and how many of all these lie outside the county."""
    for look in legend.kind_looks(prepared.services, result.facilities):
        yield _swatch(look.colour, f"{legend.both(look.words)} ({look.count:,})", "dot")
    if external := int((result.facilities.external & ~result.facilities.restricted).sum()):
        yield _swatch("#fff", f"{legend.both(legend.EXTERNAL_WORDS)} ({external:,})", "dot hollow")


def _swatch(colour: str, text: str, shape: str = "") -> str:
    return f'<i class="{shape}" style="background:{colour}"></i>{escape(text)}'


def _number(page: folium.Map, name: str) -> None:
    """Give every element a name that depends on the content, not on chance."""
    waiting: list[Element] = [page]
    for count, element in enumerate(waiting):
        element._id = f"{name}{count:04}"  # noqa: SLF001 — branca offers no other way
        waiting += element._children.values()  # noqa: SLF001


def _data_uri(kind: str, content: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content.encode()).decode()}"
