"""A message whose sender wants the receipt posted is answered before it is opened (so all stations do; a large one would keep its sender waiting
on an open line): its request is in the archive, one small commit says that it waits, then the sender has its 200. Opening decides everything else.

What can be told without opening is told at once instead: a head that is refused, a receipt that stands in the answer, keys of ours that
cannot be used now, so that the sender keeps the message and tries again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.config import ConfigTrouble
from gateway.exchange.as2 import Answer
from gateway.exchange.as2 import Head
from gateway.exchange.as2 import read_head
from gateway.exchange.as2.wrap import signing_identity
from gateway.pipeline.as2.keys import Relations
from gateway.pipeline.inbound.receive import stream_of
from gateway.pipeline.station import Station
from gateway.store import crash
from gateway.store import journal
from gateway.store import streams
from gateway.store.incoming import as2_unopened

#: what the sender is told
TAKEN = Answer(status=200, headers=(), body=b"")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that may wait: its head, the address that it came over, its request in the archive, and how large that is."""

    head: Head
    address: str
    request: str
    size: int


def waiting(station: Station, relations: Relations, headers: Sequence[tuple[str, str]], request: str, size: int) -> Waiting | None:
    """The message of an archived request, where it may wait; None where it is to be opened before its sender is answered."""
    if not any(name.lower() == "receipt-delivery-option" for name, _ in headers):
        return None
    try:
        head = read_head(headers, relations.find)
    except ConfigTrouble:
        return None
    if head.problem is not None or head.post_to is None or head.relation is None or head.receipt is None:
        return None
    if head.receipt.signed and signing_identity(head.relation, station.clock()) is None:
        return None
    found = relations.partner_of(head.as2_from, head.as2_to)
    return Waiting(head, found[2].address, request, size) if found is not None else None


def stream_to_open(address: str) -> str:
    """Messages of one address are opened in the order in which they came."""
    return f"open:{address}"


def put_by(station: Station, messages: Sequence[Waiting]) -> None:
    """They wait: one commit."""
    now = station.clock()
    entries = []
    with station.database.begin() as connection:
        # always in the same order: two web processes cannot wait for each other
        for one in sorted(messages, key=lambda one: one.address):
            is_first = as2_unopened.add(connection, stream_to_open(one.address), one.request, one.size, now, one.head.message_id)
            facts = {"as2_from": one.head.as2_from, "as2_to": one.head.as2_to, "message_id": one.head.message_id[:200], "size": str(one.size)}
            entries.append(
                journal.Entry(
                    stream=stream_of(one.address),
                    at=now,
                    actor="gateway",
                    action="AS2 message waits to be opened" if is_first else "AS2 message came again",
                    subject_kind="as2_request",
                    subject=one.request,
                    facts=facts,
                    references=(one.request,),
                )
            )
        for address in sorted({one.address for one in messages}):
            streams.poke(connection, stream_to_open(address))
        journal.append(connection, entries)
        crash.point(125)
    crash.point(126)
