"""The walk outward. Its order is written here, once:

    trade or acknowledgment   a row in the outbox, in the transaction that decided it
    claim                     the stream's next rows are leased, and held while they leave   (store.outbox, leases.py)
    draft                     document -> transaction, checked against its schema            (mapping, schema)
    consign                   a row alone, or the rows of a batch's window together
    draw                      control numbers, entered in the ledger: one commit             (store.controls, store.numbers)
    seal                      put in its envelope -> bytes                                   (exchange.envelope, codecs)
    archive                   bytes kept, identity fixed: one commit
    deliver                   bytes leave under that identity                                (transport)
    record                    sent, with its receipt; or failed, to be tried again; or dead  (recording.py)

Identity (file name, Message-ID) and control numbers are drawn once, when the row really leaves, and are the same on every try:
a try that was killed between sending and recording is repeated and can be told from a new message by the partner.
"""

import time
from datetime import datetime

import structlog
from sqlalchemy import Connection
from structlog.contextvars import bound_contextvars

from gateway.kinds import pipeline as kinds
from gateway.pipeline.endpoints import is_batched
from gateway.pipeline.heads import First
from gateway.pipeline.heads import lies_elsewhere
from gateway.pipeline.lost import is_lost_alone
from gateway.pipeline.meters import TRANSPORT_ERRORS
from gateway.pipeline.outbound.consigning import Consignment
from gateway.pipeline.outbound.consigning import Draft
from gateway.pipeline.outbound.consigning import Sealed
from gateway.pipeline.outbound.consigning import consign
from gateway.pipeline.outbound.consigning import draft_of
from gateway.pipeline.outbound.consigning import draw
from gateway.pipeline.outbound.consigning import seal
from gateway.pipeline.outbound.delivery import deliver
from gateway.pipeline.outbound.setting_aside import fail_one
from gateway.pipeline.outbound.setting_aside import give_up_the_first
from gateway.pipeline.outbound.setting_aside import only_the_first
from gateway.pipeline.outbox import given_up
from gateway.pipeline.outbox.delivered import Lost
from gateway.pipeline.outbox.delivered import NotHere
from gateway.pipeline.outbox.leases import LEASE
from gateway.pipeline.outbox.leases import Lease
from gateway.pipeline.outbox.leases import held
from gateway.pipeline.outbox.recording import Failed
from gateway.pipeline.outbox.recording import Gone
from gateway.pipeline.outbox.recording import entry_of
from gateway.pipeline.outbox.recording import is_given_up
from gateway.pipeline.outbox.recording import record
from gateway.pipeline.outbox.recording import record_barely
from gateway.pipeline.station import Station
from gateway.pipeline.writing.rendering import Unrenderable
from gateway.problem import NOWHERE
from gateway.store import crash
from gateway.store import journal
from gateway.store.database import DatabaseTrouble
from gateway.store.identity import lease_token
from gateway.store.keeping import erasures
from gateway.store.outgoing import outbox
from gateway.store.outgoing import precedence
from gateway.store.outgoing import tries
from gateway.store.outgoing.outbox import Entry
from gateway.store.payloads.archive import ArchiveMissing
from gateway.store.records import references
from gateway.store.rows import StaleState
from gateway.transport.box import TransportError

BATCH = 20
#: documents of one window that leave in one interchange; more make another one
LARGEST_BATCH = 500
#: seconds that a result is kept in hand while the database is away, and between two tries
RECORD_WITHIN = 20.0
RECORD_AGAIN = 0.5
#: seconds after which what has left is recorded, though more of the same claim is to leave: a kill repeats no more than that
UNRECORDED = 1.0

_log = structlog.get_logger("outbound")


def step(station: Station, stream: str) -> bool:
    """Send the next rows of a stream; true when more may be waiting."""
    token = lease_token(station.node)
    # an interchange is never cut: what was put together leaves together, on every try
    limit = LARGEST_BATCH if is_batched(stream) else BATCH
    crash.point(50)
    with station.database.begin() as connection:
        claimed = tries.claim(connection, stream=stream, now=station.clock(), lease=LEASE, limit=limit, token=token)
        if station.heads.is_careful(stream):
            claimed = only_the_first(connection, claimed, token)
    if not claimed:
        station.heads.rests(stream)
        return False
    crash.point(51)
    with held(station, [entry.id for entry in claimed], claimed[0].partner, token) as lease:
        try:
            ready = _ready(station, claimed, token)
            if ready is None:
                return True
            return _send(station, ready, lease, more=len(claimed) == limit or station.heads.is_careful(stream))
        except StaleState as error:
            # the lease ran out and another worker has the rows: what it does counts
            _log.warning("lease lost", stream=stream, error=str(error))
            return True


