"""The service's /as2 address and its outbox against an AS2 station of another make; configured by partner files alone.

Runs where ../shared/peers lies beside the checkout; its first start installs the station's own virtual environment.
"""

import contextlib
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.store import journal
from gateway.store.incoming import holds
from gateway.store.incoming import transmissions
from gateway.store.outgoing import answers
from gateway.store.outgoing import outbox
from gateway.store.records import documents
from gateway.transport.as2_http import post
from tests.integration.house import House
from tests.integration.house import Service
from tests.integration.house import names
from tests.integration.house import put
from tests.integration.house import until
from tests.integration.orders import EUROCO
from tests.integration.orders import edifact_order
from tests.machine import PATIENCE
from tests.machine import free_port
from tests.pipeline.world import CONFIG
from tests.transport.test_as2_station import PEER
from tests.transport.test_as2_station import VENV
from tests.transport.test_as2_station import _wait_until_it_answers

pytestmark = pytest.mark.skipif(not (PEER / "station.sh").exists(), reason=f"no AS2 station at {PEER}")

PARTNER = """\
id: {id}
name: {id}
identifiers: {{edifact: "14:{gln}", gln: "{gln}"}}
endpoints:
  as2: {{as2: "{url}", name: PEER_A, our_name: {us}, our_key: "file:certs/{key}.key", our_certificate: certs/{key}.crt,
        certificates: [certs/peer_a.crt], compress: true}}
  box: {{folder: boxes/{id}/out, send_to: boxes/{id}/in}}
agreements:
{receive}  - {{receive: edifact/d96a/orders, from: box, acknowledge: CONTRL}}
  - {{send: edifact/d96a/ordrsp, to: as2}}
currency: EUR
country: DE
credit: none
"""
OVER_AS2 = "  - {receive: edifact/d96a/orders, from: as2, acknowledge: CONTRL}\n"
OTHER = "5412345000020"
LATER = "5412345000037"


@dataclass(slots=True)
class Station:
    """The station, which can go away and come back."""

    port: int
    state: Path
    environment: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/pyas2/as2receive"

    def start(self) -> None:
        log = self.state / "start.log"
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                ["bash", PEER / "station.sh", str(self.port), self.environment["STATION_GW_URL"], str(self.state)],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        _wait_until_it_answers(self.process, self.port, log)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE)
            self.process = None

    def send(self, data: bytes, name: str) -> None:
        """Post a file to us as PEER_A to GW_A: signed, encrypted, compressed."""
        (self.state / name).write_bytes(data)
        self._run("send", "PEER_A", "GW_A", str(self.state / name))

    def messages(self, direction: str) -> list[dict[str, str]]:
        """The station's own records, oldest first."""
        return [row for line in self._run("messages").splitlines() if (row := json.loads(line))["dir"] == direction]

    def came(self, word: str) -> dict[str, str] | None:
        """A good message whose payload holds a word."""
        return next((row for row in self.messages("IN") if row["payload"] and word in Path(row["payload"]).read_text("latin-1")), None)

    def post_receipts(self) -> None:
        """What its clock does on other days: receipts that were to be posted are posted."""
        self._run("tick")

    def _run(self, *words: str) -> str:
        line = [VENV / "bin" / "python", PEER / "station.py", *words]
        done = subprocess.run(line, env=self.environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("as2"), config=CONFIG)


