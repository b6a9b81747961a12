"""What the user's files say is taken over while the service runs; what is wrong keeps what it said before."""

import contextlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

import pytest
from sqlalchemy import Connection

from gateway.config.held import Held
from gateway.pipeline.service import in_force
from gateway.pipeline.service.assembly import lookers
from gateway.pipeline.service.pollers import Pollers
from gateway.pipeline.service.reading_anew import hold
from gateway.pipeline.service.reading_anew import load_held
from gateway.pipeline.service.reading_anew import read_anew
from gateway.pipeline.service.reloading import Reloading
from gateway.pipeline.station import Current
from gateway.pipeline.station import Loaded
from gateway.pipeline.station import Station
from gateway.pipeline.troubles import Standing
from gateway.store import journal
from gateway.store.database import Database
from gateway.store.database import DatabaseTrouble
from gateway.store.watching import troubles
from tests.pipeline.world import ACME
from tests.pipeline.world import EUROCO
from tests.pipeline.world import World
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order

BROKEN = ACME.replace("currency: USD", "currrency: USD")
SCHEMA = "schema: x12/004010/850\nextends: x12/004010/850\n"


@dataclass(slots=True)
class Engine:
    """Which mailboxes would be looked into."""

    names: list[str] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)

    def poller(self, name: str, seconds: float, look: object) -> None:
        self.names.append(name)
        self.begun.append(name)

    def end_poller(self, name: str) -> None:
        if name in self.names:
            self.names.remove(name)


@dataclass(slots=True)
class Kept:
    """A station whose files are followed as the service does it."""

    world: World
    station: Station
    reloading: Reloading
    engine: Engine
    asked: list[bool]

    def write(self, name: str, text: str | None) -> None:
        path = self.world.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink()
        else:
            path.write_text(text)

    def strokes(self, number: int = 2) -> None:
        """So many seconds pass."""
        for _ in range(number):
            self.reloading._not_before = 0.0
            self.reloading.look()

    def partners(self) -> list[str]:
        return sorted(self.station.installation.directory.partners)

    def name(self, partner: str = "acme") -> str:
        return self.station.installation.directory.partners[partner].partner.name

    def troubles(self) -> list[troubles.Trouble]:
        with self.station.database.read() as connection:
            return troubles.standing(connection)

    def entries(self) -> list[journal.Entry]:
        with self.station.database.read() as connection:
            return [one.entry for one in journal.after(connection, 0) if one.entry.stream == "configuration"]

    def in_force(self) -> in_force.InForce:
        found = in_force.read(in_force.path_in(self.station.installation.data))
        assert found is not None
        return found


@pytest.fixture
def world(tmp_path: Path, database_url: str):
    made = World(tmp_path, database=database_url)
    yield made
    made.close()


@pytest.fixture
def kept(world: World) -> Kept:
    return begin(world)


def begin(world: World) -> Kept:
    held, faults = hold(world.folder / "config.yaml")
    assert not faults
    world.station.current.loaded = _loaded(world, held)
    engine, asked = Engine(), []
    pollers = Pollers(engine)
    pollers.become(lookers(world.station))

    def swapped(anew: bool) -> None:
        asked.append(anew)
        pollers.become(lookers(world.station), anew=anew)

    return Kept(world, world.station, Reloading(world.station, held, swapped), engine, asked)


def _loaded(world: World, held: Held) -> Loaded:
    installation = load_held(world.folder / "config.yaml", held)
    return Loaded(installation, type(world.station.plans)(installation.resolver))


def test_nothing_is_read_where_nothing_changed(kept: Kept) -> None:
    before = kept.station.current.loaded
    kept.strokes(3)
    assert kept.station.current.loaded is before and kept.asked == [] and kept.entries() == []


