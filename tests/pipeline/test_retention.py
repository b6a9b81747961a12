"""Retention: erased when due, kept while open, unpaid or held, proven afterwards; and payloads that nothing names."""

import hashlib
import json
import os
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from gateway.exchange import as2
from gateway.exchange.retention import Retention
from gateway.exchange.retention import Rule
from gateway.exchange.retention import latest_start
from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.pipeline.arriving.handing_in import release_invoices
from gateway.pipeline.as2.keys import Relations
from gateway.pipeline.as2.posting import written_head
from gateway.pipeline.as2.receiving import receive_as2
from gateway.pipeline.keeping import retaining
from gateway.pipeline.keeping.retaining import run_retention
from gateway.pipeline.keeping.telling import trail_words
from gateway.pipeline.keeping.trails import trail_of
from gateway.pipeline.service.assembly import seal
from gateway.pipeline.stateless.telling import state_of
from gateway.pipeline.trading import holding
from gateway.store import journal
from gateway.store import tables
from gateway.store.incoming import interchanges
from gateway.store.keeping import due
from gateway.store.keeping import erasures
from gateway.store.keeping import tidying
from gateway.store.keeping.tidying import tidy
from gateway.store.outgoing import outbox
from gateway.store.payloads.archive import Archive
from gateway.store.payloads.archive import Stored
from gateway.store.records import documents
from gateway.store.verifying.proofs import is_proven
from gateway.store.verifying.proofs import proofs_of
from gateway.store.verifying.verification import verify
from gateway.yaml_source import Faults
from tests.pipeline.as2_partner import as2_world
from tests.pipeline.as2_partner import identity
from tests.pipeline.as2_partner import their_relation
from tests.pipeline.test_money import entry
from tests.pipeline.test_money import told_by_bank
from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG
from tests.pipeline.world import Clock
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

KEPT = CONFIG + "retention: {payloads: 2y}\n"
LONG_AGO = datetime(2020, 3, 1, 9, 0, tzinfo=UTC)
REJECTED = x12_order("PO-BAD", control=7).replace(b"**20260105~CUR", b"**2026~CUR")


def turned_down(world: World, number: str = "PO-BAD", control: int = 7):
    """An order that a person rejected: it has its kind and number, and nothing of it is open."""
    taken = world.receive(x12_order(number, control=control, purpose="ZZ"), name=f"{number}.edi")
    [row] = taken.documents
    assert row.state == "held"
    holding.reject(world.station, row.id, "clerk", "unknown purpose")
    world.settle()
    return taken


def acknowledged(world: World, transmission: str) -> bool:
    """Whether the bytes of the acknowledgment of a file are still there."""
    with world.station.database.read() as connection:
        [interchange] = interchanges.of_transmission(connection, transmission)
        [sent] = outbox.of_interchange(connection, interchange.id)
    assert sent.sha256 is not None
    return world.station.archive.has(sent.sha256)


def test_a_file_of_many_orders_is_erased_when_its_time_has_come(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "LONGEST", 2)
    one = REJECTED.decode()
    sets = one[one.index("ST*850*") : one.index("GE*")]
    taken = world.receive(one.replace("GE*1*", f"{sets * 4}GE*5*").encode(), name="many.edi")
    assert len(taken.documents) == 5
    years_pass(world, 3)
    outcome = run_retention(world.station)
    assert not outcome.kept and not world.station.archive.has(taken.transmission.sha256)


def world_of(folder: Path, config: str = KEPT, partner: str = ACME) -> World:
    return World(folder, config=config, partners={"acme": partner}, clock=Clock(LONG_AGO))


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path):
    made = world_of(tmp_path)
    if getattr(request, "param", "folder") == "database":
        url = str(request.getfixturevalue("migrated_postgres_url"))
        made = World(tmp_path, config=f"{KEPT}archive: database\n", database=url, clock=Clock(LONG_AGO))
    yield made
    made.close()


def age(world: World) -> None:
    """The archive's payloads become as old as the clock says."""
    with world.station.database.begin() as connection:
        connection.execute(tables.payload.update().values(kept_at=LONG_AGO))
        connection.execute(tables.small_payload.update().values(kept_at=LONG_AGO))
    for path in archived_files(world):
        os.utime(path, (1_600_000_000, 1_600_000_000))


def archived_files(world: World, sha256: str = "?" * 64) -> Iterator[Path]:
    """The files of payloads, where they lie in files."""
    return (world.folder / "data/archive").rglob(sha256)


