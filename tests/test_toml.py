"""TOML files checked as a whole: every problem at once, by file and key, in both languages."""

from pathlib import Path

import pytest
from pydantic import PositiveFloat, model_validator

from geodata.errors import InputError, Problem
from geodata.toml import Strict, check_toml, read_toml


class Block(Strict):
    minutes: PositiveFloat
    name: str = ""

    @model_validator(mode="after")
    def _not_thirteen(self) -> "Block":
        if self.minutes == 13:
            raise InputError(Problem("十三不吉利。", "Thirteen is unlucky."))
        return self


class File(Strict):
    block: Block
    blocks: tuple[Block, ...] = ()


def problems(folder: Path, content: str | bytes) -> list[Problem]:
    path = folder / "rules.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        read_toml(path, File)
    return list(caught.value.problems)


def test_a_good_file_is_read_with_or_without_a_byte_order_mark(tmp_path):
    path = tmp_path / "rules.toml"
    for encoding in ("utf-8", "utf-8-sig"):
        path.write_text('[block]\nminutes = 15\nname = "医疗圈"\n', encoding=encoding)
        assert read_toml(path, File).block == Block(minutes=15, name="医疗圈")


def test_every_problem_is_reported_with_its_key(tmp_path):
    found = problems(tmp_path, "[block]\nminuts = 15\n[[blocks]]\nminutes = 0\n[[blocks]]\nminutes = 'x'\nname = 3\n")
    assert [p.en.split(": ")[:2] for p in found] == [
        ["rules.toml", key] for key in ("block.minutes", "block.minuts", "blocks.0.minutes", "blocks.1.minutes", "blocks.1.name")
    ]
    assert [p.zh for p in found] == [
        "rules.toml：block.minutes：缺少此项。",
        "rules.toml：block.minuts：没有这个设置项，请检查拼写 (15)。",
        "rules.toml：blocks.0.minutes：必须大于 0.0 (0)。",
        "rules.toml：blocks.1.minutes：应为数字 (x)。",
        "rules.toml：blocks.1.name：应为文字 (3)。",
    ]


@pytest.mark.parametrize("number", ["inf", "-inf", "nan", "-1"])
def test_a_limit_must_be_finite_and_positive(tmp_path, number):
    assert len(problems(tmp_path, f"[block]\nminutes = {number}\n")) == 1


def test_our_own_rules_speak_both_languages(tmp_path):
    assert problems(tmp_path, "[block]\nminutes = 13\n") == [
        Problem("rules.toml：block：十三不吉利。", "rules.toml: block: Thirteen is unlucky.")
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[block", "not valid TOML"),
        (b"[block]\nminutes = 1\nminutes = 2\n", "not valid TOML"),
        ("[block]\nname = '医疗圈'\n".encode("gbk"), "not UTF-8 text"),
        (b"", "block: Field required"),
        (b"\x00", "not valid TOML"),
    ],
)
def test_what_is_no_toml_is_refused(tmp_path, content, said):
    assert said in problems(tmp_path, content)[0].en


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(InputError, match="Cannot read"):
            read_toml(path, File)


def test_long_values_are_cut_short(tmp_path):
    assert len(problems(tmp_path, f"[block]\nminutes = '{'x' * 500}'\n")[0].en) < 150


def test_a_read_file_cannot_be_changed():
    block = check_toml({"minutes": 15}, Block, "rules.toml")
    with pytest.raises(ValueError, match="frozen"):
        block.minutes = 16