def test_a_changed_partner_is_taken_over_once_its_file_stands_still(kept: Kept) -> None:
    kept.write("partners/acme.yaml", ACME.replace("ACME Corporation", "Acme GmbH"))
    kept.strokes(1)
    assert kept.name() == "ACME Corporation"
    kept.strokes(1)
    assert kept.name() == "Acme GmbH"
    [entry] = kept.entries()
    assert (entry.action, entry.actor, list(entry.facts)) == ("configuration changed", "gateway", ["partners/acme.yaml"])
    assert len(entry.facts["partners/acme.yaml"]) == 64
    assert kept.in_force().texts["partners/acme.yaml"].startswith("id: acme\nname: Acme GmbH")


def test_a_step_under_way_finishes_with_what_it_began_with(kept: Kept) -> None:
    began = kept.station.fixed()
    plan = began.plans.reading("x12/004010/850", began.installation.directory.partners["acme"])
    kept.write("partners/acme.yaml", ACME.replace("ACME Corporation", "Acme GmbH"))
    kept.write("schemas/x12/004010/850.yaml", SCHEMA.replace("extends: x12/004010/850", "extends: x12/004010/855"))
    kept.write("schemas/x12/004010/850.yaml", None)
    kept.strokes()
    assert kept.name() == "Acme GmbH"
    assert began.installation.directory.partners["acme"].partner.name == "ACME Corporation"
    assert began.plans.reading("x12/004010/850", began.installation.directory.partners["acme"]) is plan


def test_a_new_partner_is_looked_for_and_a_removed_one_no_more(kept: Kept) -> None:
    assert kept.engine.names == ["folder:boxes/acme/out"]
    kept.write("partners/euroco.yaml", EUROCO)
    kept.strokes()
    assert kept.partners() == ["acme", "euroco"]
    assert kept.engine.names == ["folder:boxes/acme/out", "folder:boxes/euroco/out"]
    kept.write("partners/acme.yaml", None)
    kept.strokes()
    assert kept.engine.names == ["folder:boxes/euroco/out"] and kept.partners() == ["euroco"]
    assert kept.entries()[-1].facts == {"partners/acme.yaml": "removed"}
    # who did not change was left alone
    assert kept.engine.begun == ["folder:boxes/acme/out", "folder:boxes/euroco/out"]


def test_a_wrong_file_keeps_what_it_said_and_stands_among_the_troubles_until_it_is_mended(kept: Kept) -> None:
    kept.write("partners/acme.yaml", BROKEN)
    kept.write("partners/euroco.yaml", EUROCO)
    kept.strokes()
    # the good one is in force, the wrong one as it was
    assert kept.partners() == ["acme", "euroco"]
    [trouble] = kept.troubles()
    assert (trouble.kind, trouble.name, trouble.partner, trouble.state) == ("configuration", "configuration partners/acme.yaml", "acme", "stopped")
    assert trouble.error == "partners/acme.yaml:12:1: unknown key 'currrency'"
    assert kept.in_force().faults == (trouble.error,)
    kept.strokes(3)
    assert len(kept.entries()) == 1
    kept.write("partners/acme.yaml", ACME)
    kept.strokes()
    assert kept.troubles() == [] and kept.in_force().faults == ()
    assert len(kept.entries()) == 1


def test_a_password_that_somebody_wrote_into_a_file_is_shown_nowhere(kept: Kept, capfd: pytest.CaptureFixture[str]) -> None:
    sftp = 'endpoints:\n  far: {sftp: "sftp://h/x", user: u, password: hunter2secret, host_keys: ["SHA256:x"]}\n'
    kept.write("partners/acme.yaml", ACME.replace("endpoints:\n", sftp))
    kept.strokes()
    assert len(kept.troubles()) == 1
    assert "hunter2secret" not in str(kept.troubles()) + str(kept.entries()) + str(kept.in_force()) + capfd.readouterr().err


def test_a_mapping_that_breaks_a_partner_is_not_taken_but_another_partner_is(kept: Kept) -> None:
    kept.write("mappings/x12/004010/850.yaml", "mapping: x12/004010/850\nextends: base/x12/004010/850\nread: {nonsense: [}\n")
    kept.write("partners/euroco.yaml", EUROCO)
    kept.strokes()
    assert kept.partners() == ["acme", "euroco"]
    assert [trouble.name for trouble in kept.troubles()] == ["configuration mappings/x12/004010/850.yaml"]


