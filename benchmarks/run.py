"""`make bench`: the floor (a bare kept split of the same bytes) and ours, interleaved in one run, medians, a table.

    benchmarks/run.py [--orders 5000] [--lines 10] [--rounds 5] [--only memory,pipeline,postgres,files,million,sftp,...]

Ratios travel between machines, seconds do not; where work is compared, they are seconds of CPU. In memory
the garbage collector stays as Python sets it, on both sides. `pipeline` runs in a
process of its own, so that its memory is its own; the order responses wait in the outbox (undo window), so that no partner's disk is measured.
"""

import argparse
import gc
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from benchmarks import orders  # noqa: E402  run as a script
from gateway.config import default_resolver  # noqa: E402
from gateway.config import load_installation  # noqa: E402
from gateway.pipeline.plans import Plans  # noqa: E402
from gateway.pipeline.reading.payload import Read  # noqa: E402
from gateway.pipeline.reading.payload import read_payload  # noqa: E402
from gateway.pipeline.reading.payload import stateless  # noqa: E402

if TYPE_CHECKING:
    from gateway.pipeline.station import Station

#: what the issue asks for: (row, bound, "at most" or "at least")
TARGETS = {
    "850 ratio": (2.5, "at most"),
    "X12Reader": (1.5, "at least"),
    "pyx12 validates": (12.0, "at least"),
    "pydifact": (3.0, "at least"),
    "growth": (1.1, "at most"),
    "unasked": (1.05, "at most"),
    "read": (3.5, "at most"),
    "impact": (60.0, "at most"),
    "pipeline": (1000.0, "at least"),
    "postgres": (700.0, "at least"),
    "files": (200.0, "at least"),
    "million": (0.9, "at least"),
    "memory": (250.0, "at most"),
    "check": (0.6, "at most"),
    "sftp": (1.5, "at most"),
}

CONFIG = """\
us: {{name: Seller Co, identifiers: {{x12: "ZZ:SELLERCO"}}}}
data: data
web: {{host: 127.0.0.1, port: {port}}}
"""
PARTNER = """\
id: acme
name: ACME Corporation
identifiers: {x12: "ZZ:ACMEBUYER"}
endpoints:
  box: {folder: boxes/acme/out, send_to: boxes/acme/in}
agreements:
  - {receive: x12/004010/850, from: box, acknowledge: "997"}
  - {send: x12/004010/855, to: box, undo: UNDO}
credit: none
"""


def floor(data: bytes) -> list[list[str]]:
    """What no reader in Python can do without: every segment split, all kept."""
    segment, element = ("~", "*") if data[:3] == b"ISA" else ("'", "+")
    return [part.split(element) for part in data.decode("latin-1").split(segment)]


def ours(data: bytes, plans: Plans) -> list[object]:
    """Bytes -> transactions -> validated -> canonical orders, all kept."""
    _, items = read_payload([data], plans, stateless(plans))
    return [item.document for item in items if isinstance(item, Read)]


def spent(work: Callable[[], object]) -> float:
    """CPU seconds of this process and its children: what others do on the machine counts least there."""
    gc.collect()
    start = _cpu()
    kept = work()
    seconds = _cpu() - start
    del kept
    return seconds


def _cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def clocked(work: Callable[[], object]) -> float:
    """Seconds on the clock."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turns(rounds: int, *works: Callable[[], object]) -> list[float]:
    """Medians of several works, taken in turns."""
    taken = [[spent(work) for work in works] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*taken, strict=True)]


def memory(arguments: argparse.Namespace, table: "Table") -> None:
    """850 and ORDERS in memory, against their floors; ORDERS against pydifact's parse once."""
    plans = Plans(default_resolver())
    for name, make in (("850", orders.x12), ("ORDERS", orders.edifact)):
        data = make(arguments.orders, arguments.lines)
        assert len(ours(data, plans)) == arguments.orders and None not in ours(data, plans), "an order was not read"
        low, high = in_turns(arguments.rounds, lambda: floor(data), lambda: ours(data, plans))  # noqa: B023  called at once
        table.row(f"{name}: floor", f"{low:.3f} s", f"{len(data) / 1e6:.1f} MB")
        table.row(f"{name}: to canonical orders", f"{high:.3f} s", f"{arguments.orders / high:,.0f} orders/s")
        table.judge(f"{name} ratio", high / low, "times the floor")


