"""Retention leaves the proofs of AS2 messages as long as anything that was not erased needs them."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection

from gateway.exchange import as2
from gateway.kinds import as2 as kinds
from gateway.pipeline.keeping import retaining
from gateway.pipeline.keeping.retaining import run_retention
from gateway.problem import NOWHERE
from gateway.store import journal
from gateway.store.database import Database
from gateway.store.incoming import transmissions
from gateway.store.keeping import due
from gateway.store.keeping import erasures
from gateway.store.keeping import uses
from gateway.store.outgoing import as2_sendings
from gateway.store.outgoing import outbox
from tests.pipeline.as2_partner import Post
from tests.pipeline.as2_partner import as2_world
from tests.pipeline.as2_partner import partner_station
from tests.pipeline.test_as2_receiving import Buyer
from tests.pipeline.test_as2_receiving import several
from tests.pipeline.test_retention import KEPT
from tests.pipeline.test_retention import REJECTED
from tests.pipeline.test_retention import age
from tests.pipeline.test_retention import ok
from tests.pipeline.test_retention import years_pass
from tests.pipeline.world import World
from tests.pipeline.world import x12_order
from tests.store.made import NOW
from tests.store.made import entry


def proofs_of_file(world: World, name: str) -> tuple[str, list[str]]:
    """A received file's id, and what proves it."""
    with world.station.database.read() as connection:
        [one] = transmissions.named(connection, name)
    return one.id, [one.properties[proof] for proof in uses.PROOFS if proof in one.properties]


@pytest.mark.parametrize("way", ["with another file", "with a receipt that was posted"])
def test_what_proves_a_file_that_is_held_stays_whatever_else_leaves(tmp_path: Path, way: str) -> None:
    with partner_station() as partner:
        partner.answer = lambda post: (200, (), b"")
        agreed = f"receipt_addresses: {partner.url}/receipts\nrequire_encryption: false\n"
        world = as2_world(tmp_path / "installation", f"{partner.url}/as2", agreed, receive_from="as2", config=KEPT)
        buyer = Buyer(world, partner)
        if way == "with another file":
            buyer.post(several(buyer, ("a.edi", REJECTED), ("po.edi", REJECTED.replace(b"PO-BAD", b"PO-BAT"))))
        else:
            buyer.post(buyer.message(REJECTED))
        world.settle()
        id, proofs = proofs_of_file(world, "po.edi")
        archive = world.station.archive
        assert len(proofs) > 2 and all(map(archive.has, proofs))
        retaining.hold(world.station, id, "lawyer", "lawsuit")
        years_pass(world, 3)
        age(world)
        assert run_retention(world.station).erased
        assert all(map(archive.has, proofs))
        ok(world)
        retaining.release(world.station, id, "lawyer", "settled")
        run_retention(world.station)
        assert not any(map(archive.has, proofs))
        ok(world)
        world.close()


def test_a_certificate_stays_when_a_message_that_was_refused_leaves(tmp_path: Path) -> None:
    with partner_station() as partner:
        world = as2_world(tmp_path / "installation", f"{partner.url}/as2", config=KEPT)
        partner.clock = world.clock

        def refuses(post: Post) -> tuple[int, as2.values.Headers, bytes]:
            opened = replace(partner.opened(post), problems=(kinds.TOO_LARGE.at(NOWHERE, "no"),))
            made = as2.build_mdn(opened, partner.relation, world.clock(), signed=True)
            assert isinstance(made, as2.MdnResponse)
            return 200, made.headers, made.body

        partner.answer = refuses
        world.receive(x12_order("PO1"))
        with world.station.database.read() as connection:
            [row] = [one for one in outbox.search(connection) if one.state == "dead"]
            sending = as2_sendings.of_row(connection, row.id)
            assert sending is not None and sending.signed_by is not None
            unit = due.Unit(kind="outbox", id=row.id, name="", partner="acme", came_at=row.created_at, state=row.state, sha256=row.sha256)
            leaving = due.payloads_of(connection, unit)
        certificate = sending.signed_by.partition(":")[2]
        assert world.station.archive.has(certificate) and certificate not in leaving
        assert {row.sha256, sending.request_sha256, sending.receipt_sha256} <= set(leaving)
        world.close()


def erased(connection: Connection, kind: str, subject: str, *digests: str) -> None:
    erasures.add(connection, [erasures.Erasure(subject_kind=kind, subject=subject, sha256=one, erased_at=NOW, rule="by a rule") for one in digests])


def test_messages_that_rows_share_leave_with_the_last_of_them(database: Database) -> None:
    content, request, receipt = "1" * 64, "2" * 64, "3" * 64
    with database.begin() as connection:
        same = {"identity": "855-1.edi", "sha256": content}
        outbox.enqueue(connection, [entry("A", **same), entry("B", **same), entry("C", identity="855-1.edi", sha256="4" * 64)])
        erased(connection, "outbox", "A", content, request, receipt)
        assert uses.used_among(connection, [content, request, receipt]) == {content, request, receipt}
        erased(connection, "outbox", "B", content, request, receipt)
        assert uses.used_among(connection, [content, request, receipt]) == set()


def test_signers_of_refusals_that_were_told_without_them_stay(database: Database) -> None:
    content, receipt, request, certificate = "1" * 64, "2" * 64, "3" * 64, "4" * 64
    told = journal.Entry(
        stream="out:acme:as2",
        at=NOW,
        actor="gateway",
        action="order_response receipt proves nothing",
        subject_kind="outbox",
        subject="A",
        facts={"receipt": "processed"},
        references=(receipt, request, certificate),
    )
    with database.begin() as connection:
        journal.append(connection, [told])
        unit = due.Unit(kind="outbox", id="A", name="", partner="acme", came_at=NOW, state="dead", sha256=content)
        assert due.payloads_of(connection, unit) == [content, receipt, request]
