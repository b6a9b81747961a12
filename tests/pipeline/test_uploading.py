"""Pushes that come at the same time: one commit, each answered for itself, each key once."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.pipeline.arriving import uploading
from gateway.pipeline.arriving.accounts import Account
from gateway.pipeline.arriving.uploading import Handed
from gateway.pipeline.arriving.uploading import OtherBytes
from gateway.pipeline.arriving.uploading import Push
from gateway.pipeline.arriving.uploading import Taken
from gateway.pipeline.arriving.uploading import take_pushes
from gateway.pipeline.inbound.receive import Kept
from gateway.store import journal
from gateway.store.incoming import transmissions
from gateway.store.incoming import uploads
from tests.pipeline.world import World

ACME, OTHER = Account("acme", 1_000_000), Account("other", 1_000_000)


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    made = World(tmp_path, database=database_url)
    yield made
    made.close()


def push(data: bytes, key: str | None, account: Account = ACME) -> Push:
    return Push(account, (Handed("po.edi", data),), key)


def came(world: World) -> list[tuple[str, bytes]]:
    with world.station.database.read() as connection:
        rows = transmissions.search(connection, direction="in")
    return sorted((row.endpoint, world.station.archive.read(row.sha256)) for row in rows)


def test_pushes_that_come_together_are_one_commit_and_each_is_answered_for_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    commits = []
    really = uploading._commit
    monkeypatch.setattr(uploading, "_commit", lambda station, pushes: (commits.append(len(pushes)), really(station, pushes))[1])
    sha256 = world.station.archive.keep(b"large")
    together = [
        push(b"a", "1"),
        push(b"b", None),
        push(b"a", "1", OTHER),
        push(b"b", None),
        Push(ACME, (Handed(None, Kept(sha256=sha256, size=5)),), "2"),
    ]
    outcomes = take_pushes(world.station, together)
    assert commits == [5] and all(isinstance(one, Taken) and one.fresh for one in outcomes)
    assert came(world) == [("https:acme", b"a"), ("https:acme", b"b"), ("https:acme", b"b"), ("https:acme", b"large"), ("https:other", b"a")]
    answers = [json.loads(one.answer)["files"][0] for one in outcomes if isinstance(one, Taken)]
    assert len({answer["id"] for answer in answers}) == 5 and answers[4]["name"] == f"upload-{sha256[:12]}"


def test_one_key_stands_for_one_push_also_among_those_that_come_together(world: World) -> None:
    first, again, other = take_pushes(world.station, [push(b"a", "1"), push(b"a", "1"), push(b"c", "1")])
    assert isinstance(first, Taken) and isinstance(again, Taken) and isinstance(other, OtherBytes)
    assert (first.fresh, again.fresh) == (True, False) and first.answer == again.answer
    [later] = take_pushes(world.station, [push(b"a", "1")])
    assert later == Taken(first.answer, False) and came(world) == [("https:acme", b"a")]


def test_a_key_that_another_connection_has_used_meanwhile_harms_no_neighbour(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    really = uploads.find_many
    looks = []

    def late(connection, keys):  # type: ignore[no-untyped-def]
        looks.append(keys)
        return {} if len(looks) == 2 else really(connection, keys)

    monkeypatch.setattr(uploads, "find_many", late)
    [first] = take_pushes(world.station, [push(b"a", "1")])
    again, neighbour = take_pushes(world.station, [push(b"a", "1"), push(b"b", "2")])
    assert isinstance(first, Taken) and again == Taken(first.answer, False)
    assert isinstance(neighbour, Taken) and neighbour.fresh and came(world) == [("https:acme", b"a"), ("https:acme", b"b")]


def test_a_key_that_comes_again_after_its_time_with_the_same_bytes_tells_the_file_that_is_there(world: World) -> None:
    [first] = take_pushes(world.station, [push(b"same", "1")])
    world.clock.now += timedelta(days=91)
    # whose time is over is forgotten when another one is kept
    take_pushes(world.station, [push(b"other", "2")])
    [again] = take_pushes(world.station, [push(b"same", "1")])
    assert isinstance(first, Taken) and isinstance(again, Taken) and again.answer == first.answer
    id = json.loads(again.answer)["files"][0]["id"]
    with world.station.database.read() as connection:
        assert transmissions.get(connection, id) is not None
        assert [entry.entry.action for entry in journal.of_subject(connection, "transmission", id)] == ["received"]
