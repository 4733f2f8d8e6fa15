"""The question that a result answers, in the words of the form, and whether the form still asks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from geodata.model import Facilities
from geodata.pack import fingerprint
from geodata.standards import ServiceDefinition
from scenarios.app.siting_words import CANDIDATE_WORDS, MODEL_ASKS, STAY_WORDS, TERM_WORDS, WEIGH_WORDS
from scenarios.output.legend import Language
from scenarios.siting.region.choice import ELIGIBLE

_SHARES: Final = ("share", "alpha", "busy")
_NUMBERS: Final[dict[str, str]] = {  # what is said by its number alone, and the option it is labelled by
    "sites": "--sites",
    "capacity": "--capacity",
    "vehicles": "--vehicles",
    "fleet": "--fleet",
    "move_within_km": "--move-within",
    "spacing_m": "--spacing",
    "wide_minutes": "--limit2",
}


class Question(NamedTuple):
    """What was asked.

    Attributes
    ----------
    fields : mapping of str to Any
        Of a Choice.
    named : mapping of str to str
        Names of the places that the fields speak of, by id.
    definition : ServiceDefinition
    backstop_minutes : float
        Of the service, where the fields say no other.
    """

    fields: Mapping[str, Any]
    named: Mapping[str, str]
    definition: ServiceDefinition
    backstop_minutes: float

    def without(self, *names: str) -> Question:
        """The same question without some of its fields."""
        return self._replace(fields={name: value for name, value in self.fields.items() if name not in names})


def is_same(one: Question, other: Question) -> bool:
    """Tell whether two questions ask the same."""
    return one.definition == other.definition and _plain(one.fields) == _plain(other.fields)


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fingerprint(value) if isinstance(value, Facilities) else value for name, value in fields.items()}


def question_said(question: Question, language: Language) -> str:
    """Say what was asked, a line a term; what was left as it is at first is not told."""
    at, fields, definition = language == "en", question.fields, question.definition
    minutes = f"{fields.get('wide_minutes') or question.backstop_minutes:g}"
    told = {"--model": MODEL_ASKS[fields["model"]][at].format(minutes=minutes)}
    told |= {f"--{name}": _share_said(fields[name], language) for name in _SHARES if fields.get(name) is not None}
    told |= {option: f"{fields[name]:,.10g}" for name, option in _NUMBERS.items() if fields.get(name) is not None}
    told |= {"--weighted": ("是", "yes")[at]} if fields.get("weighted") else {}
    told |= _places_said(question, language)
    if fields["weigh"] != "residents":
        told["--weigh"] = WEIGH_WORDS[fields["weigh"]][at]
    colon = (":", "：")[not at]
    lines = [f"{TERM_WORDS[option][at]}{colon} {value}".replace("： ", "：") for option, value in told.items()]
    return "\n".join([f"{('所问', 'Asked')[at]}{colon} {(definition.name_zh, definition.name_en)[at]}".replace("： ", "："), *lines])


def _share_said(value: float | str, language: Language) -> str:
    return ("取 120 记录", "of the 120 log")[language == "en"] if isinstance(value, str) else f"{value * 100:g}"


def _places_said(question: Question, language: Language) -> dict[str, str]:
    """Where the points may stand, which must or must not be among them, and what may become of those that exist."""
    at, fields, told = language == "en", question.fields, {}
    comma = ("、", ", ")[at]
    candidates = (*fields["candidates"], *(("clicked",) if "points" in fields else ()))
    if candidates != (ELIGIBLE,):
        told["--candidates"] = comma.join(CANDIDATE_WORDS[one][at] for one in candidates)
    for name, option in (("fixed", "--fixed"), ("forbidden", "--forbid")):
        if fields[name]:
            told[option] = comma.join(question.named.get(one, one) for one in fields[name])
    stay = "move" if "movable" in fields else "close" if "closable" in fields else ""
    return told | ({"--closable": STAY_WORDS[stay][at]} if stay else {})
