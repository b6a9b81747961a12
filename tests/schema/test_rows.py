"""Descriptions of files in rows: every fault at its place when they are loaded, and every value checked when a file comes."""

import pytest

from gateway.codecs import lines
from gateway.codecs.node import Transaction
from gateway.config import default_resolver
from gateway.problem import Problem
from gateway.schema.apply import Checked
from gateway.schema.apply import check
from gateway.schema.compile import compile_schema
from gateway.schema.load import known_specs
from gateway.schema.load import load_schema
from gateway.schema.plan import SchemaPlan
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import parse

HEAD = "schema: csv/x\nname: X\n"
COLUMNS = "columns:\n  a: M text ..5\n  b: O decimal\n"


class Texts:
    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    def text_of(self, name: str) -> tuple[str, str] | None:
        return (name, self.files[name]) if name in self.files else default_resolver().text_of(name)

    def names(self, prefix: str) -> list[str]:
        return sorted({name for name in self.files if name.startswith(prefix)} | set(default_resolver().names(prefix)))


def load(text: str, overlay: str | None = None, spec: str = "csv/x") -> SchemaPlan:
    node = parse(overlay, "partners/acme.yaml") if overlay is not None else None
    assert node is None or isinstance(node, Mapping)
    return load_schema(spec, Texts({f"schemas/{spec}.yaml": text}), node)


def faults(text: str, overlay: str | None = None, spec: str = "csv/x") -> list[str]:
    with pytest.raises(Faults) as caught:
        load(text, overlay, spec)
    return [str(fault).splitlines()[0].removeprefix("schemas/") for fault in caught.value.faults]


def checked(plan: SchemaPlan, data: str) -> tuple[Transaction, Checked]:
    assert plan.layout is not None
    transaction = next(event for event in lines.read([data.encode()], plan.layout) if isinstance(event, Transaction))
    return transaction, check(transaction, compile_schema(plan))


