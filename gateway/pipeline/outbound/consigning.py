"""What leaves together and under which numbers. Outbox rows become drafts (mapped, checked), drafts become consignments (one file each: a
row, or all rows of a batch's window), consignments get their control numbers and become bytes.

Only the drawing of numbers needs the database, and is short; mapping, checking and writing hold nobody up.
"""

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime

import structlog
from sqlalchemy import Connection

from gateway.codecs.choose import read as read_events
from gateway.codecs.node import GroupEnd
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.exchange.envelope import GROUPS
from gateway.exchange.envelope import Envelope
from gateway.exchange.envelope import Group
from gateway.exchange.envelope import Outgoing
from gateway.exchange.envelope import wrap_groups
from gateway.exchange.partner import Agreement
from gateway.exchange.partner import LoadedPartner
from gateway.exchange.timing import Numbering
from gateway.kinds import document as document_kinds
from gateway.kinds import pipeline as kinds
from gateway.pipeline.endpoints import shares_its_inbox
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.pipeline.writing.answering import Numbers
from gateway.pipeline.writing.answering import decoded
from gateway.pipeline.writing.answering import read_back
from gateway.pipeline.writing.answering import sound_answer
from gateway.pipeline.writing.rendering import ANSWERS
from gateway.pipeline.writing.rendering import EXTENSIONS
from gateway.pipeline.writing.rendering import Body
from gateway.pipeline.writing.rendering import Unrenderable
from gateway.pipeline.writing.rendering import body_of
from gateway.pipeline.writing.rendering import identity_of
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.problem import codes
from gateway.store.outgoing import controls
from gateway.store.outgoing import numbers as ledger
from gateway.store.outgoing import tries
from gateway.store.outgoing.outbox import Entry

#: kinds of documents whose number is ours, and no other's
NUMBERED_BY_US = frozenset({"invoice", "credit_note"})
#: a hyphen and eight digits
_WHICH = 9

_log = structlog.get_logger("outbound")


@dataclass(frozen=True, slots=True)
class Draft:
    """One row, mapped and checked, without numbers. `syntax` None: it has no envelope and needs none. `body` None: an answer of ours."""

    entry: Entry
    syntax: Syntax | None
    kind: str
    version: str
    body: Body | None
    agreement: Agreement | None


@dataclass(slots=True)
class Consignment:
    """What leaves as one file: its rows in their order, and the numbers of the interchange, of its groups and of its transactions."""

    drafts: list[Draft]
    interchange: str = ""
    #: (type, version) -> control number
    groups: dict[tuple[str, str], str] = field(default_factory=dict)
    #: of each draft, in their order
    transactions: list[str] = field(default_factory=list)

    @property
    def first(self) -> Draft:
        return self.drafts[0]

    @property
    def is_numbered(self) -> bool:
        return self.first.syntax is None or bool(self.interchange)

    def group_keys(self) -> list[tuple[str, str]]:
        """Its groups in the order of their first transaction: one for each type and version."""
        return list(dict.fromkeys((draft.kind, draft.version) for draft in self.drafts))

    @property
    def is_only_envelope(self) -> bool:
        """Whether it has neither group nor transaction: a TA1 stands between ISA and IEA alone."""
        return self.first.syntax is Syntax.X12 and self.first.kind not in GROUPS

    def numbers_of(self, position: int) -> tuple[str | None, str | None, str | None]:
        """Interchange, group and transaction number of one of its rows."""
        draft = self.drafts[position]
        if draft.syntax is None:
            return None, None, None
        group = self.groups.get((draft.kind, draft.version)) if draft.syntax is Syntax.X12 else None
        return self.interchange, group or None, self.transactions[position] or None


@dataclass(frozen=True, slots=True)
class Sealed:
    """A consignment as bytes, with the name that it keeps on every try."""

    data: bytes
    identity: str


# ---------------------------------------------------------------- drafts


def draft_of(station: Station, entry: Entry, now: datetime) -> Draft | Unrenderable:
    """A row's document, mapped and checked as it would leave alone; or why it cannot be written."""
    loaded = station.installation.directory.partners[entry.partner]
    first, version = entry.spec.split("/")[0], entry.spec.split("/")[1]
    syntax = Syntax(first) if first in {"x12", "edifact"} else None
    body = body_of(station, entry)
    if isinstance(body, Unrenderable):
        return body
    kind = entry.spec.rsplit("/", 1)[1].upper()
    if entry.kind in ANSWERS:
        # an answer of ours is checked, and made smaller where it must be, when it gets its numbers
        return Draft(entry, syntax, decoded(entry.body).type, version, None, None)
    draft = Draft(entry, syntax, kind, version, body, loaded.partner.agreement_to_send(entry.spec))
    if syntax is None:
        return draft
    tried = _trial(station, [draft], now)
    if isinstance(tried, Unrenderable):
        return tried
    faults = tuple(read_back(tried, station.plans, loaded))
    return Unrenderable(faults) if faults else draft


