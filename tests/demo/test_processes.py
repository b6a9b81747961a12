"""The demo's processes: each does its part over its real transport, and none outlives its parent."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from pathlib import Path

import pytest

from gateway.demo import configuration
from gateway.demo.as2_partner import read_relation
from gateway.demo.children import Child
from gateway.demo.children import ChildDied
from gateway.demo.children import Children
from gateway.demo.premises import Premises
from gateway.demo.premises import make_afresh
from gateway.demo.sftp_partner import USER
from gateway.demo.sftp_partner import make_key
from gateway.demo.standing import put
from gateway.exchange import as2
from gateway.transport.as2_http import post
from gateway.transport.box import TransportError
from gateway.transport.readiness import Rules
from gateway.transport.sftp import SftpBox
from gateway.transport.sftp_settings import SftpSettings
from tests.machine import PATIENCE


def until(look: Callable[[], object], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def premises(tmp_path: Path) -> Premises:
    return make_afresh(tmp_path / "demo", ("acme", "euroco", "nordic"), ("nordic",))


@pytest.fixture
def children() -> Iterator[Children]:
    with Children() as started:
        yield started


def test_a_folder_partner_delivers_and_collects(premises: Premises, children: Children) -> None:
    home, box = premises.home("nordic"), premises.box("nordic")
    children.start("nordic", "gateway.demo.folder_partner", str(home.folder), str(box / "out"), str(box / "in"), log=premises.log).ready()
    put(home.to_send, "order.xml", b"<Order/>")
    put(box / "in", "response.xml", b"<OrderResponse/>")
    until(lambda: (box / "out" / "order.xml").is_file() and (home.received / "response.xml").is_file())
    assert (box / "out" / "order.xml").read_bytes() == b"<Order/>"


def test_the_sftp_partner_takes_and_gives_files_to_the_known_key_alone(premises: Premises, children: Children) -> None:
    home = premises.home("acme")
    authorized = make_key(premises.keys / "known")
    make_key(premises.keys / "stranger")
    said = children.start("acme", "gateway.demo.sftp_partner", str(home.folder), authorized, log=premises.log).ready()

    def box(key: str, host_key: str = said["host_key"], folder: str = "/out") -> SftpBox:
        secret = (premises.keys / key).read_bytes()
        settings = SftpSettings(
            host="127.0.0.1",
            port=said["port"],
            user=USER,
            host_keys=(host_key,),
            key=secret,
            folder=folder,
            send_to="/in",
            rules=Rules(settle_seconds=0),
        )
        return SftpBox(settings)

    mailbox = box("known")
    mailbox.send("855.edi", b"ISA*response")
    until(lambda: (home.received / "855.edi").is_file())
    assert (home.received / "855.edi").read_bytes() == b"ISA*response"
    put(home.to_send, "850.edi", b"ISA*order")
    until(mailbox.list_ready)
    [found] = mailbox.list_ready()
    assert b"".join(mailbox.fetch(found)) == b"ISA*order"
    mailbox.remove(found)
    assert mailbox.list_ready() == []
    mailbox.close()
    with pytest.raises(TransportError) as refused:
        box("stranger").list_ready()
    assert refused.value.stop
    with pytest.raises(TransportError):
        box("known", host_key="SHA256:" + "A" * 43).list_ready()
    outside = box("known", folder="/../../../keys")
    with pytest.raises(TransportError):
        outside.list_ready()
    outside.close()


def test_the_as2_partner_answers_with_a_signed_receipt_that_names_the_digest(premises: Premises, children: Children) -> None:
    now = datetime.now(UTC)
    configuration.write_as2_keys(premises, now)
    home = premises.home("euroco")
    # nobody listens at the gateway's address: what it wants sent stays where it is
    nowhere = "http://127.0.0.1:9/as2"
    said = children.start("euroco", "gateway.demo.as2_partner", str(home.folder), "EUROCO", "KESTREL", nowhere, log=premises.log).ready()
    own = as2.read_identity((premises.keys / "as2.key").read_bytes(), (premises.keys / "as2.pem").read_bytes())
    theirs = as2.read_certificate((premises.keys / "euroco.pem").read_bytes())
    relation = as2.As2Relation(
        us="KESTREL", partner="EUROCO", identities=(own,), verification=(as2.Pinned(theirs),), encryption=(as2.Pinned(theirs),)
    )
    request = as2.wrap(b"UNB+hello", relation, "<1@kestrel>", now, "ordrsp.edi")
    assert isinstance(request, as2.As2Request)
    address = f"http://127.0.0.1:{said['port']}/as2"
    first, second = (post(address, request.headers, request.body) for _ in range(2))
    assert first.body == second.body, "the same message gets the same receipt"
    receipt = as2.read_mdn(first.headers, first.body, request.expected, relation, datetime.now(UTC))
    assert receipt.delivered and receipt.mic_matches and receipt.signed_by is not None
    assert (home.received / "ordrsp.edi").read_bytes() == b"UNB+hello"
    assert read_relation(home, "EUROCO", "KESTREL").us == "EUROCO"
    put(home.to_send, "orders.edi", b"UNB+order")
    until(lambda: b"orders.edi" in premises.log.read_bytes())
    assert (home.to_send / "orders.edi").is_file()


def test_a_child_ends_when_its_parent_is_killed(premises: Premises) -> None:
    box = premises.box("nordic")
    script = (
        "import sys, time; from pathlib import Path; from gateway.demo.children import Child\n"
        "child = Child('nordic', 'gateway.demo.folder_partner', *sys.argv[2:], log=Path(sys.argv[1]))\n"
        "child.ready(); print(child._process.pid, flush=True); time.sleep(600)\n"
    )
    arguments = [str(premises.log), str(premises.home("nordic").folder), str(box / "out"), str(box / "in")]
    with subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    until(lambda: not _lives(pid))


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_child_that_cannot_start_is_told_with_its_last_words(premises: Premises) -> None:
    child = Child("nobody", "gateway.demo.no_such_module", log=premises.log)
    with pytest.raises(ChildDied, match="nobody did not start.*no_such_module"):
        child.ready()
    child.gone(5)
    with pytest.raises(ChildDied):
        child.check()


def test_the_service_that_never_got_its_word_goes_quietly(premises: Premises) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "gateway.demo.service_process", str(premises.config)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        out, _ = process.communicate(timeout=300)
    assert (process.returncode, out) == (0, b"")


def test_ready_lines_are_json(premises: Premises, children: Children) -> None:
    home, box = premises.home("nordic"), premises.box("nordic")
    said = children.start("nordic", "gateway.demo.folder_partner", str(home.folder), str(box / "out"), log=premises.log).ready()
    assert json.dumps(said) == "{}"
