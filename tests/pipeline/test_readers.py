"""Large files are read by processes of their own: what is written is the same to the byte, and what kills such a process kills nothing else."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from benchmarks import orders
from gateway.config import Installation
from gateway.config import load_installation
from gateway.config.reading import Reading
from gateway.pipeline import readers
from gateway.pipeline.engine.local import LocalEngine
from gateway.pipeline.inbound import setting_aside
from gateway.pipeline.inbound import small_files
from gateway.pipeline.inbound import splitting
from gateway.pipeline.inbound import who_reads
from gateway.pipeline.inbound.elsewhere import ReadElsewhere
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.inbound.splitting import ReadHere
from gateway.pipeline.inbound.walk import Inbound
from gateway.pipeline.readers import Reader
from gateway.pipeline.readers import Readers
from gateway.pipeline.service.assembly import steps
from gateway.store.database import Database
from gateway.store.incoming import holds
from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG
from tests.pipeline.world import EUROCO
from tests.pipeline.world import Clock
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

BOX = "folder:boxes/acme/out"
ALL_ELSEWHERE = "reading: {processes: 1, above: 0kB}\n"
CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
BETA = ACME.replace("acme", "beta").replace("ACMEBUYER", "BETABUYER").replace(', gln: "1234567890128"', "")
#: orders that our own mapping of theirs cannot take are told by an 824
BETA = BETA.replace('acknowledge: "997"', 'acknowledge: "997", application_errors: "824"') + "mapping: {x12/004010/850: {number: BEG/04}}\n"
PARTNERS = {"acme": ACME, "euroco": EUROCO, "beta": BETA}
#: of something that we never sent
ACKNOWLEDGMENT = (
    x12_order("PO-X", control=30).split(b"ST*")[0].replace(b"GS*PO", b"GS*FA")
    + b"ST*997*0001~AK1*PR*77~AK2*855*0001~AK3*BAK*2**8~AK4*3**7*x~AK5*R*5~AK9*R*1*1*0~SE*8*0001~GE*1*30~IEA*1*000000030~"
)
#: tables of what a process did, not of what came
NOT_COMPARED = {"meter", "alembic_version", "schema_version"}


def rows_of(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with database.read() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")).scalars().all()
        return {
            name: sorted((tuple(row) for row in connection.execute(text(f'SELECT * FROM "{name}"'))), key=repr)
            for name in names
            if name not in NOT_COMPARED
        }


def damaged(data: bytes) -> bytes:
    """Orders of which some are wrong, behind a group that its trailer counts wrongly."""
    return data.replace(b"**20260105~", b"**20261305~", 3).replace(b"PO1*2*", b"PO1**", 2).replace(b"IEA*1*", b"IEA*3*")


def interchange(number: int, count: int = 3) -> bytes:
    """An interchange of several orders with a control number of its own."""
    data = orders.x12(count, 2).replace(b"*000000001*0*P", b"*%09d*0*P" % number).replace(b"IEA*1*000000001", b"IEA*1*%09d" % number)
    return data.replace(b"*SA*PO00", b"*SA*PO%02d" % number)


def the_files() -> list[tuple[str, bytes]]:
    """Files of every sort: several interchanges, duplicates, damages, acknowledgments, unknown senders, nothing at all."""
    return [
        ("orders.edi", orders.x12(110, 2)),
        ("several.edi", interchange(2) + b"\r\n" + interchange(3) + b"rubbish" + interchange(2) + interchange(4)),
        ("again.edi", orders.x12(110, 2)),
        ("damaged.edi", damaged(interchange(7, 20))),
        ("unknown.edi", interchange(8).replace(b"ACMEBUYER", b"NOBODY   ")),
        ("other.edi", x12_order("PO-OTHER", control=11, receiver="SOMEBODY")),
        ("orders.edifact", orders.edifact(20, 2)),
        ("refused.beta", x12_order("PO-8", control=21, sender="BETABUYER")),
        ("answer.edi", ACKNOWLEDGMENT),
        ("nothing.edi", b"%PDF-1.7 not for us"),
        ("cut.edi", orders.x12(20, 3)[:9000].replace(b"*000000001*0*P", b"*000000012*0*P")),
    ]


class Still(Clock):
    """A clock that stands: a step that waits for another process asks it once more."""

    def __call__(self) -> datetime:
        return self.now


def work(world: World) -> list[str]:
    """Take in all that waits, without deciding anything on it; who read the files."""
    inbound = Inbound()
    streams = ["in:command", "in:folder:boxes/beta/out", "in:folder:boxes/euroco/out", f"in:{BOX}"]
    who = []
    for stream in streams:
        while inbound.step(world.station, stream):
            who += [type(one).__name__ for one in inbound._splittings.values()]
    return who


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file by itself, in chunks that no clock cuts."""
    monkeypatch.setattr(small_files, "LARGEST", -1)
    monkeypatch.setattr(splitting, "CHUNK_SECONDS", 3600.0)
    monkeypatch.setattr(who_reads, "_is_text", lambda station, transmission: False)


