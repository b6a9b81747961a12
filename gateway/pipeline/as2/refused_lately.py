"""What of AS2 was refused lately, in the words of a trouble: for the first page, `gateway status`, the partner's page and the alerts.

It stands for a day after it came last, or until the message has been taken. However much came: one for each partner and code, and one for all
whose names nobody has.
"""

import shlex
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta

from sqlalchemy import Connection

from gateway.kinds import KINDS
from gateway.store.incoming import as2_refusals
from gateway.store.incoming.as2_refusals import Refused
from gateway.store.watching.troubles import Trouble

LATELY = timedelta(days=1)
KIND = "refused"


def refused_lately(connection: Connection, now: datetime) -> list[Trouble]:
    """What was refused within a day and has not been taken since."""
    found = as2_refusals.since(connection, now - LATELY)
    strangers = [one for one in found if not one.partner]
    return [*(_of_partner(one) for one in found if one.partner), *([_of_strangers(strangers)] if strangers else [])]


def cure_of(code: str, message_id: str) -> str:
    """What to do about a code, and where more stands."""
    kind = KINDS.get(code)
    # strangers write Message-IDs: whoever copies the command runs nothing of theirs
    where = f"Look at it: gateway trail {shlex.quote(message_id)}" if message_id else "The log tells of it."
    return f"{kind.cure} {where}" if kind is not None else where


def _of_partner(one: Refused) -> Trouble:
    newest = one.newest
    count = "1 AS2 message was" if one.messages == 1 else f"{one.messages} AS2 messages were"
    file = f", file {newest.file}" if newest.file else ""
    words = f"{count} refused: {one.code}: {newest.sentence} (Message-ID {newest.message_id} from '{newest.as2_from}' to '{newest.as2_to}'{file})"
    return _trouble(f"AS2 messages of {one.partner} ({one.code})", one.partner, words, cure_of(one.code, newest.message_id), one.since)


def _of_strangers(found: Sequence[Refused]) -> Trouble:
    newest = max((one.newest for one in found), key=lambda one: one.at)
    count = sum(one.messages for one in found)
    counted = "1 AS2 message was" if count == 1 else f"{count} AS2 messages were"
    words = f"{counted} refused whose names stand in no partner's file: the newest from '{newest.as2_from}' to '{newest.as2_to}' ({newest.code})"
    cure = f"Where a partner is meant, its name is written otherwise there or here. {cure_of('', newest.message_id)}"
    return _trouble("AS2 messages of nobody known", None, words, cure, min(one.since for one in found))


def _trouble(name: str, partner: str | None, error: str, cure: str, since: datetime) -> Trouble:
    return Trouble(name=name, kind=KIND, partner=partner, state="warning", error=error, cure=cure, since=since)