def test_the_shipped_descriptions_are_known_and_sound() -> None:
    specs = [spec for spec in known_specs(default_resolver()) if spec.startswith(("csv/", "fixed/"))]
    assert specs == ["csv/orders", "csv/warehouse-order", "csv/warehouse-shipment", "fixed/orders"]
    for spec in specs:
        plan = load_schema(spec, default_resolver())
        assert plan.layout is not None
        assert plan.digest
        assert plan.sources


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + COLUMNS, "csv/x.yaml:1:1: say how rows make documents: `group_by: COLUMN`, `document: row` or `document: file`"),
        (HEAD + COLUMNS + "group_by: c\n", "csv/x.yaml:6:11: there is no column 'c'"),
        (HEAD + COLUMNS + "document: row\ngroup_by: a\n", "csv/x.yaml:6:1: write `group_by:` or `document:`, not both"),
        (HEAD + COLUMNS + "document: page\n", "csv/x.yaml:6:11: `document:` is row or file, not 'page'"),
        (HEAD + COLUMNS + "document: row\nheder: yes\n", "csv/x.yaml:7:1: a description has no 'heder' (did you mean 'header'?)"),
        (HEAD + COLUMNS + "document: row\nheader: true\n", "csv/x.yaml:7:9: `header:` is yes or no, not 'true'"),
        (HEAD + COLUMNS + "document: row\ndelimiter: ab\n", "csv/x.yaml:7:12: `delimiter:` is one sign, tab, not 'ab'"),
        (HEAD + COLUMNS + "document: row\nquote: x\n", "csv/x.yaml:7:8: `quote:` is one sign, tab or none, not 'x'"),
        (HEAD + COLUMNS + "document: row\ncharset: utf-7\n", "csv/x.yaml:7:10: no character set 'utf-7' (did you mean 'utf-8'?)"),
        (HEAD + COLUMNS + 'document: row\nthousands: "."\n', "csv/x.yaml:7:12: the sign between thousands is the decimal sign as well"),
        (HEAD + COLUMNS + "document: row\nsender: d\n", "csv/x.yaml:7:9: there is no column 'd'"),
        (HEAD + COLUMNS + "document: row\nformulas: run\n", "csv/x.yaml:7:11: `formulas:` is escape or keep or refuse, not 'run'"),
        (HEAD + "document: row\ncolumns:\n  A: M text\n", "csv/x.yaml:5:3: a column is named in small letters, digits and _"),
        (HEAD + "document: row\ncolumns:\n  position: M text\n", "csv/x.yaml:5:3: 'position' is a word of mappings: call the column otherwise"),
        (HEAD + "document: row\ncolumns:\n  a: M words\n", "csv/x.yaml:5:6: a column is written as `M text ..22`"),
        (HEAD + "document: row\ncolumns:\n  a: M date CCYY.MM\n", "csv/x.yaml:5:6: no form 'CCYY.MM'"),
        (HEAD + "document: row\ncolumns:\n  a: M text 5..2\n", "csv/x.yaml:5:6: a value cannot have at least 5 and at most 2 characters"),
        (HEAD + "document: row\ncolumns:\n  a: {use: M text, code: [x]}\n", "csv/x.yaml:5:20: a column has no 'code' (did you mean 'codes'?)"),
        (HEAD + "document: row\ncolumns:\n  a: {use: M text, codes: codes/unit}\n", "csv/x.yaml:5:27: no table 'codes/unit' (did you mean 'codes/units'?)"),
        (HEAD + "document: row\n", "csv/x.yaml:1:1: `columns:` says what stands in a row"),
        ("schema: csv/y\nname: X\ndocument: row\n" + COLUMNS, "csv/x.yaml:1:9: this file is `schema: csv/x`"),
        ("schema: csv/x\ndocument: row\n" + COLUMNS, "csv/x.yaml:1:1: `name:` says in a few words what the file is"),
        (HEAD + "extends: csv/z\n", "csv/x.yaml:3:10: there is no file schemas/csv/z.yaml"),
        (HEAD + "extends: csv/x\n", "csv/x.yaml:3:10: `extends:` names another csv file, and not in a circle"),
        (HEAD + "document: h\nrecords:\n  h: {mark: H, columns: {a: M text}}\n  l: {mark: H, under: h, columns: {a: M text}}\n", "csv/x.yaml:6:6: 'H' is the mark of h as well"),
        (HEAD + "document: h\nrecords:\n  h: {mark: H, columns: {a: M text}}\n  l: {mark: L, under: q, columns: {a: M text}}\n", "csv/x.yaml:6:23: 'l' says by `under:`"),
        (HEAD + "document: h\nrecords:\n  h: {mark: H, columns: {a: M text}}\n  l: {mark: L, columns: {a: M text}}\n", "csv/x.yaml:6:6: 'l' says by `under:`"),
        (HEAD + "records:\n  h: {mark: H, columns: {a: M text}}\n", "csv/x.yaml:4:3: `document:` names the record that begins a document"),
        (HEAD + "document: h\nrecords:\n  h: {columns: {a: M text}}\n", "csv/x.yaml:5:6: 'h' says by its `mark:` how it is told from the others"),
        (HEAD + "document: h\nheader: yes\nrecords:\n  h: {mark: H, columns: {a: M text}}\n  l: {mark: L, under: h, columns: {a: M text}}\n", "csv/x.yaml:4:9: a first row with names goes with `columns:`"),
        (
            HEAD + "document: h\nrecords:\n  h: {mark: H, columns: {a: M text}}\n  l: {mark: L, under: m, columns: {a: M text}}\n  m: {mark: M, under: l, columns: {a: M text}}\n",
            "csv/x.yaml:6:6: 'l' does not stand under h",
        ),
    ],
)  # fmt: skip
def test_a_fault_names_its_place(text: str, expected: str) -> None:
    found = faults(text)
    assert any(fault.startswith(expected) for fault in found), found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("document: row\ncolumns:\n  a: M text\n", "fixed/x.yaml:5:6: in a file of fixed width a column says where it stands: M text 1..10"),
        ("document: row\ncolumns:\n  a: M text 1..5\n  b: M text 5..7\n", "fixed/x.yaml:6:6: 'b' begins at 5, where another column has not ended"),
        ("document: row\ndelimiter: ','\ncolumns:\n  a: M text 1..5\n", "fixed/x.yaml:4:1: a file of fixed width has no `delimiter:`"),
        ("document: h\nrecords:\n  h: {mark: H, columns: {a: M text 2..5}}\n", "fixed/x.yaml:5:3: `record_type:` says the first and last character"),
    ],
)
def test_a_fault_in_fixed_width_names_its_place(text: str, expected: str) -> None:
    found = faults("schema: fixed/x\nname: X\n" + text, spec="fixed/x")
    assert any(fault.startswith(expected) for fault in found), found