def years_pass(world: World, years: float) -> None:
    world.clock.now += timedelta(days=366 * years)
    age(world)


def held_by(archive: Archive) -> set[str]:
    return {stored.sha256 for stored in archive.stored()}


def ok(world: World):
    result = verify(world.station.database, world.station.archive, world.station.journal_key())
    assert result.ok, result.faults
    return result


@pytest.mark.parametrize("world", ["folder", "database"], indirect=True)
def test_what_is_due_is_erased_and_the_journal_proves_it(world: World) -> None:
    taken = world.receive(REJECTED, name="bad.edi")
    assert [row.state for row in taken.documents] == ["rejected"]
    seal(world.station)
    years_pass(world, 1)
    assert run_retention(world.station).erased == 0
    years_pass(world, 1.1)
    assert run_retention(world.station, pretend=True).erased == 2
    outcome = run_retention(world.station, actor="officer")
    assert (outcome.erased, sorted(outcome.kept)) == (2, [])
    assert not world.station.archive.has(taken.transmission.sha256)
    result = ok(world)
    assert result.erased >= 2
    assert {one.rule for one in result.erasures} == {"retention.payloads: 2y of config.yaml"}
    with world.station.database.read() as connection:
        [row] = documents.of_transmission(connection, taken.transmission.id)
        row = documents.get(connection, row.id)
        assert row is not None
        # what stood in it is gone, what it was is not
        assert (row.body, row.problems, row.transaction_type, row.state) == (None, (), "850", "rejected")
        assert [one.envelope for one in interchanges.of_transmission(connection, taken.transmission.id)] == ['{"envelope":null}']
        assert all(one.removed_at is not None for one in erasures.recent(connection))
        entries = [one.entry for one in journal.of_subject(connection, "transmission", taken.transmission.id)]
    said = state_of(world.station, taken.transmission.endpoint, taken.transmission.id)
    assert said is not None and [one["control_number"] for one in said["interchanges"]] == ["000000007"]
    assert (entries[-1].action, entries[-1].actor) == ("erased", "officer")
    assert taken.transmission.sha256 in entries[-1].facts["payloads"]
    assert run_retention(world.station).erased == 0


def test_a_proof_stands_alone_and_no_other_entry_fits_it(world: World) -> None:
    taken = world.receive(REJECTED, name="bad.edi")
    for number in range(5):
        world.receive(x12_order(f"P{number}", control=20 + number), name=f"{number}.edi")
    years_pass(world, 3)
    run_retention(world.station)
    key = world.station.journal_key().public_key()
    with world.station.database.read() as connection:
        assert proofs_of(connection, [taken.transmission.id], key) == []
    seal(world.station)
    with world.station.database.read() as connection:
        [proof] = proofs_of(connection, [taken.transmission.id], key)
    assert is_proven(proof)
    assert is_proven(msgspec.json.decode(msgspec.json.encode(proof), type=type(proof)))
    for changes in ({"entry": proof.entry.replace("2y", "1y")}, {"index": proof.index - 1}, {"path": proof.path[:-1]}, {"size": proof.size + 1}):
        assert not is_proven(msgspec.structs.replace(proof, **changes))


def test_an_open_order_and_an_unpaid_invoice_stay_with_all_that_belongs_to_them(world: World) -> None:
    taken = world.receive(x12_order("PO1"))
    years_pass(world, 5)
    outcome = run_retention(world.station)
    assert outcome.kept["an order is still open"] >= 1
    assert world.station.archive.has(taken.transmission.sha256)
    with world.station.database.read() as connection:
        [row] = documents.of_transmission(connection, taken.transmission.id)
        row = documents.get(connection, row.id)
    assert row is not None and row.body is not None


def test_a_hold_of_one_partner_is_not_ended_with_anothers_of_the_same_number(tmp_path: Path) -> None:
    beta = ACME.replace("acme", "beta").replace("ACMEBUYER", "BETASTORES").replace(', gln: "1234567890128"', "")
    world = World(tmp_path, partners={"acme": ACME, "beta": beta})
    world.receive(x12_order("PO1"), "po.edi")
    world.receive(x12_order("PO1", sender="BETASTORES"), "po.edi", "folder:boxes/beta/out")
    for reference in ("PO1", "po.edi"):
        assert len(retaining.hold(world.station, reference, "lawyer", "lawsuit")) == 2
        with pytest.raises(retaining.UnknownReference, match="acme and beta: name the partner"):
            retaining.release(world.station, reference, "lawyer", "settled")
        [ended] = retaining.release(world.station, reference, "lawyer", "settled", "acme")
        with world.station.database.read() as connection:
            assert [one.id for one in erasures.standing(connection) if one.subject_kind == ended.subject_kind] != []
            assert len(erasures.subjects_of(connection, reference)) > len(erasures.subjects_of(connection, reference, "acme")) > 0
    world.close()


