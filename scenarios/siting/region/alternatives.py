"""What a planner can name on a page: the places that may be chosen, and a plan with another choice that is exactly as good."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from scenarios.siting import models
from scenarios.siting.region.candidates import new_places
from scenarios.siting.region.choice import Choice
from scenarios.siting.region.question import definitions
from scenarios.siting.region.standby import RegionPlan, plan_of
from scenarios.siting.stop import Stop


def choosable(prepared: Prepared, service_id: str, definition_id: str | None, choice: Choice) -> dict[str, str]:
    """Names, with their ids, of the places that a choice may be made among, by id: points that exist, then candidates, each by name.

    Raises
    ------
    OptionError
        The service has no siting rule, or there are no such candidates.
    """
    definition, _ = definitions(prepared, service_id, definition_id, choice)
    facilities = prepared.region.facilities
    serves = facilities.of_kinds(definition.kinds) & facilities.open_on(prepared.region.date)
    standing = serves & ~facilities.restricted & ~facilities.external
    old = facilities.take(np.flatnonzero(standing))
    new = new_places(prepared, service_id, definition, choice, standing=standing).places
    return {one: f"{name}（{one}）" for some in (old, new) for name, one in sorted(zip(some.name, some.id, strict=True))}


def with_definition(prepared: Prepared, service_id: str, definition: ServiceDefinition) -> Prepared:
    """Put a definition, perhaps with other minutes or an hour, in the place of the service's own of the same id."""
    service = prepared.services.service(service_id)
    own = tuple(definition if one.id == definition.id else one for one in service.definitions)
    services = prepared.services.services | {service_id: service.model_copy(update={"definitions": own})}
    return replace(prepared, services=prepared.services.model_copy(update={"services": services}))


def taking(prepared: Prepared, plan: RegionPlan, number: int) -> RegionPlan:
    """Build the plan with one of the choices that are exactly as good in the place of its own, which becomes one of the others.

    Parameters
    ----------
    prepared : Prepared
        The region that the plan was made on.
    plan : RegionPlan
    number : int
        Which of ``plan.result.equal``.
    """
    result, question = plan.result, plan.question
    others = result.equal[number]
    asked, places = question.asked, np.array(question.asked.sites.id, dtype=object)
    only = replace(asked.sites, fixed=np.isin(places, list(others)), total=len(others))
    model = "mclp" if plan.choice.model in models.NUMBER_FOUND else plan.choice.model  # how many there are is known
    again = models.site(replace(asked, sites=only), model, question.terms, stop=Stop())
    equal = tuple(sorted({*result.equal, result.sites} - {others}))
    return plan_of(prepared, question, replace(result, sites=others, vehicles=again.vehicles, served=again.served, equal=equal))
