"""A document in rows against its plan: the tree of its records, and what is wrong. The same answer as schema/apply gives for segments.

Numbers with signs of their own (1.234,50) become plain ones here, so that mappings need not know how the sender writes them; where
a value lies in the file is counted, so nothing gets lost.
"""

import re
from collections.abc import Callable

from gateway.codecs.layout import Column
from gateway.codecs.layout import Layout
from gateway.codecs.lines import place_of
from gateway.codecs.node import Segment
from gateway.codecs.node import Transaction
from gateway.kinds import json as json_kinds
from gateway.kinds import lines as kinds
from gateway.problem import Kind
from gateway.problem import Problem
from gateway.schema.moments import moment
from gateway.schema.plan import LoopUse
from gateway.schema.plan import SchemaPlan
from gateway.schema.plan import SegmentUse
from gateway.schema.plan import Tree

#: problems of one document that are listed
MOST = 100
_SHOWN = 60
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_BOOLEAN = frozenset({"true", "false", "1", "0", "yes", "no"})
_MOST_DIGITS = 40
_WORDS = {
    "text": "a text",
    "integer": "a whole number",
    "decimal": "a number",
    "boolean": "yes or no",
    "date": "a date",
    "datetime": "a date and time",
}


def check_rows(transaction: Transaction, plan: SchemaPlan) -> tuple[Tree, list[Problem]]:
    """The tree of the document, and its problems in the order of its rows."""
    assert plan.layout is not None
    problems: list[Problem] = []
    tree = _tree(transaction, plan, problems)
    tests = {record.name: [_test(column, plan.layout) for column in record.columns] for record in plan.layout.records}
    transaction.spots.plain, plain = True, transaction.spots.plain
    for index, segment in enumerate(transaction.segments, 1):
        for position, test in enumerate(tests[segment[0]], 1):
            wrong = test(segment, position, plain)
            if wrong is not None:
                if len(problems) >= MOST:
                    return tree, problems
                kind, words, found, expected = wrong
                problems.append(kind.at(place_of(transaction, index, position), words, found=found, expected=expected))
    return tree, problems


Wrong = tuple[Kind, str, str | None, str | None]


def _test(column: Column, layout: Layout) -> Callable[[Segment, int, bool], Wrong | None]:
    """The check of one column; it also makes the numbers of this layout plain."""
    name, expected = column.name, _words(column)
    sound = _sound(column)
    plain = _plain(column, layout)

    def test(segment: Segment, position: int, is_plain: bool) -> Wrong | None:
        value = segment[position]
        if not value:
            return (kinds.VALUE_MISSING, f"{name} is empty, and it must be there", "", expected) if column.mandatory else None
        if (column.max and len(value) > column.max) or len(value) < column.min:
            limit = f"at most {column.max}" if column.max and len(value) > column.max else f"at least {column.min}"
            return kinds.VALUE_LENGTH, f"{name} is {len(value)} characters long, {limit} are allowed", value[:_SHOWN], f"{limit} characters"
        if plain is not None and not is_plain:
            value = segment[position] = plain(value)
        if not sound(value):
            return kinds.VALUE_INVALID, f"{name} is '{value[:_SHOWN]}', not {expected}", value[:_SHOWN], expected
        if column.codes is not None and value not in column.codes:
            some = ", ".join(sorted(column.codes)[:12])
            return kinds.VALUE_INVALID, f"{name} is '{value[:_SHOWN]}', which is none of its codes", value[:_SHOWN], some
        return None

    return test


def judge(column: Column, value: str) -> tuple[Kind, str, str] | None:
    """Why a value of JSON is not what its column says: kind, sentence, what is expected."""
    expected = _words(column)
    if (column.max and len(value) > column.max) or len(value) < column.min:
        limit = f"at most {column.max}" if column.max and len(value) > column.max else f"at least {column.min}"
        return json_kinds.VALUE_LENGTH, f"{column.name} is {len(value)} characters long, {limit} are allowed", f"{limit} characters"
    if not _sound(column)(value):
        return json_kinds.VALUE_INVALID, f"{column.name} is '{value[:_SHOWN]}', not {expected}", expected
    if column.codes is not None and value not in column.codes:
        return json_kinds.VALUE_INVALID, f"{column.name} is '{value[:_SHOWN]}', which is none of its codes", ", ".join(sorted(column.codes)[:12])
    return None


