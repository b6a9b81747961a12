"""Bytes leave over their endpoint's transport. Raises TransportError where they did not; what comes back at once (an AS2 receipt) is
verified, archived and told."""

import threading
from dataclasses import dataclass
from dataclasses import field

from gateway.config import ConfigTrouble
from gateway.exchange.as2 import As2Relation
from gateway.exchange.as2 import Expected
from gateway.exchange.as2 import read_mdn
from gateway.exchange.as2 import wrap
from gateway.exchange.endpoint import Endpoint
from gateway.pipeline.as2_relations import relation_of_endpoint
from gateway.pipeline.boxes import box_of
from gateway.pipeline.https_sending import send_https
from gateway.pipeline.station import Station
from gateway.problem import Problem
from gateway.problem import codes
from gateway.store import crash
from gateway.store.outbox import Entry
from gateway.transport.box import TransportError

#: relations by partner and endpoint, with the number of the reading that they are of
_RELATIONS: dict[tuple[str, str, str], tuple[int, As2Relation]] = {}
_GUARD = threading.Lock()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the partner's AS2 receipt (MDN) says: accepted, accepted_with_errors or rejected, its disposition, and what is wrong."""

    outcome: str
    disposition: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivered:
    """What is known after a delivery: facts for the journal, digests of archived evidence, the receipt where one was asked for."""

    facts: dict[str, str] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    receipt: Receipt | None = None


class ReceiptRefused(TransportError):
    """The partner's receipt says that the message was not processed (or is none that counts); its evidence is archived."""

    def __init__(self, message: str, *, retry: bool, delivered: Delivered) -> None:
        super().__init__(message, retry=retry)
        self.delivered = delivered


def deliver(station: Station, entry: Entry, data: bytes) -> Delivered:
    """Hand the bytes of a prepared row over to its endpoint, under the row's identity."""
    loaded = station.installation.directory.partners.get(entry.partner)
    endpoint = loaded.partner.endpoint(entry.endpoint) if loaded else None
    if loaded is None or endpoint is None or entry.identity is None:
        raise TransportError(
            f"{entry.partner} has no endpoint '{entry.endpoint}' any more: mend partners/{entry.partner}.yaml, then try it again", retry=False
        )
    try:
        if endpoint.as2 is not None:
            return _post(station, entry, endpoint, data)
        if endpoint.https is not None:
            return Delivered(send_https(station, entry, endpoint, data))
        box_of(station.installation, endpoint).send(entry.identity, data)
    except ConfigTrouble as error:
        # a key or setting is missing: it is no fault of the row, which waits until it is mended
        raise TransportError(str(error), retry=False, stop=True) from error
    return Delivered({"name": entry.identity, "bytes": str(len(data))})


def message_id(entry: Entry, relation: As2Relation) -> str:
    """The AS2 Message-ID: it follows from the row and its file name, so that it is the same on every try."""
    host = "".join(letter if letter.isalnum() or letter in "-." else "-" for letter in relation.us)
    row = "".join(letter if letter.isalnum() or letter in "-." else "." for letter in f"{entry.id}.{entry.identity}")
    return f"<{row}@{host}>"


def _post(station: Station, entry: Entry, endpoint: Endpoint, data: bytes) -> Delivered:
    from gateway.transport.as2_http import post

    assert endpoint.as2 is not None
    relation = _relation(station, entry, endpoint)
    now = station.clock()
    request = wrap(data, relation, message_id(entry, relation), now, entry.identity)
    if isinstance(request, Problem):
        raise TransportError(request.message, retry=True)
    authorities = str(station.installation.path(endpoint.authorities)) if endpoint.authorities else None
    answer = post(endpoint.as2, request.headers, request.body, timeout_seconds=endpoint.timeout, ca_file=authorities)
    crash.point(74)
    if relation.receipt == "none":
        return Delivered({"message_id": request.message_id, "receipt": "none asked for"})
    receipt = read_mdn(
        answer.headers, answer.body, Expected(message_id=request.message_id, mics=(request.mic, *request.other_mics)), relation, station.clock()
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in answer.headers).encode("latin-1", "replace")
    mdn, message = station.archive.keep_many([head + b"\r\n" + answer.body, request.body])
    crash.point(75)
    if not receipt.delivered:
        words = "; ".join(problem.message for problem in receipt.problems)
        refused = Receipt("rejected", receipt.disposition or "", tuple(receipt.problems))
        raise ReceiptRefused(
            words,
            retry=receipt.may_retry,
            delivered=Delivered({"message_id": request.message_id, "receipt": receipt.disposition or ""}, (mdn, message), refused),
        )
    return Delivered(
        {
            # processed with a warning is processed: a resend that came twice is called a duplicate so
            **({"warning": codes(receipt.problems)} if receipt.problems else {}),
            "message_id": request.message_id,
            "receipt": receipt.disposition or "",
            "mic": "matches" if receipt.mic_matches else "not given",
            "signed_by": receipt.signed_by or "",
        },
        (mdn, message),
        Receipt("accepted_with_errors" if receipt.problems else "accepted", receipt.disposition or "", tuple(receipt.problems)),
    )


def _relation(station: Station, entry: Entry, endpoint: Endpoint) -> As2Relation:
    installation = station.installation
    key = (str(installation.file), entry.partner, entry.endpoint)
    with _GUARD:
        if key not in _RELATIONS or _RELATIONS[key][0] != installation.number:
            partner = installation.directory.partners[entry.partner].partner
            _RELATIONS[key] = (installation.number, relation_of_endpoint(installation, partner, endpoint))
        return _RELATIONS[key][1]
