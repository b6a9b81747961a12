"""YAML to the plan of a file in rows: schemas/csv/NAME.yaml and schemas/fixed/NAME.yaml, with what they extend and a partner's
differences. The plan carries the layout by which codecs/lines reads and writes; as a plan it is what mappings resolve paths against.

    schema: csv/orders                    # the file's own name
    name: Orders of small customers
    header: yes                           # the first row names the columns
    delimiter: ";"
    group_by: order_no                    # rows with the same number are one order; or `document: row`, `document: file`
    columns:
      order_no:  M text ..22              # mandatory or optional, kind, length (fixed width: from..to), form of a date
      date:      {use: "M date DD.MM.CCYY", header: Order date}
    records:                              # instead of columns, where rows begin with a mark
      head: {mark: H, columns: {...}}
      line: {mark: L, under: head, columns: {...}}
    document: head                        # the record that begins a document
"""

import codecs
import hashlib
import json
from dataclasses import dataclass

from gateway.codecs.layout import FIRST
from gateway.codecs.layout import ROW
from gateway.codecs.layout import Column
from gateway.codecs.layout import Layout
from gateway.codecs.layout import Record
from gateway.schema.chain import load_chain
from gateway.schema.columns import RANGE
from gateway.schema.columns import ColumnReader
from gateway.schema.plan import ElementUse
from gateway.schema.plan import LoopUse
from gateway.schema.plan import SchemaPlan
from gateway.schema.plan import SegmentUse
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Resolver
from gateway.yaml_source import Scalar
from gateway.yaml_source import Sequence
from gateway.yaml_source import did_you_mean

RECORD_KEYS = ("mark", "under", "columns", "mandatory", "once", "file")
KEYS = (
    "schema",
    "extends",
    "name",
    "charset",
    "header",
    "delimiter",
    "quote",
    "comment",
    "line_end",
    "decimal",
    "thousands",
    "record_type",
    "document",
    "group_by",
    "sender",
    "formulas",
    "columns",
    "records",
)
_CHARSETS = ("utf-8", "us-ascii", "iso-8859-1", "iso-8859-2", "iso-8859-15", "windows-1250", "windows-1252", "cp437", "cp850", "cp1250", "cp1252")
_LINE_ENDS = {"crlf": "\r\n", "lf": "\n", "none": ""}
_DEPTH = 8


@dataclass(slots=True)
class _Held:
    """A record while it is loaded."""

    name: str
    mark: str
    columns: tuple[Column, ...]
    under: Scalar | None
    mandatory: bool
    once: bool
    of_file: bool
    place: Node


def load_rows(spec: str, resolver: Resolver, overlay: Mapping | None = None) -> SchemaPlan:
    """The plan of a file in rows; raises Faults with everything that is wrong."""
    chain = load_chain(spec, resolver, overlay, KEYS)
    plan = _Loading(spec, chain, resolver).plan()
    if chain.faults or plan is None:
        raise Faults(sorted(set(chain.faults), key=lambda fault: (fault.file, fault.line, fault.column)))
    return plan


