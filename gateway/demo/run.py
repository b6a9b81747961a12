"""The demo put together: an empty world, partners as processes, a month of past, the service, the story, the summary; then the pages.

Whatever happens, the processes end with the block that started them, and by themselves when we are killed.
"""

import contextlib
import http.client
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import TextIO

import structlog

from gateway.config import load_installation
from gateway.demo import configuration
from gateway.demo.cast import ACME
from gateway.demo.cast import CLUMSY
from gateway.demo.cast import EUROCO
from gateway.demo.cast import NORDIC
from gateway.demo.cast import US
from gateway.demo.children import Children
from gateway.demo.month import play_month
from gateway.demo.premises import Premises
from gateway.demo.premises import make_afresh
from gateway.demo.sftp_partner import USER
from gateway.demo.sftp_partner import make_key
from gateway.demo.stage import Stage
from gateway.demo.stage import start_of
from gateway.demo.story import tell
from gateway.demo.summary import Result
from gateway.demo.summary import check_the_end
from gateway.demo.summary import count_documents
from gateway.demo.summary import print_summary
from gateway.demo.telling import Teller
from gateway.demo.watching import Watch
from gateway.pipeline.service.assembly import seal
from gateway.pipeline.service.web_port import port_is_free
from gateway.pipeline.station import Station
from gateway.pipeline.station import open_station
from gateway.store.working import sweep

HOST = "127.0.0.1"
DEFAULT_PORT = 8080
DEFAULT_DATA = Path("data/demo")
_BY_FOLDER = (NORDIC.id, CLUMSY.id)
_HOMES = (ACME.id, EUROCO.id, *_BY_FOLDER, "bank")


class PortTaken(Exception):
    """The port that was asked for is in use; one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How the demo is to be run."""

    data: Path | None = None
    port: int | None = None
    once: bool = False


def run_demo(wish: Wish, out: TextIO | None) -> Result:
    """Play the story and, unless it is to be played once only, serve the pages until Ctrl-C."""
    teller = Teller(out)
    port = choose_port(wish)
    with _ended_in_order(), _folder_for(wish) as folder:
        premises = make_afresh(folder, _HOMES, _BY_FOLDER)
        with premises.log.open("a") as log, Children() as children:
            # what the pipeline says while we use it ourselves goes where the service's log goes
            structlog.configure(
                logger_factory=structlog.WriteLoggerFactory(file=log),
                processors=[structlog.processors.add_log_level, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
            )
            try:
                result = _play(premises, children, teller, port)
                if not wish.once:
                    _serve(children, teller, result)
            finally:
                structlog.reset_defaults()
    return result


def choose_port(wish: Wish) -> int:
    """The port of the pages: the one asked for, which must be free; else the usual one, or any that is."""
    if wish.port is not None:
        if not port_is_free(HOST, wish.port):
            raise PortTaken(f"Port {wish.port} is in use: name another one with --port")
        return wish.port
    if not wish.once and port_is_free(HOST, DEFAULT_PORT):
        return DEFAULT_PORT
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _folder_for(wish: Wish) -> Iterator[Path]:
    if wish.data is not None or not wish.once:
        yield wish.data or DEFAULT_DATA
        return
    temporary = Path(tempfile.mkdtemp(prefix="gateway-demo-"))
    try:
        yield temporary / "demo"
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """SIGTERM and SIGHUP end us as an exception does: processes and folders are put away."""

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _play(premises: Premises, children: Children, teller: Teller, port: int) -> Result:
    now = start_of()
    url = f"http://{HOST}:{port}/"
    teller.chapter("The world is set up")
    _start_partners(premises, children, now, port)
    teller.say("partners are up: ACME's SFTP server, Euroco's AS2 station, Nordic, Clumsy Brothers, the bank")
    teller.say(f"config.yaml, partners/ and masterdata/ lie in {premises.top}")
    gateway = children.start("the gateway", "gateway.demo.service_process", str(premises.config), log=premises.log)
    count = play_month(premises, now)
    teller.say(f"a month of business has passed: {count} orders, shipped, invoiced, many of them paid")
    watch = Watch(premises, children)
    watch.forget_the_past()
    gateway.go()
    gateway.ready()
    teller.say(f"the gateway runs: engine, pollers, AS2 and pages at {url}")
    station = open_station(load_installation(premises.config))
    try:
        tell(Stage(premises, station, teller, watch, now))
        watch.until("all work is done", lambda: _is_quiet(station))
        watch.until("the pages answer", lambda: _is_healthy(port))
        seal(station)
        journal = check_the_end(station, teller)
        counts = count_documents(station)
    finally:
        station.close()
    print_summary(teller, counts, journal)
    return Result(
        ok=teller.ok,
        seconds=round(teller.seconds, 1),
        documents=counts,
        checks=tuple(teller.checks),
        chapters=tuple(teller.chapters),
        journal=journal,
        url=url,
        data=str(premises.top),
    )


def _start_partners(premises: Premises, children: Children, now: datetime, port: int) -> None:
    """The partners' processes, and the files that tell the gateway where they are."""
    configuration.write_as2_keys(premises, now)
    authorized = make_key(premises.keys / "acme_sftp")

    def folder(name: str) -> str:
        return str(premises.home(name).folder)

    def log(name: str) -> Path:
        return premises.home(name).folder / "process.log"

    acme = children.start(ACME.name, "gateway.demo.sftp_partner", folder(ACME.id), authorized, log=log(ACME.id))
    as2_url = f"http://{HOST}:{port}/as2"
    euroco = children.start(EUROCO.name, "gateway.demo.as2_partner", folder(EUROCO.id), "EUROCO", US.identity, as2_url, log=log(EUROCO.id))
    others = []
    for name in _BY_FOLDER:
        box = premises.box(name)
        others.append(children.start(name, "gateway.demo.folder_partner", folder(name), str(box / "out"), str(box / "in"), log=log(name)))
    others.append(children.start("the bank", "gateway.demo.folder_partner", folder("bank"), str(premises.bank), log=log("bank")))
    configuration.write_master_data(premises, now)
    sftp, as2 = acme.ready(), euroco.ready()
    for child in others:
        child.ready()
    configuration.write_configuration(
        premises,
        port,
        configuration.Addresses(sftp_port=sftp["port"], sftp_user=USER, sftp_host_key=sftp["host_key"], as2_port=as2["port"]),
    )


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _is_quiet(station: Station) -> bool:
    with station.database.read() as connection:
        return not sweep.streams_with_work(connection, station.clock())


def _serve(children: Children, teller: Teller, result: Result) -> None:
    """Keep the world running until somebody has seen enough."""
    teller.plain("")
    teller.plain(f"       The pages stay up at {result.url} until Ctrl-C. In another terminal:")
    for words in ("trail PO-1001", "hold list", "journal verify", "lint"):
        teller.plain(f"         gateway {words} --config {result.data}/config.yaml")
    pause = threading.Event()
    with contextlib.suppress(KeyboardInterrupt):
        while not pause.wait(0.5):
            children.check()
