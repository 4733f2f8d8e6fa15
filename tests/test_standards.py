"""Service definitions and speeds: what is shipped, what a bureau may put in its place, what is refused."""

from pathlib import Path

import pytest

from geodata.errors import InputError, OptionError
from geodata.standards import MODES, default_services, default_speeds, read_services, read_speeds
from geodata.tables.columns import facility_columns

DEFINITION = """
[[services.{service}.definitions]]
id = "{id}"
name_zh = "某口径"
name_en = "some definition"
kinds = [{kinds}]
mode = "walk"
urban = {{ {limit} }}
rural = {{ minutes = 20 }}
source = "test"
status = "M"
"""


def own(
    folder: Path, *, service: str = "medical", kinds: str = '"hospital"', limit: str = "minutes = 10", more: str = "", **words: str
) -> Path:
    path = folder / "own.toml"
    definition = DEFINITION.format(service=service, kinds=kinds, limit=limit, **{"id": "own"} | words)
    path.write_text(f'[services.{service}]\nname_zh = "本局口径"\nname_en = "our own"\n{definition}{more}', encoding="utf-8")
    return path


# --- what is shipped


def test_the_services_of_the_plans_are_there_with_their_definitions():
    services = default_services().services
    assert {name: [definition.id for definition in service.definitions] for name, service in services.items()} == {
        "medical": ["walk", "drive", "straight"],
        "fitness": ["walk", "bike"],
        "sampling": ["walk"],
        "emergency": ["response", "distance"],
    }


def test_every_number_has_a_source_and_a_status():
    definitions = [definition for service in default_services().services.values() for definition in service.definitions]
    stated = [*definitions, *(default_speeds().of(mode) for mode in MODES)]
    assert all(one.source and one.status in {"V", "S", "M"} for one in stated)


def test_an_ambulance_comes_from_its_point_and_patients_go_to_theirs():
    services = default_services()
    assert services.service("emergency").definition(None).direction == "from_facility"
    assert services.service("medical").definition(None).direction == "to_facility"


def test_village_clinics_count_in_the_medical_circle():
    assert all("village_clinic" in definition.kinds for definition in default_services().service("medical").definitions)


def test_a_kind_goes_by_its_id_and_both_names():
    kind = next(column for column in facility_columns(default_services().kinds) if column.name == "kind")
    assert {kind.parse(name) for name in ("village_clinic", "村卫生室", "Village clinic")} == {"village_clinic"}


def test_the_first_definition_is_the_default():
    fitness = default_services().service("fitness")
    assert fitness.definition(None) is fitness.definition("walk")


# --- asking for what is not there


def test_an_unknown_service_or_definition_is_answered_with_the_known_ones():
    with pytest.raises(OptionError, match="No service 'dentist'; there are: medical, fitness, sampling, emergency"):
        default_services().service("dentist")
    with pytest.raises(OptionError, match="No definition 'fly'; there are: walk, drive, straight"):
        default_services().service("medical").definition("fly")


# --- another number of minutes


def test_other_minutes_hold_in_both_classes_and_leave_the_rest():
    definition = default_services().service("emergency").definition("response")
    changed = definition.with_minutes(20)
    assert (changed.urban.minutes, changed.rural.minutes, changed.turnout_s) == (20, 20, definition.turnout_s)
    assert (definition.urban.minutes, definition.rural.minutes) == (15, 30)


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf")])
def test_a_limit_of_no_time_or_of_all_time_is_refused(minutes):
    with pytest.raises(OptionError, match="时限必须大于 0"):
        default_services().service("medical").definition(None).with_minutes(minutes)


def test_a_definition_in_metres_has_no_minutes_to_change():
    with pytest.raises(OptionError, match="'straight' has no minutes"):
        default_services().service("medical").definition("straight").with_minutes(15)


# --- a bureau's own services


def test_an_own_service_replaces_the_one_of_its_name_and_no_other(tmp_path):
    services = read_services(own(tmp_path))
    assert [definition.id for definition in services.service("medical").definitions] == ["own"]
    assert services.service("fitness") == default_services().service("fitness")
    assert list(services.services) == list(default_services().services)


def test_an_own_service_may_be_new_and_name_new_kinds(tmp_path):
    path = own(tmp_path, service="childcare", kinds='"nursery"', more='[kinds]\nnursery = { zh = "托育机构", en = "nursery" }\n')
    services = read_services(path)
    assert services.kinds["nursery"].zh == "托育机构"
    assert services.service("childcare").definition(None).kinds == ("nursery",)


def test_a_definition_of_an_unknown_kind_is_refused_by_file_and_name(tmp_path):
    with pytest.raises(InputError, match=r"own\.toml: medical\.own: kind 'hopsital' is not listed under \[kinds\]"):
        read_services(own(tmp_path, kinds='"hospital", "hopsital"'))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"limit": "minutes = 0"}, "minutes：必须大于 0"),
        ({"limit": "minutes = -5"}, "minutes：必须大于 0"),
        ({"limit": "minutes = inf"}, "minutes：应为有限的数字"),
        ({"limit": ""}, "至少要给出 minutes、network_m、straight_m 之一"),
        ({"limit": "minuts = 15"}, "minuts：没有这个设置项"),
        ({"kinds": ""}, "kinds：至少要有 1 项"),
        ({"more": "settlement_share = 1.5"}, "settlement_share：不得大于 1"),
        ({"more": "turnout_s = -1"}, "turnout_s：不得小于 0"),
        ({"more": "colour = 1"}, "colour：没有这个设置项"),
        ({"more": DEFINITION.format(service="medical", id="own", kinds='"park"', limit="minutes = 1")}, "口径 id 重复：own"),
    ],
)
def test_a_wrong_own_service_is_refused_by_file_and_key(tmp_path, change, said):
    with pytest.raises(InputError) as caught:
        read_services(own(tmp_path, **change))
    assert all(problem.zh.startswith("own.toml：services.medical") for problem in caught.value.problems)
    assert said in caught.value.problems[0].zh


def test_a_service_without_definitions_is_refused(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('[services.medical]\nname_zh = "x"\nname_en = "x"\ndefinitions = []\n', encoding="utf-8")
    with pytest.raises(InputError, match="至少要有 1 项"):
        read_services(path)


# --- a bureau's own speeds


def own_speeds(folder: Path, text: str) -> Path:
    path = folder / "speeds.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_own_speeds_replace_a_mode_as_a_whole_and_no_other(tmp_path):
    text = '[walk]\nkmh = 5\naccess_kmh = 5\naccess_detour = 1\nsource = "measured"\nstatus = "V"\n'
    speeds = read_speeds(own_speeds(tmp_path, text))
    assert (speeds.walk.kmh, speeds.walk.classes) == (5, {})
    assert (speeds.bike, speeds.drive) == (default_speeds().bike, default_speeds().drive)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[walk]\nkmh = 0", "walk.kmh：必须大于 0"),
        ("[fly]\nkmh = 900", "fly：没有这个设置项"),
        ("[drive]\nkmh = 30\nclasses = { trunk = 0 }", "drive.classes.trunk：必须大于 0"),
        ("[walk]\naccess_detour = 0.5", "walk.access_detour：不得小于 1"),
    ],
)
def test_wrong_speeds_are_refused_by_key(tmp_path, text, said):
    with pytest.raises(InputError) as caught:
        read_speeds(own_speeds(tmp_path, text))
    assert any(f"speeds.toml：{said}" in problem.zh for problem in caught.value.problems)


def test_without_an_own_file_the_shipped_ones_are_used():
    assert read_speeds(None) == default_speeds()
    assert read_services(None) == default_services()