def against_peers(arguments: argparse.Namespace, table: "Table") -> None:
    """Ours with the acknowledgment built, against what others take for less."""
    # not at the top: what is loaded makes the collector's rounds longer, also those of the floor
    from benchmarks import peers

    plans = Plans(default_resolver())
    x12, edifact = orders.x12(arguments.orders, arguments.lines), orders.edifact(arguments.orders, arguments.lines)
    own, reads = in_turns(arguments.rounds, lambda: peers.acknowledged(x12, plans), lambda: peers.pyx12_reads(x12))
    table.row("850: validated, canonical, 997 built", f"{own:.3f} s", f"{arguments.orders / own:,.0f} orders/s")
    table.row("850: pyx12's X12Reader reads the file", f"{reads:.3f} s", "segments and envelopes")
    table.judge("X12Reader", reads / own, "times faster than it merely reads")
    few = max(1, arguments.orders // 20)
    payments = peers.x12_835(few)
    (validates,) = in_turns(min(3, arguments.rounds), lambda: peers.pyx12_validates(payments))
    table.row(
        f"835: pyx12 validates, a twentieth of it ({len(payments) // few} bytes each)", f"{validates:.3f} s", f"{few / validates:,.0f} a second"
    )
    table.judge("pyx12 validates", (validates / few) / (own / arguments.orders), "times faster, each of the same size")
    own, parses = in_turns(min(3, arguments.rounds), lambda: peers.acknowledged(edifact, plans), lambda: peers.pydifact_parses(edifact))
    table.row("ORDERS: validated, canonical, CONTRL built", f"{own:.3f} s", f"{arguments.orders / own:,.0f} orders/s")
    table.row("ORDERS: pydifact parses the file", f"{parses:.3f} s", "segments, no validation")
    table.judge("pydifact", parses / own, "times faster than it merely parses")


def growth(arguments: argparse.Namespace, table: "Table") -> None:
    """What an order costs in a file of many; none is kept, the bytes are made before."""
    plans = Plans(default_resolver())
    many = 20 * arguments.orders
    few = max(1, many // 100)
    small, large = orders.x12(few, arguments.lines), orders.x12(many, arguments.lines)

    def dropped(data: bytes) -> int:
        return sum(isinstance(item, Read) for item in read_payload([data], plans, stateless(plans))[1])

    taken = [(spent(lambda: [dropped(small) for _ in range(10)]) / 10 / few, spent(lambda: dropped(large)) / many) for _ in range(3)]
    short, long = (min(column) for column in zip(*taken, strict=True))
    table.row(f"850: an order among {few:,}, CPU", f"{short * 1e6:.1f} us", "")
    table.row(f"850: an order among {many:,}, CPU", f"{long * 1e6:.1f} us", f"{len(large) / 1e6:.0f} MB")
    table.judge("growth", long / short, "times the cost of an order in a small file")


def explain(arguments: argparse.Namespace, table: "Table") -> None:
    """Reading where nobody asks where a value came from: with the explaining variant compiled and used before, and without."""
    from gateway.pipeline.reading.explaining import provenance_of

    bare, both = Plans(default_resolver()), Plans(default_resolver())
    data = orders.x12(max(1, arguments.orders // 5), arguments.lines)
    some = [item for item in read_payload([data], both, stateless(both))[1] if isinstance(item, Read)]
    asked = spent(lambda: [provenance_of(item, both, None) for item in some])
    without, beside = in_turns(max(9, arguments.rounds), lambda: ours(data, bare), lambda: ours(data, both))
    table.row("850: read, nothing else compiled (a fifth of it)", f"{without:.3f} s", "")
    table.row("850: read, the explaining variant compiled beside it", f"{beside:.3f} s", "")
    table.judge("unasked", beside / without, "times, where nobody asks")
    table.row("850: every value explained to its bytes", f"{asked:.3f} s", f"{asked / without:.1f} times reading")


def writing(arguments: argparse.Namespace, table: "Table") -> None:
    """As many 856 written, each in an interchange of its own, as 850 are read."""
    from datetime import UTC
    from datetime import datetime

    from benchmarks.advices import advices
    from gateway.pipeline.writing.answering import Numbers
    from gateway.pipeline.writing.rendering import Body
    from gateway.pipeline.writing.rendering import write_body
    from gateway.pipeline.writing.rendering import write_interchange

    plans = Plans(default_resolver())
    spec, data = "x12/004010/856", orders.x12(arguments.orders, arguments.lines)
    documents = advices(arguments.orders)
    numbers = Numbers(sender="ZZ:SELLERCO", receiver="ZZ:ACMEBUYER", at=datetime(2026, 1, 10, tzinfo=UTC))

    def written() -> int:
        size = 0
        for document in documents:
            body = write_body(document, spec, plans, None)
            assert isinstance(body, Body)
            made = write_interchange(body, spec, numbers)
            assert isinstance(made, bytes)
            size += len(made)
        return size

    size = written()
    write, read = in_turns(arguments.rounds, written, lambda: ours(data, plans))
    table.row(
        "856: written from canonical advices, with envelopes", f"{write:.3f} s", f"{arguments.orders / write:,.0f} a second, {size / 1e6:.1f} MB"
    )
    table.row("  against reading as many 850", f"{write / read:.2f}", "times")


def install(folder: Path, undo: int, port: int = 18998) -> None:
    for name in ("boxes/acme/out", "boxes/acme/in", "partners"):
        (folder / name).mkdir(parents=True)
    (folder / "config.yaml").write_text(CONFIG.format(port=port))
    (folder / "partners/acme.yaml").write_text(PARTNER.replace("UNDO", str(undo)))


def pipeline(arguments: argparse.Namespace, table: "Table") -> None:
    """The same file through the whole pipeline, on the disk."""
    runs = [_through_one(arguments) for _ in range(min(3, arguments.rounds))]
    seconds = statistics.median(run["seconds"] for run in runs)
    table.row("850 through the pipeline, SQLite FULL", f"{seconds:.1f} s", f"{statistics.median(run['cpu'] for run in runs):.1f} s of CPU")
    table.judge("pipeline", arguments.orders / seconds, "orders/s, acknowledged, answers in the outbox")
    table.judge("memory", max(run["megabytes"] for run in runs), "MB at most")


def on_postgresql(arguments: argparse.Namespace, table: "Table") -> None:
    """The same with one worker on a PostgreSQL server of its own."""
    from benchmarks import stored

    with stored.postgresql() as url:
        told = _through_one(arguments, f"database: {url}\n")
    table.row("850 through the pipeline, PostgreSQL, one worker", f"{told['seconds']:.1f} s", f"{told['cpu']:.1f} s of CPU of ours")
    table.judge("postgres", arguments.orders / told["seconds"], "orders/s, acknowledged, answers in the outbox")


def million(arguments: argparse.Namespace, table: "Table") -> None:
    """The same on SQLite with a million documents stored already, against the empty one, in turns."""
    from benchmarks import stored
    from gateway.pipeline.station import open_station
    from gateway.store.verifying import checkpoints

    with tempfile.TemporaryDirectory(prefix="gateway-bench-", dir=arguments.folder) as name:
        full = Path(name)
        install(full, undo=3600)
        _hand_in(full, arguments.orders, 1, 1)
        station = open_station(load_installation(full / "config.yaml"))
        documents = stored.multiply(station.database, arguments.documents)
        with station.database.begin() as connection:
            # a service seals every few minutes: what is measured seals its own entries, as on the empty database
            checkpoints.seal(connection, station.journal_key(), station.clock())
        station.close()
        turns = []
        for turn in range(min(3, arguments.rounds)):
            empty = _through_one(arguments)
            behind, among = (_hand_in(full, arguments.orders, arguments.lines, 2 * turn + 2 + also, scattered=bool(also)) for also in (0, 1))
            turns.append((empty["seconds"], behind["seconds"], among["seconds"]))
    low, high, scattered = (statistics.median(column) for column in zip(*turns, strict=True))
    table.row(f"850 through the pipeline, {documents:,} documents stored", f"{high:.1f} s", f"{low:.1f} s on an empty database")
    table.row("the same, order numbers scattered among the stored ones", f"{scattered:.1f} s", f"{low / scattered:.2f} of the empty one's speed")
    table.judge("million", low / high, "of the empty one's speed")


def _through_one(arguments: argparse.Namespace, more: str = "") -> dict[str, float]:
    """A fresh installation takes one file in."""
    with tempfile.TemporaryDirectory(prefix="gateway-bench-", dir=arguments.folder) as name:
        folder = Path(name)
        install(folder, undo=3600)
        (folder / "config.yaml").write_text((folder / "config.yaml").read_text() + more)
        return _hand_in(folder, arguments.orders, arguments.lines, 1)


def _hand_in(folder: Path, count: int, lines: int, control: int, *, scattered: bool = False) -> dict[str, float]:
    """An installation takes in a file of so many orders whose numbers nobody used, in a process of its own: behind all earlier numbers, as a
    buyer counts on, or scattered among them, as chance would have it (each then has a page of its own in every index of numbers)."""
    text = orders.x12(count, lines).decode().replace("*000000001*0*P", f"*{control:09d}*0*P").replace("IEA*1*000000001", f"IEA*1*{control:09d}")
    text = text.replace("*1200*1*X*", f"*1200*{control}*X*").replace(f"GE*{count}*1~", f"GE*{count}*{control}~")
    text = text.replace("**20260105~", f"-{control}**20260105~") if scattered else text.replace("*SA*PO00", f"*SA*PO{control:02d}")
    (folder / "in.edi").write_text(text)
    # what it says on standard error is for whoever runs the bench
    told = subprocess.run([sys.executable, __file__, "--through", str(folder)], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(told.stdout)
    return found


def files(arguments: argparse.Namespace, table: "Table") -> None:
    """Files of one order each, renamed into a folder while the service is about to start, until their orders are accepted and answered."""
    count = min(2000, 400 * arguments.rounds)
    for undo, until in ((3600, "answers in the outbox"), (0, "answers in the partner's folder")):
        with tempfile.TemporaryDirectory(prefix="gateway-bench-", dir=arguments.folder) as name:
            folder = Path(name)
            install(folder, undo=undo)
            for number in range(1, count + 1):
                (folder / f"boxes/acme/out/.{number}.tmp").write_text(_one_order(number))
            time.sleep(0.02)
            for number in range(1, count + 1):
                (folder / f"boxes/acme/out/.{number}.tmp").rename(folder / f"boxes/acme/out/{number:05d}.edi")
            with (folder / "run.log").open("wb") as log:
                command_line = [sys.executable, "-m", "gateway", "run", "--config", str(folder / "config.yaml")]
                service = subprocess.Popen(command_line, cwd=folder, stdout=log, stderr=log)
            try:
                seconds = _until_answered(folder, count, sent=not undo)
            finally:
                service.terminate()
                service.wait(20)
        table.row(f"{count:,} files of one order: {until}", f"{seconds:.1f} s", "")
        table.judge("files" if undo else "files sent", count / seconds, "files/s, from the first one taken")


def _until_answered(folder: Path, count: int, *, sent: bool) -> float:
    """Seconds from the first file that was taken in (the start of the process is not measured here) to the last answer."""
    import sqlite3

    start = 0.0
    end = time.monotonic() + 180
    left = " WHERE state = 'sent'" if sent else ""
    while time.monotonic() < end:
        time.sleep(0.05)
        try:
            with sqlite3.connect(f"file:{folder}/data/gateway.db?mode=ro", uri=True) as connection:
                taken = connection.execute("SELECT count(*) FROM transmission").fetchone()[0]
                answers = connection.execute(f"SELECT count(*) FROM outbox{left}").fetchone()[0]
        except sqlite3.OperationalError:
            continue  # not made yet
        if taken and not start:
            start = time.perf_counter()
        if answers >= 2 * count:
            return time.perf_counter() - start
    raise SystemExit(f"not answered within three minutes: {(folder / 'run.log').read_text()[-500:]}")


def through(folder: Path) -> None:
    """The child: hand the file in, do all work, say what it took; its collector is set as `gateway` sets it."""
    from gateway.pipeline.arriving.handing_in import hand_in_files
    from gateway.pipeline.service.assembly import work_off
    from gateway.pipeline.station import open_station

    station = open_station(load_installation(folder / "config.yaml"))
    loaded = station.installation.directory.partners["acme"]
    before = _answers(station)
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    start, cpu = time.perf_counter(), time.process_time()
    hand_in_files(station, [folder / "in.edi"], loaded, "bench")
    work_off(station, 600)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    accepted = (folder / "in.edi").read_bytes().count(b"ST*850")
    assert _answers(station) - before == accepted + 1, f"{_answers(station) - before} rows in the outbox for {accepted} orders"
    print(json.dumps({"seconds": seconds, "cpu": cpu, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
    station.close()


def _answers(station: "Station") -> int:
    with station.database.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM outbox").scalar_one())


def command(arguments: argparse.Namespace, table: "Table") -> None:
    """`gateway check` of a small file, as a process."""
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as name:
        file = Path(name) / "small.edi"
        file.write_bytes(orders.x12(1, 3))
        bare = [clocked(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)) for _ in range(arguments.rounds)]
        check = [
            clocked(lambda: subprocess.run([sys.executable, "-m", "gateway", "check", str(file)], check=True, capture_output=True, cwd=name))
            for _ in range(arguments.rounds)
        ]
        file.write_bytes(orders.x12(arguments.orders, arguments.lines))
        split = "import sys; d = open(sys.argv[1]).read(); x = [s.split('*') for s in d.split('~')]"
        low, high = in_turns(
            arguments.rounds,
            lambda: subprocess.run([sys.executable, "-c", split, str(file)], check=True),
            lambda: subprocess.run([sys.executable, "-m", "gateway", "read", str(file)], check=True, stdout=subprocess.DEVNULL, cwd=name),
        )
    table.row("python -c pass", f"{statistics.median(bare):.3f} s", "")
    table.judge("check", statistics.median(check), "s for gateway check of a small file")
    table.row("850: a process that splits the file and keeps it", f"{low:.3f} s", "")
    table.row("850: gateway read, a process, JSON written", f"{high:.3f} s", f"{arguments.orders / high:,.0f} orders/s")
    table.judge("read", high / low, "times the splitting process")


def latency(arguments: argparse.Namespace, table: "Table") -> None:
    """A file renamed into a folder until its 997 lies in the other one, `gateway run` otherwise idle."""
    with tempfile.TemporaryDirectory(prefix="gateway-bench-", dir=arguments.folder) as name:
        folder = Path(name)
        install(folder, undo=0)
        with (folder / "run.log").open("wb") as log:
            command_line = [sys.executable, "-m", "gateway", "run", "--config", str(folder / "config.yaml")]
            service = subprocess.Popen(command_line, cwd=folder, stdout=log, stderr=log)
        try:
            waits = [_wait_for_answer(folder, number) for number in range(1, 4 * arguments.rounds + 1)][2:]
        finally:
            service.terminate()
            service.wait(20)
    median, slowest = statistics.median(waits) * 1000, max(waits) * 1000
    table.row("renamed file to its 997 on the disk", f"{median:.0f} ms", f"slowest of {len(waits)}: {slowest:.0f} ms")


def beside(arguments: argparse.Namespace, table: "Table") -> None:
    """The same while the service works on a file of 20,000 orders of another partner."""
    with tempfile.TemporaryDirectory(prefix="gateway-bench-", dir=arguments.folder) as name:
        folder = Path(name)
        install(folder, undo=0)
        for box in ("out", "in"):
            (folder / "boxes/bulk" / box).mkdir(parents=True)
        other = PARTNER.replace("UNDO", "3600").replace("acme", "bulk").replace("ACMEBUYER", "BULKBUYER")
        (folder / "partners/bulk.yaml").write_text(other)
        (folder / "boxes/bulk/out/.large.tmp").write_bytes(orders.x12(20_000, arguments.lines).replace(b"ACMEBUYER", b"BULKBUYER"))
        with (folder / "run.log").open("wb") as log:
            command_line = [sys.executable, "-m", "gateway", "run", "--config", str(folder / "config.yaml")]
            service = subprocess.Popen(command_line, cwd=folder, stdout=log, stderr=log)
        try:
            alone = [_wait_for_answer(folder, number) for number in range(1, 4 * arguments.rounds + 1)][2:]
            (folder / "boxes/bulk/out/.large.tmp").rename(folder / "boxes/bulk/out/large.edi")
            start, waits = time.perf_counter(), list[float]()
            while not list((folder / "boxes/bulk/in").glob("997-*.edi")):
                waits.append(_wait_for_answer(folder, 1000 + len(waits)))
            seconds = time.perf_counter() - start
        finally:
            service.terminate()
            service.wait(20)
    table.row(
        "the same beside a file of 20,000 orders of another partner",
        f"{statistics.median(waits) * 1000:.0f} ms",
        f"slowest of {len(waits)}: {max(waits) * 1000:.0f} ms; {statistics.median(alone) * 1000:.0f} ms alone; the large file took {seconds:.1f} s",
    )


def _one_order(number: int) -> str:
    text = orders.x12(1, 3).decode().replace("*000000001*0*P", f"*{number:09d}*0*P").replace("*1200*1*X", f"*1200*{number}*X")
    return text.replace("GE*1*1~", f"GE*1*{number}~").replace("IEA*1*000000001", f"IEA*1*{number:09d}").replace("PO00000001", f"PO{number:08d}")


def _wait_for_answer(folder: Path, number: int) -> float:
    text = _one_order(number)
    hidden = folder / f"boxes/acme/out/.{number}.tmp"
    hidden.write_text(text)
    time.sleep(0.02)  # so that the rename is later than the writing, on a clock of 4 ms
    start = time.perf_counter()
    hidden.rename(folder / f"boxes/acme/out/{number}.edi")
    while time.perf_counter() - start < 60:
        if any(f"AK1*PO*{number}~" in path.read_text() for path in (folder / "boxes/acme/in").glob("997-*.edi")):
            return time.perf_counter() - start
        time.sleep(0.002)
    raise SystemExit(f"no 997 for file {number} within a minute: {(folder / 'run.log').read_text()[-500:]}")


class Table:
    """What is measured, printed line by line; whether a target was missed."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def row(self, what: str, value: str, note: str) -> None:
        print(f"{what:<62} {value:>12}   {note}", flush=True)

    def judge(self, what: str, value: float, unit: str) -> None:
        bound, side = TARGETS.get(what, (0.0, ""))
        good = not side or (value <= bound if side == "at most" else value >= bound)
        if not good:
            self.missed.append(f"{what} is {value:.2f}, {side} {bound:g} is asked for")
        self.row(f"  {what}", f"{value:,.2f}", f"{unit}{f', {side} {bound:g}' if side else ''}{'' if good else '  MISSED'}")


def stored_traffic(arguments: argparse.Namespace, table: "Table") -> None:
    """`gateway impact`: twice the orders, received and stored, run again with a mapping that is changed in one field."""
    from datetime import UTC
    from datetime import datetime

    from gateway.insight.impact import impact
    from gateway.pipeline.arriving.handing_in import hand_in_files
    from gateway.pipeline.service.assembly import work_off
    from gateway.pipeline.station import open_station

    with tempfile.TemporaryDirectory(prefix="gateway-bench-", dir=arguments.folder) as name:
        folder = Path(name)
        install(folder, undo=3600)
        files = []
        for number in range(1, 21):
            text = orders.x12(max(1, arguments.orders // 10), arguments.lines).decode()
            text = text.replace("*000000001*0*P", f"*{number:09d}*0*P").replace("IEA*1*000000001", f"IEA*1*{number:09d}")
            text = text.replace("*1200*1*X*", f"*1200*{number}*X*").replace(
                f"GE*{max(1, arguments.orders // 10)}*1~", f"GE*{max(1, arguments.orders // 10)}*{number}~"
            )
            files.append(folder / f"{number}.edi")
            files[-1].write_text(text.replace("**20260105~", f"-{number}**20260105~"))
        station = open_station(load_installation(folder / "config.yaml"))
        hand_in_files(station, files, station.installation.directory.partners["acme"], "bench")
        work_off(station, 600)
        text = default_resolver().text_of("mappings/x12/004010/850.yaml")
        assert text is not None
        (folder / "draft.yaml").write_text(text[1].replace("  quantity:      02\n", "  quantity:      {from: 02, multiply: 10}\n"))
        found = []
        seconds = clocked(lambda: found.append(impact(station, folder / "draft.yaml", datetime(2020, 1, 1, tzinfo=UTC), lambda done, total: None)))
        station.close()
    assert found[0].changed == found[0].documents, found[0]
    table.row(
        f"impact: {found[0].documents:,} stored orders run again, on the clock", f"{seconds:.1f} s", f"{found[0].documents / seconds:,.0f} a second"
    )
    table.judge("impact", seconds * 10_000 / found[0].documents, "s for 10,000 of them")


def sftp(arguments: argparse.Namespace, table: "Table") -> None:
    """2,000 files of 5 kB from a local OpenSSH server."""
    from benchmarks.sftp_bench import measure

    count = max(50, 2 * arguments.orders // 5)
    found = measure(count, 5000, min(3, arguments.rounds), folder=arguments.folder)
    table.row(f"SFTP: {count:,} files of 5 kB, paramiko's open and read", f"{found.paramiko:.2f} s", f"{count / found.paramiko:,.0f} files/s")
    table.row("SFTP: the same by our box, one connection", f"{found.box:.2f} s", f"{count / found.box:,.0f} files/s")
    table.judge("sftp", found.box / found.paramiko, "times paramiko's own loop")
    table.row("SFTP: fetched, kept, committed and removed", f"{found.whole:.2f} s", f"{count / found.whole:,.0f} files/s")
    table.row("  against paramiko's open and read", f"{found.whole / found.paramiko:.2f}", "times")


PARTS = {
    "memory": memory,
    "peers": against_peers,
    "growth": growth,
    "explain": explain,
    "writing": writing,
    "impact": stored_traffic,
    "pipeline": pipeline,
    "postgres": on_postgresql,
    "files": files,
    "million": million,
    "command": command,
    "latency": latency,
    "beside": beside,
    "sftp": sftp,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=5000)
    parser.add_argument("--lines", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between them")
    parser.add_argument("--folder", help="where installations are made: a real disk, not memory")
    parser.add_argument("--documents", type=int, default=1_000_000, help="documents stored already, for the part million")
    parser.add_argument("--through", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.through is not None:
        through(arguments.through)
        return 0
    table = Table()
    for name in arguments.only.split(","):
        PARTS[name](arguments, table)
    for missed in table.missed:
        print(f"missed: {missed}")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
