"""What partners answer to what we sent, put to what we sent."""

import json
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.pipeline.answers.deadlines import watch
from gateway.pipeline.outbound import walk
from gateway.pipeline.outbox.delivered import Delivered
from gateway.pipeline.outbox.resending import NotResent
from gateway.pipeline.outbox.resending import find_document
from gateway.pipeline.outbox.resending import resend
from gateway.pipeline.station import Station
from gateway.pipeline.trading import holding
from gateway.store.incoming import holds
from gateway.store.outgoing import answers
from gateway.store.outgoing import controls
from gateway.store.outgoing import outbox
from gateway.store.records import documents
from gateway.store.verifying.verification import verify
from gateway.transport.box import TransportError
from tests.pipeline.world import ACME
from tests.pipeline.world import EUROCO
from tests.pipeline.world import World
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order

HEAD = (
    "ISA*00*          *00*          *ZZ*ACMEBUYER      *ZZ*SELLERCO       *260106*1200*U*00401*{0:09d}*0*P*>~{1}"
    "GS*{2}*ACMEBUYER*SELLERCO*20260106*1200*{0}*X*004010~"
)
FOOT = "GE*1*{0}~IEA*1*{0:09d}~"


@pytest.fixture
def world(tmp_path: Path):
    made = World(tmp_path, partners={"acme": ACME, "euroco": EUROCO})
    yield made
    made.close()


@pytest.fixture
def on_both(tmp_path: Path, database_url: str):
    """A world on SQLite, and one on PostgreSQL."""
    made = World(tmp_path, database=database_url)
    yield made
    made.close()


class Talk:
    """What the partner says back."""

    def __init__(self, world: World, control: int = 700) -> None:
        self.world = world
        self.control = control

    def x12(self, body: str, *, group: str = "FA", kind: str = "997", advice: str = "") -> documents.Document | None:
        """An answer in an interchange of its own; its document."""
        self.control += 1
        segments = f"ST*{kind}*0001~{body}SE*{body.count('~') + 2}*0001~" if body else ""
        data = HEAD.format(self.control, advice, group) + segments + FOOT.format(self.control)
        if not body:
            data = HEAD.format(self.control, advice, group).partition("GS*")[0] + f"IEA*0*{self.control:09d}~"
        result = self.world.receive(data.encode(), f"answer-{self.control}.edi")
        return result.documents[0] if result.documents else None

    def of_response(self, mark: str, middle: str = "", *, number: str = "OR-PO1", whole: str | None = None) -> documents.Document | None:
        """A 997 about one of our 855s."""
        sent = last_sent(self.world, number)
        ak9 = whole or {"A": "A*1*1*1", "E": "E*1*1*1", "R": "R*1*1*0"}[mark]
        return self.x12(f"AK1*PR*{sent.group_control}~AK2*855*{sent.transaction_control}~{middle}AK5*{mark}{'*5' if middle else ''}~AK9*{ak9}~")


def last_sent(world: World, number: str) -> outbox.Entry:
    """The latest row of our document of this number."""
    with world.station.database.read() as connection:
        [row] = documents.search(connection, documents.Filters(number=number, direction="out"))
        return outbox.of_document(connection, row.id)[-1]


def document_of(world: World, number: str) -> documents.Document:
    with world.station.database.read() as connection:
        found = documents.search(connection, documents.Filters(number=number, direction="out"))[0]
        row = documents.get(connection, found.id)
    assert row is not None
    return row


def waiting(world: World) -> list[holds.Hold]:
    with world.station.database.read() as connection:
        return holds.list_open(connection)


def said_of(world: World, number: str) -> list[tuple[str, str, str]]:
    """What was said of the latest sending: (kind, outcome, relation)."""
    with world.station.database.read() as connection:
        return [(one.kind, one.outcome, one.relation) for one in answers.of_outbox(connection, [last_sent(world, number).id])]


