"""AS2 over HTTP, signed, encrypted, with a signed receipt: ours against our own /as2 address, and where a station of another make lies beside
the checkout, its own library against that station. Both keep what they receive. The senders are alike: so many threads of one Python process,
each message over a connection of its own. With one sender the wait for a message is measured as well, with several what a machine takes a second.

    benchmarks/as2_http_bench.py [--messages 400] [--kilobytes 10] [--senders 4] [--rounds 1]
"""

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from gateway.exchange import as2  # noqa: E402  run as a script
from gateway.transport.as2_http import post  # noqa: E402
from tests.pipeline.as2_partner import PARTNER  # noqa: E402
from tests.pipeline.as2_partner import their_relation  # noqa: E402
from tests.pipeline.as2_partner import write_keys  # noqa: E402

PEER = HERE.parents[1] / "shared" / "peers" / "as2_station"
STATION_VENV = Path(os.environ.get("STATION_VENV", Path(tempfile.gettempdir()) / "as2-station-venv"))
#: run with the station's own Python: its client module, its library, its requests
THEIRS = """
import concurrent.futures, sys, time
senders = int(sys.argv[5])
sys.argv = ["demo_client.py", sys.argv[1], "1", sys.argv[2], sys.argv[3], sys.argv[4]]
import demo_client as client
count, data = int(sys.argv[4]), (b"LIN+1++5410738000152:SRV'\\r\\n" * 4000)[: int(sys.argv[5])]
partner = client.peer("PEER_A", "peer_a.crt", **{**client.A, "compress": False})
def send(number):
    message, answer = client.post("GW_A", partner, data, filename="orders.edi", content_type="application/octet-stream")
    assert client.parse_sync(message, answer)[0] == "processed"

send(0), send(1)
start = time.perf_counter()
with concurrent.futures.ThreadPoolExecutor(senders) as pool:
    list(pool.map(send, range(count)))
print(count / (time.perf_counter() - start))
"""


@dataclass(frozen=True, slots=True)
class Speed:
    """Messages a second, the median of what a sender waits, and seconds of computing a message: of the service, of the sender."""

    rate: float
    wait: float
    service: float
    sender: float


def ours(messages: int, size: int, senders: int) -> Speed:
    """Messages are wrapped, posted to `gateway run`, kept and entered there, the receipts read and compared."""
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as name:
        folder = Path(name)
        port = _free_port()
        for part in ("partners", "boxes/acme/out", "boxes/acme/in"):
            (folder / part).mkdir(parents=True)
        (folder / "config.yaml").write_text(
            f'us: {{name: "Seller Co", identifiers: {{x12: "ZZ:SELLERCO"}}}}\ndata: data\nweb: {{host: 127.0.0.1, port: {port}}}\n'
        )
        write_keys(folder)
        (folder / "partners/acme.yaml").write_text(PARTNER.format(url="http://127.0.0.1:1/as2", receive_from="as2", more=""))
        # what comes is held as unreadable: the line is measured, not the mapping
        data = (b"LIN+1++5410738000152:SRV'\r\n" * (size // 27 + 1))[:size]
        with _serving(folder, port):
            relation = their_relation()
            waits: list[float] = []

            def send(number: int) -> None:
                now = datetime.now(UTC)
                request = as2.wrap(data, relation, f"<{number}@bench>", now, f"{number}.edi")
                assert isinstance(request, as2.As2Request)
                began = time.perf_counter()
                answer = post(f"http://127.0.0.1:{port}/as2", request.headers, request.body)
                waits.append(time.perf_counter() - began)
                receipt = as2.read_mdn(answer.headers, answer.body, request.expected, relation, now)
                assert receipt.delivered and receipt.mic_matches, receipt

            for number in range(5):
                send(number)
            waits.clear()
            own, children, start = _cpu(os.getpid()), {pid: _cpu(pid) for pid in _processes(folder)}, time.perf_counter()
            with ThreadPoolExecutor(senders) as pool:
                list(pool.map(send, range(5, messages + 5)))
            seconds = time.perf_counter() - start
            used = sum(_cpu(pid) - before for pid, before in children.items())
            return Speed(messages / seconds, median(waits), used / messages, (_cpu(os.getpid()) - own) / messages)


def _processes(folder: Path) -> list[int]:
    """The service's processes: those that work in its folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (entry / "cwd").resolve() == folder.resolve():
                found.append(int(entry.name))
    return found


def _cpu(pid: int) -> float:
    """Seconds that a process has computed, in the kernel too."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def _serving(folder: Path, port: int) -> Iterator[None]:
    with (folder / "run.log").open("wb") as log:
        service = subprocess.Popen([sys.executable, "-m", "gateway", "run"], cwd=folder, stdout=log, stderr=log)
    try:
        _wait_for(port, service, folder / "run.log")
        yield
    finally:
        service.terminate()
        service.wait(20)


def theirs(messages: int, size: int, senders: int) -> float | None:
    """The same of the other station's library against the other station; None where it is not there."""
    if not (PEER / "station.sh").exists():
        return None
    with tempfile.TemporaryDirectory(prefix="gateway-bench-station-") as state:
        port = _free_port()
        environment = {**os.environ, "STATION_VENV": str(STATION_VENV), "STATION_TICK": "0", "PYTHONPATH": str(PEER)}
        with (Path(state) / "start.log").open("wb") as log:
            station = subprocess.Popen(
                ["bash", PEER / "station.sh", str(port), "http://127.0.0.1:1/as2", state], env=environment, stdout=log, stderr=log
            )
        try:
            _wait_for(port, station, Path(state) / "start.log")
            command = [STATION_VENV / "bin" / "python", "-c", THEIRS, str(port), f"{state}/certs", str(messages), str(size), str(senders)]
            done = subprocess.run(command, env=environment, cwd=state, capture_output=True, text=True, timeout=600)
            if done.returncode:
                raise SystemExit(done.stderr[-2000:])
            return float(done.stdout)
        finally:
            station.terminate()
            station.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + 240
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise SystemExit(f"nobody serves at {port}: {log.read_text()[-1000:]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=400)
    parser.add_argument("--kilobytes", type=int, default=10)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=1, help="each of them in turn; the medians count")
    arguments = parser.parse_args()
    size = arguments.kilobytes * 1024
    mine: list[float] = []
    others: list[float] = []
    for _ in range(arguments.rounds):
        speed = ours(arguments.messages, size, arguments.senders)
        mine.append(speed.rate)
        print(
            f"ours over HTTP, {arguments.kilobytes} kB, {arguments.senders} senders                  {speed.rate:8.1f} messages/s, "
            f"a sender waits {speed.wait * 1000:.1f} ms; computing {speed.service * 1000:.1f} ms, the sender {speed.sender * 1000:.1f} ms"
        )
        other = theirs(max(10, arguments.messages // 5), size, arguments.senders)
        if other is None:
            print(f"no AS2 station at {PEER}: nothing to compare with")
            return 0
        others.append(other)
        print(f"the other station with its own library, {arguments.kilobytes} kB, {arguments.senders} senders {other:8.1f} messages/s")
    ratio = median(mine) / median(others)
    print(f"  ratio                                                    {ratio:8.1f} at least 5{'' if ratio >= 5 else '  MISSED'}")
    return 0 if ratio >= 5 else 1


if __name__ == "__main__":
    sys.exit(main())
