"""Messages that came over AS2 and of which nothing was taken, to be written out for whoever is to look into them: partners' IT, mostly."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from gateway.store.incoming.as2_refusals import Refusal
from gateway.store.incoming.as2_requests import Request


class Untaken(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was refused, or came again. Digests are those of the archive."""

    partner: str
    as2_from: str
    as2_to: str
    message_id: str
    at: datetime
    #: what stood against it, where that is still known
    codes: str = ""
    sentence: str = ""
    #: head and body as they went over the line (nothing of one that was too large), and the body of our answer
    message: str = ""
    receipt: str = ""


def untaken_of(refused: Iterable[Refusal], requests: Iterable[Request]) -> list[Untaken]:
    """The messages of these rows, each once, in time."""
    found: dict[str, Untaken] = {}
    for one in refused:
        found[one.request_sha256 or one.id] = Untaken(
            partner=one.partner,
            as2_from=one.as2_from,
            as2_to=one.as2_to,
            message_id=one.message_id,
            at=one.at,
            codes=one.codes,
            sentence=one.sentence,
            message=one.request_sha256 or "",
            receipt=one.mdn_sha256 or "",
        )
    for row in requests:
        known = Untaken(
            partner=row.partner, as2_from=row.as2_from, as2_to=row.as2_to, message_id=row.message_id, at=row.came_at, message=row.request_sha256
        )
        found.setdefault(row.request_sha256, known)
    return sorted(found.values(), key=lambda one: (one.at, one.message))
