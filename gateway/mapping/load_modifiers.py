"""What is done with a value, from its YAML node to a Leaf: forms, tables, calculations, each checked against the kind of the field.

Knows the words of the language, no path: what needs one (`when:`, `keep:`, factors of the document) is laid over it by load_values.
"""

import re
from dataclasses import dataclass
from dataclasses import replace
from decimal import Decimal
from zoneinfo import available_timezones

from gateway.mapping.desk import Desk
from gateway.mapping.functions import to_decimal
from gateway.mapping.plan import Leaf
from gateway.mapping.plan import Origin
from gateway.mapping.plan import SegmentPath
from gateway.mapping.plan import Take
from gateway.mapping.shapes import Shape
from gateway.mapping.texts import ARGUMENTS
from gateway.mapping.texts import TEXT_FUNCTIONS
from gateway.mapping.words import ELSE_WORDS
from gateway.schema.moments import CODES_2379
from gateway.schema.moments import FORMATS
from gateway.schema.moments import PERIODS
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Scalar
from gateway.yaml_source import Sequence
from gateway.yaml_source import did_you_mean

KINDS = ("text", "decimal", "integer", "boolean", "date", "datetime", "texts")
#: what `as:` may say besides a format, when writing
_WRITTEN = ("date", "time", "datetime", "text", "decimal", "integer")
ROUNDINGS = ("half_up", "half_even", "down", "up")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the value is for: the kind of the field (reading), and the fields beside it that `keep:` may fill."""

    name: str
    kind: str
    beside: dict[str, Shape]


WRITTEN = Wanted("", "written", {})


def load_modifiers(node: Mapping, origin: Origin, wanted: Wanted, desk: Desk) -> Leaf:
    """The leaf of an origin with all that needs no path."""
    text: dict[str, str] = {}
    for key in ("as", "period", "add_days", "else", "keep", "default", "rounding", "zone", "cut", "pad", "split"):
        scalar = desk.text(node.get(key), f"`{key}:`")
        if scalar is not None:
            text[key] = scalar.text
    otherwise, otherwise_text = _otherwise(node, desk)
    split, most = _pieces(node, text, desk)
    digits, rounding = _rounding(node, text, desk)
    leaf = Leaf(
        origin=origin,
        where=node.where,
        make=_make(node, desk),
        table=desk.table(node.items["table"]) if "table" in node else None,
        otherwise=otherwise,
        otherwise_text=otherwise_text,
        keep=_keep(node, text.get("keep"), wanted, desk),
        default=text.get("default"),
        form=_form(node, text.get("as"), wanted, desk),
        period=_period(node, text.get("period"), wanted, desk),
        add_days=_days(node, text.get("add_days"), wanted, desk),
        zone=_zone(node, text.get("zone"), desk),
        implied=_implied(text.get("as"), wanted),
        divide=_factor(node, "divide", wanted, desk),
        multiply=_factor(node, "multiply", wanted, desk),
        round=digits,
        rounding=rounding,
        cut=_cut(node, text.get("cut"), desk),
        pad=_whole(node, "pad", text.get("pad"), desk),
        split=split,
        pieces=most,
    )
    endless = leaf.divide is not None and not _exact(leaf.divide)
    if (endless or isinstance(node.get("divide"), Mapping)) and leaf.round is None:
        what = f"1/{leaf.divide} has no end" if endless else "what stands in the document may divide without an end"
        desk.fault(node.items["divide"], f"{what}: say `round:` with the digits to keep")
    return leaf if leaf.implied is not None else shaped(leaf, wanted)


def _rounding(node: Mapping, text: dict[str, str], desk: Desk) -> tuple[int | None, str]:
    """`round: 2`, or `round: {digits: 2, mode: half_even}`; nothing is rounded that does not say so."""
    held, mode, said = node.get("round"), node.get("rounding"), text.get("rounding", "half_up")
    if isinstance(held, Mapping):
        desk.known(held, ("digits", "mode"), "round")
        mode = held.get("mode")
        word = desk.text(mode, "`mode:`")
        said = word.text if word is not None else "half_up"
        held = held.get("digits")
        if held is None:
            desk.fault(node.items["round"], "`round:` says how many digits stay behind the point: {digits: 2, mode: half_up}")
    scalar = desk.text(held, "`round:`")
    if said not in ROUNDINGS and mode is not None:
        desk.fault(mode, f"no rounding '{said}'{did_you_mean(said, ROUNDINGS)}; known are {', '.join(ROUNDINGS)}")
    return _whole(node, "round", scalar.text if scalar is not None else None, desk), said


def _period(node: Mapping, said: str | None, wanted: Wanted, desk: Desk) -> str:
    if said is None:
        return "begin"
    if said not in ("begin", "end"):
        desk.fault(node.items["period"], f"of a period its begin or its end is taken, not '{said}'")
    if wanted.kind == "written":
        desk.fault(node.keys["period"], 'a period is written from its two days: {join: [first, last], with: "-"}')
    elif wanted.kind not in ("date", "datetime"):
        desk.fault(node.keys["period"], f"'{wanted.name}' is {with_article(wanted.kind)}, no date")
    return said


def _days(node: Mapping, said: str | None, wanted: Wanted, desk: Desk) -> int:
    if said is None:
        return 0
    if not re.fullmatch(r"[+-]?[0-9]{1,4}", said, re.ASCII):
        desk.fault(node.items["add_days"], f"`add_days:` wants a whole number like 3 or -2, not '{said}'")
        return 0
    if wanted.kind not in ("date", "datetime", "written"):
        desk.fault(node.keys["add_days"], f"'{wanted.name}' is {with_article(wanted.kind)}, no date")
    return int(said)


def _cut(node: Mapping, said: str | None, desk: Desk) -> str | None:
    """`8`: the first eight characters. `3..7`: the third to the seventh. `3..`: the third and what follows."""
    if said is None:
        return None
    match = re.fullmatch(r"(?:(?P<first>[1-9][0-9]{0,3})\.\.)?(?P<last>[0-9]{1,4})?", said, re.ASCII)
    if match is None or not said or (match["first"] and match["last"] and int(match["last"]) < int(match["first"])):
        desk.fault(node.items["cut"], f"`cut:` wants how many characters stay, or which, as in 3..7, not '{said}'")
        return None
    return f"{int(match['first']) - 1 if match['first'] else ''}:{int(match['last']) if match['last'] else ''}"


def _otherwise(node: Mapping, desk: Desk) -> tuple[str, str]:
    held = node.get("else")
    if not isinstance(held, Scalar):
        return "problem", ""
    if "table" not in node:
        desk.fault(node.keys["else"], "`else:` says what becomes of a code that the table lacks; for a value that was not sent write `default:`")
    if held.plain and held.text in ELSE_WORDS:
        return held.text, ""
    return "text", held.text


def _make(node: Mapping, desk: Desk) -> tuple[str, ...]:
    held = node.get("make")
    names = []
    for item in held.items if isinstance(held, Sequence) else (held,) if held is not None else ():
        name = _made_with(item, desk) if isinstance(item, Mapping) else _made(item, desk)
        if name is not None:
            names.append(name)
    return tuple(names)


def _made(item: Node, desk: Desk) -> str | None:
    name = desk.text(item, "`make:`")
    if name is None:
        return None
    if name.text in ARGUMENTS:
        desk.fault(name, f"'{name.text}' says with what: {{{name.text}: \"-\"}}")
    elif name.text not in TEXT_FUNCTIONS:
        known = [*TEXT_FUNCTIONS, *ARGUMENTS]
        desk.fault(name, f"no function '{name.text}'{did_you_mean(name.text, known)}; known are {', '.join(known)}")
    return name.text


def _made_with(item: Mapping, desk: Desk) -> str | None:
    """`{before: "-"}`, `{replace: ["/", "-"]}`."""
    name = next(iter(item), "")
    if len(item.items) != 1 or name not in ARGUMENTS:
        guess = did_you_mean(name, ARGUMENTS)
        desk.fault(item.keys.get(name, item), f"no function '{name}' that takes a text{guess}; known are {', '.join(ARGUMENTS)}")
        return None
    held = item.items[name]
    texts = [part.text for part in (held.items if isinstance(held, Sequence) else (held,)) if isinstance(part, Scalar)]
    count = ARGUMENTS[name]
    if len(texts) != count or not texts[0]:
        desk.fault(held, f"`{name}:` takes {'one text' if count == 1 else f'{count} texts in a list'}")
        return None
    return "\0".join((name, *texts))


def _keep(node: Mapping, name: str | None, wanted: Wanted, desk: Desk) -> str | None:
    if name is None or wanted.kind == "written":
        return None
    shape = wanted.beside.get(name)
    if shape is None or shape.kind != "text":
        texts = [key for key, held in wanted.beside.items() if held.kind == "text"]
        desk.fault(node.items["keep"], f"no field '{name}' to keep the code in{did_you_mean(name, texts)}")
        return None
    return name


def _form(node: Mapping, said: str | None, wanted: Wanted, desk: Desk) -> str | None:
    if said is None:
        return None
    if wanted.kind == "written":
        if said in _WRITTEN or said in FORMATS:
            return said
        if said in CODES_2379 and CODES_2379[said] in FORMATS:
            return CODES_2379[said]
        forms = [*_WRITTEN, *FORMATS]
        desk.fault(node.items["as"], f"no format '{said}'{did_you_mean(said, forms)}; known are {', '.join(forms)}")
        return None
    if said == wanted.kind or _implied(said, wanted) is not None:
        return None
    if wanted.kind in ("date", "datetime") and (said in FORMATS or said in PERIODS or said in CODES_2379):
        return said if said in FORMATS or said in PERIODS else CODES_2379[said]
    if said in KINDS or said in FORMATS or said == "time":
        desk.fault(node.items["as"], f"'{wanted.name}' is {with_article(wanted.kind)}, not {with_article(said)}")
    else:
        known = [*FORMATS, *PERIODS] if wanted.kind in ("date", "datetime") else [wanted.kind]
        desk.fault(
            node.items["as"], f"no form '{said}'{did_you_mean(said, known)}; '{wanted.name}' is {with_article(wanted.kind)}: {', '.join(known)}"
        )
    return None


def with_article(kind: str) -> str:
    """`an integer`, `a text`."""
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _implied(said: str | None, wanted: Wanted) -> int | None:
    match = re.fullmatch(r"N([0-9])", said or "")
    return int(match.group(1)) if match and wanted.kind in ("decimal", "written") else None


def _zone(node: Mapping, name: str | None, desk: Desk) -> str | None:
    if name is not None and name not in available_timezones():
        desk.fault(node.items["zone"], f"no time zone '{name}': write a name like Europe/Berlin")
        return None
    return name


def _factor(node: Mapping, key: str, wanted: Wanted, desk: Desk) -> str | None:
    held = node.get(key)
    if isinstance(held, Mapping):
        # it stands in the document: load_values knows where
        return None
    scalar = desk.text(held, f"`{key}:`")
    if scalar is None:
        return None
    if not to_decimal(scalar.text):
        desk.fault(scalar, f"`{key}:` wants a number, not '{scalar.text}'")
        return None
    if wanted.kind not in ("decimal", "integer", "written"):
        desk.fault(scalar, f"'{wanted.name}' is {with_article(wanted.kind)}: nothing to {key}")
        return None
    return scalar.text


def _whole(node: Mapping, key: str, said: str | None, desk: Desk) -> int | None:
    if said is None:
        return None
    if not said.isascii() or not said.isdecimal() or len(said) > 4:
        desk.fault(node.items[key], f"`{key}:` wants a whole number, not '{said}'")
        return None
    return int(said)


def _pieces(node: Mapping, text: dict[str, str], desk: Desk) -> tuple[int | None, int | None]:
    """`35`: pieces of so many characters, as many as there are. `35x2`: two of them, the rest is cut."""
    said = text.get("split")
    if said is None:
        return None, None
    match = re.fullmatch(r"([1-9][0-9]{0,3})(?:x([1-9][0-9]?))?", said, re.ASCII)
    if match is None:
        desk.fault(node.items["split"], f"`split:` wants the length of a piece, or with the most pieces like 35x2, not '{said}'")
        return None, None
    return int(match[1]), int(match[2]) if match[2] else None


def _exact(text: str) -> bool:
    number = Decimal(text).normalize()
    digits = int("".join(map(str, number.as_tuple().digits)))
    for factor in (2, 5):
        while digits % factor == 0:
            digits //= factor
    return digits == 1


def shaped(leaf: Leaf, wanted: Wanted) -> Leaf:
    """What the schema says about the value: X12 N2 has two digits behind a point that is not written."""
    if wanted.kind == "decimal" and isinstance(leaf.origin, Take) and isinstance(leaf.origin.path, SegmentPath):
        match = re.fullmatch(r"N([1-9])", leaf.origin.path.spots[0].use.type)
        if match:
            return replace(leaf, implied=int(match.group(1)))
    if wanted.kind in ("date", "datetime") and leaf.form is None and isinstance(leaf.origin, Take) and isinstance(leaf.origin.path, SegmentPath):
        # a column of a file in rows says the form of its dates
        kind, _, form = leaf.origin.path.spots[0].use.type.partition(" ")
        if kind in ("date", "datetime") and form:
            return replace(leaf, form=form)
    return leaf