def _words(column: Column) -> str:
    kind = "decimal" if column.kind[0] == "N" else column.kind
    return _WORDS[kind] + (f" as {column.form or 'CCYY-MM-DD'}" if kind in ("date", "datetime") else "")


def _sound(column: Column) -> Callable[[str], bool]:
    if column.kind in ("date", "datetime"):
        form = column.form or "ISO"
        return lambda value: moment(value, form) is not None
    if column.kind == "integer" or column.kind[0] == "N":
        return lambda value: len(value) <= _MOST_DIGITS and _WHOLE.fullmatch(value) is not None
    if column.kind == "decimal":
        return lambda value: len(value) <= _MOST_DIGITS and _DECIMAL.fullmatch(value) is not None
    if column.kind == "boolean":
        return lambda value: value.lower() in _BOOLEAN
    return lambda _: True


def _plain(column: Column, layout: Layout) -> Callable[[str], str] | None:
    """`1.234,50` as `1234.50`; a value that is no such number stays as it is, for the message."""
    if column.kind not in ("decimal", "integer") or (layout.decimal == "." and not layout.thousands):
        return None
    thousands, point = re.escape(layout.thousands), re.escape(layout.decimal)
    grouped = rf"(?:[0-9]{{1,3}}(?:{thousands}[0-9]{{3}})+|[0-9]+)" if thousands else "[0-9]+"
    pattern = re.compile(rf"[+-]?{grouped}(?:{point}[0-9]*)?")

    def plain(value: str) -> str:
        if len(value) > _MOST_DIGITS or not pattern.fullmatch(value):
            # a point where it would mean thousands is not taken for a decimal point
            return value if not _DECIMAL.fullmatch(value) or layout.decimal == "." else f"{value} "
        return (value.replace(layout.thousands, "") if thousands else value).replace(layout.decimal, ".")

    return plain


# The tree ---------------------------------------------------------------------------------------------------------------


def _tree(transaction: Transaction, plan: SchemaPlan, problems: list[Problem]) -> Tree:
    assert plan.layout is not None
    if not plan.layout.opens:
        return [transaction.segments[0], list(transaction.segments)]
    root = _new(plan.root)
    root[0] = transaction.segments[0]
    #: the trees that are open, the root's first
    path: list[tuple[LoopUse, Tree]] = [(plan.root, root)]
    for index, segment in enumerate(transaction.segments[1:], 2):
        placed = _put(path, segment)
        if not placed and len(problems) < MOST:
            line = place_of(transaction, index).line
            words = f"the row on line {line} ({segment[0]}) does not belong to what stands before it, or stands here once too often"
            problems.append(kinds.RECORD_MISPLACED.at(place_of(transaction, index), words, found=segment[0]))
    _missing(transaction, plan.root, root, problems)
    return root


def _new(loop: LoopUse) -> Tree:
    return [None if isinstance(child, SegmentUse) and child.max == 1 else () for child in loop.children]


def _put(path: list[tuple[LoopUse, Tree]], segment: Segment) -> bool:
    """The nearest open record that the row may stand under."""
    for depth in range(len(path) - 1, -1, -1):
        loop, tree = path[depth]
        for slot, child in enumerate(loop.children[1:], 1):
            name = child.tag if isinstance(child, SegmentUse) else child.name
            if name != segment[0]:
                continue
            held = tree[slot]
            if child.max == 1 and held:
                return False
            if isinstance(child, SegmentUse) and child.max == 1:
                tree[slot] = segment
                return True
            value: object = segment
            if isinstance(child, LoopUse):
                inner = _new(child)
                inner[0] = segment
                value = inner
                del path[depth + 1 :]
                path.append((child, inner))
            if isinstance(held, list):
                held.append(value)
            else:
                tree[slot] = [value]
            return True
    return False


def _missing(transaction: Transaction, loop: LoopUse, tree: Tree, problems: list[Problem]) -> None:
    for slot, child in enumerate(loop.children[1:], 1):
        held = tree[slot]
        name = child.tag if isinstance(child, SegmentUse) else child.name
        if child.mandatory and not held and len(problems) < MOST:
            own = next((index for index, segment in enumerate(transaction.segments, 1) if segment is tree[0]), 1)
            words = f"no {name} stands under {loop.name}, and there must be one"
            problems.append(kinds.RECORD_MISSING.at(place_of(transaction, own), words, expected=name))
        if isinstance(child, LoopUse) and isinstance(held, list):
            for inner in held:
                _missing(transaction, child, inner, problems)
