"""The real service with everything of HTTPS, mail and webhooks at once: what a partner does with curl, a kill in the middle, events to an ear."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.incoming import transmissions
from gateway.store.outgoing import webhooks
from tests.docs.pages import ROOT
from tests.docs.pages import blocks
from tests.integration.house import House
from tests.integration.house import until
from tests.machine import PATIENCE
from tests.pipeline.test_mail import letter
from tests.pipeline.test_webhooks import Ear
from tests.pipeline.test_webhooks import listening
from tests.pipeline.world import x12_order
from tests.transport.dovecot import NEEDS
from tests.transport.dovecot import PASSWORD
from tests.transport.dovecot import Dovecot
from tests.transport.dovecot import dovecot
from tests.transport.mail_server import Post
from tests.transport.mail_server import smtp_server
from tests.web.world import Site

pytestmark = [NEEDS, pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here: apt-get install curl")]
KEY = "k" * 40
PARTNER = """\
id: acme
name: ACME Corporation
identifiers: {{x12: "ZZ:ACMEBUYER"}}
endpoints:
  push: {{https: receive, api_keys: ["env:ACME_KEY"]}}
  post: {{mail: "imap://127.0.0.1:{port}/INBOX", user: edi, password: "env:MAIL_PASSWORD", authorities: "{authorities}", from: orders@acme.example,
         send_to: orders@acme.example, poll: 0.1}}
agreements:
  - {{receive: x12/004010/850, acknowledge: "997"}}
  - {{send: x12/004010/855}}
currency: USD
tax: none
credit: none
"""


@pytest.fixture
def server() -> Iterator[Dovecot]:
    with dovecot() as running:
        yield running


@pytest.fixture
def post() -> Iterator[Post]:
    with smtp_server() as running:
        yield running


@pytest.fixture
def ear() -> Iterator[Ear]:
    made, running = listening()
    yield made
    running.shutdown()
    running.server_close()


@pytest.fixture
def house(tmp_path: Path, server: Dovecot, post: Post, ear: Ear, monkeypatch: pytest.MonkeyPatch) -> House:
    for name, secret in (("ACME_KEY", KEY), ("MAIL_PASSWORD", PASSWORD), ("HOOK", "s" * 32)):
        monkeypatch.setenv(name, secret)
    made = House(tmp_path)
    made.configure(
        f'mail: {{smtp: "smtp://127.0.0.1:{post.port}", tls: none, from: edi@seller.example}}\n'
        f'webhooks:\n  - {{name: erp, url: "http://127.0.0.1:{ear.port}/", private: true, secret: env:HOOK, events: [document.accepted]}}\n'
    )
    made.partner("acme", PARTNER.format(port=server.port, authorities=server.authorities))
    return made


def curl(house: House, command: str, folder: Path) -> str:
    """A command of the page for partners, at our own port."""
    here = command.replace("https://edi.seller.example", f"http://127.0.0.1:{house.port}")
    done = subprocess.run(["sh", "-ec", here], cwd=folder, capture_output=True, text=True, timeout=PATIENCE, env={**os.environ, "KEY": KEY})
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_the_page_for_partners_and_a_kill_in_the_middle(house: House, server: Dovecot, post: Post, ear: Ear, tmp_path: Path) -> None:
    pushing, asking = (text for _, text in blocks(ROOT / "docs/for-partners.md", "sh") if "Authorization: Bearer $KEY" in text)
    (tmp_path / "po.edi").write_bytes(x12_order())
    site = Site(house.port)
    service = house.start()
    try:
        with house.station() as station, station.database.read() as connection:
            assert webhooks.position(connection) is not None, "it serves, and what comes now is not the past"
        until(lambda: _answers(site), "the web process")
        first = curl(house, pushing, tmp_path)
        [told] = json.loads(first)["files"]
        service.kill()
        # the partner does not know whether it arrived, and pushes again
        service = house.start()
        until(lambda: _answers(site), "the web process")
        assert curl(house, pushing, tmp_path) == first
        ask = asking.replace("/api/v1/files/01J...", told["state"])
        shown = until(lambda: _done(curl(house, ask, tmp_path)), "the file to be done")
        assert shown["outcome"] == "accepted" and [one["type"] for one in shown["acknowledgments"]] == ["997"]
        ready = until(lambda: _ready(site), "both answers")
        for one in ready:
            assert site.ask("GET", one["file"], headers={"Authorization": f"Bearer {KEY}"}).body.startswith(b"ISA")
            assert site.ask("DELETE", one["file"], headers={"Authorization": f"Bearer {KEY}"}).status == 204
        server.put(letter(("po2.edi", x12_order("PO2", control=2))))
        until(lambda: len(post.mails) == 2, "both answers by mail")
        until(lambda: len(ear.heard) == 2, "both events")
        assert [event["document"]["number"] for event in ear.events] == ["PO1", "PO2"]
        service.stop()
        service.demand_quiet()
    except AssertionError:
        print(service.text())
        raise
    finally:
        service.kill()
    with house.station() as station, station.database.read() as connection:
        assert [row.name for row in transmissions.search(connection, direction="in")] == ["po2.edi", "po.edi"]
    assert server.mails() == []


def _answers(site: Site) -> bool:
    try:
        return site.get("/healthz").status == 200
    except OSError:
        return False


def _done(answer: str) -> dict[str, object] | None:
    shown: dict[str, object] = json.loads(answer)
    return shown if shown["state"] == "done" and all(one["state"] == "sent" for one in shown["acknowledgments"]) else None  # type: ignore[attr-defined, index]


def _ready(site: Site) -> list[dict[str, str]] | None:
    listed: list[dict[str, str]] = json.loads(site.ask("GET", "/api/v1/mailbox", headers={"Authorization": f"Bearer {KEY}"}).body)["files"]
    return listed if len(listed) == 2 else None
