"""What is known under a reference: where a trail begins.

People ask by what they have in hand: an order's or invoice's number, a control number with its leading zeros or without, the name of a file,
whichever way it went, the Message-ID of an AS2 message. Nothing is guessed while something has exactly this name. Partners count for themselves,
so several may have it: who asks can say whose is meant.
"""

from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

from sqlalchemy import Connection

from gateway.exchange.as2.names import read_message_id
from gateway.pipeline.as2.taking import source_identity
from gateway.pipeline.keeping.spoken import spoken_forms
from gateway.store.incoming import as2_refusals
from gateway.store.incoming import as2_requests
from gateway.store.incoming import as2_unopened
from gateway.store.incoming import interchanges
from gateway.store.incoming import transmissions
from gateway.store.incoming.as2_refusals import Refusal
from gateway.store.incoming.as2_requests import Request
from gateway.store.incoming.as2_unopened import Unopened
from gateway.store.incoming.interchanges import Interchange
from gateway.store.incoming.transmissions import Transmission
from gateway.store.outgoing import as2_sendings
from gateway.store.outgoing import outbox
from gateway.store.outgoing import receipts
from gateway.store.outgoing.outbox import Entry
from gateway.store.records import documents
from gateway.store.records import references
from gateway.store.records.documents import Document

#: documents that a trail begins with; a number that more of them have is no number of anything
MOST = 20
#: the header that a Message-ID may be copied with
_HEADER = "message-id:"
#: the longest control number: that of an EDIFACT interchange (0020)
_LONGEST_CONTROL = 14
#: kinds of references whose values people say, and those whose values are control numbers
_NUMBERS = frozenset({"order", "order_response", "order_change", "invoice", "credit_note", "shipment", "despatch_advice", "sscc"})
_CONTROLS = frozenset({"interchange", "group", "transaction"})


@dataclass(slots=True)
class Beginnings:
    """What has this reference itself."""

    documents: dict[str, None] = field(default_factory=dict)
    transmissions: dict[str, Transmission] = field(default_factory=dict)
    interchanges: dict[str, Interchange] = field(default_factory=dict)
    outgoing: dict[str, Entry] = field(default_factory=dict)
    #: AS2 messages that were refused
    refused: dict[str, Refusal] = field(default_factory=dict)
    #: AS2 requests of which nothing was taken, also where the row of their refusal has left
    requests: dict[str, Request] = field(default_factory=dict)
    #: AS2 messages that were answered and wait to be opened
    unopened: dict[str, Unopened] = field(default_factory=dict)
    #: more have it than are told of
    more: bool = False

    def partners(self, rows: Collection[Document]) -> tuple[str, ...]:
        """Whose it is; `rows`: its documents, among others."""
        whose = {row.partner for row in rows if row.id in self.documents}
        whose |= {one.partner or "" for one in self.transmissions.values()} | {one.partner or "" for one in self.interchanges.values()}
        whose |= {one.partner for one in self.outgoing.values()}
        whose |= {one.partner for one in self.refused.values()} | {one.partner for one in self.requests.values()}
        return tuple(sorted(whose - {""}))

    def __bool__(self) -> bool:
        came = self.documents or self.transmissions or self.interchanges
        return bool(came or self.outgoing or self.refused or self.requests or self.unopened)


def found_under(connection: Connection, reference: str, partners: Collection[str], only: str | None = None, series: Sequence[str] = ()) -> Beginnings:
    """Everything that is called so, else what people may mean by it, else every document that has a number which begins so. `partners`: all that
    we may have sent to; `only`: the one whose things are meant; `series`: how our own numbers are made."""
    found = _found(connection, reference, partners, only, series)
    return _of_partner(connection, found, only) if only is not None else found


def _of_partner(connection: Connection, found: Beginnings, partner: str) -> Beginnings:
    """What of this is one partner's: a file may hold several partners' interchanges."""
    rows = documents.get_many(connection, found.documents)
    return Beginnings(
        documents={id: None for id in found.documents if id in rows and rows[id].partner == partner},
        transmissions={id: one for id, one in found.transmissions.items() if one.partner == partner},
        interchanges={id: one for id, one in found.interchanges.items() if one.partner == partner},
        outgoing={id: one for id, one in found.outgoing.items() if one.partner == partner},
        refused={id: one for id, one in found.refused.items() if one.partner == partner},
        requests={id: one for id, one in found.requests.items() if one.partner == partner},
        more=found.more,
    )


def _found(connection: Connection, reference: str, partners: Collection[str], only: str | None, series: Sequence[str]) -> Beginnings:
    found = _called(connection, reference, partners, only)
    for form in spoken_forms(reference, series):
        if found:
            return found
        _add_documents(found, [one.document for one in references.find(connection, form, kinds=_NUMBERS, partner=only, whole=True, limit=MOST + 1)])
    if found:
        return found
    _add_documents(found, [one.document for one in references.find(connection, reference, partner=only, limit=MOST + 1)])
    return found