def _ready(station: Station, claimed: list[Entry], token: str) -> list[Entry] | None:
    """The rows with identity and bytes; None where that fails: then they are tried one by one, and one that fails alone is set aside in its time."""
    fresh = next((entry for entry in claimed if entry.state == "claimed"), None)
    if fresh is None:
        return claimed
    first = First(fresh.id, fresh.created_at)
    with station.heads.tried(station.database, station.node, station.clock(), fresh.stream, first) as careful:
        if careful.is_enough:
            give_up_the_first(station, fresh, careful.deaths, token)
            return None
        try:
            return _prepare(station, claimed, token)
        except Exception as error:
            if lies_elsewhere(error) or isinstance(error, StaleState):
                raise
            fail_one(station, fresh.stream, error, token)
            return None


def _prepare(station: Station, claimed: list[Entry], token: str) -> list[Entry]:
    """Fix identity, control numbers and bytes of what leaves for the first time; what cannot be written rests in `dead`. The database is
    only held to draw numbers and to write down what was made: mapping, checking and the archive's disk hold nobody up."""
    fresh = [entry for entry in claimed if entry.state == "claimed"]
    if not fresh:
        return claimed
    now = station.clock()
    drafts, unwritten = _drafts(station, fresh, now)
    if unwritten:
        drafts = _without_those_behind(station, drafts, unwritten, token, now)
    consignments = consign(station, drafts, now)
    with station.database.begin() as connection:
        draw(station, connection, consignments, token, now)
        crash.point(81)
    crash.point(52)
    sealed, unwritten = _sealed(station, consignments, now)
    digests = station.archive.keep_many([made.data for _, made in sealed])
    crash.point(53)
    with station.database.begin() as connection:
        _rest_in_dead(connection, unwritten, token, now)
        preparations, entries = [], []
        for (consignment, made), sha256 in zip(sealed, digests, strict=True):
            for position, draft in enumerate(consignment.drafts):
                interchange, group, transaction = consignment.numbers_of(position)
                preparations.append(
                    tries.Preparation(
                        id=draft.entry.id,
                        identity=made.identity,
                        sha256=sha256,
                        transaction_type=draft.kind,
                        interchange_control=interchange,
                        group_control=group,
                        transaction_control=transaction,
                    )
                )
                entries.append(entry_of(draft.entry, now, "prepared", {"identity": made.identity, "control": interchange or ""}, (sha256,)))
        tries.prepare(connection, token, preparations)
        references.add(connection, _names(sealed))
        journal.append(connection, entries)
        crash.point(54)
    crash.point(55)
    done = {preparation.id for preparation in preparations}
    with station.database.read() as connection:
        return outbox.get_many(connection, [entry.id for entry in claimed if entry.id in done or entry.state == "prepared"])


def _names(sealed: list[tuple[Consignment, Sealed]]) -> list[references.Reference]:
    """The names of files that leave, by which people look for what was in them."""
    return [
        references.Reference(document=draft.entry.document, kind="file", value=made.identity)
        for consignment, made in sealed
        for draft in consignment.drafts
        if draft.entry.document is not None
    ]


#: rows that cannot be written, each with what is wrong
_Unwritten = list[tuple[Entry, Unrenderable]]


def _drafts(station: Station, fresh: list[Entry], now: datetime) -> tuple[list[Draft], _Unwritten]:
    """Map each row's document; one that fails leaves its neighbours alone, is shown, and can be revived."""
    drafts: list[Draft] = []
    unwritten: _Unwritten = []
    for entry in fresh:
        try:
            made = draft_of(station, entry, now)
        except Exception as error:  # noqa: BLE001  whatever is wrong with this row must not keep the others back
            made = _failed(entry, error)
        if isinstance(made, Unrenderable):
            unwritten.append((entry, made))
        else:
            drafts.append(made)
    return drafts, unwritten


def _without_those_behind(station: Station, drafts: list[Draft], unwritten: _Unwritten, token: str, now: datetime) -> list[Draft]:
    """What cannot be written rests; what belongs behind it in its order waits."""
    with station.database.begin() as connection:
        _rest_in_dead(connection, unwritten, token, now)
        behind = precedence.behind_others(connection, unwritten[0][0].stream, tries.candidates_of([draft.entry for draft in drafts]))
        precedence.hold_back(connection, behind)
    return [draft for draft in drafts if draft.entry.id not in behind]


def _sealed(station: Station, consignments: list[Consignment], now: datetime) -> tuple[list[tuple[Consignment, Sealed]], _Unwritten]:
    """The bytes of each consignment."""
    sealed: list[tuple[Consignment, Sealed]] = []
    unwritten: _Unwritten = []
    for consignment in consignments:
        try:
            made = seal(station, consignment, now)
        except Exception as error:  # noqa: BLE001  see above
            made = _failed(consignment.first.entry, error)
        if isinstance(made, Unrenderable):
            unwritten += [(draft.entry, made) for draft in consignment.drafts]
        else:
            sealed.append((consignment, made))
    return sealed, unwritten


def _rest_in_dead(connection: Connection, unwritten: _Unwritten, token: str, now: datetime) -> None:
    for entry, why in unwritten:
        tries.dead(connection, [entry.id], token, why.reason)
        given_up.rest(connection, [entry.id], why.reason, now)
    journal.append(connection, [entry_of(entry, now, "cannot be written", {"problems": why.codes}, reason=why.reason) for entry, why in unwritten])