def test_a_997_that_rejects_our_855_at_an_element_marks_our_segment(on_both: World) -> None:
    world = on_both
    world.receive(x12_order())
    Talk(world).of_response("R", "AK3*ACK*10**8~AK4*2*380*6*10~")
    row = document_of(world, "OR-PO1")
    assert row.state == "rejected"
    summary, fault = row.problems
    assert (summary.code, summary.message) == ("ANSWER-REJECTED", "The 997 of ACME Corporation rejects it")
    assert (fault.code, fault.place.segment, fault.place.index, fault.place.element, fault.found) == ("ANSWER-FAULT", "ACK", 10, 2, "10")
    assert fault.message == "The 997 says of ACK segment 10, element 2: invalid character (AK403 6)"
    [hold] = waiting(world)
    assert (hold.kind, hold.document) == ("answer", row.id)
    assert [problem.code for problem in hold.reasons] == ["ANSWER-REJECTED", "ANSWER-FAULT"]
    assert (last_sent(world, "OR-PO1").state, last_sent(world, "OR-PO1").ack_state) == ("rejected", "rejected")
    assert not verify(world.station.database, world.station.archive, world.station.journal_key()).faults


def test_a_partner_that_counts_segments_otherwise_still_marks_the_segment_that_it_names(world: World) -> None:
    world.receive(x12_order(lines=(("1", "10", "9.25", "SKU1"), ("2", "4", "1.00", "SKU2"))))
    Talk(world).of_response("R", "AK3*ACK*12**8~AK4*1*668*7*IA~")
    fault = document_of(world, "OR-PO1").problems[1]
    assert (fault.place.segment, fault.place.index) == ("ACK", 13)
    assert "(it says segment 12)" in fault.message


def test_a_missing_segment_is_shown_where_it_was_expected(world: World) -> None:
    world.receive(x12_order())
    Talk(world).of_response("R", "AK3*N1*3**3~")
    fault = document_of(world, "OR-PO1").problems[1]
    assert (fault.place.index, fault.place.element) == (3, None)
    assert "N1 is missing here (AK304 3)" in fault.message


def test_an_acceptance_is_noted_and_waits_for_nobody(world: World) -> None:
    world.receive(x12_order())
    Talk(world).of_response("A")
    entry = last_sent(world, "OR-PO1")
    assert (entry.state, entry.ack_state) == ("acknowledged", "accepted")
    assert document_of(world, "OR-PO1").state == "sent"
    assert said_of(world, "OR-PO1") == [("997", "accepted", "first")]
    assert waiting(world) == []


def test_accepted_with_errors_shows_the_places_as_warnings(world: World) -> None:
    world.receive(x12_order())
    Talk(world).of_response("E", "AK3*ACK*10**8~AK4*2*380*7*10~")
    row = document_of(world, "OR-PO1")
    assert (row.state, [(problem.code, problem.severity.value) for problem in row.problems]) == ("sent", [("ANSWER-FAULT", "warning")])
    assert last_sent(world, "OR-PO1").ack_state == "accepted_with_errors"
    assert waiting(world) == []


def test_a_group_without_detail_that_is_accepted_in_part_is_put_before_a_person(world: World) -> None:
    world.receive(x12_order())
    Talk(world).x12(f"AK1*PR*{last_sent(world, 'OR-PO1').group_control}~AK9*P*1*1*0~")
    assert last_sent(world, "OR-PO1").ack_state == "partially_accepted"
    assert [problem.code for problem in waiting(world)[0].reasons] == ["ANSWER-PARTLY-ACCEPTED"]
    assert document_of(world, "OR-PO1").state == "sent"


def test_a_rejected_group_rejects_what_was_accepted_in_it(world: World) -> None:
    world.receive(x12_order())
    Talk(world).of_response("A", whole="R*1*1*0*4")
    row = document_of(world, "OR-PO1")
    assert row.state == "rejected"
    assert row.problems[0].message == "The 997 of ACME Corporation rejects the whole group: AK905 4 (control numbers differ)"


