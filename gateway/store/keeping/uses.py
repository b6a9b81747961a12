"""Which payloads somebody still needs, whatever was erased: things that consist of these very bytes, and AS2 messages with their receipts and
signatures, which prove several files or rows at a time.

Many digests are asked for at once: where no index leads to them, one walk through a table serves all.
"""

from collections import defaultdict
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import select

from gateway.store import tables
from gateway.store.incoming import transmissions
from gateway.store.incoming.transmissions import Transmission
from gateway.store.outgoing.outbox import is_same_file

AT_ONCE = 400
#: what stands with a received file of the message that it came in
PROOFS = ("raw_message", "mdn", "signature", "content")
_ERASURE = tables.erasure


def used_among(connection: Connection, digests: Collection[str]) -> set[str]:
    """Those of the digests that something which was not erased consists of or is proven by, or that a partner is still to fetch."""
    asked = sorted(set(digests))
    found: set[str] = set()
    for start in range(0, len(asked), AT_ONCE):
        part = asked[start : start + AT_ONCE]
        found |= _as_bytes(connection, part)
        found |= _of_files(connection, [one for one in part if one not in found])
        found |= _of_rows(connection, [one for one in part if one not in found])
    return found


def _as_bytes(connection: Connection, digests: Sequence[str]) -> set[str]:
    transmission, outbox, document, pickup = tables.transmission.c, tables.outbox.c, tables.document.c, tables.pickup.c
    request, unopened, refusal, sending = tables.as2_request.c, tables.as2_unopened.c, tables.as2_refusal.c, tables.as2_sending.c
    prints = [f"sha256:{digest}" for digest in digests]
    queries = (
        select(transmission.sha256).where(transmission.sha256.in_(digests), ~is_erased("transmission", transmission.id)),
        select(outbox.sha256).where(outbox.sha256.in_(digests), ~is_erased("outbox", outbox.id)),
        select(document.sha256).where(document.sha256.in_(digests), document.transmission.is_(None), ~is_erased("document", document.id)),
        select(pickup.sha256).where(pickup.sha256.in_(digests), pickup.taken_at.is_(None)),
        select(request.request_sha256).where(request.request_sha256.in_(digests), ~is_erased("as2_request", request.request_sha256)),
        select(unopened.request_sha256).where(unopened.request_sha256.in_(digests)),
        # the receipt of a message that was refused leaves with it, whoever posted it
        select(refusal.mdn_sha256).where(refusal.mdn_sha256.in_(digests), ~is_erased("as2_request", refusal.request_sha256)),
        # certificates prove other messages as well, and hold no content
        select(sending.signed_by).where(sending.signed_by.in_(prints)),
        select(sending.encrypted_for).where(sending.encrypted_for.in_(prints)),
    )
    return {str(one).removeprefix("sha256:") for query in queries for one in connection.execute(query.distinct()).scalars()}


def is_erased(kind: str, id: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a unit (store.due) was erased."""
    return select(_ERASURE.c.subject).where(_ERASURE.c.subject_kind == kind, _ERASURE.c.subject == id).exists()


# ---------------------------------------------------------------- proofs that several share


def _erased_with(connection: Connection, kind: str, digests: Sequence[str]) -> dict[str, set[str]]:
    """Units of a kind that were erased, with those of the digests that left with them."""
    query = select(_ERASURE.c.subject, _ERASURE.c.sha256).where(_ERASURE.c.sha256.in_(digests), _ERASURE.c.subject_kind == kind)
    return _gathered(connection.execute(query))


def _gathered(pairs: Iterable[Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for unit, digest in pairs:
        found[unit].add(digest)
    return found


def _of_files(connection: Connection, digests: Sequence[str]) -> set[str]:
    """Those that prove a received file that was not erased."""
    receipt = tables.receipt.c
    answered = select(receipt.transmission, receipt.mdn_sha256).where(receipt.mdn_sha256.in_(digests), receipt.transmission.is_not(None))
    wanted = _erased_with(connection, "transmission", digests)
    # a receipt that was posted was erased as a delivery
    for id, mdns in _gathered(connection.execute(answered)).items():
        wanted[id] |= mdns
    found: set[str] = set()
    for id, first in transmissions.get_many(connection, wanted).items():
        if "raw_message" in first.properties:
            found |= wanted[id] & _proofs_of(_not_erased(connection, _beside(connection, first)))
    return found


def _beside(connection: Connection, first: Transmission) -> Mapping[str, Transmission]:
    """The files of an AS2 message, of which this is one, and those with the same content."""
    name, count = first.source_identity.partition(" ")[0], first.properties.get("part", "").rpartition(" ")[2]
    sources = [name, *(f"{name} {position}" for position in range(2, int(count or 1) + 1))]
    together = [*transmissions.of_sources(connection, first.endpoint, sources), *transmissions.with_bytes(connection, first.sha256)]
    return {one.id: one for one in together}


def _not_erased(connection: Connection, files: Mapping[str, Transmission]) -> list[Transmission]:
    ids = sorted(files)
    gone: set[str] = set()
    for start in range(0, len(ids), AT_ONCE):
        erased = select(_ERASURE.c.subject).where(_ERASURE.c.subject_kind == "transmission", _ERASURE.c.subject.in_(ids[start : start + AT_ONCE]))
        gone.update(connection.execute(erased.distinct()).scalars())
    return [one for id, one in files.items() if id not in gone]


def _proofs_of(files: Iterable[Transmission]) -> set[str]:
    return {one.properties[name] for one in files for name in PROOFS if name in one.properties}


def _of_rows(connection: Connection, digests: Sequence[str]) -> set[str]:
    """Those that prove a delivery that was not erased: rows share the message by which their file left."""
    wanted = _erased_with(connection, "outbox", digests)
    mine, other = tables.outbox.alias("mine"), tables.outbox.alias("other")
    rows = sorted(wanted)
    found: set[str] = set()
    for start in range(0, len(rows), AT_ONCE):
        # a file that was sent again has other messages: they leave together
        query = select(mine.c.id, mine.c.sha256).select_from(mine).join(other, is_same_file(mine, other)).distinct()
        query = query.where(mine.c.id.in_(rows[start : start + AT_ONCE]), other.c.id != mine.c.id, ~is_erased("outbox", other.c.id))
        for id, content in connection.execute(query):
            found |= wanted[id] - {content}
    return found