def test_what_is_written_is_the_same_to_the_byte(tmp_path: Path, alone: None) -> None:
    rows = written_both_ways(tmp_path, the_files())
    assert len(rows["document"]) > 150 and len(rows["outbox"]) > 5 and len(rows["hold"]) > 2
    assert rows["answer"] and any("824" in repr(row) for row in rows["outbox"])


@pytest.mark.storm
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus ../shared/corpus is not here")
def test_so_it_is_for_every_sample(tmp_path: Path, alone: None) -> None:
    samples = sorted(path for path in CORPUS.rglob("*") if path.is_file() and path.suffix not in {".md", ".tsv"})
    rows = written_both_ways(tmp_path, [(path.name, path.read_bytes()) for path in samples], by_hand=True)
    assert len(rows["transmission"]) == len(samples)


def written_both_ways(tmp_path: Path, files: list[tuple[str, bytes]], *, by_hand: bool = False) -> dict[str, list[tuple[object, ...]]]:
    """What is written of these files, the same whoever reads them."""
    here = World(tmp_path / "here", partners=PARTNERS, config=CONFIG + "archive: database\nreading: {processes: 0}\n", clock=Still())
    for number, (name, data) in enumerate(files):
        box = {"edifact": "folder:boxes/euroco/out", "beta": "folder:boxes/beta/out"}.get(name.rpartition(".")[2], BOX)
        address = "command" if by_hand else box
        register(here.station, [Arrival(address=address, name=name, identity=str(number), data=data)])
    here.close()
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    there = World(tmp_path / "there", partners=PARTNERS, config=CONFIG + "archive: database\n" + ALL_ELSEWHERE, keep=True, clock=Still())
    found = []
    for world, who in ((here, "ReadHere"), (there, "ReadElsewhere")):
        assert set(work(world)) == {who}
        found.append(rows_of(world.station.database))
        world.close()
    for name, rows in found[0].items():
        assert found[1][name] == rows, name
    return found[0]


def sick(monkeypatch: pytest.MonkeyPatch, at: str, what: str, once: Path | None = None) -> None:
    """Processes that fall ill when they come to the transaction of this control number, or only the first of them."""
    script = f"""
        import os, signal, sys, time
        from gateway.pipeline.reading import cutting, reader
        really = cutting.entitle
        def entitle(transaction, *others):
            if transaction.control_number == {at!r} and not ({str(once)!r} != "None" and os.path.exists({str(once)!r})):
                if {str(once)!r} != "None":
                    open({str(once)!r}, "w").close()
                {what}
            return really(transaction, *others)
        cutting.entitle = entitle
        sys.exit(reader.main())
    """
    monkeypatch.setattr(Reader, "COMMAND", ("-c", textwrap.dedent(script)))


def states(world: World) -> dict[str, int]:
    with world.station.database.read() as connection:
        return dict(connection.execute(text("SELECT state, count(*) FROM document WHERE direction = 'in' GROUP BY state")).all())


def hand_in(world: World, *files: bytes) -> None:
    register(world.station, [Arrival(address=BOX, name=f"{n}.edi", identity=f"file {n}", data=data) for n, data in enumerate(files)])