class _Loading(ColumnReader):
    def plan(self) -> SchemaPlan | None:
        records = self._records()
        if not records:
            return None
        by_name = {record.name: record for record in records}
        opens, group_by, whole = self._documents(records)
        layout = Layout(
            spec=self.spec,
            fixed=self.fixed,
            records=tuple(Record(name=record.name, mark=record.mark, columns=record.columns) for record in records),
            charset=self._charset(),
            header=self._header(records),
            delimiter=self._sign("delimiter", ","),
            quote=self._sign("quote", '"'),
            comment=self.word("comment"),
            line_end=_LINE_ENDS[self.word("line_end", "crlf", tuple(_LINE_ENDS))],
            decimal=self.word("decimal", ".", (".", ",")),
            thousands=self.word("thousands", "", (".", ",", "'", " ")),
            mark_at=self._mark_at(),
            opens=opens,
            group_by=group_by,
            whole=whole,
            of_file=frozenset(record.name for record in records if record.of_file),
            sender=self._sender(by_name),
            formulas=self.word("formulas", "escape", ("escape", "keep", "refuse")),
        )
        root = self._root(records, opens)
        if not self.word("name"):
            self.fault(self.root, "`name:` says in a few words what the file is")
        if layout.decimal == layout.thousands:
            self.fault(self.root.items["thousands"], "the sign between thousands is the decimal sign as well")
        if self.faults or root is None:
            return None
        made_of = tuple(self.sources.items())
        return SchemaPlan(
            spec=self.spec,
            syntax=layout.syntax,
            type=self.spec.partition("/")[2],
            version=self.spec,
            name=self.word("name"),
            group="",
            root=root,
            known_tags=frozenset(by_name),
            digest=hashlib.sha256(json.dumps([self.spec, made_of, self.chain.overlay], ensure_ascii=False).encode()).hexdigest(),
            sources=made_of,
            layout=layout,
        )

    # The file ----------------------------------------------------------------------------------------------------------

    def _charset(self) -> str:
        said = self.word("charset", "utf-8").lower()
        if said not in _CHARSETS:
            self.fault(self.root.items["charset"], f"no character set '{said}'{did_you_mean(said, _CHARSETS)}; known are {', '.join(_CHARSETS)}")
            return "utf-8"
        return codecs.lookup(said).name

    def _header(self, records: list[_Held]) -> bool:
        header = self.flag("header")
        if header and (self.fixed or len(records) > 1):
            self.fault(self.root.items["header"], "a first row with names goes with `columns:` of a delimited file")
        return header

    def _sign(self, key: str, default: str) -> str:
        said = self.word(key, default)
        sign = {"tab": "\t", "none": ""}.get(said, said)
        if self.fixed and key in self.root:
            self.fault(self.root.keys[key], f"a file of fixed width has no `{key}:`")
            return default
        good = sign == "" if key == "quote" and not sign else len(sign) == 1 and sign.isascii() and not sign.isalnum() and sign not in "\r\n"
        if not good:
            self.fault(self.root.items[key], f"`{key}:` is one sign, tab{' or none' if key == 'quote' else ''}, not '{said}'")
            return default
        return sign

    def _mark_at(self) -> tuple[int, int]:
        match = RANGE.fullmatch(self.word("record_type", "1"))
        unsaid = self.fixed and "record_type" not in self.root and "records" in self.root
        if match is None or not match["first"] or int(match["first"]) < 1 or unsaid:
            place = self.root.items.get("record_type", self.root.items.get("records", self.root))
            what = "the first and last character of the mark, as in 1..2" if self.fixed else "the column of the file with the mark, as in 1"
            self.fault(place, f"`record_type:` says {what}")
            return 1, 1
        return int(match["first"]), int(match["last"] or match["first"])

    def _sender(self, records: dict[str, _Held]) -> tuple[str, int] | None:
        said = self.word("sender")
        if not said:
            return None
        place = self.root.items["sender"]
        for record in records.values():
            for number, column in enumerate(record.columns, 1):
                if said in (column.name, f"{record.name}/{column.name}"):
                    return record.name, number
        known = [column.name for record in records.values() for column in record.columns]
        self.fault(place, f"there is no column '{said}'{did_you_mean(said, known)}")
        return None

    def _documents(self, records: list[_Held]) -> tuple[str, tuple[int, ...], bool]:
        """How rows make documents."""
        said, group = self.root.get("document"), self.root.get("group_by")
        marked = any(record.mark for record in records)
        if marked:
            opens = self.word("document", "", tuple(record.name for record in records if not record.of_file))
            if not opens:
                self.fault(said or self.root.items["records"], "`document:` names the record that begins a document")
            if group is not None:
                self.fault(self.root.keys["group_by"], "rows with marks are grouped by them: write `document:`")
            return opens, (), False
        if group is not None:
            if said is not None:
                self.fault(self.root.keys["document"], "write `group_by:` or `document:`, not both")
            return "", self._positions(group, records[0]), False
        word = self.word("document", "", ("row", "file"))
        if not word and said is None:
            self.fault(self.root, "say how rows make documents: `group_by: COLUMN`, `document: row` or `document: file`")
        return "", (), word == "file"

    def _positions(self, node: Node, record: _Held) -> tuple[int, ...]:
        names = [column.name for column in record.columns]
        answer = []
        for item in node.items if isinstance(node, Sequence) else (node,):
            if not isinstance(item, Scalar) or item.text not in names:
                text = item.text if isinstance(item, Scalar) else ""
                self.fault(item, f"there is no column '{text}'{did_you_mean(text, names)}")
            else:
                answer.append(names.index(item.text) + 1)
        return tuple(answer)

    # Records and columns -----------------------------------------------------------------------------------------------

    def _records(self) -> list[_Held]:
        columns, records = self.root.get("columns"), self.root.get("records")
        if columns is not None and records is not None:
            self.fault(self.root.keys["columns"], "write `columns:`, or `records:` with columns of their own, not both")
        if records is None:
            if not isinstance(columns, Mapping) or not columns.items:
                self.fault(columns or self.root, "`columns:` says what stands in a row: {order_no: M text ..22, ...}")
                return []
            return [_Held(ROW, "", self._columns(columns), None, True, False, False, columns)]
        if not isinstance(records, Mapping) or not records.items:
            self.fault(records, "records are written as {head: {mark: H, columns: {...}}, line: {mark: L, under: head, columns: {...}}}")
            return []
        answer: list[_Held] = []
        for name, node in records.items.items():
            held = self._record(name, records.keys[name], node)
            if held is not None:
                twice = next((other for other in answer if other.mark == held.mark), None)
                if twice is not None:
                    self.fault(node, f"'{held.mark}' is the mark of {twice.name} as well")
                answer.append(held)
        return answer

    def _record(self, name: str, place: Scalar, node: Node) -> _Held | None:
        self.check_name(place, "record")
        if not isinstance(node, Mapping):
            self.fault(node, "a record says its `mark:` and its `columns:`")
            return None
        for key, scalar in node.keys.items():
            if key not in RECORD_KEYS:
                self.fault(scalar, f"a record has no '{key}'{did_you_mean(key, RECORD_KEYS)}")
        mark, columns, under = self.word("mark", "", node=node), node.get("columns"), node.get("under")
        if not mark:
            self.fault(node, f"'{name}' says by its `mark:` how it is told from the others")
        if not isinstance(columns, Mapping) or not columns.items:
            self.fault(columns or node, "`columns:` says what stands in a row: {order_no: M text ..22, ...}")
            return None
        return _Held(
            name,
            mark,
            self._columns(columns),
            under if isinstance(under, Scalar) else None,
            self.flag("mandatory", node),
            self.flag("once", node),
            self.flag("file", node),
            node,
        )

    def _columns(self, node: Mapping) -> tuple[Column, ...]:
        answer: list[Column] = []
        for name, held in node.items.items():
            self.check_name(node.keys[name], "column")
            column = self.column(name, held)
            if column is not None:
                answer.append(column)
        end = 0
        for column in sorted(answer, key=lambda one: one.start) if self.fixed else ():
            if column.start <= end:
                self.fault(node.items[column.name], f"'{column.name}' begins at {column.start}, where another column has not ended")
            end = column.end
        return tuple(answer)

    # The tree ----------------------------------------------------------------------------------------------------------

    def _root(self, records: list[_Held], opens: str) -> LoopUse | None:
        if not any(record.mark for record in records):
            elements = tuple(_element(number, column) for number, column in enumerate(records[0].columns, 1))
            first = SegmentUse(tag=FIRST, name="the first row of the document", mandatory=True, max=1, elements=elements)
            row = SegmentUse(tag=ROW, name="a row", mandatory=True, max=None, elements=elements)
            return LoopUse(name="document", mandatory=True, max=None, children=(first, row))
        names = [record.name for record in records if not record.of_file]
        for record in records:
            if record.name == opens or record.of_file:
                continue
            if record.under is None or record.under.text not in names or record.under.text == record.name:
                text = record.under.text if record.under is not None else ""
                guess = did_you_mean(text, names)
                self.fault(record.under or record.place, f"'{record.name}' says by `under:` which record it belongs to{guess}: {', '.join(names)}")
        if self.faults or not opens:
            return None
        top = next(record for record in records if record.name == opens)
        loop = self._loop(top, records, 0)
        reached = _names(loop)
        for record in records:
            if not record.of_file and record.name not in reached:
                self.fault(record.place, f"'{record.name}' does not stand under {opens}")
        return loop

    def _loop(self, record: _Held, records: list[_Held], depth: int) -> LoopUse:
        own = SegmentUse(tag=record.name, name=record.name, mandatory=True, max=1, elements=_elements(record))
        children: list[SegmentUse | LoopUse] = [own]
        for other in records:
            if other.under is None or other.under.text != record.name or depth > _DEPTH:
                continue
            most = 1 if other.once else None
            if any(one.under is not None and one.under.text == other.name for one in records):
                inner = self._loop(other, records, depth + 1)
                children.append(LoopUse(name=other.name, mandatory=other.mandatory, max=most, children=inner.children))
            else:
                children.append(SegmentUse(tag=other.name, name=other.name, mandatory=other.mandatory, max=most, elements=_elements(other)))
        return LoopUse(name=record.name, mandatory=True, max=None, children=tuple(children))


def _names(loop: LoopUse) -> set[str]:
    answer = {loop.name}
    for child in loop.children:
        answer |= _names(child) if isinstance(child, LoopUse) else {child.tag}
    return answer


def _elements(record: _Held) -> tuple[ElementUse, ...]:
    return tuple(_element(number, column) for number, column in enumerate(record.columns, 1))


def _element(position: int, column: Column) -> ElementUse:
    kind = f"{column.kind} {column.form}".rstrip()
    return ElementUse(
        position=position,
        id=column.name,
        name=column.header,
        type=kind,
        min=column.min,
        max=column.max,
        mandatory=column.mandatory,
        codes=column.codes,
    )
