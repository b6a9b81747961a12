"""An AS2 message that was refused is found when the partner calls, by whatever it has in hand; and rubbish fills nothing."""

import json
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func
from sqlalchemy import select

from gateway.cli.watching import _words
from gateway.config.alerting import Alerting
from gateway.exchange import as2
from gateway.pipeline.alerts.signals import signals
from gateway.pipeline.as2.evidence_files import write_evidence
from gateway.pipeline.as2.keys import Relations
from gateway.pipeline.as2.measures import Measures
from gateway.pipeline.as2.receiving import may_come
from gateway.pipeline.as2.receiving import receive_as2
from gateway.pipeline.as2.receiving import refuse_larger
from gateway.pipeline.as2.untaken import untaken_of
from gateway.pipeline.keeping.telling import trail_words
from gateway.pipeline.keeping.trails import trail_of
from gateway.pipeline.service.condition import condition_of
from gateway.store import journal
from gateway.store import tables
from gateway.store.incoming import as2_refusals
from gateway.store.keeping.tidying import tidy
from gateway.store.verifying.verification import verify
from gateway.store.watching import meters
from tests.pipeline.as2_partner import as2_world
from tests.pipeline.as2_partner import identity
from tests.pipeline.as2_partner import their_relation
from tests.pipeline.world import World
from tests.pipeline.world import x12_order
from tests.web.world import serving

NOWHERE = "http://127.0.0.1:9/as2"


@dataclass
class Desk:
    """Our side; `post` is somebody else's."""

    world: World
    relations: Relations

    def post(self, message_id: str, data: bytes = x12_order(), name: str = "o3.edi", **changes: object) -> bytes:
        made = as2.wrap(data, their_relation(**changes), message_id, self.world.clock(), name)
        assert isinstance(made, as2.As2Request)
        return receive_as2(self.world.station, self.relations, made.headers, made.body).body

    def told(self, reference: str, partner: str | None = None) -> str:
        found = trail_of(self.world.station, reference, partner)
        return trail_words(found) if found is not None else "nothing"

    def rows(self) -> list[as2_refusals.Refused]:
        with self.world.station.database.read() as connection:
            return as2_refusals.since(connection, self.world.clock() - timedelta(days=1))


@pytest.fixture
def desk(tmp_path: Path):
    world = as2_world(tmp_path, NOWHERE, receive_from="as2")
    yield Desk(world, Relations(world.station))
    world.close()


OTHER = {"identities": (identity("somebody else"),)}