def _called(connection: Connection, reference: str, partners: Collection[str], only: str | None) -> Beginnings:
    """What is called exactly so."""
    found = Beginnings()
    if documents.get(connection, reference) is not None:
        found.documents[reference] = None
        return found
    interchange = interchanges.get(connection, reference)
    if interchange is not None:
        _add_interchanges(connection, found, [interchange])
        return found
    controls = control_forms(reference)
    sent_to = partners if only is None else [only]
    whole = references.find(connection, reference, partner=only, whole=True, limit=MOST + 1)
    for form in controls:
        whole += references.find(connection, form, kinds=_CONTROLS, partner=only, whole=True, limit=MOST + 1)
    _add_documents(found, [one.document for one in whole])
    _add_sent(connection, found, [*outbox.named(connection, reference, only), *outbox.with_control(connection, [reference, *controls], sent_to)])
    _add_messages(connection, found, reference, only)
    if len(reference) <= _LONGEST_CONTROL:
        _add_interchanges(connection, found, interchanges.with_control(connection, [reference, *controls], only))
    if not found or any(one.kind == "file" for one in whole):
        # names of files have no index of their own: asked where nothing else is called so, or something is that is one
        _add_files(connection, found, transmissions.named(connection, reference, only))
    return found


def control_forms(reference: str) -> list[str]:
    """The other ways to write a number that may be a control number: with leading zeros, up to every width there is, and without."""
    text = reference.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_CONTROL and text.strip("0")):
        return []
    bare = text.lstrip("0")
    return [form for form in (bare.zfill(width) for width in range(len(bare), _LONGEST_CONTROL + 1)) if form != text]


def _add_documents(found: Beginnings, ids: Collection[str]) -> None:
    for id in ids:
        if len(found.documents) < MOST:
            found.documents[id] = None
        elif id not in found.documents:
            found.more = True


def _add_sent(connection: Connection, found: Beginnings, entries: Collection[Entry]) -> None:
    """What left, with the document it was, or with what it acknowledged."""
    for entry in entries:
        if entry.document is not None:
            _add_documents(found, [entry.document])
            continue
        found.outgoing[entry.id] = entry
        answered = interchanges.get(connection, entry.properties.get("interchange", ""))
        if answered is not None:
            _add_interchanges(connection, found, [answered])


def documents_of_message(connection: Connection, reference: str) -> list[str]:
    """The documents that came or left in AS2 messages of this Message-ID."""
    found = Beginnings()
    _add_taken(connection, found, message_id_of(reference))
    _add_posted(connection, found, message_id_of(reference))
    return list(found.documents)


def documents_posted(connection: Connection, reference: str) -> list[str]:
    """The documents that left in an AS2 message of this Message-ID."""
    found = Beginnings()
    _add_posted(connection, found, message_id_of(reference))
    return list(found.documents)


def files_of_message(connection: Connection, reference: str) -> list[Transmission]:
    """The files that came in AS2 messages of this Message-ID."""
    given = receipts.named(connection, message_id_of(reference))
    return [file for receipt in given for file in _files_of(connection, receipt)]


def message_id_of(reference: str) -> str:
    """A reference as a Message-ID: without its angle brackets, and without the header's name."""
    text = reference.strip()
    return read_message_id(text[len(_HEADER) :] if text.lower().startswith(_HEADER) else text)


def _add_messages(connection: Connection, found: Beginnings, reference: str, only: str | None) -> None:
    """AS2 messages of this Message-ID that we sent, that were taken, refused, came again, or wait to be opened."""
    message_id = message_id_of(reference)
    _add_posted(connection, found, message_id)
    _add_taken(connection, found, message_id)
    found.unopened.update({one.request_sha256: one for one in as2_unopened.named(connection, message_id)})
    found.requests.update({one.request_sha256: one for one in as2_requests.named(connection, message_id, only)})
    for refusal in as2_refusals.find(connection, message_id, only):
        found.refused[refusal.id] = refusal
        _add_files(connection, found, _files_of(connection, receipts.find(connection, refusal.as2_from, refusal.as2_to, refusal.message_id)))


def _add_posted(connection: Connection, found: Beginnings, message_id: str) -> None:
    """What left in a message of ours: several rows may share its file."""
    sending = as2_sendings.get(connection, message_id)
    if sending is not None:
        [first] = outbox.get_many(connection, [sending.outbox])
        _add_sent(connection, found, [first, *(one for one in outbox.of_file(connection, first, MOST) if one.id != first.id)])


def _add_taken(connection: Connection, found: Beginnings, message_id: str) -> None:
    _add_files(connection, found, files_of_message(connection, message_id))


def _files_of(connection: Connection, receipt: receipts.Receipt | None) -> list[Transmission]:
    """All files of the message that a receipt was given for."""
    first = transmissions.get(connection, receipt.transmission) if receipt is not None and receipt.transmission is not None else None
    if receipt is None or first is None:
        return []
    return transmissions.of_sources(connection, first.endpoint, [source_identity(receipt.message_id, place) for place in range(MOST)])


def _add_interchanges(connection: Connection, found: Beginnings, rows: Collection[Interchange]) -> None:
    for row in rows:
        found.interchanges[row.id] = row
        _add_documents(found, [one.id for one in documents.of_interchange(connection, row.id, limit=MOST + 1)])


def _add_files(connection: Connection, found: Beginnings, files: Collection[Transmission]) -> None:
    for file in files:
        found.transmissions[file.id] = file
        _add_documents(found, [one.id for one in documents.of_transmission(connection, file.id, limit=MOST + 1)])