def _trial(station: Station, drafts: list[Draft], now: datetime) -> bytes | Unrenderable:
    """The drafts as one interchange under numbers that are none."""
    trial = Consignment(drafts, "1", dict.fromkeys(Consignment(drafts).group_keys(), "1"), [str(number) for number in range(1, len(drafts) + 1)])
    try:
        return _written(station, trial, now)
    except ValueError as error:
        return Unrenderable((document_kinds.WRITE_INVALID.at(NOWHERE, f"The interchange cannot be written: {error}"),))


# ---------------------------------------------------------------- consignments


def consign(station: Station, drafts: Sequence[Draft], now: datetime) -> list[Consignment]:
    """What leaves together: the rows of a batch's window in one interchange for each syntax, version and test or production; all others
    alone. Rows that have numbers from an earlier try leave as they were put together then."""
    together: dict[tuple[object, ...], list[Draft]] = {}
    for draft in drafts:
        together.setdefault(_key(draft), []).append(draft)
    made: list[Consignment] = []
    for key, group in together.items():
        if key[0] == "numbered":
            made.append(_again(group))
        elif len(group) > 1 and isinstance(_trial(station, group, now), Unrenderable):
            # each can be written, but not all with the same delimiters
            made += [Consignment([draft]) for draft in group]
        else:
            made.append(Consignment(group))
    return made


def _key(draft: Draft) -> tuple[object, ...]:
    entry = draft.entry
    if entry.interchange_control is not None:
        return ("numbered", entry.interchange_control)
    batch = draft.agreement.batch if draft.agreement is not None else None
    if draft.syntax is None or batch is None or not batch.waits or batch.interchanges == "several":
        return ("alone", entry.id)
    level = draft.version[:5] if draft.syntax is Syntax.X12 else _syntax_version(draft)
    return ("together", draft.syntax, entry.test, level)


def _again(drafts: list[Draft]) -> Consignment:
    """Rows that were numbered before the process was killed."""
    first = drafts[0].entry
    made = Consignment(drafts, str(first.interchange_control))
    made.groups = {(draft.kind, draft.version): draft.entry.group_control or "" for draft in drafts}
    made.transactions = [draft.entry.transaction_control or str(number) for number, draft in enumerate(drafts, 1)]
    return made


def draw(station: Station, connection: Connection, consignments: Sequence[Consignment], token: str, now: datetime) -> None:
    """Draw the numbers of consignments that have none, enter them in the ledger, and give them to the rows: all in this transaction."""
    fresh = [one for one in consignments if not one.is_numbered]
    for syntax in (Syntax.X12, Syntax.EDIFACT):
        mine = [one for one in fresh if one.first.syntax is syntax]
        if mine:
            _draw(_Counter(station, connection, mine[0].first.entry.partner, syntax, now), mine)
    rows = []
    for one in fresh:
        for position, draft in enumerate(one.drafts):
            interchange, group, transaction = one.numbers_of(position)
            assert interchange is not None
            rows.append(tries.Numbers(id=draft.entry.id, interchange_control=interchange, group_control=group, transaction_control=transaction))
    tries.number(connection, token, rows)


@dataclass(frozen=True, slots=True)
class _Counter:
    """Draws numbers to one partner in one syntax."""

    station: Station
    connection: Connection
    partner: str
    syntax: Syntax
    now: datetime

    def draw(self, level: str, numbering: Numbering, kinds_: Sequence[str]) -> list[int]:
        """A number for each of these document types, counted together or type by type."""
        by_kind: dict[str, list[int]] = {}
        for kind in dict.fromkeys(kinds_) if numbering.by_type else ("",):
            count = sum(1 for one in kinds_ if one == kind) if kind else len(kinds_)
            by_kind[kind] = self._draw(level, numbering, kind, count)
        return [by_kind[kind if numbering.by_type else ""].pop(0) for kind in kinds_]

    def _draw(self, level: str, numbering: Numbering, kind: str, count: int) -> list[int]:
        us = identity_of(self.station.installation.settings.us.identifiers, self.syntax)
        named = f"{level}:{kind}" if kind else level
        # a batch may be larger than what is left of a numbering: it rolls over as a whole
        first = controls.draw(self.connection, self.partner, us, named, count=count, start=numbering.start, maximum=numbering.maximum)
        key = ledger.Key(partner=self.partner, direction="out", identity=us, level=level, kind=kind)
        known = ledger.get(self.connection, key)
        rolled = known is not None and first <= known.highest
        ledger.record(self.connection, key, first, self.now, count=count, rolled=rolled)
        return list(range(first, first + count))