def test_a_bank_statement_keeps_nothing_of_the_other_customers_who_paid_in_it(tmp_path: Path) -> None:
    """Of beta an order is open; of gamma money is on account beside an invoice that is settled; a hold stands on beta's."""
    partners = {"acme": ACME}
    for name in ("beta", "gamma"):
        text = ACME.replace("id: acme", f"id: {name}").replace("ACME Corporation", f"{name} Stores").replace("ACMEBUYER", name.upper())
        partners[name] = text.replace("boxes/acme", f"boxes/{name}").replace(', gln: "1234567890128"', "")
    world = World(tmp_path, config=KEPT, partners=partners)
    orders = {}
    for name, sender, shipped in (("acme", "ACMEBUYER", 10), ("beta", "BETA", 4), ("gamma", "GAMMA", 10)):
        orders[name] = world.receive(x12_order("PO1", sender=sender), f"{name}.edi", f"folder:boxes/{name}/out").transmission.sha256
        hand_in_shipments(world.station, b"shipment,order,quantity\n%s,PO1,%d\n" % (name.encode(), shipped), f"{name}.csv", "warehouse", name)
        world.settle()
        release_invoices(world.station, ["PO1"], "clerk", name)
        world.settle()
    paid = told_by_bank(
        world,
        "ST1",
        entry("92.50", "INV-000001", "E1", reference="a"),
        entry("37.00", "INV-000002", "E2", reference="b", payer="beta Stores"),
        entry("100.00", "INV-000003", "E3", reference="c", payer="gamma Stores"),
    )
    years_pass(world, 3)
    outcome = run_retention(world.station)
    assert set(outcome.kept) == {"an order is still open", "money is not applied"}
    there = {name: world.station.archive.has(sha256) for name, sha256 in {**orders, "statement": paid.transmission.sha256}.items()}
    assert there == {"acme": False, "beta": True, "gamma": True, "statement": True}
    # a hold on the statement keeps what is linked with it, one on another customer's order does not
    with world.station.database.begin() as connection:
        connection.execute(tables.payment.update().values(unapplied_minor=0))
    retaining.hold(world.station, "PO1", "lawyer", "lawsuit", "beta")
    [hold] = retaining.hold(world.station, "ST1", "lawyer", "lawsuit")
    run_retention(world.station)
    assert world.station.archive.has(orders["gamma"])
    retaining.release(world.station, hold.id, "lawyer", "settled")
    outcome = run_retention(world.station)
    assert not world.station.archive.has(orders["gamma"]) and set(outcome.kept) == {"a legal hold stands on it"}
    assert world.station.archive.has(orders["beta"]) and world.station.archive.has(paid.transmission.sha256)
    world.close()


def test_a_legal_hold_keeps_what_it_names_and_what_that_is_linked_with(world: World) -> None:
    bad = turned_down(world)
    other = turned_down(world, "PO-WRONG", 8)
    years_pass(world, 3)
    [hold] = retaining.hold(world.station, "PO-BAD", "lawyer", "lawsuit 3 O 12/26")
    outcome = run_retention(world.station)
    assert outcome.kept["a legal hold stands on it"] >= 1
    assert world.station.archive.has(bad.transmission.sha256)
    assert not world.station.archive.has(other.transmission.sha256)
    # what we acknowledged it with belongs to it, though it is of no one document
    assert [acknowledged(world, taken.transmission.id) for taken in (bad, other)] == [True, False]
    retaining.hold(world.station, "partner:acme", "lawyer", "audit")
    assert [one.id for one in retaining.release(world.station, "PO-BAD", "lawyer", "settled")] == [hold.id]
    assert run_retention(world.station).erased == 0
    retaining.release(world.station, "partner:acme", "lawyer", "audit over")
    assert run_retention(world.station).erased >= 1
    assert not world.station.archive.has(bad.transmission.sha256)
    ok(world)
    for unknown in ("PO-NONE", "partner:nobody"):
        with pytest.raises(retaining.UnknownReference):
            retaining.hold(world.station, unknown, "lawyer", "x")
        with pytest.raises(retaining.UnknownReference):
            retaining.release(world.station, unknown, "lawyer", "x")