@pytest.fixture(scope="module")
def station(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    state, port = tmp_path_factory.mktemp("station"), free_port()
    environment = {
        **os.environ,
        "STATION_VENV": str(VENV),
        "STATION_PORT": str(port),
        "STATION_DIR": str(state),
        "STATION_TICK": "0",
        "STATION_GW_URL": f"http://127.0.0.1:{house.port}/as2",
        "DJANGO_SETTINGS_MODULE": "station_settings",
        "PYTHONPATH": str(PEER),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    made = Station(port, state, environment)
    made.start()
    try:
        (house.folder / "certs").symlink_to(state / "certs")
        house.partner("euroco", PARTNER.format(id="euroco", gln=EUROCO, url=made.url, us="GW_A", key="gw_a", receive=OVER_AS2))
        # its answers are signed with a key that the station does not know for this name
        later = PARTNER.format(id="later", gln=LATER, url=made.url, us="GW_A", key="gw_a", receive="").replace(
            "compress: true}", f"compress: true, receipt_delivery: async, our_receipt_url: 'http://127.0.0.1:{house.port}/as2'}}"
        )
        house.partner("later", later)
        house.partner("other", PARTNER.format(id="other", gln=OTHER, url=made.url, us="GW_B", key="gw_a_next", receive=""))
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def service(house: House, station: Station) -> Iterator[Service]:
    with house.service() as running:
        until(lambda: serves(house.port), "the /as2 address")
        yield running


def serves(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def states(house: House, number: str) -> list[str]:
    with house.station() as here, here.database.read() as connection:
        return [row.state for row in documents.search(connection, documents.Filters(kind="order", number=number))]


def left(house: House, partner: str = "euroco", state: str = "sent", kind: str = "order_response") -> list[tuple[outbox.Entry, dict[str, str]]]:
    """Outbox rows in a state, newest first, each with the facts of its last journal entry."""
    with house.station() as here, here.database.read() as connection:
        rows = [row for row in outbox.search(connection, partner=partner, state=state) if row.kind == kind]
        return [(row, dict(journal.of_subject(connection, "outbox", row.id)[-1].entry.facts)) for row in rows]


def answers_order(house: House, row: outbox.Entry, number: str) -> bool:
    """Whether a row is the answer to the order of this number."""
    with house.station() as here, here.database.read() as connection:
        document = documents.get(connection, row.document) if row.document is not None else None
    return document is not None and f'"{number}"' in (document.body or "")


def receipts(house: House, row: outbox.Entry) -> list[tuple[str, str, str]]:
    """The partner's receipts for a row, as its answers are kept."""
    with house.station() as here, here.database.read() as connection:
        return [(one.kind, one.layer, one.outcome) for one in answers.of_outbox(connection, [row.id])]


def test_an_order_over_as2_is_accepted_and_answered_with_verified_receipts(house: House, station: Station, service: Service) -> None:
    station.send(edifact_order("PO1", 1), "po1.edi")
    assert station.messages("OUT")[-1]["status"] == "S", "the station has our signed receipt"
    until(lambda: states(house, "PO1") == ["accepted"], "the order")
    response = until(lambda: station.came("RFF+ON:PO1"), "the ORDRSP at the station", every=0.5)
    until(lambda: station.came("UCI+1+"), "the CONTRL at the station", every=0.5)
    [(row, facts)] = until(lambda: left(house), "our record of it")
    assert facts["message_id"].strip("<>") == response["id"].strip("<>")
    assert facts["mic"] == "matches" and facts["signed_by"] and "processed" in facts["receipt"]
    assert receipts(house, row) == [("MDN", "transport", "accepted")]
    [(_, facts)] = until(lambda: left(house, kind="acknowledgment"), "our record of the CONTRL")
    assert facts["mic"] == "matches"


def test_the_same_message_again_gets_the_first_receipt_and_no_second_order(house: House, station: Station, service: Service) -> None:
    station.send(edifact_order("PO2", 2), "po2.edi")
    until(lambda: states(house, "PO2") == ["accepted"], "the order")
    with house.station() as here, here.database.read() as connection:
        transmission = next(row for row in transmissions.search(connection, direction="in", limit=10) if b"PO2" in here.archive.read(row.sha256))
        facts = dict(journal.of_subject(connection, "transmission", transmission.id)[0].entry.facts)
        head, _, body = here.archive.read(facts["raw_message"]).partition(b"\r\n\r\n")
        receipt = here.archive.read(facts["mdn"])
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in head.decode("latin-1").split("\r\n"))]
    kept = [(name, value) for name, value in headers if name.lower() not in {"host", "content-length", "connection", "user-agent", "accept-encoding"}]
    again = post(f"http://127.0.0.1:{house.port}/as2", kept, body)
    assert again.status == 200 and again.body == receipt
    assert states(house, "PO2") == ["accepted"]


def test_an_identity_that_may_not_send_as_the_envelopes_sender_is_held(house: House, station: Station, service: Service) -> None:
    station.send(edifact_order("PO3", 3, sender=OTHER), "po3.edi")
    assert station.messages("OUT")[-1]["status"] == "S", "received is received, whoever it is from"

    def held() -> list[str]:
        with house.station() as here, here.database.read() as connection:
            return [problem.code for hold in holds.list_open(connection) for problem in hold.reasons]

    assert until(held, "the hold") == ["PARTNER-NOT-ENTITLED"]
    assert states(house, "PO3") == [] and names(house.box("other")) == []


def test_what_the_station_refuses_for_good_is_given_up_with_its_reason(house: House, station: Station, service: Service) -> None:
    put(house.box("other", "out"), "po4.edi", edifact_order("PO4", 4, sender=OTHER))
    [(row, _)] = until(lambda: left(house, "other", "dead"), "the row that rests")
    assert row.attempts == 1 and row.last_error
    assert answers_order(house, row, "PO4")
    assert receipts(house, row) == [("MDN", "transport", "rejected")]
    given_up = service.said("given up", partner="other")
    assert given_up is not None and given_up["error"] == row.last_error


def test_a_receipt_that_the_station_posts_later_confirms_the_message(house: House, station: Station, service: Service) -> None:
    put(house.box("later", "out"), "po7.edi", edifact_order("PO7", 7, sender=LATER))
    [(row, facts)] = until(lambda: left(house, "later", "posted"), "the station to take it")
    assert facts["receipt"] == "to be posted to us" and receipts(house, row) == []
    station.post_receipts()
    [(row, facts)] = until(lambda: left(house, "later"), "the receipt to be heard")
    assert facts["mic"] == "matches" and facts["signed_by"] and row.attempts == 1
    assert receipts(house, row) == [("MDN", "transport", "accepted")]


def test_a_station_that_was_down_gets_it_later_under_the_same_message_id(house: House, station: Station, service: Service) -> None:
    station.stop()
    try:
        put(house.box("euroco", "out"), "po5.edi", edifact_order("PO5", 5))
        failed = until(lambda: service.said("sending failed", partner="euroco"), "the log to say that it did not leave")
        assert "cannot be reached" in failed["error"]
    finally:
        station.start()
    response = until(lambda: station.came("RFF+ON:PO5"), "the ORDRSP at the station", every=0.5)
    row, facts = until(lambda: [one for one in left(house) if answers_order(house, one[0], "PO5")], "our record of it")[0]
    assert row.attempts > 1 and facts["message_id"].strip("<>") == response["id"].strip("<>") and facts["mic"] == "matches"


def test_killed_before_it_saw_the_receipt_it_sends_the_same_message_id_again(house: House, station: Station, service: Service) -> None:
    """Runs last: it ends the service of this module."""
    service.stop()
    dying = house.start(env={"GATEWAY_CRASH_AT": "74"}, ready=False)
    try:
        put(house.box("euroco", "out"), "po6.edi", edifact_order("PO6", 6))
        assert dying.process.wait(PATIENCE) == -9, dying.text()
    finally:
        dying.kill()
    first = station.came("RFF+ON:PO6")
    assert first is not None, "the station has it, we do not know"
    with house.service():
        row, facts = until(lambda: [one for one in left(house) if answers_order(house, one[0], "PO6")], "our record of it")[0]
    assert facts["message_id"].strip("<>") == first["id"].strip("<>") and row.attempts == 2
    assert facts["warning"] == "AS2-MDN-WARNING", "the station calls it a duplicate"
    assert len([one for one in station.messages("IN") if one["id"].strip("<>") == first["id"].strip("<>") and one["status"] == "S"]) == 1
