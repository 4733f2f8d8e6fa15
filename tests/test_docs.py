"""The pages for planners keep up with the program: keys, options, kinds, columns and headers, and every command in them is one."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import REPOSITORY
from pydantic import BaseModel

from geodata.calls.log import CALL_COLUMNS
from geodata.norms import read_norms
from geodata.region_file import DATUMS, RegionFile
from geodata.standards import read_services
from geodata.tables.cells import plain
from geodata.tables.columns import GROWTH, SETTLEMENTS, TOWNSHIP_PEOPLE, ZONES, facility_columns
from geodata.tables.kinds import kind_parser
from geodata.ways import link_words
from scenarios.cli import _parser
from scenarios.siting.question import MODELS

PAGES = {
    "zh": ("README.zh-CN.md", "docs/data.zh-CN.md", "docs/studies.zh-CN.md", "docs/siting.zh-CN.md", "docs/fetch.zh-CN.md"),
    "en": ("README.md", "docs/data.md", "docs/studies.md", "docs/siting.md", "docs/fetch.md"),
}
NAMING = {language: pages[:4] for language, pages in PAGES.items()}  # where keys and names have to stand
KINDS = read_services(None).kinds
COLUMNS = (*ZONES, *TOWNSHIP_PEOPLE, *GROWTH, *SETTLEMENTS, *facility_columns(KINDS))
IN_TOML = {"x": "lon", "y": "lat"}  # of a 120 log
BOTH = pytest.mark.parametrize("language", ["zh", "en"])
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"^(?: {4}.*(?:\n|$))+", re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")


def text_of(page: str) -> str:
    return (REPOSITORY / page).read_text("utf-8")


def blocks(text: str) -> list[str]:
    """Blocks of code, fenced and indented."""
    fenced = [found[2] for found in _FENCE.finditer(text)]
    return fenced + [found[0] for found in _INDENTED.finditer(_FENCE.sub("", text))]


def code(text: str) -> list[str]:
    """Everything that is set as code."""
    return blocks(text) + _SPAN.findall(_INDENTED.sub("", _FENCE.sub("", text)))


def named(language: str) -> set[str]:
    """Every word that is set as code in the pages of a language, options with their dashes."""
    return {word for page in NAMING[language] for one in code(text_of(page)) for word in re.findall(r"[\w-]+", one)}


def region_keys(model: type[BaseModel] = RegionFile) -> Iterator[str]:
    for key, one in model.model_fields.items():
        yield key
        for part in (one.annotation, *getattr(one.annotation, "__args__", ())):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from region_keys(part)


def options_of(command: list[str], capsys: pytest.CaptureFixture[str]) -> set[str]:
    """Words of the help of a command that look like an option."""
    with pytest.raises(SystemExit):
        _parser().parse_args([*command, "--help"])
    return set(re.findall(r"--[\w-]+", capsys.readouterr().out)) - {"--help"}


def command_lines(text: str) -> list[str]:
    """Lines of code and spans that call circle15, without the place of the program; "circle15 …" alone shows how it is written."""
    lines = [line.strip() for one in code(text) for line in one.splitlines()]
    calls = [re.sub(r"^\S*[\\/]bin[\\/]|^\S*Scripts[\\/]", "", line) for line in lines]
    return [line.replace("\\", "/") for line in calls if line.startswith("circle15 ") and line != "circle15 …"]


def table_rows(text: str) -> list[tuple[list[str], list[str]]]:
    """Our names and the headers of each row of the tables of columns."""
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| `")]
    return [(_SPAN.findall(cells[0]), [one for one in re.split("[、；]", cells[1].strip()) if one]) for cells in rows if len(cells) == 3]


def headers_of(name: str) -> set[str]:
    known = {plain(header) for column in COLUMNS if column.name == name for header in column.headers}
    return known | {plain(header) for header in link_words.HEADERS.get(name, ())}


@BOTH
def test_every_key_of_region_toml_is_named(language):
    keys = set(region_keys())
    assert {"roads", "tolerance_m", "mended", "spread_raster", "county_total"} <= keys
    assert keys - named(language) == set()


@BOTH
def test_every_answer_on_coordinates_is_named(language):
    assert set(DATUMS) - named(language) == set()


@BOTH
def test_every_command_and_every_long_option_is_named(language, capsys):
    commands = re.findall(r"^    ([a-z]+)  ", _parser().format_help(), re.MULTILINE)
    assert {"example", "check", "tables", "fetch"} <= set(commands)
    options = set().union(*(options_of(command, capsys) for command in [[], *([one] for one in commands)]))
    lines = [line for page in NAMING[language] for line in command_lines(text_of(page))]
    assert options - named(language) == set()
    assert set(commands) - {line.split()[1] for line in lines} == set()


@BOTH
def test_every_kind_is_named_in_the_words_of_the_page(language):
    text = text_of(PAGES[language][1])
    assert [kind for kind in KINDS if kind not in named(language)] == []
    assert language == "en" or [kind.zh for kind in KINDS.values() if kind.zh not in text] == []


@BOTH
def test_every_column_that_may_stand_left_of_the_sign_is_named(language):
    names = (
        {column.name for column in COLUMNS} | {IN_TOML.get(column.name, column.name) for column in CALL_COLUMNS} | set(link_words.HEADERS)
    )
    assert names - named(language) == set()


@BOTH
def test_every_header_in_the_tables_of_columns_is_known_for_that_column(language):
    rows = [(names, headers) for names, headers in table_rows(text_of(PAGES[language][1])) if headers]
    assert {name for names, _ in rows for name in names} >= {column.name for column in COLUMNS}
    unknown = [
        (names, header)
        for names, headers in rows
        for header in headers
        if plain(header) not in set().union(*(headers_of(name) for name in names))
    ]
    assert unknown == []


@BOTH
def test_every_header_of_the_120_log_is_known_for_its_column(language):
    text = text_of(PAGES[language][1])
    for column in CALL_COLUMNS:
        name = IN_TOML.get(column.name, column.name)
        if name not in {"lon", "lat"}:
            header = re.search(rf"`{name}` ([^\s；;，。,.（(]+)", text.partition("`number` ")[1] + text.partition("`number` ")[2])
            assert header is not None, name
            assert plain(header[1]) in column.plain_headers, name


@BOTH
def test_every_command_in_the_pages_is_one(language):
    lines = [line for page in PAGES[language] for line in command_lines(text_of(page))]
    assert len(lines) > 20
    for line in lines:
        if line != "circle15 --version":  # which would end here
            _parser().parse_args(shlex.split(line, comments=True)[1:])


@BOTH
def test_every_siting_model_has_a_row_a_section_a_command_and_a_source(language):
    text = text_of(PAGES[language][3])
    rows = [cells[2] for line in text.splitlines() if line.startswith("| ") and len(cells := line.split("|")) == 6]
    asked = {found for line in command_lines(text) for found in re.findall(r"--model (\S+)", line)}
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    for model in MODELS:
        assert [row for row in rows if f"`{model}`" in row], model
        assert [heading for heading in headings if f"`{model}`" in heading], model
        assert model in asked | {"lexicographic"}  # the default
    assert text.count("doi.org/") >= len(MODELS)


@BOTH
def test_every_region_toml_in_the_pages_can_be_read(language):
    found = [one for page in PAGES[language] for one in blocks(text_of(page)) if "[zones]" in one]
    assert len(found) == 2
    for one in found:
        given = tomllib.loads("\n".join(line.removeprefix("    ") for line in one.splitlines()))
        described = RegionFile.model_validate(given)
        kinds = [block.kind for block in described.facilities if block.kind]
        assert all(kind_parser(KINDS)(kind) in KINDS for kind in kinds)


@BOTH
def test_the_norms_in_the_pages_override_those_of_the_program(language, tmp_path: Path):
    (own,) = [one for one in blocks(text_of(PAGES[language][1])) if "[norms." in one]
    (tmp_path / "norms.toml").write_text(own, "utf-8")
    assert read_norms(tmp_path / "norms.toml", read_services(None)).norms["negative_pressure"].present == 9


@BOTH
def test_no_page_refers_to_a_file_that_is_not_there(language):
    for page in PAGES[language]:
        links = re.findall(r"\]\(([^)#:]+)\)", text_of(page))
        assert [link for link in links if not (REPOSITORY / page).parent.joinpath(link).exists()] == []