def test_a_ta1_that_rejects_rejects_the_whole_interchange(world: World) -> None:
    world.receive(x12_order())
    entry = last_sent(world, "OR-PO1")
    assert entry.interchange_control is not None
    Talk(world).x12("", advice=f"TA1*{entry.interchange_control.zfill(9)}*260106*0900*R*006~")
    row = document_of(world, "OR-PO1")
    assert row.state == "rejected"
    assert row.problems[0].message == "The TA1 of ACME Corporation rejects the whole interchange: TA105 006 (sender invalid)"
    assert said_of(world, "OR-PO1") == [("TA1", "rejected", "first")]
    assert len(waiting(world)) == 1


def test_a_ta1_that_takes_the_envelope_ends_no_wait(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": ACME.replace("004010/855, to: box", "004010/855, to: box, expect_acknowledgment: {within: 4h}")})
    world.receive(x12_order())
    entry = last_sent(world, "OR-PO1")
    assert (entry.ack_state, entry.ack_due_at) == ("waiting", entry.sent_at + timedelta(hours=4))  # type: ignore[operator]
    Talk(world).x12("", advice=f"TA1*{str(entry.interchange_control).zfill(9)}*260106*0900*A*000~")
    assert last_sent(world, "OR-PO1").ack_state == "waiting"
    assert said_of(world, "OR-PO1") == [("TA1", "received", "first")]
    Talk(world, 800).of_response("A")
    assert last_sent(world, "OR-PO1").ack_state == "accepted"
    assert said_of(world, "OR-PO1")[1] == ("997", "accepted", "further")
    world.close()


def test_a_ta1_about_one_of_our_acknowledgments_waits_for_a_person_too(world: World) -> None:
    result = world.receive(x12_order())
    entry = next(entry for entry in result.outgoing if entry.kind == "acknowledgment")
    Talk(world).x12("", advice=f"TA1*{str(entry.interchange_control).zfill(9)}*260106*0900*R*008~")
    [hold] = waiting(world)
    assert hold.document is None and hold.transmission is not None and hold.kind == "answer"
    holding.release(world.station, hold.id, "clerk", "our id was corrected at their side")
    assert waiting(world) == []


def test_the_same_answer_twice_is_kept_and_changes_nothing(world: World) -> None:
    world.receive(x12_order())
    talk = Talk(world)
    talk.of_response("R", "AK3*ACK*10**8~AK4*2*380*7*10~")
    before = document_of(world, "OR-PO1").problems
    talk.of_response("R", "AK3*ACK*10**8~AK4*2*380*7*10~")
    assert said_of(world, "OR-PO1") == [("997", "rejected", "first"), ("997", "rejected", "repeated")]
    assert document_of(world, "OR-PO1").problems == before
    assert len(waiting(world)) == 1


def test_a_rejection_after_an_acceptance_counts_and_is_put_before_a_person(on_both: World) -> None:
    world = on_both
    world.receive(x12_order())
    talk = Talk(world)
    talk.of_response("A")
    talk.of_response("R")
    assert document_of(world, "OR-PO1").state == "rejected"
    assert last_sent(world, "OR-PO1").state == "rejected"
    assert said_of(world, "OR-PO1")[1] == ("997", "rejected", "contradicts")
    assert [problem.code for problem in waiting(world)[0].reasons] == ["ANSWER-REJECTED", "ANSWER-CONTRADICTS"]
    assert "it had been accepted before" in waiting(world)[0].reasons[0].message


def test_an_acceptance_after_a_rejection_is_kept_and_the_rejection_stands(world: World) -> None:
    world.receive(x12_order())
    talk = Talk(world)
    talk.of_response("R")
    talk.of_response("A")
    assert last_sent(world, "OR-PO1").ack_state == "rejected"
    assert said_of(world, "OR-PO1")[1] == ("997", "accepted", "contradicts")
    assert document_of(world, "OR-PO1").problems[-1].code == "ANSWER-CONTRADICTS"
    assert len(waiting(world)) == 1


def test_an_answer_that_fits_nothing_is_kept_and_shown(world: World) -> None:
    row = Talk(world).x12("AK1*IN*4711~AK2*810*0001~AK5*A~AK9*A*1*1*1~")
    assert row is not None
    with world.station.database.read() as connection:
        [kept] = answers.unmatched(connection, "acme")
        shown = documents.get(connection, row.id)
    assert (kept.kind, kept.outcome, kept.relation, kept.speaks_of) == ("997", "accepted", "unmatched", "810 transaction 0001 of group 4711")
    assert shown is not None and [problem.code for problem in shown.problems] == ["ANSWER-UNMATCHED"]
    assert waiting(world) == []


def edifact_order(number: str = "PO1", control: str = "R1") -> bytes:
    body = f"BGM+220+{number}+9'DTM+137:20260105:102'NAD+BY+5412345000013::9'NAD+SU+4012345500004::9'CUX+2:EUR:9'LIN+1++SKU1:SA'QTY+21:10:PCE'PRI+AAA:8.00'UNS+S'"
    return (
        f"UNB+UNOC:3+5412345000013:14+4012345500004:14+260105:1200+{control}'UNH+1+ORDERS:D:96A:UN'{body}UNT+{body.count(chr(39)) + 2}+1'UNZ+1+{control}'"
    ).encode()


def contrl(world: World, action: str, more: str = "") -> None:
    entry = last_sent(world, "OR-PO1")
    Contrl.number += 1
    body = f"UCI+{entry.interchange_control}+4012345500004:14+5412345000013:14+{action}'{more}"
    text = f"UNB+UNOC:3+5412345000013:14+4012345500004:14+260106:1200+C{Contrl.number}'UNH+1+CONTRL:D:3:UN'{body}UNT+{body.count(chr(39)) + 2}+1'UNZ+1+C{Contrl.number}'"
    world.receive(text.encode(), f"contrl{Contrl.number}.edi", "folder:boxes/euroco/out")


class Contrl:
    number = 0


def test_contrl_says_that_it_came_then_that_it_is_accepted(world: World) -> None:
    world.receive(edifact_order(), address="folder:boxes/euroco/out")
    contrl(world, "8")
    assert last_sent(world, "OR-PO1").ack_state == "received"
    contrl(world, "7")
    assert last_sent(world, "OR-PO1").ack_state == "accepted"
    assert said_of(world, "OR-PO1") == [("CONTRL", "received", "first"), ("CONTRL", "accepted", "further")]


def test_contrl_that_rejects_the_interchange_rejects_its_messages(world: World) -> None:
    world.receive(edifact_order(), address="folder:boxes/euroco/out")
    contrl(world, "4+18+UNB")
    assert "the whole interchange" in document_of(world, "OR-PO1").problems[0].message
    assert document_of(world, "OR-PO1").state == "rejected"


def test_contrl_that_rejects_one_message_marks_our_component(world: World) -> None:
    world.receive(edifact_order(), address="folder:boxes/euroco/out")
    # S011 counts the tag as the first element: 2 is C507
    contrl(world, "7", "UCM+1+ORDRSP:D:96A:UN+4'UCS+3'UCD+12+2:2'")
    row = document_of(world, "OR-PO1")
    assert row.state == "rejected"
    fault = row.problems[1]
    assert (fault.place.segment, fault.place.index, fault.place.element, fault.place.component) == ("DTM", 3, 1, 2)
    assert fault.found is not None and fault.found.isdigit() and "invalid value (UCD 0085 12)" in fault.message


def test_an_824_rejects_what_the_997_had_accepted_in_a_layer_of_its_own(world: World) -> None:
    world.receive(x12_order())
    talk = Talk(world)
    talk.of_response("A")
    entry = last_sent(world, "OR-PO1")
    body = f"BGN*11*A1*20260106~OTI*TR*PO*PO1******{entry.group_control}*{entry.transaction_control}*855~".replace("******", "*****")
    talk.x12(f"{body}TED*024*price not agreed*ACK*10*2**10~", group="AG", kind="824")
    entry = last_sent(world, "OR-PO1")
    assert (entry.ack_state, entry.application_state, entry.state) == ("accepted", "rejected", "rejected")
    row = document_of(world, "OR-PO1")
    assert row.state == "rejected"
    assert row.problems[1].message == "The 824 says of ACK segment 10, element 2: price not agreed (TED01 024)"
    assert said_of(world, "OR-PO1") == [("997", "accepted", "first"), ("824", "rejected", "first")]
    assert len(waiting(world)) == 1


def test_an_824_that_names_our_document_by_its_number_finds_it(world: World) -> None:
    world.receive(x12_order())
    Talk(world).x12("BGN*11*A1*20260106~OTI*TA*PO*PO1******855~".replace("******", "*******"), group="AG", kind="824")
    entry = last_sent(world, "OR-PO1")
    assert (entry.ack_state, entry.application_state) == ("received", "accepted")


def test_an_aperak_rejects_our_document_by_its_number(world: World) -> None:
    world.receive(edifact_order(), address="folder:boxes/euroco/out")
    body = "BGM+313+E1+9'DTM+137:20260106:102'RFF+ACE:OR-PO1'ERC+42::91'FTX+AAO+++item is not listed'"
    text = f"UNB+UNOC:3+5412345000013:14+4012345500004:14+260106:1200+A1'UNH+1+APERAK:D:96A:UN'{body}UNT+7+1'UNZ+1+A1'"
    world.receive(text.encode(), "aperak.edi", "folder:boxes/euroco/out")
    assert last_sent(world, "OR-PO1").application_state == "rejected"
    assert document_of(world, "OR-PO1").problems[0].message == "The APERAK of Euro Handel GmbH rejects it: ERC 42 (item is not listed)"


# ---------------------------------------------------------------- overdue


FOUR_HOURS = ACME.replace("004010/855, to: box", "004010/855, to: box, expect_acknowledgment: {within: 4h, calendar: workdays}") + (
    "zone: Europe/Berlin\nholidays: [2026-01-12]\n"
)


def test_an_answer_that_does_not_come_by_the_partners_calendar_is_told_once_and_settles_itself(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": FOUR_HOURS})
    # a Friday evening in Berlin: two hours are left of it, Monday is a holiday
    world.clock.now = datetime(2026, 1, 9, 21, 0, tzinfo=UTC)
    world.receive(x12_order())
    entry = last_sent(world, "OR-PO1")
    assert entry.ack_due_at is not None and abs(entry.ack_due_at - datetime(2026, 1, 13, 1, 0, tzinfo=UTC)) < timedelta(minutes=1)
    world.clock.now = datetime(2026, 1, 13, 0, 59, tzinfo=UTC)
    assert watch(world.station) == 0
    world.clock.now = datetime(2026, 1, 13, 1, 1, tzinfo=UTC)
    assert watch(world.station) == 1
    assert watch(world.station) == 0
    [hold] = waiting(world)
    assert (hold.kind, hold.reasons[0].code) == ("overdue", "ANSWER-OVERDUE")
    assert (
        "has not answered 855-000000002.edi: it left on 2026-01-09 21:00 UTC, the answer was due by 2026-01-13 01:00 UTC" in hold.reasons[0].message
    )
    assert last_sent(world, "OR-PO1").ack_state == "overdue"
    Talk(world).of_response("A")
    assert waiting(world) == []
    assert last_sent(world, "OR-PO1").ack_state == "accepted"
    world.close()


def test_an_overdue_document_is_sent_again_as_the_same_bytes(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": FOUR_HOURS})
    world.receive(x12_order())
    first = last_sent(world, "OR-PO1")
    (world.folder / "boxes/acme/in" / str(first.identity)).unlink()
    world.clock.now += timedelta(days=10)
    watch(world.station)
    resend(world.station, find_document(world.station, "OR-PO1").id, "clerk", "they say that it never came")
    world.settle()
    again = last_sent(world, "OR-PO1")
    assert again.id != first.id
    assert (again.identity, again.sha256, again.interchange_control) == (first.identity, first.sha256, first.interchange_control)
    assert (world.folder / "boxes/acme/in" / str(first.identity)).exists()
    assert waiting(world) == []
    assert again.ack_state == "waiting" and again.ack_due_at is not None
    Talk(world).of_response("A")
    assert last_sent(world, "OR-PO1").ack_state == "accepted"
    with world.station.database.read() as connection:
        assert outbox.get_existing(connection, first.id).ack_state == "accepted", "the same numbers mean both sendings"
    world.close()


# ---------------------------------------------------------------- sending again


def test_a_rejected_document_is_written_anew_with_new_numbers_after_its_correction(on_both: World) -> None:
    world = on_both
    world.receive(x12_order())
    first = last_sent(world, "OR-PO1")
    Talk(world).of_response("R", "AK3*BAK*2**8~AK4*3*324*7*PO1~")
    row = document_of(world, "OR-PO1")
    assert row.body is not None
    body = json.loads(row.body)
    body["order_number"] = "PO1-A"
    entry = resend(world.station, row.id, "clerk", "their number was corrected", corrected=json.dumps(body).encode())
    world.settle()
    again = last_sent(world, "OR-PO1")
    assert again.id == entry.id and again.state == "sent"
    assert again.interchange_control != first.interchange_control and again.identity != first.identity
    assert tags((world.folder / "boxes/acme/in" / str(again.identity)).read_text(), "BAK")[0][3] == "PO1-A"
    assert document_of(world, "OR-PO1").state == "sent"
    assert waiting(world) == []
    with world.station.database.read() as connection:
        states = [step.state for step in documents.history(connection, row.id)]
    assert states == ["created", "sent", "rejected", "created", "sent"]
    Talk(world, 900).of_response("A")
    assert last_sent(world, "OR-PO1").ack_state == "accepted"
    assert not verify(world.station.database, world.station.archive, world.station.journal_key()).faults


def test_a_late_rejection_of_what_was_written_anew_since_says_nothing_of_the_new_one(world: World) -> None:
    world.receive(x12_order())
    first = last_sent(world, "OR-PO1")
    row = find_document(world.station, "OR-PO1")
    resend(world.station, row.id, "clerk", "they asked for new numbers", anew=True)
    world.settle()
    again = last_sent(world, "OR-PO1")
    assert again.interchange_control != first.interchange_control
    Talk(world).x12(f"AK1*PR*{first.group_control}~AK2*855*{first.transaction_control}~AK5*R~AK9*R*1*1*0~")
    assert document_of(world, "OR-PO1").state == "sent" and last_sent(world, "OR-PO1").ack_state != "rejected"
    assert [hold.kind for hold in waiting(world)] == ["answer"], "a person sees it all the same"
    with world.station.database.read() as connection:
        assert outbox.get_existing(connection, first.id).ack_state == "rejected"


@pytest.mark.parametrize("mark", ["A", "R"])
def test_who_answers_has_what_we_had_given_up(world: World, monkeypatch: pytest.MonkeyPatch, mark: str) -> None:
    really = walk.deliver

    def broken(station: Station, entry: outbox.Entry, data: bytes) -> Delivered:
        really(station, entry, data)
        raise TransportError("the answer could not be read", retry=False)

    with monkeypatch.context() as patched:
        patched.setattr(walk, "deliver", broken)
        world.receive(x12_order())
    assert last_sent(world, "OR-PO1").state == "dead" and document_of(world, "OR-PO1").state == "dead"
    answer = Talk(world).of_response(mark)
    assert answer is not None and not answer.problems
    entry = last_sent(world, "OR-PO1")
    assert (entry.state, entry.last_error) == ("acknowledged" if mark == "A" else "rejected", None) and entry.sent_at is not None
    assert document_of(world, "OR-PO1").state == ("sent" if mark == "A" else "rejected")
    world.settle()
    with world.station.database.read() as connection:
        assert outbox.get_existing(connection, entry.id).attempts == entry.attempts, "it does not leave again"


def test_what_cannot_be_sent_again_says_why(world: World) -> None:
    world.receive(x12_order())
    row = find_document(world.station, "OR-PO1")
    with pytest.raises(NotResent, match="needs a reason"):
        resend(world.station, row.id, "clerk", " ")
    with pytest.raises(NotResent, match="kind and number must stay"):
        resend(
            world.station, row.id, "clerk", "x", corrected=(row.body or document_of(world, "OR-PO1").body or "").replace("OR-PO1", "OR-PO2").encode()
        )
    with pytest.raises(NotResent, match="cannot be read"):
        resend(world.station, row.id, "clerk", "x", corrected=b"{}")
    with pytest.raises(NotResent, match="nothing that is called"):
        find_document(world.station, "OR-PO9")


def test_a_rejection_can_be_settled_without_sending(world: World) -> None:
    world.receive(x12_order())
    Talk(world).of_response("R")
    [hold] = waiting(world)
    with pytest.raises(holding.Undecidable, match="gateway resend"):
        holding.reject(world.station, hold.id, "clerk", "no")
    holding.release(world.station, hold.id, "clerk", "they took it by telephone")
    assert waiting(world) == []
    assert document_of(world, "OR-PO1").state == "rejected"


def test_a_group_is_told_by_its_functional_identifier_where_each_type_counts_for_itself(tmp_path: Path) -> None:
    """Our 997 is group 1, and so is our 855: what is said of one is not said of the other."""
    world = World(tmp_path, partners={"acme": ACME + "control_numbers: {group: {by_type: true}}\n"})
    world.receive(x12_order())
    sent = last_sent(world, "OR-PO1")
    Talk(world).x12(f"AK1*FA*{sent.group_control}~AK9*R*1*1*0~")
    assert last_sent(world, "OR-PO1").ack_state is None and said_of(world, "OR-PO1") == []
    Talk(world, 800).x12(f"AK1*PR*{sent.group_control}~AK9*A*1*1*1~")
    assert said_of(world, "OR-PO1") == [("997", "accepted", "first")]
    world.close()


def test_a_number_that_began_anew_speaks_of_the_new_file_alone(tmp_path: Path) -> None:
    """Names of files are made of control numbers: after a roll-over an old file has the same name."""
    numbers = "control_numbers: {interchange: {start: 1, maximum: 1000}, group: {start: 1, maximum: 1000}}\n"
    world = World(tmp_path, partners={"acme": f"{ACME}{numbers}"})
    world.receive(x12_order("PO1"))
    talk = Talk(world)
    talk.of_response("A", number="OR-PO1")
    old = last_sent(world, "OR-PO1")
    for fetched in (tmp_path / "boxes/acme/in").iterdir():
        fetched.unlink()
    world.clock.now += timedelta(days=400)
    with world.station.database.begin() as connection:
        for level in ("interchange", "group"):
            controls.draw(connection, "acme", "ZZ:SELLERCO", level, count=998, start=1, maximum=1000)
    world.receive(x12_order("PO2", control=2))
    assert last_sent(world, "OR-PO2").identity == old.identity
    talk.of_response("R", number="OR-PO2")
    told = [(last_sent(world, number).ack_state, document_of(world, number).state) for number in ("OR-PO1", "OR-PO2")]
    assert told == [("accepted", "sent"), ("rejected", "rejected")]
    assert [hold.document for hold in waiting(world)] == [document_of(world, "OR-PO2").id]
    world.close()