def _draw(counter: _Counter, consignments: Sequence[Consignment]) -> None:
    loaded = counter.station.installation.directory.partners[counter.partner]
    numbering = loaded.partner.control_numbers
    for one, number in zip(consignments, counter.draw("interchange", numbering.interchange, [""] * len(consignments)), strict=True):
        one.interchange = str(number)
    if counter.syntax is Syntax.X12:
        # a number that no segment carries would be a gap in the partner's eyes
        keys = [(one, key) for one in consignments if not one.is_only_envelope for key in one.group_keys()]
        drawn = counter.draw("group", numbering.group, [key[0] for _, key in keys]) if keys else []
        for (one, key), number in zip(keys, drawn, strict=True):
            one.groups[key] = str(number)
    width = 4 if counter.syntax is Syntax.X12 else 0
    for one in consignments:
        one.transactions = [""] if one.is_only_envelope else [str(number).zfill(width) for number in range(1, len(one.drafts) + 1)]
    if numbering.transaction is not None:
        # our own answers count their transactions from 1
        drafts = [(one, position) for one in consignments for position, draft in enumerate(one.drafts) if draft.body is not None]
        types = [one.drafts[position].kind for one, position in drafts]
        if drafts:
            for (one, position), number in zip(drafts, counter.draw("transaction", numbering.transaction, types), strict=True):
                one.transactions[position] = str(number).zfill(width)


# ---------------------------------------------------------------- bytes


def seal(station: Station, consignment: Consignment, now: datetime) -> Sealed | Unrenderable:
    """The bytes of a consignment that has its numbers, read back as to their envelope: what stands in it was checked before."""
    first = consignment.first
    entry = first.entry
    # each partner has control numbers of its own: in a folder that several share their files must not be named alike
    whose = f"{entry.partner}-" if shares_its_inbox(station.installation.directory, entry.partner, entry.endpoint) else ""
    if first.syntax is None:
        assert first.body is not None
        syntax, form = entry.spec.split("/")[0], entry.spec.rsplit("/", 1)[1]
        return Sealed(first.body.data, f"{form}-{whose}{first.body.number}{_which(entry)}.{EXTENSIONS.get(syntax, 'xml')}")
    try:
        data = _written(station, consignment, now)
    except ValueError as error:
        return Unrenderable((document_kinds.WRITE_INVALID.at(NOWHERE, f"The interchange cannot be written: {error}"),))
    faults = tuple(_envelope_faults(data))
    if faults and first.body is not None:
        return Unrenderable(faults)
    types = {draft.kind for draft in consignment.drafts}
    kind = types.pop().lower() if len(types) == 1 else "batch"
    return Sealed(data, f"{kind}-{whose}{consignment.interchange.zfill(9)}.edi")


def _which(entry: Entry) -> str:
    """What tells files apart whose documents are numbered by others: two buyers have orders of one number, an order has versions. Taken from the
    document, so that it is the same whenever it leaves; nothing where the number is drawn by us."""
    return "" if entry.kind in NUMBERED_BY_US else short_id("", entry.document or entry.id)[:_WHICH]


def _written(station: Station, consignment: Consignment, now: datetime) -> bytes:
    """The interchange with its groups and transactions; ValueError where data holds a delimiter."""
    first = consignment.first
    loaded = station.installation.directory.partners[first.entry.partner]
    assert first.syntax is not None
    numbers = Numbers(
        sender=identity_of(station.installation.settings.us.identifiers, first.syntax),
        receiver=identity_of(loaded.partner.identifiers, first.syntax),
        interchange=consignment.interchange,
        group=next(iter(consignment.groups.values()), consignment.interchange),
        test=first.entry.test,
        at=now,
    )
    if first.body is None:
        return _answer(station, first, numbers, loaded)
    envelope = Envelope(
        syntax=first.syntax,
        sender=numbers.sender,
        receiver=numbers.receiver,
        interchange_control=numbers.interchange,
        version=first.version,
        at=now,
        test=numbers.test,
        syntax_version=_syntax_version(first),
    )
    return wrap_groups(envelope, [_group(consignment, key) for key in consignment.group_keys()])


def _group(consignment: Consignment, key: tuple[str, str]) -> Group:
    kind, version = key
    outgoing = []
    for draft, control in zip(consignment.drafts, consignment.transactions, strict=True):
        if (draft.kind, draft.version) == key:
            assert draft.body is not None
            association = draft.agreement.association if draft.agreement is not None and draft.agreement.association else ""
            outgoing.append(Outgoing(type=kind, control_number=control, body=draft.body.segments, version=version.upper(), association=association))
    group_type = GROUPS[kind] if consignment.first.syntax is Syntax.X12 else ""
    return Group(type=group_type, control_number=consignment.groups.get(key, "1"), version=version, transactions=outgoing)


def _syntax_version(draft: Draft) -> str:
    return draft.agreement.syntax_version if draft.agreement is not None and draft.agreement.syntax_version else "UNOC:3"


def _answer(station: Station, draft: Draft, numbers: Numbers, loaded: LoadedPartner) -> bytes:
    sound = sound_answer(decoded(draft.entry.body), numbers, station.plans, loaded)
    if sound.faults:
        _log.error("answer replaced", row=draft.entry.id, problems=codes(sound.faults), cure=kinds.ANSWER_REPLACED.cure)
    return sound.data


def _envelope_faults(data: bytes) -> Iterator[Problem]:
    """What our own reader has against counts, numbers and delimiters of bytes that we built."""
    for event in read_events([data])[1]:
        found: Sequence[Problem] = ()
        if isinstance(event, Transaction | GroupEnd | InterchangeEnd):
            found = event.problems
        elif isinstance(event, Problem):
            found = (event,)
        yield from (problem for problem in found if problem.severity is Severity.ERROR)
