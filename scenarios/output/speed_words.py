"""What is said of the traffic of an hour, and of speeds given for roads that are not there."""

from __future__ import annotations

from collections.abc import Sequence

from geodata.errors import first_few
from geodata.hours import FREE, hours_of
from geodata.piece_speeds import Unmatched, unmatched
from geodata.region import Prepared
from geodata.roads import Roads
from geodata.standards import Mode, ModeSpeeds, ServiceDefinition, Speeds
from scenarios.output.legend import MODE_WORDS, Words


def hour_said(speeds: Speeds, definition: ServiceDefinition) -> Words | None:
    """Say in which traffic a definition is measured; nothing where it asks for no hour."""
    hour, way = definition.hour, speeds.of(definition.mode)
    if hour is None:
        return None
    if all(limit.minutes is None for limit in definition.limits.values()):
        return ("按距离计，与钟点无关。", "Measured by distance: the hour makes no difference.")
    if hour not in way.hours:
        return no_traffic(definition.mode, hour)
    zh, en = _in_force(way, hour)
    mode = MODE_WORDS[definition.mode]
    return f"{hour} 时{mode[0]}：{zh}。", f"{hour}:00 {mode[1]}: {en}."


def no_traffic(mode: Mode, hour: int) -> Words:
    """Say that nothing is known of an hour."""
    zh, en = MODE_WORDS[mode]
    return (
        f"车速文件没有 {hour} 时{zh}的系数或实测车速：按全天平均车速（不分钟点）计算，不是 {hour} 时的路况。",
        f"No factor and no measured speed for {hour}:00 {en}: figures at the usual speeds, the day's average, not those of that hour.",
    )


def _in_force(way: ModeSpeeds, hour: int) -> Words:
    """The factors of an hour and their sources, and how many roads have a speed of their own at it."""
    holding = [factor for factor in way.factors if hour in factor.hours]
    sources = [(one.source.split(" · ")[0], one.source.split(" · ")[-1]) for one in holding]  # "Chinese · English", or one for both
    rest = ("其余等级", "all other classes") if any(one.classes for one in holding) else ("各等级", "all classes")
    zh, en = [], []
    for one, (source_zh, source_en) in zip(holding, sources, strict=True):
        zh.append(f"全天平均车速 ×{one.factor:g}（{'、'.join(one.classes) or rest[0]}；{source_zh}）")
        en.append(f"usual speeds × {one.factor:g} ({', '.join(one.classes) or rest[1]}; {source_en})")
    every = (*way.ways.values(), *way.names.values())
    measured = sum(any(text != FREE and hour in hours_of(text) for text in one) for one in every)
    if measured:
        zh.append(f"该时段有实测车速的路 {measured:,} 条")
        en.append(f"roads with a speed measured at that hour: {measured:,}")
    return "；".join(zh), "; ".join(en)


def unmatched_said(roads: Roads, speeds: Speeds, modes: Sequence[Mode]) -> Words | None:
    """Say which speeds are given for roads that are not there, and are therefore not used."""
    found = [unmatched(roads, speeds.of(mode)) for mode in modes]
    missing = Unmatched(*(tuple(dict.fromkeys(one for several in column for one in several)) for column in zip(*found, strict=True)))
    kinds = zip((("道路编号", "way ids"), ("路名", "names"), ("道路等级", "classes of road")), missing, strict=True)
    parts = [(words, first_few(given)) for words, given in kinds if given]
    if not parts:
        return None
    zh, en = ("；".join(f"{words[0]} {named}" for words, named in parts), "; ".join(f"{words[1]} {named}" for words, named in parts))
    return f"车速文件中有路网里没有的：{zh}。这些车速没有用上。", f"Speeds are given for roads that are not there, and not used: {en}."


def traffic_warnings(prepared: Prepared, definitions: Sequence[ServiceDefinition]) -> tuple[Words, ...]:
    """What must be told beside results: hours of which nothing is known, and speeds that are not used."""
    unused = unmatched_said(prepared.region.roads, prepared.speeds, sorted({one.mode for one in definitions}))
    unknown = [hour_said(prepared.speeds, one) for one in definitions if one.hour not in {None, *prepared.speeds.of(one.mode).hours}]
    return tuple(words for words in dict.fromkeys([*unknown, unused]) if words)
