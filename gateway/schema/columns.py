"""Words and values of a description, read from YAML with every fault at its place: what files in rows, JSON and XML share.

A value is written in short form: need, kind, length (fixed width: where it stands), form of a date: `M text ..22`, `O date DD.MM.CCYY`.
"""

import re
from typing import Any

from gateway.codecs.layout import FIRST
from gateway.codecs.layout import Column
from gateway.schema.chain import Chain
from gateway.schema.moments import FORMATS
from gateway.schema.tables import load_table
from gateway.yaml_source import Fault
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Resolver
from gateway.yaml_source import Scalar
from gateway.yaml_source import Sequence
from gateway.yaml_source import did_you_mean

#: kinds of values, and whether a length may be said
KINDS = ("text", "integer", "decimal", "date", "datetime", "boolean")
#: words of mappings, which no column may be called by
RESERVED = frozenset(
    {"each", "in", "when", "use", "pairs", "level", "always", "then", "add", "after", "before", "matching", "group_by", "group", "position"}
    | {"any", "none", "not", "or", "partner", "source", "pair", FIRST}
)
_USE = re.compile(r"(?:(?P<need>[MO]) +)?(?P<kind>[a-z]+|N[0-9])(?: +(?P<range>[0-9]*(?:\.\.[0-9]+)?))?(?: +(?P<form>\S+))?")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
RANGE = re.compile(r"(?P<first>[0-9]{0,5})(?:\.\.(?P<last>[0-9]{1,5}))?")


class ColumnReader:
    """Reads the words of one description; its faults are gathered in the chain."""

    def __init__(self, spec: str, chain: Chain, resolver: Resolver) -> None:
        self.spec = spec
        self.fixed = spec.startswith("fixed/")
        self.chain = chain
        self.root = chain.root
        self.faults: list[Fault] = chain.faults
        self.resolver = resolver
        self.sources = chain.sources

    def fault(self, node: Node, message: str) -> None:
        """One more fault."""
        self.faults.append(node.fault(message))

    def word(self, key: str, default: str = "", known: tuple[str, ...] = (), node: Mapping | None = None) -> str:
        """A word of the file; one of `known`, where it must be one."""
        held = (node or self.root).get(key)
        if held is None:
            return default
        if not isinstance(held, Scalar):
            self.fault(held, f"`{key}:` is one word")
            return default
        if known and held.text not in known:
            self.fault(held, f"`{key}:` is {' or '.join(known)}, not '{held.text}'{did_you_mean(held.text, known)}")
            return default
        return held.text

    def flag(self, key: str, node: Mapping | None = None) -> bool:
        """yes or no; no where nothing is said."""
        return self.word(key, "no", ("yes", "no"), node) == "yes"

    def check_name(self, place: Scalar, what: str, more: frozenset[str] = frozenset()) -> None:
        """A fault where a name is none, or a word of mappings."""
        if not _NAME.fullmatch(place.text):
            self.fault(place, f"a {what} is named in small letters, digits and _; the name in the file stands behind `header:`")
        elif place.text in RESERVED | more:
            self.fault(place, f"'{place.text}' is a word of mappings: call the {what} otherwise, its name in the file stands behind `header:`")

    def column(self, name: str, node: Node) -> Column | None:
        """A value by its use in short form, or by a block with `use:`."""
        use: Node | None = node
        more: dict[str, Any] = {"header": name}
        if isinstance(node, Mapping):
            keys = ("use", "header", "codes", "align", "fill")
            for key, scalar in node.keys.items():
                if key not in keys:
                    self.fault(scalar, f"a column has no '{key}'{did_you_mean(key, keys)}")
            use = node.get("use")
            more["header"] = self.word("header", name, node=node)
            more["codes"] = self._codes(node.get("codes"))
            if "align" in node:
                more["right"] = self.word("align", "left", ("left", "right"), node) == "right"
            if "fill" in node:
                more["fill"] = {"zero": "0", "blank": " "}[self.word("fill", "blank", ("zero", "blank"), node)]
        match = _USE.fullmatch(use.text) if isinstance(use, Scalar) else None
        if match is None or (match["kind"] not in KINDS and match["kind"][0] != "N"):
            what = "M text 1..10 (where it stands)" if self.fixed else "M text ..22"
            self.fault(use or node, f"a column is written as `{what}`, `O decimal`, `O date CCYY-MM-DD`; kinds are {', '.join(KINDS)}, N2")
            return None
        assert isinstance(use, Scalar)
        kind, form = match["kind"], match["form"] or ""
        if form and (kind not in ("date", "datetime") or form not in FORMATS):
            known = [*FORMATS] if kind in ("date", "datetime") else []
            self.fault(use, f"no form '{form}'{did_you_mean(form, known)}" + (f"; known are {', '.join(known)}" if known else f" of a {kind}"))
        if self.fixed and "right" not in more and kind not in ("text", "date", "datetime", "boolean"):
            more["right"] = True
            more.setdefault("fill", "0" if kind[0] == "N" else " ")
        more.update(self._extent(use, match["range"] or ""))
        return Column(name=name, kind=kind, form=form, mandatory=match["need"] == "M", **more)

    def _extent(self, use: Scalar, said: str) -> dict[str, int]:
        """Fixed width: where it stands. Else: how many characters it has."""
        match = RANGE.fullmatch(said)
        first, last = (match["first"], match["last"]) if match is not None else ("", "")
        if self.fixed:
            start, end = int(first or 0), int(last or first or 0)
            if start < 1 or end < start:
                self.fault(use, "in a file of fixed width a column says where it stands: M text 1..10")
                return {"start": 1, "end": 1}
            return {"start": start, "end": end, "max": end - start + 1}
        least, most = (int(first or 0), int(last)) if last else (int(first or 0), int(first or 0))
        if most and least > most:
            self.fault(use, f"a value cannot have at least {least} and at most {most} characters")
        return {"min": least, "max": most}

    def _codes(self, node: Node | None) -> frozenset[str] | None:
        """A list of codes, or a table that is shared."""
        if node is None:
            return None
        if isinstance(node, Scalar):
            table = load_table(node.text, node, self.resolver, self.sources, self.faults)
            return frozenset(table) if table is not None else None
        codes_ = [item.text for item in node.items if isinstance(item, Scalar)] if isinstance(node, Sequence) else []
        if not codes_:
            self.fault(node, "codes are a list, or a table that is shared: codes/units")
        return frozenset(codes_)
