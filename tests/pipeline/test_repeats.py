"""The same bytes sent again have the same numbers: what an answer to them means for each sending, and for the document."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.pipeline.answers.deadlines import watch
from gateway.pipeline.outbox.resending import find_document
from gateway.pipeline.outbox.resending import resend
from gateway.store.outgoing import answers
from gateway.store.outgoing import outbox
from gateway.store.records import documents
from gateway.store.rows import StaleState
from gateway.store.watching import troubles
from tests.pipeline.test_answers import Talk
from tests.pipeline.test_answers import document_of
from tests.pipeline.test_answers import last_sent
from tests.pipeline.test_answers import waiting
from tests.pipeline.world import ACME
from tests.pipeline.world import EUROCO
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

EXPECTING = ACME.replace("004010/855, to: box", "004010/855, to: box, expect_acknowledgment: {within: 4h}")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, partners={"acme": EXPECTING, "euroco": EUROCO})
    made.receive(x12_order())
    yield made
    made.close()


@pytest.fixture
def on_both(tmp_path: Path, database_url: str) -> Iterator[World]:
    made = World(tmp_path, partners={"acme": EXPECTING}, database=database_url)
    made.receive(x12_order())
    yield made
    made.close()


def again(world: World, *, anew: bool = False) -> None:
    resend(world.station, find_document(world.station, "OR-PO1").id, "clerk", "they say that it never came", anew=anew)
    world.settle()


def ta1(world: World, talk: Talk, outcome: str = "R", code: str = "025") -> None:
    number = str(last_sent(world, "OR-PO1").interchange_control).zfill(9)
    talk.x12("", advice=f"TA1*{number}*260106*0900*{outcome}*{code}~")


def of_997(world: World, talk: Talk, ak5: str, ak9: str) -> None:
    sent = last_sent(world, "OR-PO1")
    talk.x12(f"AK1*PR*{sent.group_control}~AK2*855*{sent.transaction_control}~AK5*{ak5}~AK9*{ak9}~")


def of_824(world: World, talk: Talk, outcome: str, *errors: str) -> None:
    sent = last_sent(world, "OR-PO1")
    teds = "".join(f"TED*{code}*said~" for code in errors)
    talk.x12(f"BGN*11*A1*20260106~OTI*T{outcome}*PO*PO1*****{sent.group_control}*{sent.transaction_control}*855~{teds}", group="AG", kind="824")


def refuse(world: World, talk: Talk, how: str) -> None:
    """The repeat is refused as one, in one of the ways in which partners say so."""
    if how == "TA1":
        ta1(world, talk)
    elif how == "AK5":
        of_997(world, talk, "R*23", "R*1*1*0")
    elif how == "AK9":
        of_997(world, talk, "A", "R*1*1*0*19")
    else:
        of_824(world, talk, "R", "006")


def rows(world: World) -> list[tuple[str, str | None]]:
    """State and answer of each sending."""
    with world.station.database.read() as connection:
        [row] = documents.search(connection, documents.Filters(number="OR-PO1", direction="out"))
        return [(entry.state, entry.ack_state) for entry in outbox.of_document(connection, row.id)]


def states(world: World) -> list[str]:
    with world.station.database.read() as connection:
        return [step.state for step in documents.history(connection, document_of(world, "OR-PO1").id)]


def stands(world: World) -> None:
    """No step failed."""
    with world.station.database.read() as connection:
        assert troubles.standing(connection) == []


def opened(world: World) -> list[tuple[str, str]]:
    return [(hold.kind, hold.reasons[0].code) for hold in waiting(world)]


@pytest.mark.parametrize("how", ["TA1", "AK5", "AK9", "824"])
def test_what_was_accepted_stays_so_when_its_repeat_is_refused_as_one(world: World, how: str, capsys: pytest.CaptureFixture[str]) -> None:
    talk = Talk(world)
    talk.of_response("A")
    again(world)
    refuse(world, talk, how)
    refuse(world, talk, how)
    stands(world)
    assert document_of(world, "OR-PO1").state == "sent"
    assert rows(world) == [("acknowledged", "accepted"), ("sent", "already_there")]
    assert waiting(world) == []
    [note] = document_of(world, "OR-PO1").problems
    assert note.code == "ANSWER-ALREADY-THERE" and "they have it already; what they said of it stands: accepted" in note.message
    assert "rejected by the partner" not in capsys.readouterr().err
    # a later order of the partner is taken
    world.receive(x12_order("PO2", control=2), "po2.edi")
    assert document_of(world, "OR-PO2").state == "sent"


@pytest.mark.parametrize("how", ["TA1", "AK5", "AK9"])
def test_what_was_not_answered_is_waited_for_further_when_its_repeat_is_refused(world: World, how: str) -> None:
    talk = Talk(world)
    again(world)
    refuse(world, talk, how)
    assert rows(world) == [("sent", "replaced"), ("sent", "waiting")]
    [note] = document_of(world, "OR-PO1").problems
    assert "they have it already, and have not said yet whether they take it" in note.message
    assert (document_of(world, "OR-PO1").state, waiting(world)) == ("sent", [])
    world.clock.now += timedelta(hours=5)
    assert watch(world.station) == 1
    assert opened(world) == [("overdue", "ANSWER-OVERDUE")]
    talk.of_response("A")
    assert rows(world) == [("acknowledged", "accepted"), ("acknowledged", "accepted")]
    assert waiting(world) == []
    stands(world)


def test_where_no_deadline_asks_a_person_is_asked_to_and_the_answer_settles_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.receive(x12_order())
    talk = Talk(world)
    again(world)
    ta1(world, talk)
    ta1(world, talk)
    assert rows(world) == [("sent", None), ("sent", "already_there")]
    assert opened(world) == [("overdue", "ANSWER-ALREADY-THERE")]
    talk.of_response("A")
    assert rows(world) == [("acknowledged", "accepted"), ("acknowledged", "accepted")]
    assert waiting(world) == []
    world.close()


@pytest.mark.parametrize("how", ["TA1", "AK5", "AK9"])
def test_what_was_rejected_is_rejected_again_when_its_repeat_is_refused(world: World, how: str) -> None:
    talk = Talk(world)
    talk.of_response("R", "AK3*ACK*10**8~AK4*2*380*6*10~")
    again(world)
    refuse(world, talk, how)
    refuse(world, talk, how)
    stands(world)
    assert rows(world) == [("rejected", "rejected"), ("rejected", "rejected")]
    assert opened(world) == [("answer", "ANSWER-REJECTED")]
    assert states(world) == ["created", "sent", "rejected", "created", "sent", "rejected"]


def test_what_was_taken_in_part_is_put_before_a_person_again_when_its_repeat_is_refused(world: World) -> None:
    talk = Talk(world)
    talk.x12(f"AK1*PR*{last_sent(world, 'OR-PO1').group_control}~AK9*P*1*1*0~")
    again(world)
    ta1(world, talk)
    assert opened(world) == [("answer", "ANSWER-PARTLY-ACCEPTED")]
    assert document_of(world, "OR-PO1").state == "sent"


@pytest.mark.parametrize("first", ["A", "R", None])
@pytest.mark.parametrize("second", ["A", "E", "R"])
def test_every_answer_to_a_repeat_moves_the_document_at_most_once(
    world: World, first: str | None, second: str, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = Talk(world)
    if first is not None:
        talk.of_response(first)
    again(world)
    capsys.readouterr()
    talk.of_response(second)
    talk.of_response(second)
    stands(world)
    said = {"A": "accepted", "E": "accepted_with_errors", "R": "rejected", None: None}
    assert rows(world)[1][1] == said[second]
    # what was answered before keeps its answer, what was not is meant too
    assert rows(world)[0][1] == (said[first] or said[second])
    assert document_of(world, "OR-PO1").state == ("rejected" if second == "R" else "sent")
    rejections = capsys.readouterr().err.count('"event": "rejected by the partner"')
    assert rejections == len(waiting(world)) == (1 if second == "R" else 0)
    if (first, second) == ("A", "R"):
        assert [problem.code for problem in waiting(world)[0].reasons] == ["ANSWER-REJECTED", "ANSWER-CONTRADICTS"]
    if (first, second) == ("R", "A"):
        assert "ANSWER-CONTRADICTS" not in [problem.code for problem in document_of(world, "OR-PO1").problems]


def test_an_application_answer_contrary_to_an_earlier_one_is_put_before_a_person_once(on_both: World) -> None:
    world, talk = on_both, Talk(on_both)
    of_824(world, talk, "A")
    again(world)
    of_824(world, talk, "R", "848")
    of_824(world, talk, "R", "848")
    stands(world)
    assert [[problem.code for problem in hold.reasons][:2] for hold in waiting(world)] == [["ANSWER-REJECTED", "ANSWER-CONTRADICTS"]]
    assert states(world) == ["created", "sent", "created", "sent", "rejected"]


def test_an_application_knows_a_document_that_was_written_anew_by_its_number(world: World) -> None:
    talk = Talk(world)
    talk.of_response("A")
    again(world, anew=True)
    of_824(world, talk, "R", "006")
    assert document_of(world, "OR-PO1").state == "sent"
    assert waiting(world) == []


def test_a_number_that_nothing_of_ours_used_before_is_a_rejection(world: World) -> None:
    ta1(world, Talk(world))
    assert document_of(world, "OR-PO1").state == "rejected"
    assert opened(world) == [("answer", "ANSWER-REJECTED")]


def test_a_ta1_of_a_repeat_after_the_997_of_a_single_sending_rejects_nothing(world: World) -> None:
    talk = Talk(world)
    talk.of_response("A")
    # a partner that fetched one file twice
    ta1(world, talk)
    assert rows(world) == [("acknowledged", "accepted")]
    assert (document_of(world, "OR-PO1").state, waiting(world)) == ("sent", [])


def test_a_code_beside_others_is_no_repeat(world: World) -> None:
    talk = Talk(world)
    talk.of_response("A")
    again(world)
    of_997(world, talk, "R*5*23", "R*1*1*0")
    assert document_of(world, "OR-PO1").state == "rejected"


@pytest.mark.parametrize("body", ["4+26", "7'UCM+1+ORDRSP:D:96A:UN+4+26"])
def test_a_contrl_that_detects_a_duplicate_rejects_nothing(tmp_path: Path, body: str) -> None:
    from tests.pipeline.test_answers import contrl
    from tests.pipeline.test_answers import edifact_order

    world = World(tmp_path, partners={"euroco": EUROCO})
    world.receive(edifact_order(), address="folder:boxes/euroco/out")
    contrl(world, "7")
    again(world)
    action, _, more = body.partition("'")
    contrl(world, action, more and more + "'")
    stands(world)
    assert rows(world) == [("acknowledged", "accepted"), ("sent", "already_there")]
    assert (document_of(world, "OR-PO1").state, waiting(world)) == ("sent", [])
    with world.station.database.read() as connection:
        assert [one.outcome for one in answers.of_outbox(connection, [last_sent(world, "OR-PO1").id])] == ["already_there"]
    world.close()


def test_what_is_rolled_back_is_not_told(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(*_: object) -> None:
        raise StaleState("somebody was quicker")

    with monkeypatch.context() as patched:
        patched.setattr(answers, "keep", broken)
        Talk(world).of_response("R")
    assert "rejected by the partner" not in capsys.readouterr().err
    world.settle()
    assert capsys.readouterr().err.count('"event": "rejected by the partner"') == 1