def _failed(entry: Entry, error: Exception) -> Unrenderable:
    _log.error("row cannot be rendered", row=entry.id, error=type(error).__name__, exc_info=error)
    return Unrenderable((kinds.STEP_FAILED.at(NOWHERE, f"{entry.spec} could not be written: {type(error).__name__}: {error}"),))


def _send(station: Station, ready: list[Entry], lease: Lease, *, more: bool) -> bool:
    """Deliver in order and record; a failure keeps the rows behind it back until it is tried again, or at once where it was given up. True
    when more may leave at once (`more`: there are rows behind these). Rows of one interchange leave at once."""
    sent: list[Gone] = []
    failure: Failed | None = None
    not_there: ArchiveMissing | OSError | None = None
    consignments = _consignments(ready)
    done, recorded = 0, time.monotonic()
    for rows in consignments:
        if lease.paused:
            break
        try:
            lease.confirm([entry.id for entry in rows])
        except DatabaseTrouble as error:
            # what has left is recorded first
            _log.warning("lease not confirmed", error=str(error))
            break
        first = rows[0]
        assert first.sha256 is not None
        try:
            data = station.archive.read(first.sha256)
        except (ArchiveMissing, OSError) as error:
            lost = _lost(station, first, error)
            if lost is None:
                # nobody at the partner's has failed: it is no try, and another machine may see what we do not
                not_there = error
            failure = (rows, lost or NotHere(str(error), retry=True))
            break
        try:
            with bound_contextvars(partner=first.partner, endpoint=first.endpoint, row=first.id, document=first.document):
                sent.append((rows, deliver(station, first, data)))
        except TransportError as error:
            station.meters.count(TRANSPORT_ERRORS, "out", f"{first.partner}:{first.endpoint}")
            failure = (rows, error)
            break
        except Exception as error:  # noqa: BLE001  what went before it has left and must be recorded; this row is tried again like any
            _log.exception("delivery failed", row=first.id)
            failure = (rows, TransportError(f"delivery failed: {type(error).__name__}: {error}", retry=True))
            break
        crash.point(56)
        if time.monotonic() - recorded > UNRECORDED and len(sent) < len(consignments) - done:
            _record_patiently(station, sent, None, [], lease.token)
            done += len(sent)
            sent, recorded = [], time.monotonic()
    tried = done + len(sent) + (failure is not None)
    rest = [entry.id for rows in consignments[tried:] for entry in rows]
    if sent or failure is not None or rest:
        _record_patiently(station, sent, failure, rest, lease.token)
    crash.point(58)
    if not_there is not None:
        raise not_there
    if failure is not None:
        return is_given_up(failure[0][0], failure[1]) and (more or bool(rest))
    return more and not rest


def _lost(station: Station, entry: Entry, error: ArchiveMissing | OSError) -> Lost | None:
    """Bytes that are gone while the archive is there; None where it may be away."""
    if not isinstance(error, ArchiveMissing):
        return None
    sha256 = str(entry.sha256)
    with station.database.read() as connection:
        erased = erasures.words_of(connection, sha256)
    if erased is not None:
        return Lost(erased, retry=False)
    return Lost(str(error), retry=True) if is_lost_alone(station, sha256, entry.created_at) else None


def _record_patiently(station: Station, sent: list[Gone], failure: Failed | None, rest: list[str], token: str) -> None:
    """Record what came of it, also where the database is away for a moment: what has left and is not recorded leaves again. A commit that went
    through unheard is met as StaleState."""
    end = time.monotonic() + RECORD_WITHIN
    while True:
        try:
            record(station, sent, failure, rest, token)
        except DatabaseTrouble as error:
            if error.refused:
                return _record_one_by_one(station, sent, failure, rest, token)
            if not error.retry or time.monotonic() > end:
                raise
            _log.warning("not recorded yet", sent=sum(len(rows) for rows, _ in sent), error=str(error))
            time.sleep(RECORD_AGAIN)
        except Exception:  # noqa: BLE001  whose fault it is shows when each is recorded alone; that the lease was lost shows there, too
            return _record_one_by_one(station, sent, failure, rest, token)
        else:
            return None


def _record_one_by_one(station: Station, sent: list[Gone], failure: Failed | None, rest: list[str], token: str) -> None:
    """What cannot be recorded as it should keeps nothing else from being, and does not leave again."""
    for gone in sent:
        try:
            record(station, [gone], None, [], token)
        except Exception as error:
            if isinstance(error, DatabaseTrouble) and not error.refused:
                raise
            record_barely(station, *gone, token, error)
    if failure is not None or rest:
        record(station, [], failure, rest, token)


def _consignments(ready: list[Entry]) -> list[list[Entry]]:
    """The rows, those of one file together."""
    found: dict[tuple[str | None, str | None], list[Entry]] = {}
    for entry in ready:
        found.setdefault((entry.identity, entry.sha256), []).append(entry)
    return list(found.values())
