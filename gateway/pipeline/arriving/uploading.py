"""Files that partners pushed to us over HTTPS: kept, then one commit, then answered.

    archive      each file under its SHA-256; large ones are there already, piece by piece
    one commit   a transmission a file on its stream, journal entries, the answer under the partner's key
    answer       only now; the same key with the same bytes gets the first answer again, with other bytes it is refused

Pushes that come at the same time go this way together and share what the disk and the database cost; each is answered for itself. Knows no
web framework.
"""

import hashlib
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from gateway.pipeline.arriving.accounts import Account
from gateway.pipeline.as2.taking import safe_name
from gateway.pipeline.inbound.receive import Kept
from gateway.pipeline.inbound.receive import stream_of
from gateway.pipeline.station import Station
from gateway.store import crash
from gateway.store import journal
from gateway.store import streams
from gateway.store.database import DatabaseTrouble
from gateway.store.identity import new_id
from gateway.store.incoming import transmissions
from gateway.store.incoming import uploads
from gateway.store.incoming.transmissions import Transmission

LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Handed:
    """One file of a push: the name that it was given, and its bytes, or where they are kept already."""

    name: str | None
    data: bytes | Kept


@dataclass(frozen=True, slots=True)
class Push:
    """What one request brings; `key` is the partner's own."""

    account: Account
    files: tuple[Handed, ...]
    key: str | None


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer as JSON, and whether it is the first one."""

    answer: bytes
    fresh: bool


@dataclass(frozen=True, slots=True)
class _Kept:
    """A push whose bytes are in the archive; which one it is of those that came together."""

    number: int
    push: Push
    files: tuple[Kept, ...]

    @property
    def key(self) -> uploads.Key | None:
        return (self.push.account.name, self.push.key) if self.push.key is not None else None

    @property
    def digest(self) -> str:
        return hashlib.sha256("\n".join(file.sha256 for file in self.files).encode()).hexdigest()


class OtherBytes(Exception):
    """The partner's key stood for other bytes before: nothing of this is taken."""


class _Second(Exception):
    """One of these pushes came over two connections at once, and the other one has committed first: nothing of this commit is kept."""


def take_push(station: Station, push: Push) -> Taken:
    """Take one push in. Raises OtherBytes."""
    [outcome] = take_pushes(station, [push])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def take_pushes(station: Station, pushes: Sequence[Push]) -> list[Taken | Exception]:
    """Take in pushes that came at the same time; with each what is answered, or why it is not taken."""
    digests = iter(station.archive.keep_many([file.data for push in pushes for file in push.files if isinstance(file.data, bytes)]))
    waiting = [_Kept(number, push, tuple(_kept(file, digests) for file in push.files)) for number, push in enumerate(pushes)]
    outcomes: dict[int, Taken | Exception] = {}
    while waiting:
        # one key twice: one after the other, so that the second one finds the first one's answer
        first = {one.key or one.number: one for one in reversed(waiting)}
        outcomes.update(_take_in(station, list(reversed(first.values()))))
        waiting = [one for one in waiting if one.number not in outcomes]
    return [outcomes[number] for number in range(len(pushes))]


def _kept(file: Handed, digests: Iterator[str]) -> Kept:
    return Kept(sha256=next(digests), size=len(file.data)) if isinstance(file.data, bytes) else file.data


def _take_in(station: Station, pushes: Sequence[_Kept]) -> dict[int, Taken | Exception]:
    """Pushes of different keys: what was known is answered again, the others are one commit where nothing stands against that."""
    with station.database.read() as connection:
        known = uploads.find_many(connection, [one.key for one in pushes if one.key is not None])
    outcomes: dict[int, Taken | Exception] = {}
    fresh: list[_Kept] = []
    for one in pushes:
        upload = known.get(one.key) if one.key is not None else None
        if upload is None:
            fresh.append(one)
        elif upload.sha256 == one.digest:
            outcomes[one.number] = Taken(upload.answer.encode(), False)
        else:
            outcomes[one.number] = OtherBytes(one.push.key)
    try:
        if fresh:
            outcomes.update(_commit(station, fresh))
    except DatabaseTrouble:
        raise
    except Exception as error:  # noqa: BLE001  whose fault it is shows when each is written alone
        if len(fresh) > 1:
            return {**outcomes, **{number: outcome for one in fresh for number, outcome in _take_in(station, [one]).items()}}
        if isinstance(error, _Second):
            return _take_in(station, pushes)
        outcomes[fresh[0].number] = error
    return outcomes


def _commit(station: Station, pushes: Sequence[_Kept]) -> dict[int, Taken | Exception]:
    """Write down what is new; raises _Second."""
    now = station.clock()
    arrived = [_transmissions(one, now) for one in pushes]
    with station.database.begin() as connection:
        # a key whose time is over may come again with the file that came under it: that one is told
        registered = iter(transmissions.register_many(connection, [transmission for its in arrived for transmission in its]))
        taken = [[next(registered) for _ in its] for its in arrived]
        answers = [msgspec.json.encode({"files": [_told(transmission) for transmission, _ in its]}) for its in taken]
        kept = [
            uploads.Upload(account=one.push.account.name, key=one.push.key, sha256=one.digest, answer=answer.decode(), created_at=now)
            for one, answer in zip(pushes, answers, strict=True)
            if one.push.key is not None
        ]
        if kept and not uploads.keep(connection, kept):
            raise _Second
        fresh = [(transmission, one.push.account) for one, its in zip(pushes, taken, strict=True) for transmission, new in its if new]
        journal.append(connection, [_entry(transmission, account) for transmission, account in fresh])
        for stream in dict.fromkeys(transmission.stream for transmission, _ in fresh):
            streams.poke(connection, stream)
        crash.point(90)
    crash.point(91)
    return {one.number: Taken(answer, True) for one, answer in zip(pushes, answers, strict=True)}


def _transmissions(one: _Kept, now: datetime) -> list[Transmission]:
    account = one.push.account
    whole = one.push.key or new_id()
    return [
        Transmission(
            id=new_id(),
            direction="in",
            endpoint=account.address,
            source_identity=f"{whole}|{position}",
            name=safe_name(file.name or f"upload-{kept.sha256[:12]}", kept.sha256),
            sha256=kept.sha256,
            size=kept.size,
            received_at=now,
            stream=stream_of(account.address),
        )
        for position, (file, kept) in enumerate(zip(one.push.files, one.files, strict=True))
    ]


def _told(transmission: Transmission) -> dict[str, str | int]:
    return {
        "id": transmission.id,
        "name": transmission.name,
        "size": transmission.size,
        "sha256": transmission.sha256,
        "state": f"/api/v1/files/{transmission.id}",
    }


def _entry(transmission: Transmission, account: Account) -> journal.Entry:
    return journal.Entry(
        stream=transmission.stream,
        at=transmission.received_at,
        actor=account.actor,
        action="received",
        subject_kind="transmission",
        subject=transmission.id,
        facts={
            "name": transmission.name,
            "address": transmission.endpoint,
            "size": str(transmission.size),
            "identity": transmission.source_identity,
        },
        references=(transmission.sha256,),
    )
