"""The running service follows its files: partners come, change and go without a restart, wrong files keep what they said."""

import json
import os
import platform
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store import journal
from gateway.store.watching import troubles
from tests.crash.cluster import Worker
from tests.crash.cluster import install
from tests.integration.house import House
from tests.integration.house import Service
from tests.integration.house import answered
from tests.integration.house import put
from tests.integration.house import texts
from tests.integration.house import until
from tests.integration.sftp_house import WRONG_KEY
from tests.integration.sftp_house import Mailbox
from tests.integration.sftp_house import give_key
from tests.integration.sftp_house import mailbox
from tests.integration.sftp_house import sftp_partner
from tests.machine import PATIENCE
from tests.pipeline.world import ACME
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order
from tests.transport.hook_server import hook_server

OTHER = ACME.replace("acme", "other").replace("ACMEBUYER", "OTHER").replace("ACME Corporation", "Other Inc").replace("1234567890128", "4012345000009")

#: what writes our responses
WRITES = "x12/004010/855.yaml"


def anew() -> str:
    """That mapping, with another number in BAK08."""
    ours = (Path(__file__).parents[2] / "mappings" / WRITES).read_text()
    assert "      08: number\n" in ours
    return ours.replace("      08: number\n", '      08: {constant: "ANEW"}\n')


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
        _change_a_mapping(house, service)
    assert len([line for line in service.lines() if line["event"] == "serving"]) == 1


def _change_a_mapping(house: House, service: Service) -> None:
    """What is written changes with the mapping; a wrong one changes nothing and is told."""
    before = service.count("configuration changed")
    mapping = house.folder / "mappings" / WRITES
    mapping.parent.mkdir(parents=True)
    mapping.write_text(anew())
    until(lambda: service.count("configuration changed") > before, "the mapping to be in force")
    put(house.box("acme", "out"), "po2.edi", x12_order("PO2", control=2))
    until(lambda: answered(house.box("acme"), "PO2"), "the second order to be answered")
    mapping.write_text(anew().replace("constant:", "constnt:"))
    until(lambda: service.said("configuration not taken", file=f"mappings/{WRITES}"), "the fault to be seen")
    put(house.box("acme", "out"), "po3.edi", x12_order("PO3", control=3))
    until(lambda: answered(house.box("acme"), "PO3"), "the third order to be answered")
    with house.station() as station, station.database.read() as connection:
        [trouble] = troubles.standing(connection)
    assert trouble.name == f"configuration mappings/{WRITES}" and "constnt" in trouble.error
    first, second, third = written(house.box("acme"))
    assert "ANEW" not in first and (second, third) == ("ANEW", "ANEW")


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


def written(folder: Path) -> list[str]:
    """Of each response in the folder, in the order of its interchange, the number that it gives to the order (BAK08)."""
    answers = sorted((tags(text, "ISA")[0][13], tags(text, "BAK")) for text in texts(folder) if "*855*" in text)
    return [segment[8] for _, segments in answers for segment in segments]


@pytest.mark.storm
def test_a_second_node_follows_its_mappings_and_alerts_when_one_of_its_own_is_wrong(tmp_path: Path, postgres_url: str) -> None:
    install(tmp_path, postgres_url, "one", "two")
    out, answers = tmp_path / "boxes/acme/out", tmp_path / "boxes/acme/in"
    one, two = Worker(tmp_path / "one"), Worker(tmp_path / "two")
    with hook_server() as hook:
        (tmp_path / "secret").write_text("s" * 32)
        for name in ("one", "two"):
            config = tmp_path / name / "config.yaml"
            more = f'alerts: {{digest: 0m, webhook: {{url: "{hook.url}", private: true, secret: "file:{tmp_path}/secret"}}}}\n'
            config.write_text(config.read_text() + more)
        try:
            for worker in (one, two):
                worker.start()
                until(worker.serves, "the process to serve")
            put(out, "po1.edi", x12_order("PO1"))
            until(lambda: answered(answers, "PO1"), "the first order to be answered")
            for worker in (one, two):
                mapping = worker.folder / "mappings" / WRITES
                mapping.parent.mkdir(parents=True)
                mapping.write_text(anew())
            for worker in (one, two):
                until(lambda worker=worker: '"configuration changed"' in worker.log(), "the mapping to be in force")  # type: ignore[misc]
            put(out, "po2.edi", x12_order("PO2", control=2))
            until(lambda: answered(answers, "PO2"), "the second order to be answered")
            (two.folder / "mappings" / WRITES).write_text(anew().replace("constant:", "constnt:"))
            until(lambda: '"configuration not taken"' in two.log(), "the fault to be seen")
            assert '"configuration not taken"' not in one.log()
            assert one.end() == 0
            # now the second one does all the work, by what stood there before
            put(out, "po3.edi", x12_order("PO3", control=3))
            until(lambda: answered(answers, "PO3"), "the third order to be answered")
            name = f"configuration mappings/{WRITES} on {platform.node()}"
            until(lambda: any(name in body.decode() for _, body in hook.posted), "the alert", 4 * PATIENCE)
            assert two.end() == 0
        finally:
            one.stop()
            two.stop()
    first, second, third = written(answers)
    assert "ANEW" not in first and (second, third) == ("ANEW", "ANEW")


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
