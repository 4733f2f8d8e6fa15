// What is drawn on the map: ground, circles, facilities, settlements. Only the uppermost canvas listens to the pointer.
(function () {
  "use strict";

  const { element } = window.circle15;
  const PANES = { zones: 210, water: 220, circles: 230, roads: 240, borders: 250, places: 450, names: 460 };
  const BORDER = { weight: 1.1, opacity: 0.9, dashArray: "5 3" };
  const LEAST_CHANGE = 7; // pixels: its sign stands on the dot
  const FINDING_RADIUS = 9;
  const CANVAS = { padding: 0.3, tolerance: 4 };

  /** The pairs of a compact line (see weblayers.py) as Leaflet wants them: lat, lon. */
  function line(steps) {
    const made = [];
    for (let at = 0, x = 0, y = 0; at < steps.length; at += 2) {
      x += steps[at];
      y += steps[at + 1];
      made.push([y / 1e5, x / 1e5]);
    }
    return made;
  }

  const polygons = (rings) => rings.map((polygon) => polygon.map(line));

  /** Everything that is drawn, in the looks of the view; `onPick(what, id, latlng, pointer)` is called when a thing is clicked, `onDrag(id, latlng)` when a point was moved. */
  function drawing(map, looks, { onPick, onDrag, hover }) {
    const panes = {};
    for (const [name, order] of Object.entries(PANES)) {
      const pane = map.createPane(`c15-${name}`);
      pane.style.zIndex = order;
      if (name !== "places") pane.style.pointerEvents = "none";
      panes[name] = L.canvas({ ...CANVAS, pane: `c15-${name}` });
    }
    let scale = 1;
    const groups = {};
    for (const name of ["zones", "water", "circles", "roads", "borders", "facilities", "gaps", "changed", "sites", "names", "findings"]) groups[name] = L.layerGroup().addTo(map);
    const found = { zones: new Map(), facilities: new Map(), gaps: new Map(), changed: new Map(), sites: new Map(), findings: new Map() };
    const quiet = (pane, style) => ({ renderer: panes[pane], pane: `c15-${pane}`, interactive: false, ...style });

    function base(data) {
      for (const name of ["zones", "water", "roads", "borders", "names"]) groups[name].clearLayers();
      found.zones.clear();
      for (const zone of data.zones) {
        const shape = polygons(zone.polygons);
        const fill = L.polygon(shape, quiet("zones", { stroke: false, fillColor: looks.nobody, fillOpacity: 1 })).addTo(groups.zones);
        const border = L.polygon(shape, quiet("borders", { fill: false, ...BORDER, color: looks.border }));
        border.addTo(groups.borders);
        const label = L.tooltip({ permanent: true, direction: "center", className: "c15-name", pane: "c15-names", interactive: false });
        label.setLatLng([zone.lat, zone.lon]).setContent(element("span", null, zone.name)).addTo(groups.names);
        found.zones.set(zone.id, { zone, fill, border, label });
      }
      L.polygon(data.zones.flatMap((zone) => polygons(zone.polygons)), quiet("zones", { fill: false, color: looks.county, weight: 3, opacity: 0.6 }))
        .addTo(groups.borders)
        .bringToBack();
      L.polygon(polygons(data.water.polygons), quiet("water", { color: looks.river, weight: 0.6, fillColor: looks.water, fillOpacity: 1 })).addTo(groups.water);
      L.polyline(data.water.lines.map(line), quiet("water", { color: looks.river, weight: 2 })).addTo(groups.water);
      for (const { group, colour, width } of looks.roads) {
        L.polyline(data.roads[group].map(line), quiet("roads", { color: colour, weight: width, smoothFactor: 1.5 })).addTo(groups.roads);
      }
    }

    function circles(data) {
      groups.circles.clearLayers();
      for (const one of data.classes) { // rural, the wider, lies below urban
        const colour = looks.circles[one.class];
        const dash = one.class === "rural" ? "6 4" : null;
        const style = { color: colour, weight: 1.2, opacity: 0.85, fillColor: colour, fillOpacity: looks.circle_opacity, dashArray: dash };
        L.polygon(polygons(one.polygons), quiet("circles", style)).addTo(groups.circles);
      }
    }

    function dot(latlng, style, what, id) {
      const options = { renderer: panes.places, pane: "c15-places", bubblingMouseEvents: false, ...style };
      const made = L.circleMarker(latlng, options);
      made.on("click", (event) => onPick(what, id, event.latlng, event.originalEvent));
      made.bindTooltip(() => hover(what, id), { direction: "top", offset: [0, -6] });
      return made;
    }

    function places(data) {
      groups.facilities.clearLayers();
      found.facilities.clear();
      const kinds = new Map(data.kinds.map((kind) => [kind.id, kind]));
      for (const place of [...data.places].reverse()) { // the first kinds are the larger houses: drawn last, they lie above
        const { colour, radius } = kinds.get(place.kind);
        if (place.lines.length) {
          L.polyline(place.lines.map(line), { renderer: panes.places, pane: "c15-places", interactive: false, color: colour, weight: 1.5 }).addTo(groups.facilities);
        }
        const style = place.external
          ? { radius, color: colour, weight: 2.2, fillColor: "#ffffff", fillOpacity: 1 }
          : { radius, color: "#ffffff", weight: 1.2, fillColor: colour, fillOpacity: 1 };
        const marker = dot([place.lat, place.lon], { ...style, radius: radius * scale }, "facility", place.id).addTo(groups.facilities);
        found.facilities.set(place.id, { place, marker, style, crossed: null });
      }
    }

    /** Which facilities stand no longer where they stood: grey, crossed out. */
    function cross(gone) {
      for (const [id, { place, marker, style, crossed }] of found.facilities) {
        const entry = found.facilities.get(id);
        if (gone.has(id) && !crossed) {
          marker.setStyle({ fillColor: "#c9c9c9", color: "#777777", fillOpacity: 0.8 });
          entry.crossed = sign([place.lat, place.lon], "✕", "c15-cross").addTo(groups.facilities);
        } else if (!gone.has(id) && crossed) {
          marker.setStyle({ ...style, radius: style.radius * scale });
          groups.facilities.removeLayer(crossed);
          entry.crossed = null;
        }
      }
    }

    function sign(latlng, text, name) {
      const icon = L.divIcon({ className: `c15-sign ${name}`, html: element("span", null, text), iconSize: [18, 18] });
      return L.marker(latlng, { icon, interactive: false, keyboard: false, pane: "c15-places" });
    }

    function gaps(view) {
      groups.gaps.clearLayers();
      found.gaps.clear();
      const style = { color: "#ffffff", weight: 1, fillColor: looks.gap, fillOpacity: 0.78 };
      for (const gap of view.gaps) {
        const marker = dot([gap.lat, gap.lon], { ...style, radius: gap.radius * scale }, "gap", gap.id).addTo(groups.gaps);
        found.gaps.set(gap.id, { gap, marker });
      }
      for (const [lon, lat, radius] of view.gaps_beyond) {
        L.circleMarker([lat, lon], { renderer: panes.places, pane: "c15-places", interactive: false, ...style, radius }).addTo(groups.gaps);
      }
      sink();
    }

    /** Below the facilities, the largest lowest: none is to vanish under a gap, nor a small gap under a large one. */
    function sink() {
      for (const marker of groups.gaps.getLayers().reverse()) marker.bringToBack();
    }

    function changed(view) {
      groups.changed.clearLayers();
      found.changed.clear();
      for (const one of view.changed) {
        const look = looks.changes[one.change];
        const style = { radius: Math.max(LEAST_CHANGE, one.radius), color: "#ffffff", weight: 1.5, fillColor: look.colour, fillOpacity: 0.92 };
        const marker = dot([one.lat, one.lon], style, "changed", one.id).addTo(groups.changed);
        sign([one.lat, one.lon], look.sign, "c15-sum").addTo(groups.changed);
        found.changed.set(one.id, { one, marker });
      }
    }

    /** The scenario's points, by id: one that stays is moved, not made anew, so that an open popup and a drag survive. */
    function sites(list, editable) {
      const wanted = new Map(list.filter((site) => site.state !== "closed").map((site) => [site.id, site]));
      for (const [id, { marker }] of found.sites) {
        if (!wanted.has(id)) {
          groups.sites.removeLayer(marker);
          found.sites.delete(id);
        }
      }
      for (const [id, site] of wanted) {
        const known = found.sites.get(id);
        if (known) {
          known.site = site;
          if (!known.dragged) known.marker.setLatLng([site.lat, site.lon]);
          known.label.textContent = site.name;
          known.marker.getElement()?.setAttribute("aria-label", site.name);
          continue;
        }
        const label = element("span", { class: "c15-site-name" }, site.name);
        const pin = element("span", { class: "c15-site" }, element("span", { class: "c15-pin", "aria-hidden": "true" }), label);
        const icon = L.divIcon({ className: "c15-site-icon", html: pin, iconSize: [22, 22] });
        const marker = L.marker([site.lat, site.lon], { icon, draggable: editable && !site.pending, riseOnHover: true, zIndexOffset: 500 });
        marker.on("click", (event) => onPick("site", id, marker.getLatLng(), event.originalEvent));
        marker.on("dragstart", () => (found.sites.get(id).dragged = true));
        marker.on("dragend", () => {
          found.sites.get(id).dragged = false;
          onDrag(id, marker.getLatLng());
        });
        marker.addTo(groups.sites);
        marker.getElement().setAttribute("aria-label", site.name);
        marker.getElement().dataset.site = id;
        found.sites.set(id, { site, marker, label });
      }
    }

    /** What the data check found, by its place in the list: rings and outlines, so that what lies under them is still seen. Nothing takes them away. */
    function findings(data) {
      groups.findings.clearLayers();
      found.findings.clear();
      for (const [at, feature] of (data ? data.features : []).entries()) {
        const colour = looks.findings[feature.properties.severity];
        const stroke = { renderer: panes.places, pane: "c15-places", bubblingMouseEvents: false, color: colour, weight: 3.5, opacity: 0.95, fillColor: colour };
        const ring = (_, latlng) => L.circleMarker(latlng, { ...stroke, radius: FINDING_RADIUS, fillOpacity: 0.12 });
        const shape = L.geoJSON(feature, { ...stroke, fill: false, pointToLayer: ring });
        shape.on("click", (event) => onPick("finding", at, event.latlng, event.originalEvent));
        shape.bindTooltip(() => hover("finding", at), { direction: "top", offset: [0, -8], sticky: true });
        found.findings.set(at, { finding: feature.properties, shape: shape.addTo(groups.findings) });
      }
    }

    /** Findings lie above whatever was drawn after them. */
    function raise() {
      for (const { shape } of found.findings.values()) shape.bringToFront();
    }

    /** Dots grow with the zoom: a whole county is not to vanish under its clinics. */
    function resize() {
      const zoom = map.getZoom();
      const next = zoom < 10.75 ? 0.7 : zoom < 12 ? 0.85 : 1;
      if (next === scale) return;
      scale = next;
      for (const { marker, style } of found.facilities.values()) marker.setRadius(style.radius * scale);
      for (const { marker, gap } of found.gaps.values()) marker.setRadius(gap.radius * scale);
    }

    function shares(rows) {
      for (const row of rows) {
        const entry = found.zones.get(row.id);
        if (row.row === "zone" && entry) entry.fill.setStyle({ fillColor: row.level === null ? looks.nobody : looks.levels[row.level].colour });
      }
    }

    function highlight(id) {
      for (const [zone, { border }] of found.zones) {
        border.setStyle(zone === id ? { color: "#111111", weight: 3, dashArray: null } : { ...BORDER, color: looks.border });
        if (zone === id) border.bringToFront();
      }
    }

    /** Names that would lie on a name already placed are hidden, the township with fewer people first. */
    function untangle(rows) {
      const people = new Map(rows.map((row) => [row.id, row.people]));
      const taken = [];
      const labels = [...found.zones.values()].sort((a, b) => (people.get(b.zone.id) || 0) - (people.get(a.zone.id) || 0));
      for (const { zone, label } of labels) {
        const node = label.getElement();
        if (!node) continue;
        const { x, y } = map.latLngToContainerPoint([zone.lat, zone.lon]);
        const [w, h] = [node.offsetWidth / 2 + 2, node.offsetHeight / 2];
        const clash = taken.some((box) => Math.abs(box.x - x) < box.w + w && Math.abs(box.y - y) < box.h + h);
        node.style.visibility = clash ? "hidden" : "";
        if (!clash) taken.push({ x, y, w, h });
      }
    }

    /** The township that a place lies in; canvases below the uppermost do not hear the pointer. */
    function zoneAt(latlng) {
      for (const [id, { zone }] of found.zones) if (contains(zone, latlng)) return id;
      return null;
    }

    function contains(zone, { lat, lng }) {
      let inside = false;
      zone.rings = zone.rings || zone.polygons.flat().map(line);
      for (const ring of zone.rings) {
        for (let at = 0, last = ring.length - 1; at < ring.length; last = at++) {
          const [[y1, x1], [y2, x2]] = [ring[at], ring[last]];
          if (y1 > lat !== y2 > lat && lng < ((x2 - x1) * (lat - y1)) / (y2 - y1) + x1) inside = !inside;
        }
      }
      return inside;
    }

    return { groups, found, base, circles, places, cross, gaps, sink, changed, sites, findings, raise, resize, shares, highlight, untangle, zoneAt };
  }

  Object.assign(window.circle15, { drawing });
})();