def test_rules_go_by_partner_type_and_the_end_of_the_year(tmp_path: Path) -> None:
    config = CONFIG + "retention: {payloads: 10y, types: {order: 1y}, count_from: year_end}\n"
    world = world_of(tmp_path / "a", config)
    taken = turned_down(world)
    # March 2020 and a year from the end of 2020: until the last day of 2021
    world.clock.now = datetime(2021, 12, 31, 12, 0, tzinfo=UTC)
    age(world)
    assert run_retention(world.station).erased == 0
    world.clock.now = datetime(2022, 1, 1, 12, 0, tzinfo=UTC)
    assert run_retention(world.station).erased >= 1
    assert not world.station.archive.has(taken.transmission.sha256)
    world.close()
    world = world_of(tmp_path / "b", config, ACME + "retention: {payloads: forever}\n")
    world.receive(REJECTED)
    years_pass(world, 50)
    assert run_retention(world.station).erased == 0
    world.close()
    world = world_of(tmp_path / "c", CONFIG)
    world.receive(REJECTED)
    years_pass(world, 50)
    assert run_retention(world.station, pretend=True).erased == 0
    world.close()


def test_no_rule_misses_a_day_that_it_could_make_due() -> None:
    for period in ("1d", "45d", "1m", "7m", "18m", "1y", "10y"):
        for year_end in (False, True):
            rule = Rule(period=period, year_end=year_end, words="")
            for came in (date(2020, 1, 31), date(2020, 2, 29), date(2021, 12, 31), date(2023, 6, 15)):
                day = rule.due_on(came)
                assert day is not None
                latest = latest_start(day, *Retention(payloads=period).periods())
                assert latest is not None and came <= latest + timedelta(days=1), (period, came, day, latest)
    assert latest_start(date(2026, 1, 1), *Retention().periods(), *Retention(payloads="forever").periods()) is None
    assert Rule(period="1m", year_end=False, words="").due_on(date(2023, 1, 31)) == date(2023, 2, 28)
    assert Rule(period="10y", year_end=True, words="").due_on(date(2023, 5, 1)) == date(2034, 1, 1)
    assert Rule(period="99999y", year_end=False, words="").due_on(date(2023, 5, 1)) is not None


def test_the_same_bytes_stay_while_another_file_needs_them(world: World) -> None:
    taken = world.receive(REJECTED, name="bad.edi")
    years_pass(world, 1.5)
    world.receive(REJECTED, name="again.edi")
    years_pass(world, 0.6)
    run_retention(world.station)
    assert world.station.archive.has(taken.transmission.sha256)
    ok(world)
    years_pass(world, 3)
    run_retention(world.station)
    assert not world.station.archive.has(taken.transmission.sha256)
    ok(world)


def test_bytes_that_came_again_lately_wait_for_the_next_run(world: World) -> None:
    taken = world.receive(REJECTED, name="bad.edi")
    years_pass(world, 3)
    # a poller has just kept the same bytes, and its row is not written yet
    world.station.archive.keep(REJECTED)
    os.utime(next(archived_files(world, taken.transmission.sha256)))
    first = run_retention(world.station)
    assert world.station.archive.has(taken.transmission.sha256)
    age(world)
    then = run_retention(world.station)
    assert (first.left, then.left) == (first.payloads - 1, 1), "what is told to have left has left"
    assert not world.station.archive.has(taken.transmission.sha256)


def test_payloads_that_nothing_names_are_tidied_away_after_some_days(world: World) -> None:
    world.receive(x12_order("PO1"))
    archive, database = world.station.archive, world.station.database
    before = held_by(archive)
    fresh = archive.keep(b"its row is being written")
    assert tidy(database, archive).orphans == 0
    orphan = archive.keep(b"nobody's")
    age(world)
    archive.keep(b"its row is being written")
    assert tidy(database, archive, pretend=True).orphans == 1
    tidied = tidy(database, archive)
    assert (tidied.orphans, tidied.bytes) == (1, len(b"nobody's"))
    assert held_by(archive) == {*before, fresh}
    assert not archive.has(orphan)
    ok(world)


