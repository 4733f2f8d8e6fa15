"""SOURCES.md of a fetched county: where the data is from, what was found, what OSM lacks, and what the planner has to add."""

from __future__ import annotations

from geodata.errors import first_few
from geodata.fetch.boundary import Boundary
from geodata.fetch.elements import Elements
from geodata.fetch.layers import REST, Layers
from geodata.standards import default_services

TEXT = """\
# {name}：数据来源 · Sources

{origin}

数据日期 date of the data: {date}。© OpenStreetMap contributors，许可 licence ODbL 1.0（opendatacommons.org/licenses/odbl）。
公开使用须注明来源，改编的数据库须以同一许可公开。 Name the source in public; a derived database is shared alike.

OSM 的界线不是法定界线，图上不得冒用审图号。 OSM's boundaries are not official.

## 取得的内容 · What was found

| 内容 what | 数量 count |
|---|---|
{found}

## 须补充 · What has to be added

1. **township_population.csv**：各乡镇常住人口（OSM 没有人口）。 Residents by township: OSM has no population.
2. **settlements.csv**：各村（社区）人口；OSM 中缺的村请补行。城乡分类只按 place 标签初定（town 及以上与社区为城市），请核对。
   People by settlement; add the villages that OSM lacks. Urban or rural is a first guess from the tag `place`.
3. **medical.csv**：类别按名称和标签初定（名称中无卫生院、卫生室等字样的诊所记为社区卫生服务站），请对照卫健委机构名录核对、补充；
   床位数、可设急救点待填；军队等不宜公开的机构请在“涉密”列填“是”。
   Kinds are a first guess: check them against the commission's register; fill in beds, where a standby point may stand, what is restricted.
4. 急救待命点、采样点：OSM 几乎没有，请另备表格。 Standby points and sampling sites are hardly ever in OSM: bring a table.
5. 填好后 · then: `circle15 check`。

## OSM 缺什么 · What OSM lacks

{lacks}
"""


def sources_text(boundary: Boundary, taken: Elements, layers: Layers, origin: str) -> str:
    """The text of SOURCES.md; the same data gives the same text."""
    found = [
        ("县界 boundary", f"{boundary.name}（{boundary.source}）"),
        ("乡镇（分区） townships (zones)", str(int((layers.zones["id"] != REST).sum()))),
        ("村、社区等聚落点 settlements", str(len(layers.settlements))),
        *_facility_counts(layers),
        ("可驾车道路公里（含缓冲区） road km for cars, buffer included", f"{layers.road_km:,.0f}"),
        ("居住用地 residential areas", str(len(layers.residential))),
        ("建筑 buildings", f"{len(layers.buildings):,}"),
    ]
    return TEXT.format(
        name=" ".join(boundary.name.split()),
        origin=origin,
        date=taken.date.isoformat(),
        found="\n".join(f"| {what} | {count} |" for what, count in found),
        lacks="\n".join(f"- {line}" for line in lacks(layers)),
    )


def _facility_counts(layers: Layers) -> list[tuple[str, str]]:
    kinds, services = default_services().kinds, ("medical", "emergency", "fitness")
    counts = layers.facilities["kind"].value_counts()
    of_services = {kind for one in services for definition in default_services().service(one).definitions for kind in definition.kinds}
    listed = [kind for kind in kinds if kind in of_services or counts.get(kind, 0)]
    return [(f"{kinds[kind].zh} {kinds[kind].en}", str(counts.get(kind, 0))) for kind in listed]


def lacks(layers: Layers) -> list[str]:
    """What a planner must know about the holes of this fetch, a line each."""
    share = layers.tagged_km / layers.road_km if layers.road_km else 0.0
    townships = layers.zones[layers.zones["id"] != REST]
    lines = [
        f"乡镇界 {len(townships)} 个，请与民政名单核对个数。 {len(townships)} townships: compare with the official list.",
        f"有限速（maxspeed）的道路只占 {share:.1%}，其余用默认车速。 {share:.1%} of road km have a maxspeed, the rest take default speeds.",
        "主要道路多已画出，村道常缺：circle15 check 列出离路远的人口。 Main roads are mostly there, village roads often missing.",
    ]
    if layers.rest_share:
        lines.append(
            f"县域面积的 {layers.rest_share:.1%} 没有乡镇界，合为一个分区 {REST}。 "
            f"{layers.rest_share:.1%} of the county lies in no township: zone {REST}."
        )
    if layers.broken_townships:
        named = first_few(layers.broken_townships)
        lines.append(f"界线不闭合而未用：{named}。 Boundaries with gaps, not used: {named}.")
    if layers.doubles:
        lines.append(
            f"{layers.doubles} 个设施点与同一设施的面重复，只留面。 {layers.doubles} points drawn as areas too: the areas are kept."
        )
    if layers.settlements.empty:
        lines.append("没有一个聚落点：settlements.csv 只有表头。 No settlement at all: settlements.csv has a header only.")
    if layers.facilities[layers.facilities["service"] == "medical"].empty:
        lines.append("没有一个医疗机构：medical.csv 只有表头。 No medical facility at all: medical.csv has a header only.")
    if (layers.facilities["kind"] == "village_clinic").sum() == 0:
        lines.append("没有村卫生室（OSM 中通常没有）。 No village clinic, as usual in OSM.")
    return lines
