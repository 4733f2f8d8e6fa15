"""The run of a study, by its terms."""

from __future__ import annotations

from geodata.norms import Norms
from geodata.region import Prepared
from scenarios.model import with_scenario
from scenarios.studies.answer import Answer
from scenarios.studies.cuts import flood_answer
from scenarios.studies.room import access_answer, capacity_answer, surge_answer
from scenarios.studies.terms import Access, Capacity, Chain, Cuts, Equity, Question, Sensitivity, Surge, as_the_command
from scenarios.studies.times import equity_answer, referral_answer, sensitivity_answer


def answer(prepared: Prepared, question: Question, norms: Norms) -> Answer:
    """Run a study, and lay out what it answers.

    Parameters
    ----------
    prepared : Prepared
        With the people of the year in view.
    question : Question
        The type of its terms says which study it is.
    norms : Norms
        Say for how many people a unit of capacity is, unless the terms do.

    Raises
    ------
    Circle15Error
        The scenario does not fit, or the study refuses the question.
    """
    service_id, terms = question.service_id, question.terms
    prepared = with_scenario(prepared, question.scenario)
    asked = as_the_command(prepared, service_id, question.definition, limits=not isinstance(terms, Equity))
    match terms:
        case Equity():
            found = equity_answer(prepared, service_id, asked)
        case Access():
            found = access_answer(prepared, service_id, asked, terms)
        case Capacity():
            found = capacity_answer(prepared, service_id, asked, terms, norms=norms)
        case Sensitivity():
            found = sensitivity_answer(prepared, service_id, asked)
        case Cuts():
            found = flood_answer(prepared, service_id, asked, terms)
        case Chain():
            found = referral_answer(prepared, service_id, asked, terms)
        case Surge():
            found = surge_answer(prepared, service_id, asked, terms)
    return found