def in_turns(world: World, done: Callable[[], bool], *, sweeps: int = 60) -> None:
    """Let the engine serve, as the service does, until something is so."""
    engine = LocalEngine(world.station, steps())
    try:
        for _ in range(sweeps):
            engine.sweep()
            engine.drain(120)
            if done():
                return
        raise AssertionError("it never was so")
    finally:
        engine.close()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An installation whose files are all read by another process; a file that fails is set aside at once."""
    monkeypatch.setattr(who_reads, "_is_text", lambda station, transmission: False)
    monkeypatch.setattr(setting_aside, "SECONDS", 0.0)
    monkeypatch.setattr(setting_aside, "TRIES", 2)
    monkeypatch.setattr(small_files, "LARGEST", -1)
    monkeypatch.setattr(splitting, "CHUNK", 10)
    monkeypatch.setattr(splitting, "CHUNK_SECONDS", 3600.0)
    world = World(tmp_path / "world", config=CONFIG + ALL_ELSEWHERE)
    yield world
    world.close()


def test_a_process_that_dies_is_followed_by_another_one(elsewhere: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sick(monkeypatch, "000000057", "os.kill(os.getpid(), signal.SIGKILL)", once=tmp_path / "died")
    hand_in(elsewhere, orders.x12(80, 1))
    in_turns(elsewhere, lambda: states(elsewhere) == {"accepted": 80})
    with elsewhere.station.database.read() as connection:
        assert (tmp_path / "died").exists() and holds.list_open(connection) == []


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "ended by signal 11"),
        pytest.param("bytearray(3 << 30)", "more memory than it may take", marks=pytest.mark.storm),
        ("raise ValueError('a fault of ours')", "ValueError: a fault of ours"),
    ],
)
def test_a_file_that_kills_every_process_is_set_aside(elsewhere: World, monkeypatch: pytest.MonkeyPatch, what: str, words: str) -> None:
    sick(monkeypatch, "000000025", what)
    hand_in(elsewhere, orders.x12(30, 1), interchange(9))
    in_turns(elsewhere, lambda: states(elsewhere) == {"accepted": 23})
    with elsewhere.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    # what was taken of it stays, and the file behind it went on
    assert hold.kind == "failure" and words in hold.reasons[0].message
    if not what.startswith("raise"):
        assert "died behind transaction 20 of interchange 1, and so did another one" in hold.reasons[0].message


@pytest.mark.storm
def test_a_process_that_says_nothing_any_more_is_ended(elsewhere: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(readers, "HUNG", 8.0)
    # begun in time on a slow machine as well: it only counts for who has begun to read
    reader = elsewhere.station.readers.lease(elsewhere.station.installation, "before")
    assert reader is not None
    reader.kill()
    sick(monkeypatch, "000000025", "time.sleep(3600)", once=tmp_path / "hung")
    monkeypatch.setattr(Reader, "is_ready", begun)
    hand_in(elsewhere, orders.x12(30, 1))
    elsewhere.station.readers.close()
    in_turns(elsewhere, lambda: states(elsewhere) == {"accepted": 30})
    assert (tmp_path / "hung").exists()


_is_ready = Reader.is_ready


def begun(reader: Reader) -> bool:
    """Wait until a process is ready, however slow the machine."""
    while not _is_ready(reader):
        reader._heard = time.monotonic()
        time.sleep(0.02)
    return True


def test_a_file_of_text_is_begun_here_and_goes_over_to_the_process_that_is_ready(elsewhere: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(splitting, "CHUNK", 10)
    inbound = Inbound()
    hand_in(elsewhere, orders.x12(60, 1))
    stream = f"in:{BOX}"
    # however quickly it begins: it is not ready yet
    monkeypatch.setattr(Reader, "is_ready", lambda reader: False)
    assert inbound.step(elsewhere.station, stream)
    monkeypatch.undo()
    monkeypatch.setattr(splitting, "CHUNK", 10)
    [here] = inbound._splittings.values()
    assert isinstance(here, ReadHere)
    reader = elsewhere.station.readers.lease(elsewhere.station.installation, here.transmission.id)
    assert reader is not None and begun(reader)
    assert inbound.step(elsewhere.station, stream)
    [there] = inbound._splittings.values()
    assert isinstance(there, ReadElsewhere)
    while inbound.step(elsewhere.station, stream):
        pass
    assert states(elsewhere) == {"registered": 60}
    # one that ended between two files is no fault of the next one
    os.kill(reader.pid, signal.SIGKILL)
    while is_running(reader.pid):
        time.sleep(0.01)
    with pytest.raises(readers.Gone) as gone:
        reader.ask(b"")
    assert not gone.value.fault
    reader = elsewhere.station.readers.lease(elsewhere.station.installation, "another")
    assert reader is not None
    elsewhere.station.readers.give_back("another", whole=True)
    # the process waits for the next file, and ends with the installation
    pid = reader.pid
    assert elsewhere.station.readers.lease(elsewhere.station.installation, "next") is reader
    elsewhere.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_where_no_process_can_begin_files_are_read_here(elsewhere: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reader, "COMMAND", ("-c", "import sys; sys.exit(4)"))
    hand_in(elsewhere, orders.x12(30, 1))
    in_turns(elsewhere, lambda: states(elsewhere) == {"accepted": 30})


def test_where_no_process_can_be_started_files_are_read_here(elsewhere: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program was replaced under the service, or the system gives no more processes."""
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    hand_in(elsewhere, orders.x12(30, 1))
    in_turns(elsewhere, lambda: states(elsewhere) == {"accepted": 30})


