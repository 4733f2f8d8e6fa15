// The panel beside the map: townships, gaps, changes. It calls `onZone(id)`, `onGap(id)` and `onChanged(id)`; it knows no Leaflet.
(function () {
  "use strict";

  const { element, whole, percent } = window.circle15;
  const SHOWN = 500;
  let panels = 0;

  function panel({ onZone, onGap, onChanged }) {
    const number = (panels += 1);
    const root = element("section", { class: "c15-panel" });
    const state = { tab: "zones", sort: null, filter: "", gap: null, zone: null };
    let view, words, tabs, bodies;

    function update(newView, newWords) {
      view = newView;
      words = newWords;
      if (!view.scenario && state.tab === "changes") state.tab = "zones";
      const focus = focused();
      const scrolled = Object.fromEntries(Object.entries(bodies || {}).map(([name, body]) => [name, body.scrollTop]));
      build();
      for (const [name, top] of Object.entries(scrolled)) if (bodies[name]) bodies[name].scrollTop = top;
      if (focus) root.querySelector(`[data-focus="${CSS.escape(focus.name)}"]`)?.focus({ preventScroll: true });
      if (focus?.caret !== undefined) root.querySelector("input")?.setSelectionRange(focus.caret, focus.caret);
    }

    /** What of the panel has the keyboard, so that it keeps it when the panel is drawn anew. */
    function focused() {
      const active = document.activeElement;
      const name = root.contains(active) ? active.dataset.focus : null;
      return name ? { name, caret: active.selectionStart ?? undefined } : null;
    }

    function build() {
      const names = ["zones", "gaps", ...(view.scenario ? ["changes"] : [])];
      const labels = { zones: "tabZones", gaps: "tabGaps", changes: "tabChanges" };
      const draw = { zones: zoneTable, gaps: gapList, changes: changeList };
      tabs = {};
      bodies = {};
      const bar = element("div", { class: "c15-tabs", role: "tablist", "aria-label": words.say("panel"), onkeydown: arrows });
      for (const name of names) {
        const count = name === "gaps" ? ` (${whole(view.gap_count)})` : "";
        const ids = { tab: `c15-${number}-tab-${name}`, body: `c15-${number}-${name}` };
        tabs[name] = element(
          "button",
          { type: "button", role: "tab", id: ids.tab, "aria-controls": ids.body, "data-tab": name, "data-focus": `tab ${name}`, onclick: () => open(name) },
          words.say(labels[name]) + count,
        );
        bodies[name] = element("div", { class: `c15-tab c15-tab-${name}`, role: "tabpanel", id: ids.body, "aria-labelledby": ids.tab });
        bodies[name].append(...draw[name]());
        bar.append(tabs[name]);
      }
      root.setAttribute("aria-label", words.say("panel"));
      root.replaceChildren(bar, ...Object.values(bodies));
      open(state.tab);
    }

    function open(name) {
      state.tab = name;
      for (const one of Object.keys(tabs)) {
        tabs[one].setAttribute("aria-selected", String(one === name));
        tabs[one].tabIndex = one === name ? 0 : -1;
        bodies[one].classList.toggle("c15-shown", one === name);
      }
      root.dataset.tab = name;
    }

    function arrows(event) {
      const names = Object.keys(tabs);
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      open(names[(names.indexOf(state.tab) + step + names.length) % names.length]);
      tabs[state.tab].focus();
    }

    // --- townships ---------------------------------------------------------------------------------------------------------

    function columns() {
      const change = (value, sign) => (value ? `${sign}${whole(value)}` : "0");
      const base = [{ key: "people", head: "people", about: "peopleAbout", show: (row) => whole(row.people) }];
      if (!view.scenario) {
        return [
          ...base,
          { key: "covered", head: "covered", about: "coveredAbout", show: (row) => whole(row.covered) },
          { key: "percent", head: "share", about: "shareAbout", show: (row) => percent(row.percent) },
          ...(view.ranged ? [{ key: "low", head: "range", about: "rangeAbout", show: (row) => row.range || "–" }] : []),
          ...(view.external ? [{ key: "percent_inside", head: "inside", about: "insideAbout", show: (row) => percent(row.percent_inside) }] : []),
        ];
      }
      return [
        ...base,
        { key: "percent_before", head: "before", about: "beforeAbout", show: (row) => percent(row.percent_before) },
        { key: "percent", head: "after", about: "afterAbout", show: (row) => percent(row.percent), hint: (row) => row.range && `${words.say("range")} ${row.range} %` },
        { key: "gained", head: "gained", about: "gainedAbout", show: (row) => change(row.gained, "+"), tint: (row) => row.gained && "c15-better" },
        { key: "lost", head: "lost", about: "lostAbout", show: (row) => change(row.lost, "−"), tint: (row) => row.lost && "c15-worse" },
      ];
    }

    function zoneTable() {
      const shown = columns();
      const rows = view.zones.filter((row) => row.row === "zone");
      const by = [{ key: "name", head: "township", about: "townshipAbout" }, ...shown];
      if (state.sort && by.some((one) => one.key === state.sort.key)) rows.sort((a, b) => state.sort.sign * compare(a[state.sort.key], b[state.sort.key]));
      const cells = (row) => shown.map((one) => element("td", { class: (one.tint && one.tint(row)) || null, title: (one.hint && one.hint(row)) || null }, one.show(row)));
      const body = rows.map((row) =>
        element(
          "tr",
          { "data-zone": row.id, class: row.id === state.zone ? "c15-picked" : null, onclick: () => pickZone(row.id) },
          element("th", { scope: "row" }, element("button", { type: "button", class: "c15-plain", "data-focus": `zone ${row.id}` }, row.name)),
          ...cells(row),
        ),
      );
      const sums = view.zones
        .filter((row) => row.row !== "zone")
        .map((row) => element("tr", { "data-sum": row.row }, element("th", { scope: "row" }, words.say(`sum_${row.row}`)), ...cells(row)));
      const heads = element("tr", null, ...by.map(head));
      return [element("table", { class: by.length > 5 && !view.scenario ? "c15-table c15-dense" : "c15-table" }, element("thead", null, heads), element("tbody", null, ...body), element("tfoot", null, ...sums))];
    }

    function head(column) {
      const sorted = state.sort?.key === column.key ? state.sort.sign : 0;
      const label = words.say(column.head);
      const button = element(
        "button",
        {
          type: "button",
          class: "c15-plain",
          title: words.say(column.about),
          "aria-label": words.say("sort", label),
          "data-focus": `sort ${column.key}`,
          onclick: () => sortBy(column.key),
        },
        label,
        element("span", { class: "c15-arrow", "aria-hidden": "true" }, sorted > 0 ? "▲" : sorted < 0 ? "▼" : ""),
      );
      const direction = sorted > 0 ? "ascending" : sorted < 0 ? "descending" : "none";
      return element("th", { scope: "col", "aria-sort": direction, title: words.say(column.about) }, button);
    }

    function sortBy(key) {
      const first = key === "name" ? 1 : -1;
      state.sort = state.sort?.key === key ? { key, sign: -state.sort.sign } : { key, sign: first };
      update(view, words);
    }

    function compare(a, b) {
      if (a === null || b === null) return (a === null) - (b === null);
      return typeof a === "string" ? a.localeCompare(b, "zh-Hans-CN") : a - b;
    }

    function pickZone(id) {
      mark("zone", id);
      onZone(id);
    }

    // --- gaps --------------------------------------------------------------------------------------------------------------

    function gapList() {
      const sum = element("p", { class: "c15-note" }, view.gap_count ? words.say("gapSum", whole(view.gap_count), whole(view.gap_people)) : words.say("gapNone"));
      const list = element("ul", { class: "c15-list" });
      const more = element("p", { class: "c15-note" });
      const box = element("input", {
        type: "search",
        class: "c15-filter",
        value: state.filter,
        placeholder: words.say("filter"),
        "aria-label": words.say("filter"),
        "data-focus": "filter",
        oninput: (event) => {
          state.filter = event.target.value;
          fill();
        },
      });
      function fill() {
        const wanted = state.filter.trim().toLowerCase();
        const rows = view.gaps.filter((gap) => !wanted || `${gap.name}\n${gap.zone}`.toLowerCase().includes(wanted)).slice(0, SHOWN);
        list.replaceChildren(...rows.map(gapItem));
        const left = wanted ? 0 : view.gap_count - rows.length;
        more.textContent = left > 0 ? words.say("gapMore", whole(left)) : rows.length || !view.gap_count ? "" : words.say("gapNoMatch");
      }
      fill();
      return [sum, box, list, more];
    }

    function gapItem(gap) {
      const cause = view.causes[gap.cause];
      const near = gap.nearest && words.say("straightNearest", gap.nearest);
      const reach = (gap.cause === "too_far" ? [gap.nearest, far(gap, words)] : [words.text(cause.short), near]).filter(Boolean).join(" · ");
      return element(
        "li",
        { "data-gap": gap.id, class: gap.id === state.gap ? "c15-picked" : null },
        element(
          "button",
          { type: "button", class: "c15-item", title: words.text(cause), "data-focus": `gap ${gap.id}`, onclick: () => (markGap(gap.id), onGap(gap.id)) },
          line(element("b", null, gap.name), element("span", { class: "c15-quiet" }, gap.zone), words.say("persons", whole(gap.people))),
          element("span", { class: "c15-line c15-quiet" }, reach),
        ),
      );
    }

    const line = (name, zone, people) =>
      element("span", { class: "c15-line" }, element("span", { class: "c15-who" }, name, " ", zone), element("span", { class: "c15-count" }, people));

    function markGap(id) {
      mark("gap", id);
    }

    /** Highlight one row; `scroll` also brings its tab and the row into view. */
    function mark(what, id, { scroll = false } = {}) {
      state[what] = id;
      for (const one of root.querySelectorAll(`[data-${what}]`)) one.classList.toggle("c15-picked", one.dataset[what] === id);
      if (!scroll) return;
      open(what === "gap" ? "gaps" : "zones");
      root.querySelector(`[data-${what}="${CSS.escape(id)}"]`)?.scrollIntoView({ block: "nearest" });
    }

    // --- changes -----------------------------------------------------------------------------------------------------------

    function changeList() {
      const total = view.zones.find((row) => row.row === "total");
      const rows = view.zones.filter((row) => row.row === "zone" && (row.gained || row.lost));
      const sum = element("p", { class: "c15-note" }, words.say("changeSum", whole(total.gained), whole(total.lost)));
      if (!rows.length) return [sum, element("p", { class: "c15-note" }, words.say("noChange"))];
      const heads = ["township", "gained", "lost"].map((key) => element("th", { scope: "col", title: words.say(`${key}About`) }, words.say(key)));
      const body = rows.map((row) =>
        element(
          "tr",
          { onclick: () => pickZone(row.id) },
          element("th", { scope: "row" }, element("button", { type: "button", class: "c15-plain", "data-focus": `change ${row.id}` }, row.name)),
          element("td", { class: row.gained ? "c15-better" : null }, row.gained ? `+${whole(row.gained)}` : "0"),
          element("td", { class: row.lost ? "c15-worse" : null }, row.lost ? `−${whole(row.lost)}` : "0"),
        ),
      );
      const table = element("table", { class: "c15-table" }, element("thead", null, element("tr", null, ...heads)), element("tbody", null, ...body));
      const items = view.changed.slice(0, SHOWN).map((one) => {
        const { sign } = view.looks.changes[one.change];
        const who = element("b", { class: one.change === "gained" ? "c15-better" : "c15-worse" }, `${sign} `, one.name);
        const row = line(who, element("span", { class: "c15-quiet" }, one.zone), words.say("persons", whole(one.people)));
        const button = { type: "button", class: "c15-item", title: words.say(one.change), "data-focus": `changed ${one.id}`, onclick: () => onChanged(one.id) };
        return element("li", null, element("button", button, row));
      });
      const left = view.changed.length - items.length;
      return [sum, table, element("ul", { class: "c15-list" }, ...items), left > 0 && element("p", { class: "c15-note" }, words.say("gapMore", whole(left)))].filter(Boolean);
    }

    return { root, update, mark };
  }

  /** How far the nearest facility is, by what the definition counts. */
  function far(gap, words) {
    const said = [];
    if (gap.minutes !== null) said.push(words.say("minutes", gap.minutes.toFixed(1)));
    if (gap.metres !== null) said.push(words.say("byRoad", whole(gap.metres)));
    if (!said.length && gap.straight_m !== null) said.push(words.say("straight", whole(gap.straight_m)));
    return said.join(" · ") || words.say("noRoute");
  }

  Object.assign(window.circle15, { panel, far });
})();