def test_a_mapping_that_changed_changes_what_is_written_from_then_on(kept: Kept) -> None:
    def written() -> list[str]:
        answers = sorted((tags(text, "ISA")[0][13], tags(text, "BAK")) for text in kept.world.sent())
        return [segment[8] for _, segments in answers for segment in segments]

    kept.world.receive(x12_order("PO1"))
    ours = (Path(__file__).parents[2] / "mappings/x12/004010/855.yaml").read_text()
    assert "      08: number\n" in ours
    kept.write("mappings/x12/004010/855.yaml", ours.replace("      08: number\n", '      08: {constant: "ANEW"}\n'))
    kept.strokes()
    kept.world.receive(x12_order("PO2", control=2))
    before, after = written()
    assert before != "ANEW" and after == "ANEW" and kept.troubles() == []


def test_a_wrong_config_keeps_its_keys_and_the_partners_go_on(kept: Kept) -> None:
    config = (kept.world.folder / "config.yaml").read_text()
    kept.write("config.yaml", config + "pol: 1\n")
    kept.write("partners/acme.yaml", ACME.replace("ACME Corporation", "Acme GmbH"))
    kept.strokes()
    assert kept.name() == "Acme GmbH"
    [trouble] = kept.troubles()
    assert trouble.name == "configuration config.yaml" and "unknown key 'pol'" in trouble.error


def test_a_key_that_was_replaced_makes_its_endpoint_new(world: World) -> None:
    (world.folder / "keys").mkdir()
    (world.folder / "keys" / "acme").write_text("old")
    sftp = 'endpoints:\n  far: {sftp: "sftp://127.0.0.1:1/x", user: u, password: "file:keys/acme", host_keys: ["SHA256:x"]}\n'
    (world.folder / "partners" / "acme.yaml").write_text(ACME.replace("endpoints:\n", sftp))
    kept = begin(world)
    before = kept.station.installation
    (world.folder / "keys" / "acme").write_text("newer")
    kept.strokes()
    endpoint = kept.station.installation.directory.partners["acme"].partner.endpoints["far"]
    assert kept.station.installation.mark_of(endpoint) != before.mark_of(endpoint)
    assert kept.engine.begun.count("sftp:sftp://u@127.0.0.1:1/x") == 2
    [entry] = kept.entries()
    assert dict(entry.facts) == {str(world.folder / "keys" / "acme"): "changed"}
    kept.strokes(3)
    assert len(kept.entries()) == 1


def test_what_needs_a_restart_says_so_and_stays_as_it_was(kept: Kept) -> None:
    config = (kept.world.folder / "config.yaml").read_text()
    kept.write("config.yaml", config.replace("port: 18999", "port: 18998") + "poll: 7\n")
    kept.strokes()
    assert kept.station.installation.settings.web.port == 18999
    assert kept.station.installation.settings.poll == 7
    [trouble] = kept.troubles()
    assert (trouble.name, trouble.error) == ("configuration restart needed", "web in config.yaml changed")
    kept.write("config.yaml", config)
    kept.strokes()
    assert kept.troubles() == [] and kept.station.installation.settings.poll == 0.2


def test_a_mailbox_that_was_stopped_is_tried_again_when_somebody_asks(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Standing, "is_standing", property(lambda self: self._kind == "mailbox"))
    request = in_force.ask(kept.station.installation.data, "clerk (command)")
    kept.strokes(1)
    assert kept.engine.begun == ["folder:boxes/acme/out"] * 2
    assert kept.asked == [True] and kept.in_force().request == request.id and kept.in_force().changed == ()
    assert kept.entries() == []


def test_who_asked_stands_in_the_journal(kept: Kept) -> None:
    kept.write("partners/acme.yaml", ACME.replace("ACME Corporation", "Acme GmbH"))
    in_force.ask(kept.station.installation.data, "clerk (command)")
    kept.strokes(1)
    [entry] = kept.entries()
    assert (entry.actor, entry.reason) == ("clerk (command)", "gateway reload")