def test_a_refused_message_is_found_by_what_the_partner_has_in_hand(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert b"authentication-failed" in desk.post("o3@buyer", **OTHER)
    [line] = [json.loads(one) for one in capsys.readouterr().err.splitlines() if '"as2 message refused"' in one]
    assert (line["level"], line["partner"], line["message_id"], line["problems"]) == ("warning", "acme", "o3@buyer", "AS2-SIGNER-UNKNOWN")
    [row] = desk.rows()
    for reference in ("o3@buyer", "<o3@buyer>", "o3.edi", "big buyer", row.newest.request_sha256 or ""):
        words = desk.told(reference)
        assert "AS2 message o3@buyer of acme (from 'big buyer' to 'SELLER', file o3.edi) refused" in words, reference
        assert "AS2-SIGNER-UNKNOWN: " in words and "what to do: " in words, reference
        assert f"message kept as {row.newest.request_sha256}" in words and f"our receipt kept as {row.newest.mdn_sha256}" in words
    assert desk.told("o3.edi", "beta") == "nothing"
    station = desk.world.station
    assert row.newest.request_sha256 and station.archive.has(row.newest.request_sha256)
    # whoever is to look into it gets at it without knowing how the archive lies
    found = trail_of(station, "o3@buyer")
    assert found is not None and "gateway trail o3@buyer --evidence message.zip writes it out" in trail_words(found)
    out = desk.world.folder / "message.zip"
    assert write_evidence(station, found.exchanges, out, untaken_of(found.refused, found.requests)).count == 1
    with zipfile.ZipFile(out) as file:
        assert file.read("001-not-taken-o3@buyer/message.http") == station.archive.read(row.newest.request_sha256)
        assert b"authentication-failed" in file.read("001-not-taken-o3@buyer/receipt.mdn")
        assert json.loads(file.read("001-not-taken-o3@buyer/facts.json"))["codes"] == "AS2-SIGNER-UNKNOWN"
    condition = condition_of(station)
    assert "AS2 messages of acme (AS2-SIGNER-UNKNOWN) needs you" in _words(condition) and "o3@buyer" in _words(condition)
    with station.database.read() as connection:
        told = {one.name: one for one in signals(connection, Alerting(to=("ops@seller.example",)), desk.world.clock()) if one.kind == "refused"}
        assert meters.all_counts(connection)["as2_refused", ("acme", "AS2-SIGNER-UNKNOWN")] == 1
    assert (
        "o3@buyer" in told["AS2 messages of acme (AS2-SIGNER-UNKNOWN)"].what and told["AS2 messages of acme (AS2-SIGNER-UNKNOWN)"].partner == "acme"
    )
    with serving(station) as site:
        for page in ("/", "/partners/acme", "/trail?q=o3@buyer"):
            assert "o3@buyer" in site.get(page).text and "AS2-SIGNER-UNKNOWN" in site.get(page).text, page


def test_what_is_taken_in_the_end_no_longer_needs_anybody_and_is_told_with_its_refusal(desk: Desk) -> None:
    for _ in range(2):
        desk.post("o3@buyer", **OTHER)
    assert [(one.messages, one.number) for one in desk.rows()] == [(1, 2)]
    desk.post("o3@buyer")
    desk.world.settle()
    assert desk.rows() == []
    words = desk.told("o3@buyer")
    assert "order PO1 (accepted)" in words and "refused 2 times since" in words


def test_names_that_nobody_has_and_what_is_too_large_are_found_too(desk: Desk) -> None:
    desk.post("s@stranger", us="nobody known")
    desk.post("w@buyer", partner="Seller misspelled")
    desk.post("x@buyer", encryption=(as2.Pinned(identity("somebody else").certificate),))
    refuse_larger(desk.world.station, desk.relations, [("AS2-From", '"big buyer"'), ("AS2-To", "SELLER"), ("Message-ID", "<big@buyer>")], 1000)
    assert {(one.partner, one.code) for one in desk.rows()} == {
        ("", "AS2-RELATION-UNKNOWN"),
        ("acme", "AS2-RELATION-UNKNOWN"),
        ("acme", "AS2-DECRYPTION-FAILED"),
        ("acme", "AS2-TOO-LARGE"),
    }
    assert "of nobody that we know (from 'nobody known' to 'SELLER'" in desk.told("nobody known")
    assert "nothing of it was kept" in desk.told("big@buyer") and "AS2-TOO-LARGE" in desk.told("big@buyer")
    words = _words(condition_of(desk.world.station))
    assert "AS2 messages of nobody known needs you" in words and "'nobody known'" in words
    with desk.world.station.database.read() as connection:
        [alert] = [
            one for one in signals(connection, Alerting(to=("ops@seller.example",)), desk.world.clock()) if one.kind == "refused" and not one.partner
        ]
    assert "nobody known" not in alert.what, "words of strangers are not mailed"


def test_what_strangers_write_is_no_command(desk: Desk) -> None:
    refuse_larger(desk.world.station, desk.relations, [("AS2-From", "a\x9bb"), ("AS2-To", "SELLER"), ("Message-ID", "<';reboot;'>")], 1000)
    words = _words(condition_of(desk.world.station))
    assert "'a?b'" in words and "gateway trail ''\"'\"';reboot;'\"'\"''" in words


def test_rubbish_fills_neither_journal_nor_pages_nor_alerts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as2_refusals, "MOST", 3)
    desk.relations.measures = Measures(a_minute=5, clock=lambda: 0.0)
    for number in range(8):
        desk.post(f"{number}@stranger", us=f"stranger {number}")
    station = desk.world.station
    with station.database.read() as connection:
        told = [one for one in journal.after(connection, 0) if one.entry.action == "AS2 message refused"]
        rows = connection.execute(tables.as2_refusal.select()).all()
        counted = meters.all_counts(connection)["as2_refused", ("", "AS2-RELATION-UNKNOWN")]
    assert len(told) == 5 and len(rows) == 3 and counted == 5, "what is beyond measure is counted with the next that is kept"
    assert len([one for one in condition_of(station).troubles if one.kind == "refused"]) == 1
    # a partner's own measure is another one
    assert b"authentication-failed" in desk.post("o3@buyer", **OTHER)
    assert "o3@buyer" in desk.told("o3.edi")
    with station.database.read() as connection:
        assert meters.all_counts(connection)["as2_refused", ("", "AS2-RELATION-UNKNOWN")] == 8
    # strangers beyond measure are not even kept before they are opened
    head = [("AS2-From", "stranger"), ("AS2-To", "SELLER")]
    assert [may_come(desk.relations, head) for _ in range(6)] == [True] * 5 + [False]
    assert may_come(desk.relations, [("AS2-From", '"big buyer"'), ("AS2-To", "SELLER")])
    tidy(station.database, station.archive)


def test_rubbish_under_a_partners_names_fills_nothing(desk: Desk) -> None:
    station = desk.world.station

    def there() -> tuple[int, int, int]:
        """Payloads, entries of the journal, answers."""
        with station.database.read() as connection:
            counts = [connection.execute(select(func.count()).select_from(one)).scalar() for one in (tables.journal_entry, tables.answer)]
        return sum(1 for _ in station.archive.stored()), counts[0] or 0, counts[1] or 0

    def posted(message_id: str, kind: str, body: str) -> int:
        head = [("AS2-From", '"big buyer"'), ("AS2-To", "SELLER"), ("Message-ID", f"<{message_id}>"), ("Content-Type", kind)]
        return receive_as2(station, desk.relations, head, body.encode()).status

    def receipt(number: int) -> int:
        said = f"Original-Message-ID: <none{number}@us>\r\nDisposition: automatic-action/MDN-sent-automatically; processed\r\n"
        body = f"--b\r\nContent-Type: message/disposition-notification\r\n\r\n{said}\r\n--b--\r\n"
        return posted(f"{number}@receipts", 'multipart/report; report-type=disposition-notification; boundary="b"', body)

    desk.relations.measures = Measures(a_minute=5, clock=lambda: 0.0)
    assert [receipt(number) for number in range(8)] == [200] * 5 + [429] * 3
    assert there() == (5, 5, 5)
    # their messages have a measure of their own; beyond it they are answered and not kept
    assert len({posted(f"{number}@buyer", "text/plain", f"rubbish {number}") for number in range(8)}) == 1
    assert there() == (10, 10, 5)
    assert desk.post("o1@buyer") and "received by the gateway" in desk.told("o1@buyer"), "what proves itself is taken"
    assert not verify(station.database, station.archive, station.journal_key()).faults
