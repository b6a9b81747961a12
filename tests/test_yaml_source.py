"""User-edited YAML: every scalar is text, every node knows its place, and nothing clever gets in."""

import pytest

from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import Scalar
from gateway.yaml_source import did_you_mean
from gateway.yaml_source import load
from gateway.yaml_source import parse
from gateway.yaml_source import plain


def test_scalars_stay_text() -> None:
    assert plain(parse("a: 007\nb: [NO, 1e3, null, 2026-01-05, '']\n", "f.yaml")) == {"a": "007", "b": ["NO", "1e3", "null", "2026-01-05", ""]}


def test_nodes_know_their_place() -> None:
    node = parse("a:\n  b: x\n", "dir/f.yaml")
    assert isinstance(node, Mapping)
    inner = node.items["a"]
    assert isinstance(inner, Mapping)
    value = inner.items["b"]
    assert isinstance(value, Scalar)
    assert (value.where, value.line, value.column) == ("dir/f.yaml:2", 2, 6)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\na: 2\n", "f.yaml:2:1: 'a' stands here twice (first on line 1)"),
        ("a: [1\nb: 2\n", "f.yaml:2:"),
        ("? [a, b]\n: c\n", "a key must be plain text"),
        ("a: &x 1\nb: *x\n", "f.yaml:1:4: anchors and aliases are not used here: write the value again"),
        ("a: !!python/object/apply:os.system [ls]\n", "f.yaml:1:4: tags like !!python/object/apply:os.system are not used here"),
        ("\x00", "f.yaml:1:1"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(Faults) as raised:
        parse(text, "f.yaml")
    assert told in str(raised.value)


def test_a_fault_shows_its_line_with_a_caret() -> None:
    with pytest.raises(Faults) as raised:
        parse("first: 1\nname: x\nname: y\n", "f.yaml")
    assert str(raised.value).splitlines() == ["f.yaml:3:1: 'name' stands here twice (first on line 2)", "    3 | name: y", "      | ^"]


def test_depth_is_bounded() -> None:
    with pytest.raises(Faults, match="nested more than 60 levels"):
        parse("[" * 80 + "]" * 80, "f.yaml")


def test_an_empty_file_is_an_empty_mapping() -> None:
    assert plain(parse("# nothing\n", "f.yaml")) == {}


class Files:
    def text_of(self, name: str) -> tuple[str, str] | None:
        return None

    def names(self, prefix: str) -> list[str]:
        return ["mappings/x12/004010/850.yaml"]


def test_a_missing_file_names_one_that_is_near() -> None:
    with pytest.raises(Faults, match=r"there is no file mappings/x12/004010/805.yaml \(did you mean 'mappings/x12/004010/850.yaml'\?\)"):
        load("mappings/x12/004010/805.yaml", Files())


def test_nothing_near_is_not_suggested() -> None:
    assert did_you_mean("zzz", ["abc"]) == ""


def test_a_secret_in_the_line_of_a_fault_is_not_shown_and_the_caret_stays() -> None:
    text = 'endpoints:\n  far: {user: u, password: "hunter2", key: file:keys/far, wrng: 1}\n'
    node = parse(text, "partners/far.yaml")
    assert isinstance(node, Mapping)
    fault = node.document.fault(2, 62, "unknown key 'wrng'")
    assert fault.excerpt == "  far: {user: u, password: *********, key: file:keys/far, wrng: 1}"


def test_a_key_behind_the_question_mark_of_an_address_is_not_shown() -> None:
    [line] = ["webhook: {url: 'https://h/x?token=hunter2&a=b', wrng: 1}"]
    node = parse(line + "\n", "config.yaml")
    assert isinstance(node, Mapping)
    assert node.document.fault(1, 45, "unknown key").excerpt == "webhook: {url: 'https://h/x?*****************', wrng: 1}"