def test_who_asked_while_the_database_was_away_is_answered_later(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    request = in_force.ask(kept.station.installation.data, "clerk (command)")
    kept.write("partners/acme.yaml", ACME.replace("ACME Corporation", "Acme GmbH"))
    with monkeypatch.context() as patch:
        patch.setattr(type(kept.station.database), "begin", away)
        with pytest.raises(DatabaseTrouble):
            kept.strokes(1)
    kept.strokes(1)
    assert kept.in_force().request == request.id and kept.entries()[0].actor == "clerk (command)"


def test_the_end_of_a_fault_that_could_not_be_written_down_is_written_down_later(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.write("partners/acme.yaml", BROKEN)
    kept.strokes()
    kept.write("partners/acme.yaml", ACME)
    with monkeypatch.context() as patch:
        patch.setattr(type(kept.station.database), "begin", away)
        with contextlib.suppress(DatabaseTrouble):
            kept.strokes()
    assert len(kept.troubles()) == 1
    kept.reloading.ask()
    kept.strokes(1)
    assert kept.troubles() == []


@contextmanager
def away(database: Database) -> Iterator[Connection]:
    raise DatabaseTrouble("the database cannot work: gone", retry=True)
    yield


def test_sighup_reads_at_the_next_stroke(kept: Kept) -> None:
    kept.write("partners/acme.yaml", ACME.replace("ACME Corporation", "Acme GmbH"))
    kept.reloading.ask()
    kept.strokes(1)
    assert kept.name() == "Acme GmbH" and kept.entries()[0].reason == "SIGHUP"


def test_what_changed_while_the_service_was_down_is_entered_at_its_start(kept: Kept) -> None:
    kept.write("partners/acme.yaml", ACME.replace("ACME Corporation", "Acme GmbH"))
    kept.reloading._lead.close()
    again = begin(kept.world)
    [entry] = again.entries()
    assert entry.reason == "start" and list(entry.facts) == ["partners/acme.yaml"]
    assert again.in_force().number == 2


def test_plans_that_did_not_change_are_not_compiled_again(kept: Kept) -> None:
    partner = kept.station.installation.directory.partners["acme"]
    before = kept.station.plans.reading("x12/004010/850", partner)
    kept.write("partners/euroco.yaml", EUROCO)
    kept.strokes()
    assert kept.station.plans.reading("x12/004010/850", partner) is before
    # one of its files is overlaid: it is made anew
    kept.write("schemas/x12/004010/850.yaml", _shipped("schemas/x12/004010/850.yaml") + "\n# ours\n")
    kept.strokes()
    assert kept.troubles() == []
    assert kept.station.plans.reading("x12/004010/850", partner) is not before


def test_reading_anew_changes_nothing_by_itself(kept: Kept) -> None:
    held, _ = hold(kept.world.folder / "config.yaml")
    kept.write("partners/acme.yaml", ACME.replace("ACME Corporation", "Acme GmbH"))
    found = read_anew(kept.station.current.loaded, held, kept.station.installation.settings)
    assert [name for name, _ in found.changed] == ["partners/acme.yaml"]
    assert kept.name() == "ACME Corporation"


def test_a_swap_is_seen_by_all_threads_at_once_or_not_at_all(kept: Kept) -> None:
    """Installation and plans of a moment belong together, however often they are swapped."""
    wrong: list[object] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            now = kept.station.fixed()
            if now.plans.resolver is not now.installation.resolver:
                wrong.append(now)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(5):
        kept.write("partners/acme.yaml", ACME.replace("ACME Corporation", f"Acme {number}"))
        os.utime(kept.world.folder / "partners" / "acme.yaml", ns=(number, number))
        kept.strokes()
    ended.set()
    for thread in threads:
        thread.join()
    assert not wrong and kept.name() == "Acme 4"
    assert isinstance(kept.station.current, Current)


def _shipped(name: str) -> str:
    return (Path(__file__).parents[2] / name).read_text()
