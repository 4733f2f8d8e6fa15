"""The words of the app in Simplified Chinese and English."""

from __future__ import annotations

from scenarios.app.siting_words import SITING_WORDS
from scenarios.output import legend
from scenarios.output.legend import Language

_WORDS = {
    "title": ("十五分钟服务圈", "15-minute circles"),
    "switch": ("English", "中文"),
    "no_facilities": legend.NO_FACILITIES,
    "all_closed": ("情景中已没有此类机构。", "The scenario has closed every facility of these kinds."),
    "not_opened": ("没有打开这个文件，当前情景未变：", "The file was not opened, and the scenario is as it was:"),
    "wrong": ("数据或问题有误：", "Something is wrong with the data or the question:"),
    "to_confirm": ("打开之前，请确认以下各项（结果取决于它们）：", "Before it opens, please confirm (the results depend on it):"),
    "confirm": ("都属实：写入 region.toml 并打开", "All true: write it into region.toml and open"),
    "illustrative": legend.ILLUSTRATIVE_SAID,
    "service": ("服务", "Service"),
    "definition": ("口径", "Definition"),
    "minutes": ("时限（分钟，含）", "Limit (minutes, inclusive)"),
    "hour": ("钟点（车速）", "Hour of the day (speeds)"),
    "usual": ("平时", "usual"),
    "at_hour": ("{hour} 时", "{hour}:00"),
    "people_of": ("人口年份", "People of"),
    "as_of": ("{date}（现状）", "{date} (as it is)"),
    "growth_low": ("规划年 · 低方案", "a target year, low growth"),
    "growth_central": ("规划年 · 中方案", "a target year, central growth"),
    "growth_high": ("规划年 · 高方案", "a target year, high growth"),
    "year": ("规划年", "Target year"),
    "planned": ("{year} 年推算人口（{variant}）", "people of {year}, {variant} growth"),
    "share_people": ("人口覆盖率", "People covered, share"),
    "share_people_help": ("县内常住人口中，在时限或距离以内的比例", "Of the residents of the county, the share within the limit"),
    "covered_people": ("覆盖人口", "People covered"),
    "covered_people_help": ("县内常住人口；其中包括去县外机构的人", "Residents of the county, served by facilities inside or outside it"),
    "urban_share": ("城镇人口覆盖率", "Urban people covered, share"),
    "urban_share_help": (
        "城镇村（社区）的常住人口中，在时限或距离以内的比例",
        "Of the residents of urban communities, the share within it",
    ),
    "rural_share": ("农村人口覆盖率", "Rural people covered, share"),
    "rural_share_help": (
        "农村村居的常住人口中，在时限或距离以内的比例",
        "Of the residents of rural villages, the share within it",
    ),
    "counts": (
        "人口：县内常住人口，按居住地统计，不按图形",
        "people: residents of the county, counted at their homes, not by the circle",
    ),
    "range": legend.RANGE_WORDS,
    "points": ("{value} 个百分点", "{value} points"),
    "as_is": ("现状", "as it is"),
    "no_scenario": ("无情景", "no scenario"),
    "no_difference": ("无变化", "no difference"),
    "more_people": ("{value} 人", "{value} people"),
    "useless": (
        "没有人在这些点的时限内（附近没有村、社区，或 1,000 米内没有可用的道路，或被水面、高速公路隔开）：{names}",
        "Nobody is within the limit of these points (no settlement near, no usable road within 1,000 m, or water between): {names}",
    ),
    "other_data": (
        "这个情景是在另一份数据上做的：结果按当前数据重新计算。",
        "This scenario was made on other data: its results are computed anew on the data that is open.",
    ),
    "scenario": ("情景：如果……", "Scenario: what if …"),
    "scenario_help": (
        "在地图上按“＋ 新增点”后单击；拖动新点；单击机构可关闭。",
        "On the map: press “＋ Add point”, then click; drag a new point; click a facility to close it.",
    ),
    "changes": (
        "共有改动：新增 {open}、搬迁 {move}、关闭 {close}、道路 {roads}（各服务合计）",
        "Changes: {open} new, {move} moved, {close} closed, {roads} on roads (all services)",
    ),
    "new_kind": ("新增点的类别", "Kind of a new point"),
    "new_point": ("新增点", "New point "),
    "undo": ("撤销", "Undo"),
    "clear": ("清空", "Clear"),
    "save": ("保存", "Save"),
    "open": ("打开", "Open"),
    "opened": ("已打开：{count} 项改动。它们在各自的服务里生效。", "Opened: {count} changes. Each counts in the services of its kind."),
    "open_help": ("先前保存的情景文件（scenario.json）", "A scenario saved before (scenario.json)"),
    "files": ("导出文件", "Files"),
    "file_html": ("地图网页（HTML，离线可开）", "Map as a page (HTML, opens offline)"),
    "file_png": ("当前视图（PNG）", "Current view (PNG)"),
    "file_png_help": (
        "地图上看到的范围，A4 横幅。需要中文字体：Windows 自带；Debian/Ubuntu 请安装 fonts-noto-cjk。若提示 Failed，原因写在终端里。",
        "What the map shows, A4. Needs a Chinese font (Debian, Ubuntu: fonts-noto-cjk). If you read “Failed …”, the terminal says why.",
    ),
    "file_xlsx": ("表格（Excel）", "Tables (Excel)"),
    "file_site": ("选址结果与证明（Excel）", "Chosen points and proof (Excel)"),
    "file_gpkg": ("图层（GeoPackage）", "Layers (GeoPackage)"),
    "file_norms": ("标准与规划指标对照（Excel）", "Norms and indicators (Excel)"),
    "data": ("数据检查 · 各表如何读入 · 标准与规划指标", "Data check · how the tables were read · norms"),
    "findings": ("数据检查", "Data check"),
    "files_read": ("各表如何读入", "How the tables were read"),
    "norms": ("标准与规划指标", "Norms and indicators"),
    "checking": ("正在检查……", "Checking …"),
    "no_findings": ("没有发现问题。", "Nothing doubtful was found."),
    "show": ("在地图上显示", "Show on the map"),
    "files_about": (
        "每张表用了哪一行作表头、哪些列，跳过了哪些行，坐标按哪种坐标系读入。可在 region.toml 里更改。",
        "Which row was taken as the header, which columns, which rows were passed over, which datum. region.toml can say otherwise.",
    ),
    "rows_about": (
        "没有按原样用上的行：{count} 行，列出 {shown} 行。导出改正：circle15 tables REGION --rejected DIR",
        "Rows not taken as they are: {count}, {shown} listed. To mend them: circle15 tables REGION --rejected DIR",
    ),
    "norms_about": (
        "现行及有期限的标准与指标，按现有机构（不含情景的改动）。下表为不足的；全部及依据见导出文件里的 Excel。",
        "Norms in force, held against the facilities as they are, without the scenario. Below: those not reached; all: the Excel file.",
    ),
    "studies": (
        "专题分析：公平性 · 可达性 · 能力 · 敏感性 · 断路 · 急救全程 · 排队",
        "Studies: equity · access · capacity · sensitivity · cut roads · chain · queues",
    ),
    "study": ("专题", "Study"),
    "study_run": ("计算", "Compute"),
    "study_running": ("正在计算……", "Computing …"),
    "study_stale": (
        "口径、情景、年份或参数已变，下面不再是原来的问题：请再按“计算”。",
        "Definition, scenario, year or terms have changed: press “Compute” again.",
    ),
    "study_file": ("下载 Excel（全部表格与来源）", "Excel file (all tables and sources)"),
    "study_notes": ("口径、假定与来源", "Definition, assumptions, sources"),
    "not_computed": ("无法计算：", "This cannot be computed:"),
    "by_norms": ("空着：按标准", "empty: by the norms"),
    "of_log": ("空着：取 120 记录", "empty: of the 120 log"),
    "to_fill": ("请填写", "to be filled in"),
    "none_given": ("空着：须都有说明", "empty: all must state them"),
    "supply_help": (
        "分给居民的供给，只列这些机构已填写的。没有填写的机构按 0 计。",
        "What is shared among the people: what these facilities state. A facility that states none counts as 0.",
    ),
    "unit_help": (
        "一个机构的能力按什么计：床位、㎡（规模）或人员。只列这些机构已填写的。",
        "What a facility's room is counted in: beds, m² (capacity) or staff. Only what these facilities state.",
    ),
    "per-unit_help": (
        "人 / 单位。空着时按标准换算，如每千人 8.2 张床即每床 122 人；标准不一或没有标准时须填写。",
        "People per unit. Empty: by the norms (8.2 beds for 1,000: 122 people a bed). Fill it in where they differ or are silent.",
    ),
    "unstated_help": (
        "没有填写能力的机构怎样计，两种都会改变结果，所以不代您决定。稳妥的是按没有能力计。",
        "What facilities count for that state none. Either answer changes the result, so none is assumed; no capacity is the cautious one.",
    ),
    "ways_help": (
        "OSM 道路编号（way id），逗号分隔，如 505835。关键桥梁表里有各桥的编号。",
        "OSM way ids, separated by commas, such as 505835. The table of bridges has theirs.",
    ),
    "area_help": (
        "淹没或封控范围，面，须有坐标系。相接的路段整段不通，范围内的居民和机构不计。",
        "The flooded or closed area: polygons with a CRS. Every piece of road that touches it is cut, homes and facilities in it are out.",
    ),
    "bridges_help": (
        "每次只断一座桥，重新计算，按失去服务的人数排序。",
        "One bridge at a time is cut and all is computed anew; ranked by the people who lose the service.",
    ),
    "scene_help": (
        "分钟。空着时取 120 记录中现场时间的中位数；没有记录则假定 15 分钟 [M]（doi:10.1080/10903120500541324）。",
        "Minutes. Empty: the median of the 120 log; without one 15 minutes, assumed [M] (doi:10.1080/10903120500541324).",
    ),
    "within_help": (
        "分钟，含。60 即“黄金一小时”：通行说法，文献检索未找到依据 [S]（doi:10.1111/j.1553-2712.2001.tb00201.x）。",
        "Minutes, inclusive. 60 is the “golden hour”: a convention, no evidence found [S] (doi:10.1111/j.1553-2712.2001.tb00201.x).",
    ),
    "rate_help": (
        "人 / 通道·小时。没有通行的默认值，请按演练或以往记录填写。",
        "People per lane and hour. There is no usual value: take it from a drill or from records.",
    ),
    "hours_help": ("小时，从开放到关门；居民均匀到达。", "Hours from opening to closing; people come evenly."),
    "share_help": ("常住人口中要来的比例，默认全部。", "Of the residents, who is to come; everybody unless changed."),
    "lanes_help": (
        "条。只用于没有填写通道数（规模）的点；空着时各点都须填写。",
        "Only for points whose table states no lanes (capacity). Empty: all must state them.",
    ),
    "sources": ("来源与参数", "Sources and parameters"),
}


def words(language: Language) -> dict[str, str]:
    """All words in one language."""
    return {key: pair[language == "en"] for key, pair in (_WORDS | SITING_WORDS).items()}