def test_tidying_many_payloads_needs_no_more_memory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    named = world.station.archive.keep(b"somebody's")

    class Many:
        def stored(self) -> Iterator[Stored]:
            for number in range(20_000):
                yield Stored(hashlib.sha256(str(number).encode()).hexdigest(), 7, 0.0)
            yield Stored(named, 7, 0.0)

        def remove(self, sha256: str, *, older_than: float) -> bool:
            return sha256 != named

        def clear_incoming(self, before: float) -> int:
            return 0

    monkeypatch.setattr(tidying, "_MANY", 100)
    monkeypatch.setattr(tidying, "_named", lambda connection: [bytes.fromhex(named)])
    tracemalloc.start()
    try:
        tidied = tidy(world.station.database, Many())  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (tidied.orphans, tidied.bytes) == (20_000, 140_000)
    assert peak < 1_000_000, "it was three megabytes before, and 190 for a million"
    monkeypatch.setattr(tidying._Candidates, "any", _no_room)
    with pytest.raises(OSError, match="temporary files"):
        tidy(world.station.database, Many())  # type: ignore[arg-type]


def _no_room(candidates: tidying._Candidates) -> bool:
    candidates._file.execute("PRAGMA max_page_count = 1")
    candidates.add(bytes(32), 1)
    for number in range(1000):
        candidates.add(hashlib.sha256(bytes([number % 251, number // 251])).digest(), 1)
    return True


def test_a_payload_that_is_missing_without_an_erasure_is_a_fault(world: World) -> None:
    taken = world.receive(REJECTED, name="bad.edi")
    other = world.receive(x12_order("PO1", control=9), name="monday.edi")
    years_pass(world, 3)
    run_retention(world.station)
    next(archived_files(world, other.transmission.sha256)).unlink()
    result = verify(world.station.database, world.station.archive, None)
    [fault] = result.faults
    assert fault.startswith(f"the archive lacks the file {other.transmission.sha256}")
    assert "monday.edi" in fault and "order PO1" in fault
    assert taken.transmission.sha256 in {one.sha256 for one in result.erasures}
    # nor does an old erasure excuse bytes that came again and were lost then
    world.receive(REJECTED, name="again.edi")
    next(archived_files(world, taken.transmission.sha256)).unlink()
    assert len(verify(world.station.database, world.station.archive, None).faults) == 2


def test_by_commands(tmp_path: Path) -> None:
    world = world_of(tmp_path, CONFIG + "retention: {payloads: 1d}\n")
    world.receive(REJECTED, name="bad.edi")
    age(world)
    world.close()
    status = json.loads(world.command("retention", "status", "--json").stdout)
    assert status["due"] == 2
    assert world.command("retention", "hold", "bad.edi", "--reason", "asked").returncode == 0
    kept = world.command("retention", "status").stdout
    assert "a legal hold stands on it (bad.edi" in kept, kept
    assert world.command("retention", "release", "bad.edi", "--reason", "answered").returncode == 0
    assert world.command("retention", "release", "bad.edi", "--reason", "answered").returncode == 2
    said = world.command("retention", "run")
    assert "Erased 2 files, deliveries and documents" in said.stdout, said.stderr
    proof = world.command("retention", "proof", "bad.edi", "--out", "proof.json")
    assert proof.returncode == 0, proof.stderr
    assert "erased" in json.loads((world.folder / "proof.json").read_text())["entry"]
    verified = world.command("journal", "verify")
    assert verified.returncode == 0
    assert "by retention.payloads: 1d of config.yaml" in verified.stdout
    assert world.command("store", "tidy", "--pretend").stdout.startswith("0 payloads that nothing names")


# ---------------------------------------------------------------- AS2 requests of which nothing was taken


@dataclass
class Posted:
    """Our AS2 address; `post` is somebody else's, and says under which digest its request is kept."""

    world: World

    def post(self, message_id: str, data: bytes = REJECTED, **changes: object) -> str:
        made = as2.wrap(data, their_relation(**changes), message_id, self.world.clock(), "po.edi")
        assert isinstance(made, as2.As2Request)
        receive_as2(self.world.station, Relations(self.world.station), made.headers, made.body)
        age(self.world)
        return hashlib.sha256(written_head(made.headers) + made.body).hexdigest()

    def kept(self, *digests: str) -> list[bool]:
        return [self.world.station.archive.has(digest) for digest in digests]


OTHER = {"identities": (identity("somebody else"),)}


def posted(folder: Path, retention: str = "", theirs: str = "") -> Posted:
    world = as2_world(folder, "http://127.0.0.1:9/as2", receive_from="as2", config=CONFIG + retention)
    if theirs:
        with (folder / "partners" / "acme.yaml").open("a") as file:
            file.write(theirs)
    return Posted(world)


def test_what_strangers_posted_is_erased_after_a_short_time_and_what_partners_posted_is_not(tmp_path: Path) -> None:
    desk = posted(tmp_path)
    station = desk.world.station
    stranger, refused = desk.post("s@stranger", us="nobody known"), desk.post("o3@buyer", **OTHER)
    years_pass(desk.world, 0.2)
    assert run_retention(station).erased == 0
    years_pass(desk.world, 0.1)
    again = desk.post("s2@stranger", us="nobody known")
    assert (run_retention(station).erased, desk.kept(stranger, refused, again)) == (1, [False, True, True])
    [erased] = [one for one in ok(desk.world).erasures if one.sha256 == stranger]
    assert erased.rule == "retention.strangers: 90d, where config.yaml says nothing" and erased.subject == stranger
    # its names stay, as those of a file do, and say what became of it
    found = trail_of(station, "s@stranger")
    assert found is not None and f"erased by system: {erased.rule}" in trail_words(found) and "message kept as" not in trail_words(found)
    # the same bytes again are a message like any other
    assert desk.post("s@stranger", us="nobody known") != stranger, "with another Date"
    desk.world.close()


def test_a_refused_message_goes_by_its_partners_rules_and_not_under_a_legal_hold(tmp_path: Path) -> None:
    desk = posted(tmp_path, "retention: {payloads: 6y, strangers: forever}\n", "retention: {refused: 1y}\n")
    station = desk.world.station
    refused, held, stranger = desk.post("o3@buyer", **OTHER), desk.post("o4@buyer", **OTHER), desk.post("s@stranger", us="nobody known")
    years_pass(desk.world, 1.1)
    [one] = retaining.hold(station, "<o4@buyer>", "lawyer", "lawsuit")
    outcome = run_retention(station)
    assert (outcome.erased, dict(outcome.kept)) == (1, {"a legal hold stands on it": 1})
    assert desk.kept(refused, held, stranger) == [False, True, True]
    assert [one.rule for one in ok(desk.world).erasures] == ["retention.refused: 1y of partner acme"] * 2, "the message and our receipt"
    seal(station)
    with station.database.read() as connection:
        [proof] = proofs_of(connection, erasures.subjects_of(connection, "<o3@buyer>"), station.journal_key().public_key())
    assert is_proven(proof) and proof.subject == refused
    assert retaining.release(station, "o4@buyer", "lawyer", "settled") == [one]
    assert run_retention(station).erased == 1 and desk.kept(held) == [False]
    desk.world.close()


def test_copies_of_a_message_that_was_taken_go_with_it_and_not_before(tmp_path: Path) -> None:
    desk = posted(tmp_path, "retention: {payloads: 2y, refused: 1m}\n")
    station = desk.world.station
    refused = desk.post("o1@buyer", **OTHER)
    first = desk.post("o1@buyer")
    desk.world.settle()
    again = desk.post("o1@buyer")
    years_pass(desk.world, 1)
    assert run_retention(station).kept["the message that it repeats is kept"] == 2
    assert desk.kept(refused, first, again) == [True] * 3
    years_pass(desk.world, 1.1)
    held = retaining.hold(station, "o1@buyer", "lawyer", "lawsuit")
    assert {one.subject_kind for one in held} == {"transmission", "as2_request"}
    run_retention(station)
    assert desk.kept(refused, first, again) == [True] * 3
    retaining.release(station, "<o1@buyer>", "lawyer", "settled")
    run_retention(station)
    assert desk.kept(refused, first, again) == [False] * 3
    with station.database.read() as connection:
        assert len(erasures.subjects_of(connection, "<o1@buyer>")) == 3, "each has its proof"
    assert "retention.payloads: 2y of config.yaml" in {one.rule for one in ok(desk.world).erasures if one.sha256 == again}
    desk.world.close()


def test_a_refused_request_that_is_missing_without_an_erasure_is_a_fault(tmp_path: Path) -> None:
    desk = posted(tmp_path)
    station = desk.world.station
    refused = desk.post("o3@buyer", **OTHER)
    station.archive.remove(refused)
    [fault] = verify(station.database, station.archive, station.journal_key()).faults
    assert (
        fault
        == f'the archive lacks the file {refused} (AS2 message "o3@buyer" of acme, AS2 message refused by entry 1 of stream in:as2:big buyer to SELLER)'
    )
    desk.world.close()


def test_strangers_are_in_no_partners_file(tmp_path: Path) -> None:
    desk = posted(tmp_path, theirs="retention: {strangers: 1y}\n")
    with pytest.raises(Faults, match="strangers"):
        desk.world.station  # noqa: B018  it is loaded here