def test_a_file_at_which_a_process_died_does_not_wait_for_ever_where_no_other_one_can_begin(
    elsewhere: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sick(monkeypatch, "000000007", f"open({str(tmp_path / 'died')!r}, 'w').close(); os.kill(os.getpid(), signal.SIGKILL)")
    monkeypatch.setattr(who_reads, "WITHOUT_READERS", 0.0)
    hand_in(elsewhere, orders.x12(30, 1))
    really = readers.Readers.lease

    def lease(self: readers.Readers, installation: Installation, file: str) -> Reader | None:
        if (tmp_path / "died").exists():
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return really(self, installation, file)

    monkeypatch.setattr(readers.Readers, "lease", lease)

    def is_set_aside() -> bool:
        with elsewhere.station.database.read() as connection:
            return bool(holds.list_open(connection))

    in_turns(elsewhere, is_set_aside)


def test_other_plans_than_ours_are_not_used(elsewhere: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in(elsewhere, orders.x12(30, 1))
    really = readers.setup_of

    def other(installation: Installation) -> readers.Setup:
        setup = really(installation)
        return readers.Setup(
            version=setup.version,
            file=setup.file,
            config=setup.config,
            texts={name: said + "\n# changed\n" for name, said in setup.texts.items()},
            running=setup.running,
            memory=setup.memory,
        )

    monkeypatch.setattr(readers, "setup_of", other)
    in_turns(elsewhere, lambda: states(elsewhere) == {"accepted": 30})


def test_processes_end_with_the_one_that_started_them(elsewhere: World, tmp_path: Path) -> None:
    """Killed, while its reader is deep in work that knows nothing of it."""
    script = f"""
        import os, pathlib, signal, sys, time
        sys.path.insert(0, {str(Path(__file__).parents[2])!r})
        import msgspec
        from gateway.config import load_installation
        from gateway.pipeline.readers import Reader
        from gateway.pipeline.inbound.splitting import new_job
        from gateway.pipeline.reading.chunk import Job
        hang = "from gateway.pipeline.reading import reader; import re, sys; reader.FileReader.read = lambda *_: re.match('(a+)+$', 'a' * 60 + 'b'); sys.exit(reader.main())"
        Reader.COMMAND = ("-c", hang)
        one = Reader(load_installation(pathlib.Path({str(elsewhere.folder / "config.yaml")!r})))
        while not one.is_ready():
            time.sleep(0.02)
        one.ask(msgspec.msgpack.encode(Job(sha256="", address="", endpoint="", most=1, seconds=1.0)))
        print(one.pid, flush=True)
        time.sleep(3600)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        # a stop of the service, or a Ctrl-C, reaches all processes: the reader leaves the word to its parent
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGINT)
        time.sleep(0.1)
        assert is_running(pid)
        parent.kill()
    end = time.monotonic() + 60
    while is_running(pid):
        assert time.monotonic() < end, "the reader outlives its parent"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Whether a process runs; one that only waits for its parent to hear of its end does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Idle:
    """A reader that does nothing."""

    def __init__(self, installation: Installation) -> None:
        self.number, self.used, self.ended = installation.number, time.monotonic(), False

    def is_alive(self) -> bool:
        return not self.ended

    def kill(self) -> None:
        self.ended = True


def test_readers_are_few_and_belong_to_one_configuration(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("reading: {processes: 1}\n")
    now = load_installation(tmp_path / "config.yaml")
    pool = Readers(start=Idle)  # type: ignore[arg-type]
    first = pool.lease(now, "a")
    assert first is not None and pool.lease(now, "a") is first and pool.lease(now, "b") is None
    pool.give_back("a", whole=True)
    assert pool.lease(now, "b") is first
    # another process of the cluster went on with its file: nobody asks for it here any more
    first.used -= 2 * readers.UNASKED
    second = pool.lease(now, "c")
    assert second is not None and second is not first and not first.is_alive()
    pool.give_back("b", whole=False)
    pool.give_back("c", whole=True)
    later = load_installation(tmp_path / "config.yaml")
    third = pool.lease(later, "d")
    assert third is not None and third is not second and not second.is_alive()
    pool.could_not_begin(readers.Gone("it ended with code 4", fault=False))
    pool.give_back("d", whole=False)
    assert pool.lease(later, "d") is None
    pool.close()


def test_with_one_processor_nothing_is_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "system.slice/gateway.service").mkdir(parents=True)
    (tmp_path / "ours").write_text("1:name=systemd:/\n0::/system.slice/gateway.service\n")
    monkeypatch.setattr("gateway.config.reading._GROUPS", tmp_path)
    monkeypatch.setattr("gateway.config.reading._OURS", tmp_path / "ours")
    quota = tmp_path / "system.slice/gateway.service/cpu.max"
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3})
    assert (Reading().count, Reading(processes=5).count) == (2, 5)
    quota.write_text("100000 100000\n")
    assert Reading().count == 0
    quota.write_text("max 100000\n")
    around = tmp_path / "cpu.max"
    around.write_text("200000 100000\n")
    assert Reading().count == 1
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3})
    assert Reading().count == 0