def test_a_partner_says_only_what_is_different() -> None:
    plan = load(HEAD + "document: row\n" + COLUMNS, "delimiter: ;\ncolumns: {b: none, c: O date DD.MM.CCYY}\n")
    assert plan.layout is not None
    assert plan.layout.delimiter == ";"
    assert [column.name for column in plan.layout.records[0].columns] == ["a", "c"]
    assert plan.digest != load(HEAD + "document: row\n" + COLUMNS).digest
    assert faults(HEAD + "document: row\n" + COLUMNS, "columns: {d: none}\n") == ["partners/acme.yaml:1:11: there is no 'd' to remove"]


RICH = """\
document: row
decimal: ","
thousands: "."
columns:
  a: M text 2..5
  n: O decimal
  i: O integer
  d: {use: O date DD.MM.CCYY}
  t: O datetime
  f: O boolean
  c: {use: O text, codes: [X, Y]}
  u: {use: O text, codes: codes/units}
"""


@pytest.mark.parametrize(
    ("row", "code", "message"),
    [
        ('"",1', "LINES-VALUE-MISSING", "a is empty, and it must be there"),
        ("abcdef", "LINES-VALUE-LENGTH", "a is 6 characters long, at most 5 are allowed"),
        ("a", "LINES-VALUE-LENGTH", "a is 1 characters long, at least 2 are allowed"),
        ("ab,x", "LINES-VALUE-INVALID", "n is 'x', not a number"),
        ("ab,1.5", "LINES-VALUE-INVALID", "n is '1.5 ', not a number"),
        ("ab,,2.5", "LINES-VALUE-INVALID", "i is '2.5 ', not a whole number"),
        ("ab,,,2026-01-05", "LINES-VALUE-INVALID", "d is '2026-01-05', not a date as DD.MM.CCYY"),
        ("ab,,,,05.01.2026", "LINES-VALUE-INVALID", "t is '05.01.2026', not a date and time as CCYY-MM-DD"),
        ("ab,,,,,maybe", "LINES-VALUE-INVALID", "f is 'maybe', not yes or no"),
        ("ab,,,,,,Z", "LINES-VALUE-INVALID", "c is 'Z', which is none of its codes"),
        ("ab,,,,,,,FURLONG", "LINES-VALUE-INVALID", "u is 'FURLONG', which is none of its codes"),
    ],
)
def test_a_value_that_is_not_what_its_column_says(row: str, code: str, message: str) -> None:
    _, result = checked(load(HEAD + RICH), row + "\n")
    assert [(problem.code, problem.message) for problem in result.problems] == [(code, message)]
    assert not result.accepted
    assert result.problems[0].place.line == 1


def test_numbers_are_made_plain_once() -> None:
    plan = load(HEAD + RICH)
    transaction, result = checked(plan, 'ab,"1.234.567,50",1.000,05.01.2026,2026-01-05T10:00:00,yes,X,KG\n')
    assert result.problems == []
    assert transaction.segments[0][2:4] == ["1234567.50", "1000"]
    assert check(transaction, compile_schema(plan)).problems == []


MARKS = """\
document: h
records:
  h: {mark: H, columns: {a: M text}}
  t: {mark: T, under: h, once: yes, columns: {a: M text}}
  l: {mark: L, under: h, mandatory: yes, columns: {a: M text}}
  s: {mark: S, under: l, columns: {a: M text}}
"""


def test_records_make_a_tree() -> None:
    plan = load(HEAD + MARKS)
    transaction, result = checked(plan, "H,1\nL,1\nS,1\nS,2\nT,1\nL,2\n")
    assert result.problems == []
    head, text, first_and_second = result.tree
    assert (head, text) == (transaction.segments[0], transaction.segments[4])
    assert isinstance(first_and_second, list)
    assert [tree[0] for tree in first_and_second] == [transaction.segments[1], transaction.segments[5]]
    assert first_and_second[0][1] == transaction.segments[2:4]


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        ("H,1\nT,1\n", "LINES-RECORD-MISSING", 1),
        ("H,1\nL,1\nT,1\nT,2\n", "LINES-RECORD-MISPLACED", 4),
        ("H,1\nS,1\nL,1\n", "LINES-RECORD-MISPLACED", 2),
    ],
)
def test_records_that_are_missing_or_stand_wrong(data: str, code: str, line: int) -> None:
    _, result = checked(load(HEAD + MARKS), data)
    assert [(problem.code, problem.place.line) for problem in result.problems] == [(code, line)]


def test_a_flood_of_problems_is_cut_off() -> None:
    transaction, result = checked(load(HEAD + "document: file\n" + COLUMNS), "toolong,x\n" * 500)
    assert len(transaction.segments) == 500
    assert len(result.problems) == 100
    assert isinstance(result.problems[0], Problem)
