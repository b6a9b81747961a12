"""AS2 messages that were refused, to be found when the partner calls: by Message-ID, by the name of the file, by the sender's name.

Anybody may post to an AS2 address. The same message again is counted, of each sender and code only the newest are kept, and after a while none:
whoever posts rubbish fills nothing. The journal has an entry for each that is kept here, also when its row has left.
"""

from collections.abc import Collection
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta

from sqlalchemy import Connection
from sqlalchemy import delete
from sqlalchemy import exists
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select

from gateway.store import tables
from gateway.store.columns import storable
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.rows import insert
from gateway.store.rows import one_of
from gateway.store.rows import values_of

#: messages of one sender that are kept for one code
MOST = 100
#: how long one is kept after it came last
KEPT = timedelta(days=90)
#: characters of a name, of a sentence
_LONGEST, _LONGEST_SENTENCE = 200, 500
_TABLE = tables.as2_refusal
_RECEIPT = tables.receipt


class Refusal(Row, frozen=True, kw_only=True):
    """One message that was refused, however often it came."""

    #: of its names, its Message-ID and its codes
    id: str
    #: whose names these are; nothing: nobody's that we know
    partner: str
    as2_from: str
    as2_to: str
    message_id: str
    #: as far as it could be opened
    file: str
    #: what stands against it: the first code, which it is counted under, its sentence, and all of them
    code: str
    sentence: str
    codes: str
    #: message and receipt in the archive; nothing: they were not kept
    request_sha256: str | None
    mdn_sha256: str | None
    first_at: datetime
    at: datetime
    number: int = 1


class Refused(Row, frozen=True, kw_only=True):
    """What was refused of one sender for one reason."""

    partner: str
    code: str
    #: messages, and how often they came
    messages: int
    number: int
    since: datetime
    newest: Refusal


def cut(refusal: Refusal) -> Refusal:
    """As it is kept: what strangers write has its length, and nothing that a terminal would obey."""
    words = {name: _plain(getattr(refusal, name))[:_LONGEST] for name in ("as2_from", "as2_to", "message_id", "file", "codes")}
    return Refusal(**{**values_of(refusal), **words, "sentence": _plain(refusal.sentence)[:_LONGEST_SENTENCE]})


def _plain(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in storable(text))


def keep(connection: Connection, refusals: Sequence[Refusal]) -> None:
    """Keep these; the same again is counted, the oldest of a sender and code leave."""
    if not refusals:
        return
    for one in sorted(refusals, key=lambda refusal: refusal.id):
        statement = insert(connection, _TABLE).values(values_of(cut(one)))
        newer = {name: statement.excluded[name] for name in ("at", "request_sha256", "mdn_sha256", "file", "sentence")}
        connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_={**newer, "number": _TABLE.c.number + 1}))
    for partner, code in sorted({(one.partner, one.code) for one in refusals}):
        group = (_TABLE.c.partner == partner, _TABLE.c.code == code)
        newest = select(_TABLE.c.id).where(*group).order_by(_TABLE.c.at.desc(), _TABLE.c.id).limit(MOST)
        connection.execute(delete(_TABLE).where(*group, _TABLE.c.id.not_in(newest)))
    connection.execute(delete(_TABLE).where(_TABLE.c.at < max(one.at for one in refusals) - KEPT))


def find(connection: Connection, reference: str, partner: str | None = None, limit: int = 20) -> list[Refusal]:
    """Those of this Message-ID (with its brackets or without), file, sender or digest, newest first."""
    wanted = storable(reference.strip())[:_LONGEST]
    called = or_(
        _TABLE.c.message_id == wanted.removeprefix("<").removesuffix(">"),
        _TABLE.c.file == wanted,
        _TABLE.c.as2_from == wanted,
        _TABLE.c.request_sha256 == wanted,
    )
    query = select(_TABLE).where(called).order_by(_TABLE.c.at.desc(), _TABLE.c.id).limit(limit)
    return all_of(connection.execute(query if partner is None else query.where(_TABLE.c.partner == partner)), Refusal)


def of_partner(connection: Connection, partner: str, limit: int = 10) -> list[Refusal]:
    """The newest of a partner."""
    query = select(_TABLE).where(_TABLE.c.partner == partner).order_by(_TABLE.c.at.desc(), _TABLE.c.id).limit(limit)
    return all_of(connection.execute(query), Refusal)


def since(connection: Connection, moment: datetime, partners: Collection[str] | None = None) -> list[Refused]:
    """What was refused since then (of these partners; "" are strangers) and has not been taken since, by sender and code."""
    taken = exists().where(
        _RECEIPT.c.as2_from == _TABLE.c.as2_from,
        _RECEIPT.c.as2_to == _TABLE.c.as2_to,
        _RECEIPT.c.message_id == _TABLE.c.message_id,
        _RECEIPT.c.at > _TABLE.c.at,
    )
    standing = (_TABLE.c.at >= moment, ~taken)
    columns = (_TABLE.c.partner, _TABLE.c.code, func.count(), func.sum(_TABLE.c.number), func.min(_TABLE.c.first_at))
    query = select(*columns).where(*standing).group_by(_TABLE.c.partner, _TABLE.c.code).order_by(_TABLE.c.partner, _TABLE.c.code)
    if partners is not None:
        query = query.where(_TABLE.c.partner.in_(sorted(partners)))
    found = []
    for partner, code, messages, number, first in connection.execute(query).all():
        mine = select(_TABLE).where(*standing, _TABLE.c.partner == partner, _TABLE.c.code == code).order_by(_TABLE.c.at.desc(), _TABLE.c.id).limit(1)
        newest = one_of(connection.execute(mine), Refusal)
        if newest is not None:
            found.append(Refused(partner=partner, code=code, messages=int(messages), number=int(number), since=first, newest=newest))
    return found
