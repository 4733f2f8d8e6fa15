// circle15.mount(element, options) → { update(options), destroy() }: the map and the panel beside it, in the page and in the single file.
//
// options: language "zh" | "en"; editable; switchable (header, notes and a button for the language: the single file); layers
// { base, circles, places, findings }, each { id, data } or { id, url }, the last only where there is one; view (see webmap.view); heard (the number of the last event that was
// answered); on(events): every event not yet answered, the oldest first, each { n, kind, … }.
// Data comes from files: names reach the page as text only.
(function () {
  "use strict";

  const { speech, element, whole, percent, drawing, panel, far } = window.circle15;

  const COLUMN = 800; // pixels: below this the panel stands below the map
  const CLOSE = 13; // as near as one comes to a single finding
  const NARROW = 550; // pixels: a map as narrow as this has no room beside its legend

  function mount(host, first) {
    let options = first;
    let words = speech(options.language, options.view.words);
    let layers = {};
    let placing = null; // { kind: "add" } or { kind: "move", id }: the next click on the map says where
    let popup = null; // { what, id, latlng, box }
    let waiting = []; // events that were said and not yet answered
    let said = 0;
    let seen = null;
    let fitted = false;
    const wanted = {};

    const root = element("div", { class: "c15" });
    const ground = element("div", { class: "c15-map" });
    const status = element("p", { class: "c15-status", role: "status" });
    const stage = element("div", { class: "c15-stage" }, ground, status);
    root.classList.toggle("c15-alone", Boolean(options.switchable));
    root.style.setProperty("--c15-veil", options.view.looks.circle_opacity);
    root.style.setProperty("--c15-site", options.view.looks.site);
    root.append(stage);
    root.classList.toggle("c15-narrow", host.clientWidth < COLUMN);
    host.replaceChildren(root); // Leaflet measures its place: it must have one
    const map = L.map(ground, { zoomControl: false, fadeAnimation: false, zoomSnap: 0.25, zoomDelta: 0.5, wheelPxPerZoomLevel: 90, preferCanvas: true, attributionControl: true });
    map.attributionControl.setPrefix("Leaflet");
    ground.focus = () => HTMLElement.prototype.focus.call(ground, { preventScroll: true }); // a press on the map scrolls nothing
    map.setView([28.4, 116.3], 9);
    const draw = drawing(map, options.view.looks, { onPick: pick, onDrag: (id, at) => drag(id, at), hover: (what, id) => element("span", null, nameOf(what, id)) });
    const side = panel({ onZone: goToZone, onGap: (id) => goTo("gap", id), onChanged: (id) => goTo("changed", id) });
    const header = element("header", { class: "c15-header" });
    const footer = element("footer", { class: "c15-footer" });
    const legend = element("details", { class: "c15-legend", open: true });
    const tools = element("div", { class: "c15-tools leaflet-bar" });
    const shown = { zones: true, circles: true, gaps: true, facilities: true, roads: true, names: true, findings: true };

    const stop = (event) => event.stopPropagation(); // Leaflet would not know a button that its own click replaced

    function corner(position, node) {
      const control = L.control({ position });
      control.onAdd = () => {
        L.DomEvent.disableClickPropagation(node);
        node.addEventListener("click", stop);
        L.DomEvent.disableScrollPropagation(node);
        return node;
      };
      control.addTo(map);
    }

    root.append(header, element("div", { class: "c15-body" }, stage, side.root), footer);
    corner("topleft", tools);
    corner("topright", legend);
    L.control.scale({ position: "bottomleft", metric: true, imperial: false, maxWidth: 140 }).addTo(map);
    map.invalidateSize({ animate: false });
    legend.open = ground.clientWidth > NARROW;

    // --- saying and hearing ------------------------------------------------------------------------------------------------

    function say(kind, detail) {
      if (!options.on) return null;
      said = Math.max(said + 1, Date.now());
      waiting.push({ n: said, kind, ...detail });
      options.on(waiting.slice());
      return said;
    }

    // --- drawing what is given ---------------------------------------------------------------------------------------------

    async function update(next) {
      options = { ...options, ...next };
      words = speech(options.language, options.view.words);
      waiting = waiting.filter((event) => event.n > (options.heard ?? 0));
      root.dataset.ready = "false";
      root.lang = options.language === "zh" ? "zh-CN" : "en";
      ground.setAttribute("aria-label", words.say("map"));
      frame();
      toolbar();
      const before = root.dataset.findings;
      await Promise.all(["base", "circles", "places", "findings"].map(refresh));
      if (!layers.base || !layers.places) return;
      drawView();
      if (root.dataset.findings && root.dataset.findings !== before) showFindings();
    }

    async function refresh(name) {
      const layer = options.layers[name];
      wanted[name] = layer?.id;
      if (!layer) return forget(name);
      if (root.dataset[name] === layer.id) return;
      let data = layer.data;
      try {
        data = data || (await (await fetch(layer.url)).json());
      } catch {
        if (wanted[name] === layer.id) status.textContent = words.say("notLoaded");
        return;
      }
      if (wanted[name] !== layer.id) return; // a newer one is on its way
      layers[name] = data;
      draw[name](data);
      root.dataset[name] = layer.id;
    }

    function forget(name) {
      if (!layers[name]) return;
      delete layers[name];
      delete root.dataset[name];
      draw[name](null);
    }

    /** Bring what was found into view, and the map too, for it was asked for below. */
    function showFindings() {
      toggle("findings", true);
      drawLegend();
      const shapes = [...draw.found.findings.values()].map(({ shape }) => shape);
      if (!shapes.length) return;
      fit(L.featureGroup(shapes).getBounds(), 40, CLOSE);
      stage.scrollIntoView({ block: "center" });
    }

    function drawView() {
      const { view } = options;
      draw.shares(view.zones);
      const key = JSON.stringify([view.gaps, view.gaps_beyond, view.changed]);
      if (drawView.key !== key) {
        draw.gaps(view);
        draw.changed(view);
        drawView.key = key;
      }
      drawSites();
      draw.raise();
      draw.highlight(popup && popup.what === "zone" ? popup.id : null);
      side.update(view, words);
      drawLegend();
      if (!fitted) home();
      draw.untangle(view.zones);
      if (popup) fillPopup();
      status.textContent = "";
      Object.assign(root.dataset, { points: String(draw.found.sites.size), gaps: String(view.gap_count), waiting: String(waiting.length), ready: "true" });
    }

    /** The points as given, and on top of them what was just said and not yet answered: nobody waits for a marker. */
    function drawSites() {
      const sites = new Map(options.view.sites.map((site) => [site.id, { ...site }]));
      for (const event of waiting) {
        const site = sites.get(event.id) || (event.kind === "move" && placeAsSite(event.id));
        if (event.kind === "add") sites.set(`pending ${event.n}`, { id: `pending ${event.n}`, name: words.say("newPoint"), kind: "", lon: event.lon, lat: event.lat, state: "new", pending: true });
        if (event.kind === "move" && site) sites.set(event.id, { ...site, lon: event.lon, lat: event.lat, state: site.state === "new" ? "new" : "moved" });
        if (event.kind === "close") sites.set(event.id, { ...(site || placeAsSite(event.id)), id: event.id, state: "closed" });
        if (event.kind === "reopen") sites.delete(event.id);
      }
      const list = [...sites.values()];
      draw.sites(list, options.editable);
      draw.cross(new Set(list.filter((site) => site.state !== "new").map((site) => site.id)));
      root.dataset.points = String(draw.found.sites.size);
      root.dataset.waiting = String(waiting.length);
    }

    function placeAsSite(id) {
      const entry = draw.found.facilities.get(id);
      return entry && { id, name: entry.place.name, kind: entry.place.kind, lon: entry.place.lon, lat: entry.place.lat, state: "moved", people: null };
    }

    function home() {
      fitted = ground.clientWidth > 0; // a map in a hidden tab has no size yet
      if (!fitted) return;
      map.invalidateSize({ animate: false });
      const [west, south, east, north] = layers.base.bounds;
      fit([[south, west], [north, east]], 6);
      seen ??= bounds();
    }

    /** Bring something into view, beside the legend where there is room. */
    function fit(what, padding, maxZoom) {
      map.fitBounds(what, { animate: false, maxZoom, paddingTopLeft: [padding, padding], paddingBottomRight: [padding + beside(), padding] });
    }

    const beside = () => (ground.clientWidth > NARROW && legend.open ? legend.offsetWidth : 0);

    /** West, south, east, north of what is seen. */
    function bounds() {
      const now = map.getBounds();
      return [now.getWest(), now.getSouth(), now.getEast(), now.getNorth()].map(round);
    }

    // --- words around the map ----------------------------------------------------------------------------------------------

    function frame() {
      if (!options.switchable) return;
      const { view } = options;
      const other = options.language === "zh" ? "en" : "zh";
      document.documentElement.lang = root.lang || "zh-CN";
      header.replaceChildren(
        element(
          "div",
          { class: "c15-title" },
          element("h1", null, words.text(view.title)),
          element("p", null, words.text(view.about)),
        ),
        element("dl", { class: "c15-figures" }, ...view.figures.map((one) => element("div", { title: words.text(one.about) }, element("dt", null, words.text(one.label)), element("dd", null, one.value, one.range && element("span", { class: "c15-range" }, one.range))))),
        element("button", { type: "button", class: "c15-button c15-language", lang: other, onclick: () => update({ language: other }) }, words.say("switchTo")),
        ...view.warnings.map((one) => element("p", { class: "c15-warning" }, words.text(one))),
      );
      const notes = view.notes.map((one) => element("li", null, words.text(one)));
      footer.replaceChildren(element("p", null, words.text(view.counts)), element("details", null, element("summary", null, words.say("sources")), element("ul", null, ...notes)));
    }

    function toolbar() {
      const button = (sign, label, act) => element("button", { type: "button", title: label, "aria-label": label, onclick: act }, sign);
      tools.replaceChildren(
        button("+", words.say("zoomIn"), () => map.zoomIn(1)),
        button("−", words.say("zoomOut"), () => map.zoomOut(1)),
        button("⌂", words.say("home"), home),
        ...(options.editable ? [element("button", { type: "button", class: "c15-add", "aria-pressed": String(placing?.kind === "add"), onclick: () => aim(placing ? null : { kind: "add" }) }, words.say("add"))] : []),
      );
    }

    function drawLegend() {
      const { view } = options;
      const { looks } = view;
      const gone = view.sites.some((site) => site.state !== "new");
      const key = JSON.stringify([options.language, root.dataset.circles, root.dataset.places, view.words, gone, view.changed.length > 0, draw.found.sites.size > 0, root.dataset.findings, shown.findings]);
      if (legend.dataset.key === key) return; // a box that was just ticked keeps the keyboard
      legend.dataset.key = key;
      const swatch = (colour, name) => {
        const made = element("span", { class: `c15-swatch ${name || ""}`, "aria-hidden": "true" });
        made.style.setProperty("--c15-colour", colour);
        return made;
      };
      const count = (value) => element("span", { class: "c15-count" }, whole(value));
      const entry = (sign, ...text) => element("li", null, sign, ...text);
      const section = (name, label, entries) => {
        const box = element("input", { type: "checkbox", checked: shown[name], onchange: (event) => toggle(name, event.target.checked) });
        return element("div", null, element("label", null, box, words.say(label)), entries.length ? element("ul", null, ...entries) : null);
      };
      const classes = layers.circles ? layers.circles.classes.map((one) => one.class).reverse() : [];
      const kinds = layers.places.kinds.map((kind) => entry(swatch(kind.colour, "c15-round"), words.text(kind), count(kind.count)));
      const levels = looks.levels.map(({ label, colour }) => entry(swatch(colour), label));
      if (view.zones.some((row) => row.row === "zone" && row.level === null)) levels.push(entry(swatch(looks.nobody), words.say("nobody")));
      const external = layers.places.places.filter((place) => place.external).length;
      const outside = external ? [entry(swatch("#3f3f46", "c15-hollow"), words.say("external"), count(external))] : [];
      const crossed = gone ? [entry(element("b", { class: "c15-sign-small", "aria-hidden": "true" }, "✕"), words.say("closed"))] : [];
      const changes = view.changed.length ? Object.entries(looks.changes).map(([name, { colour, sign }]) => entry(swatch(colour, "c15-round"), `${sign} ${words.say(name)}`)) : [];
      const points = draw.found.sites.size ? [entry(element("span", { class: "c15-pin c15-pin-small", "aria-hidden": "true" }), words.say("placed"))] : [];
      legend.replaceChildren(
        element("summary", null, words.say("legend")),
        section("gaps", "gaps", [entry(swatch(looks.gap, "c15-round"), words.say("gapsSize")), ...changes]),
        section("facilities", "facilities", [...points, ...kinds, ...outside, ...crossed]),
        section("circles", "circles", classes.map((one) => entry(swatch(looks.circles[one], `c15-veil c15-${one}`), words.say(`circle_${one}`)))),
        section("zones", "zones", levels),
        section("roads", "roads", []),
        section("names", "names", []),
        ...(layers.findings ? [section("findings", "findings", foundEntries(entry, swatch))] : []),
      );
    }

    /** The kinds of finding that are drawn, an entry each. */
    function foundEntries(entry, swatch) {
      const kinds = new Map([...draw.found.findings.values()].map(({ finding }) => [finding.code, finding]));
      return [...kinds.values()].map((one) => entry(swatch(options.view.looks.findings[one.severity], "c15-hollow"), words.text(one)));
    }

    function toggle(name, on) {
      shown[name] = on;
      const groups = { roads: ["roads", "water"], gaps: ["gaps", "changed"] }[name] || [name];
      for (const group of groups) {
        if (on) draw.groups[group].addTo(map);
        else draw.groups[group].remove();
      }
      if (name === "gaps" && on) draw.sink();
      if (on) draw.raise();
      if (name === "names" && on) draw.untangle(options.view.zones);
    }

    // --- pointing at things ------------------------------------------------------------------------------------------------

    const givenSite = (id) => draw.found.sites.get(id)?.site || options.view.sites.find((site) => site.id === id);

    function nameOf(what, id) {
      if (what === "finding") {
        const { finding } = draw.found.findings.get(id);
        return finding.people ? `${finding.name} · ${words.say("persons", whole(finding.people))}` : finding.name || words.text(finding);
      }
      const entry = { gap: draw.found.gaps, changed: draw.found.changed, facility: draw.found.facilities }[what].get(id);
      const thing = entry.gap || entry.one || entry.place;
      return what === "facility" ? thing.name : `${thing.name} · ${words.say("persons", whole(thing.people))}`;
    }

    function pick(what, id, latlng, pointer) {
      if (placing) return placeAt(map.mouseEventToLatLng(pointer)); // where one clicked, not where the thing lies
      open(what, id, latlng);
      if (what === "gap") side.mark("gap", id, { scroll: true });
    }

    function open(what, id, latlng) {
      const box = element("div", { class: "c15-popup", onclick: stop });
      const offset = what === "site" ? [0, -10] : [0, -2];
      const margins = { autoPanPaddingTopLeft: [20 + tools.offsetWidth, 20], autoPanPaddingBottomRight: [20 + beside(), 20] };
      const shownAs = L.popup({ maxWidth: 300, minWidth: 190, offset, ...margins }).setLatLng(latlng).setContent(box);
      popup = { what, id, box, shownAs };
      fillPopup();
      shownAs.openOn(map);
      shownAs.getElement().querySelector(".leaflet-popup-close-button").setAttribute("aria-label", words.say("closePopup"));
      draw.highlight(what === "zone" ? id : null);
    }

    function fillPopup() {
      const content = { zone: zonePopup, gap: gapPopup, changed: changedPopup, facility: facilityPopup, site: sitePopup, finding: findingPopup }[popup.what](popup.id);
      if (!content) return map.closePopup(popup.shownAs);
      popup.box.replaceChildren(...content);
      if (popup.what === "site") popup.shownAs.setLatLng(draw.found.sites.get(popup.id).marker.getLatLng());
      else popup.shownAs.update();
    }

    map.on("popupclose", (event) => {
      if (!popup || event.popup !== popup.shownAs) return;
      popup = null;
      draw.highlight(null);
    });

    const rows = (...pairs) => element("dl", null, ...pairs.filter(([, value]) => value).flatMap(([label, value]) => [element("dt", null, label), element("dd", null, value)]));
    const action = (label, act) => element("button", { type: "button", class: "c15-button", onclick: act }, label);

    function zonePopup(id) {
      const row = options.view.zones.find((one) => one.id === id && one.row === "zone");
      if (!row) return null;
      const then = (before, after) => (before === undefined || before === after ? after : `${before} → ${after}`);
      const { scenario } = options.view;
      return [
        element("h2", null, row.name),
        rows(
          [words.say("people"), whole(row.people)],
          [words.say("covered"), then(scenario ? whole(row.covered_before) : undefined, whole(row.covered))],
          [words.say("share"), then(scenario ? percent(row.percent_before) : undefined, percent(row.percent))],
          [words.say("range"), row.range],
        ),
      ];
    }

    function gapPopup(id) {
      const gap = draw.found.gaps.get(id)?.gap;
      if (!gap) return null;
      return [
        element("h2", null, gap.name),
        rows(
          [words.say("township"), gap.zone],
          [words.say("people"), words.say("persons", whole(gap.people))],
          [words.say("nearest"), gap.nearest && element("span", null, gap.nearest, element("br"), far(gap, words))],
          [words.say("toRoad"), gap.road_m !== null && words.say("metres", whole(gap.road_m))],
          [words.say("cause"), words.text(options.view.causes[gap.cause])],
        ),
      ];
    }

    function changedPopup(id) {
      const one = draw.found.changed.get(id)?.one;
      if (!one) return null;
      return [element("h2", null, one.name), rows([words.say("township"), one.zone], [words.say("people"), words.say("persons", whole(one.people))], [words.say("tabChanges"), words.say(one.change)])];
    }

    const kindName = (id) => words.text(options.view.kinds[id] || id);

    function facilityPopup(id) {
      const entry = draw.found.facilities.get(id);
      if (!entry) return null;
      const { place, crossed } = entry;
      const moved = draw.found.sites.has(id);
      const mark = crossed ? words.say(moved ? "state_moved" : "state_closed") : place.external ? words.say("outside") : null;
      const restore = () => (say("reopen", { id }), drawSites(), fillPopup());
      const shut = () => (say("close", { id }), drawSites(), fillPopup());
      const buttons = crossed
        ? [action(words.say(moved ? "putBack" : "reopen"), restore)]
        : [action(words.say("shut"), shut), action(words.say("move"), () => aim({ kind: "move", id }))];
      return [
        element("h2", null, place.name),
        rows([words.say("kind"), kindName(place.kind)], [words.say("capacity"), place.capacity === null ? null : whole(place.capacity)], ["", mark]),
        ...(options.editable ? [element("p", { class: "c15-actions" }, ...buttons)] : []),
      ];
    }

    function findingPopup(id) {
      const finding = draw.found.findings.get(id)?.finding;
      if (!finding) return null;
      return [
        element("h2", null, finding.name || words.text(finding)),
        rows(
          [words.say(`severity_${finding.severity}`), words.text(finding)],
          [words.say("people"), finding.people && words.say("persons", whole(finding.people))],
          [words.say("toDo"), finding[`do_${options.language}`]],
        ),
      ];
    }

    function sitePopup(id) {
      const site = givenSite(id);
      if (!site || !draw.found.sites.has(id)) return null;
      const remove = () => (say("reopen", { id }), drawSites(), map.closePopup());
      const buttons = options.editable && !site.pending ? [action(words.say(site.state === "new" ? "remove" : "putBack"), remove)] : [];
      const people = site.people === null || site.people === undefined ? null : words.say("persons", whole(site.people));
      return [
        element("h2", null, site.name),
        rows(
          ["", words.say(`state_${site.state}`) + (options.editable ? ` · ${words.say("dragHint")}` : "")],
          [words.say("kind"), site.kind && kindName(site.kind)],
          [words.say("within"), people],
          [words.say("place"), `${site.lon.toFixed(5)}, ${site.lat.toFixed(5)}`],
        ),
        ...(buttons.length ? [element("p", { class: "c15-actions" }, ...buttons)] : []),
      ];
    }

    function goToZone(id) {
      const entry = draw.found.zones.get(id);
      if (!entry) return;
      fit(entry.border.getBounds(), 20);
      open("zone", id, [entry.zone.lat, entry.zone.lon]);
    }

    function goTo(what, id) {
      const entry = { gap: draw.found.gaps, changed: draw.found.changed }[what].get(id);
      map.setView(entry.marker.getLatLng(), Math.max(map.getZoom(), 12), { animate: false });
      open(what, id, entry.marker.getLatLng());
    }

    // --- changing things ---------------------------------------------------------------------------------------------------

    function aim(next) {
      placing = next;
      if (placing) map.closePopup();
      ground.classList.toggle("c15-placing", Boolean(placing));
      root.dataset.placing = placing ? placing.kind : "";
      status.textContent = placing ? words.say(placing.kind === "add" ? "addHint" : "moveHint") : "";
      tools.querySelector(".c15-add")?.setAttribute("aria-pressed", String(placing?.kind === "add"));
      if (placing) ground.focus({ preventScroll: true });
    }

    function placeAt({ lat, lng }) {
      const { kind, id } = placing;
      const at = { lat: round(lat), lon: round(lng) };
      say(kind, kind === "add" ? at : { id, ...at });
      aim(null);
      drawSites();
    }

    function drag(id, { lat, lng }) {
      say("move", { id, lat: round(lat), lon: round(lng) });
      drawSites();
      if (popup?.what === "site" && popup.id === id) fillPopup();
    }

    const round = (degree) => Math.round(degree * 1e5) / 1e5;

    map.on("click", (event) => {
      if (placing) return placeAt(event.latlng);
      const id = draw.zoneAt(event.latlng);
      if (id) {
        open("zone", id, event.latlng);
        side.mark("zone", id, { scroll: side.root.dataset.tab === "zones" });
      }
    });
    map.on("zoomend", () => {
      draw.resize();
      draw.untangle(options.view.zones);
    });
    const escape = (event) => event.key === "Escape" && (placing ? aim(null) : map.closePopup());
    ground.addEventListener("keydown", (event) => event.key === "Enter" && event.target === ground && placing && placeAt(map.getCenter()));
    document.addEventListener("keydown", escape);

    ground.addEventListener("mouseleave", () => {
      const now = bounds();
      if (String(now) === String(seen)) return;
      seen = now;
      if (options.editable) say("view", { bounds: now });
    });

    // --- size and paper ----------------------------------------------------------------------------------------------------

    const resized = new ResizeObserver(() => {
      root.classList.toggle("c15-narrow", host.clientWidth < COLUMN);
      map.invalidateSize({ animate: false });
      if (!fitted && layers.base) home();
    });
    resized.observe(ground);
    resized.observe(host);
    let onScreen = null;
    const openNotes = (open) => footer.querySelector("details")?.toggleAttribute("open", open);
    const toPaper = () => {
      onScreen = map.getBounds();
      root.classList.add("c15-paper");
      openNotes(true);
      map.invalidateSize({ animate: false });
      const [west, south, east, north] = layers.base.bounds;
      if (onScreen.contains([[south, west], [north, east]])) home();
      else map.fitBounds(onScreen, { animate: false });
    };
    const toScreen = () => {
      root.classList.remove("c15-paper");
      openNotes(false);
      map.invalidateSize({ animate: false });
      if (onScreen) map.fitBounds(onScreen, { animate: false });
    };
    window.addEventListener("beforeprint", toPaper);
    window.addEventListener("afterprint", toScreen);

    function destroy() {
      resized.disconnect();
      document.removeEventListener("keydown", escape);
      window.removeEventListener("beforeprint", toPaper);
      window.removeEventListener("afterprint", toScreen);
      map.remove();
      root.remove();
    }

    const handle = {
      update,
      destroy,
      /** Where a place lies in the window, in pixels. */
      pixel(lat, lon) {
        const { x, y } = map.latLngToContainerPoint([lat, lon]);
        const box = ground.getBoundingClientRect();
        return { x: box.left + x, y: box.top + y };
      },
      zoom: () => map.getZoom(),
      /** Where a finding lies in the window, and its name. */
      finding(at) {
        const { finding, shape } = draw.found.findings.get(at);
        const { lat, lng } = shape.getBounds().getCenter();
        return { ...handle.pixel(lat, lng), name: finding.name };
      },
      findings: () => [...draw.found.findings.values()].map(({ finding }) => finding.name),
      place: (id) => draw.found.facilities.get(id)?.place,
      say: (kind, detail) => (say(kind, detail), drawSites()),
      draws: (group) => map.hasLayer(draw.groups[group]),
    };
    root.circle15 = handle;
    update(options);
    return handle;
  }

  /** The single file: its data stands in the page. */
  function start() {
    const options = JSON.parse(document.getElementById("circle15-data").textContent);
    mount(document.getElementById("circle15"), options);
  }

  Object.assign(window.circle15, { mount, start });
})();
