// The words of this map alone (those it shares come with the view, from legend.py), and how numbers and names come onto the page: always as text, never as HTML.
(function () {
  "use strict";

  const WORDS = {
    map: ["地图", "Map"],
    add: ["＋ 新增点", "+ Add point"],
    addHint: ["点击地图放置新点（回车：放在地图中央；Esc：取消）", "Click the map to place the point (Enter: at its centre; Esc: cancel)"],
    moveHint: ["点击地图选定新址（回车：地图中央；Esc：取消）", "Click the map for the new place (Enter: its centre; Esc: cancel)"],
    newPoint: ["新点（计算中…）", "New point (computing…)"],
    closePopup: ["关闭窗口", "Close this window"],
    home: ["全县", "Whole county"],
    zoomIn: ["放大", "Zoom in"],
    zoomOut: ["缩小", "Zoom out"],
    legend: ["图例", "Legend"],
    circles: ["服务圈", "Circles"],
    gaps: ["未覆盖", "Not covered"],
    gapsSize: ["村（社区），面积按人口", "settlements, area by people"],
    facilities: ["机构", "Facilities"],
    roads: ["道路与水面", "Roads and water"],
    names: ["乡镇名", "Township names"],
    findings: ["数据检查", "Data check"],
    toDo: ["怎么办", "What to do"],
    tabZones: ["乡镇", "By township"],
    tabGaps: ["未覆盖", "Gaps"],
    tabChanges: ["变化", "Changes"],
    panel: ["统计", "Figures"],
    township: ["乡镇", "Township"],
    townshipAbout: ["乡镇或街道；点击一行，地图移到那里", "Township or subdistrict; click a row and the map goes there"],
    people: ["人口", "People"],
    peopleAbout: ["常住人口（人），按居住的村（社区）计", "Residents, counted where they live"],
    covered: ["覆盖人口", "Covered"],
    coveredAbout: ["在时限或距离以内的常住人口（人）", "Residents within the limit"],
    inside: ["不含县外", "Inside only"],
    insideAbout: ["只算县内机构时的占比", "Share within the limit if only facilities inside the county count"],
    straightNearest: ["直线最近：{0}", "straight-line nearest: {0}"],
    share: ["占比", "Share"],
    shareAbout: ["覆盖人口占常住人口的比例", "Residents within the limit, of all residents"],
    range: ["区间 %", "Range %"],
    rangeAbout: ["人口改按其他方法分到各村（社区）时，占比的最低与最高", "Least and most of the share if the people are spread in other ways"],
    beforeAbout: ["情景之前的人口覆盖率", "Share covered before the scenario"],
    afterAbout: ["情景之后的人口覆盖率", "Share covered after the scenario"],
    gainedAbout: ["原来未覆盖、现在覆盖的人（人）", "People covered after, not before"],
    lostAbout: ["原来覆盖、现在未覆盖的人（人）", "People covered before, not after"],
    sort: ["按“{0}”排序", "Sort by {0}"],
    filter: ["按村（社区）或乡镇筛选", "Filter by settlement or township"],
    gapSum: ["未覆盖 {0} 处，{1} 人；人多的在前", "{0} places, {1} people not covered; most people first"],
    gapMore: ["另有 {0} 处未列出", "{0} more places are not listed"],
    gapNone: ["全部覆盖", "Everybody is covered"],
    gapNoMatch: ["没有符合的", "None match"],
    persons: ["{0} 人", "{0} people"],
    nearest: ["最近", "Nearest"],
    minutes: ["{0} 分钟", "{0} min"],
    metres: ["{0} 米", "{0} m"],
    byRoad: ["沿路 {0} 米", "{0} m by road"],
    straight: ["直线 {0} 米", "{0} m straight"],
    noRoute: ["无路可达", "no route"],
    toRoad: ["距道路", "To the road"],
    cause: ["原因", "Cause"],
    kind: ["类别", "Kind"],
    capacity: ["规模", "Capacity"],
    within: ["时限内人口", "People within its limit"],
    place: ["位置", "Place"],
    shut: ["关闭此机构", "Close this facility"],
    reopen: ["恢复", "Reopen"],
    putBack: ["恢复原址", "Put back"],
    move: ["搬迁…", "Move…"],
    remove: ["移除此点", "Remove this point"],
    dragHint: ["可拖动", "can be dragged"],
    noChange: ["与现状相比没有变化。", "Nothing changes."],
    changeSum: ["新覆盖 {0} 人，不再覆盖 {1} 人", "{0} people gained, {1} lost"],
    switchTo: ["English", "中文"],
    sources: ["口径、参数与来源", "Definition, parameters and sources"],
    notLoaded: ["地图数据未能载入，请刷新页面。", "The map could not be loaded. Reload the page."],
  };

  /** What every part of one map shares: its language, and text for it; `shared` are the words that other maps and tables use too. */
  function speech(language, shared) {
    const at = language === "en" ? 1 : 0;
    return {
      language,
      say: (key, ...values) => (WORDS[key] || shared[key])[at].replace(/\{(\d)\}/g, (_, number) => values[number]),
      text: (pair) => (pair !== null && typeof pair === "object" ? pair[language] : String(pair ?? "")),
    };
  }

  /** An element with attributes, listeners (`onclick`) and children; a string becomes text. */
  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
    return made;
  }

  const whole = (value) => String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  const percent = (value) => (value === null || value === undefined ? "–" : `${value.toFixed(1)} %`);

  window.circle15 = Object.assign(window.circle15 || {}, { speech, element, whole, percent });
})();
