"""The running service follows its files: partners come, change and go without a restart, wrong files keep what they said."""

import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store import journal
from tests.integration.house import House
from tests.integration.house import Service
from tests.integration.house import answered
from tests.integration.house import put
from tests.integration.house import until
from tests.integration.sftp_house import WRONG_KEY
from tests.integration.sftp_house import Mailbox
from tests.integration.sftp_house import give_key
from tests.integration.sftp_house import mailbox
from tests.integration.sftp_house import sftp_partner
from tests.machine import PATIENCE
from tests.pipeline.world import ACME
from tests.pipeline.world import x12_order

OTHER = ACME.replace("acme", "other").replace("ACMEBUYER", "OTHER").replace("ACME Corporation", "Other Inc").replace("1234567890128", "4012345000009")


def page(house: House, path: str = "/") -> str:
    """A page of the running service; nothing while its web process is still starting."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{house.port}{path}", timeout=PATIENCE) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return f"{error.code}"
    except OSError:
        return ""


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path, {"acme": ACME})


def test_partners_come_change_and_go_while_it_runs(house: House) -> None:
    with house.service() as service:
        house.partner("other", OTHER)
        put(house.box("other", "out"), "po.edi", x12_order("PO7", sender="OTHER"))
        until(lambda: answered(house.box("other"), "PO7"), "the new partner's order to be answered")
        until(lambda: "Other Inc" in page(house, "/partners"), "the pages to know it")
        house.partner("other", OTHER.replace("Other Inc", "Other &amp; Sons"))
        until(lambda: service.said("configuration changed") and "Sons" in page(house, "/partners"), "the change on the pages")
        (house.folder / "partners" / "other.yaml").unlink()
        until(lambda: page(house, "/partners") and "Sons" not in page(house, "/partners"), "it to go")
        put(house.box("acme", "out"), "po.edi", x12_order("PO1"))
        until(lambda: answered(house.box("acme"), "PO1"), "the others to go on")
    assert len([line for line in service.lines() if line["event"] == "serving"]) == 1


def test_a_wrong_file_is_told_on_the_page_by_the_command_and_mended_without_a_restart(house: House) -> None:
    with house.service() as service:
        until(lambda: page(house), "the pages")
        told = house.command("reload")
        assert told.returncode == 0 and "all files as they were at the start" in told.stdout, told.stderr
        file = house.folder / "partners" / "acme.yaml"
        file.write_text(ACME.replace("currency: USD", "curency: USD"))
        told = house.command("reload")
        assert told.returncode == 1 and "partners/acme.yaml:12:1: unknown key 'curency'" in told.stderr
        assert "1 fault: what those files said before goes on" in told.stdout
        until(lambda: "partners/acme.yaml:12:1" in page(house), "the first page to say it")
        # the old plan goes on
        put(house.box("acme", "out"), "po.edi", x12_order("PO1"))
        until(lambda: answered(house.box("acme"), "PO1"), "orders to be answered as before")
        # and whoever asks at the command line is answered by it, with a word of the fault
        for command, found in ((("trail", "PO1"), "PO1"), (("partner", "list"), "acme: ACME Corporation"), (("status",), "configuration")):
            told = house.command(*command)
            assert found in told.stdout and "Not in force: partners/acme.yaml:12:1: unknown key 'curency'" in told.stderr, told.stderr
        file.write_text(ACME.replace("ACME Corporation", "Acme GmbH"))
        told = house.command("reload", "--json")
        said = json.loads(told.stdout)
        assert told.returncode == 0 and said["changed"] == ["partners/acme.yaml"] and said["faults"] == []
        until(lambda: "partners/acme.yaml:12:1" not in page(house), "the trouble to go")
        with house.station() as station, station.database.read() as connection:
            entries = [one.entry for one in journal.after(connection, 0) if one.entry.stream == "configuration"]
        # the service may have seen it before it was asked
        assert [entry.reason for entry in entries] in (["gateway reload"], ["files changed"])
        # a restart that is needed is said, by a signal too
        house.configure("poll_remote: 0.1\n".replace("poll_remote: 0.1", "zone: Europe/Berlin"))
        text = (house.folder / "config.yaml").read_text()
        (house.folder / "config.yaml").write_text(text.replace(f"port: {house.port}", f"port: {house.port + 1}"))
        os.kill(service.process.pid, signal.SIGHUP)
        until(lambda: "restart needed" in page(house), "the page to say that a restart is needed")
        assert "configuration restart needed is stopped since" in house.command("status", "--config", str(house.folder / "config.yaml")).stdout
        file.write_text(ACME.replace("currency: USD", "curency: USD"))
    # nobody works by anything now: the fault has the word
    told = house.command("trail", "PO1")
    assert told.returncode == 4 and told.stderr.startswith("partners/acme.yaml:12:1: unknown key 'curency'")


def test_nothing_is_reloaded_where_no_service_runs(house: House) -> None:
    told = house.command("reload")
    assert told.returncode == 4 and "gateway run starts it" in told.stderr and "Traceback" not in told.stderr


def test_a_web_process_that_starts_while_a_file_is_wrong_serves_what_is_in_force(house: House) -> None:
    with house.service() as service:
        until(lambda: page(house), "the pages")
        (house.folder / "partners" / "acme.yaml").write_text("id: [")
        until(lambda: service.said("configuration not taken"), "the fault to be seen")
        _kill_web(service)
        until(lambda: not page(house), "the web process to die")
        until(lambda: "ACME Corporation" in page(house, "/partners"), "it to be started again")


def _kill_web(service: Service) -> None:
    children = [folder for folder in Path("/proc").iterdir() if folder.name.isdigit() and _parent_of(folder) == service.process.pid]
    for child in children:
        os.kill(int(child.name), signal.SIGKILL)


def _parent_of(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as running:
        yield running


def test_a_stopped_mailbox_is_looked_into_at_once_when_its_file_is_mended(box: Mailbox, tmp_path: Path) -> None:
    house = House(tmp_path)
    give_key(house, box.server)
    house.partner("acme", sftp_partner("acme", "ACMEBUYER", box.server, key=WRONG_KEY))
    box.put("po.edi", x12_order("PO1"))
    with house.service() as service:
        until(lambda: service.said("mailbox stopped"), "the mailbox to be stopped")
        house.partner("acme", sftp_partner("acme", "ACMEBUYER", box.server))
        until(lambda: answered(box.sent, "PO1"), "the order to be fetched and answered")
        assert "not working: nothing" in house.command("status").stdout
    service.demand_quiet()
