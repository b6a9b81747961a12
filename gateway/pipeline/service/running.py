"""`gateway run`: engine and pollers in one process, and the web process beside it, so that pages stay quick under load. `gateway worker`:
the same without pages, one of several that are equal."""

import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from types import FrameType
from typing import TypeVar

import structlog

from gateway.config import ConfigTrouble
from gateway.config import Installation
from gateway.config.held import Held
from gateway.pipeline.alerts.sending import EVERY as ALERTS_EVERY
from gateway.pipeline.alerts.sending import Alerts
from gateway.pipeline.answers.deadlines import watch
from gateway.pipeline.arriving import mail_receiving
from gateway.pipeline.arriving.large_files import clear_spool
from gateway.pipeline.as2.certificates import watch_certificates
from gateway.pipeline.as2.waiting import watch_receipts
from gateway.pipeline.engine.local import OwnerLock
from gateway.pipeline.engine.port import Engine
from gateway.pipeline.keeping.retaining import keep_clean
from gateway.pipeline.outbound import hooking
from gateway.pipeline.outbox.boxes import hang_up_idle
from gateway.pipeline.service import in_force
from gateway.pipeline.service.archive_watch import EVERY as ARCHIVE_EVERY
from gateway.pipeline.service.archive_watch import ArchiveWatch
from gateway.pipeline.service.assembly import cluster_engine
from gateway.pipeline.service.assembly import is_cluster
from gateway.pipeline.service.assembly import local_engine
from gateway.pipeline.service.assembly import lookers
from gateway.pipeline.service.assembly import seal
from gateway.pipeline.service.clock_watch import LOOK_EVERY
from gateway.pipeline.service.clock_watch import ClockWatch
from gateway.pipeline.service.connection_watch import EVERY as CONNECTIONS_EVERY
from gateway.pipeline.service.connection_watch import ConnectionWatch
from gateway.pipeline.service.disk_space import EVERY as DISK_EVERY
from gateway.pipeline.service.disk_space import Disks
from gateway.pipeline.service.heart import EVERY as HEART_EVERY
from gateway.pipeline.service.heart import Heart
from gateway.pipeline.service.joining import own_database
from gateway.pipeline.service.joining import stay_owner
from gateway.pipeline.service.logs import set_up_logs
from gateway.pipeline.service.pollers import Pollers
from gateway.pipeline.service.reading_anew import hold
from gateway.pipeline.service.reading_anew import load_held
from gateway.pipeline.service.reloading import GLANCE_EVERY
from gateway.pipeline.service.reloading import Reloading
from gateway.pipeline.service.same_files import COMPARE_EVERY
from gateway.pipeline.service.same_files import TELL_EVERY as TELL_FILES_EVERY
from gateway.pipeline.service.same_files import SameFiles
from gateway.pipeline.service.service_manager import tell_manager
from gateway.pipeline.service.web_port import port_is_free
from gateway.pipeline.service.web_port import taken_words
from gateway.pipeline.service.web_port import want_port
from gateway.pipeline.stateless.linting import agreement_faults
from gateway.pipeline.station import Station
from gateway.pipeline.station import open_station
from gateway.pipeline.troubles import Standing
from gateway.store.database import DatabaseTrouble
from gateway.store.outgoing import circuits
from gateway.store.outgoing import outbox
from gateway.store.watching import meters
from gateway.store.watching import troubles
from gateway.store.working import nodes
from gateway.store.working.seats import Seats
from gateway.yaml_source import Faults

#: seconds that a new owner waits for a dying one to let go
WAIT_FOR_OWNER = 10.0
#: seconds that the start waits for a database that is away
WAIT_FOR_DATABASE = 60.0
SEAL_EVERY = 300.0
METERS_EVERY = 10.0
#: whether today's erasing is done yet
KEEP_CLEAN_EVERY = 1800.0
WATCH_DEADLINES_EVERY = 5.0
WATCH_CERTIFICATES_EVERY = 20.0
TELL_EVERY = 1.0
CLEAR_SPOOL_EVERY = 3600.0
HANG_UP_EVERY = 30.0
STAY_OWNER_EVERY = 5.0

#: seconds after which a web process that died is started again, and after which it is thought to stay up; deaths that are more than a mishap
AGAIN = 5.0
UP = 30.0
SEVERAL = 3
PORT_CURE = "Stop what holds the port, and the pages come back by themselves; or name another one as web: {port: ...} in config.yaml and start again."
WEB_CURE = "It is started again by itself; the log says why it ends."

T = TypeVar("T")
_log = structlog.get_logger("run")


def run_service(installation: Installation, *, ready: threading.Event | None = None) -> bool:
    """Serve until SIGTERM or SIGINT: finish the steps under way, stop the web process, go. False where a thread still hangs at a partner's
    server: then the caller ends the process without waiting for it, which is as harmless as a kill."""
    set_up_logs()
    if installation.settings.engine == "cluster":
        return _serve_among_others(installation, "service", ready)
    with OwnerLock(installation.data) as lock:
        if not lock.take(WAIT_FOR_OWNER):
            raise ConfigTrouble(
                f"Another process owns {installation.data} (process {lock.owner()}): one service an installation. Stop it, or use its pages and "
                "commands beside it"
            )
        want_port(installation)
        with _opened(installation) as (station, held):
            # before anything is taken in: after a restore the key may have to be put back first
            station.journal_key()
            alone = own_database(station, WAIT_FOR_OWNER)
            engine = _patiently(lambda: local_engine(station))
            _patiently(lambda: _begin_alone(station))
            if alone is not None:
                engine.every("owner", STAY_OWNER_EVERY, partial(_stay_owner, alone, engine))
            return _serve(station, held, engine, WebProcess(station), ready)


def _stay_owner(alone: Seats, engine: Engine) -> None:
    try:
        stay_owner(alone)
    except ConfigTrouble as error:
        # two that work on one database as if each were alone is worse than none
        _log.error("stopping", error=str(error))
        engine.stop()


def run_worker(installation: Installation, *, ready: threading.Event | None = None) -> bool:
    """One more process that does the work of a cluster, without pages."""
    set_up_logs()
    if installation.settings.engine != "cluster":
        raise ConfigTrouble("A worker works beside others: write `engine: cluster` into config.yaml, or start `gateway run`")
    return _serve_among_others(installation, "worker", ready)


def _serve_among_others(installation: Installation, role: str, ready: threading.Event | None) -> bool:
    if role == "service":
        want_port(installation)
    with _opened(installation) as (station, held):
        engine = _patiently(lambda: cluster_engine(station, role))
        _patiently(lambda: _begin_among_others(station))
        return _serve(station, held, engine, WebProcess(station) if role == "service" else None, ready)


def _begin_alone(station: Station) -> None:
    """Nobody else knows anything: what failed may be tried, and is told anew where it fails still."""
    with station.database.begin() as connection:
        outbox.try_now(connection, station.clock())
        troubles.forget_all(connection)
        circuits.begin_again(connection)
    hooking.begin(station)


def _begin_among_others(station: Station) -> None:
    """A person has started something anew: what failed may be tried. What the others know to be wrong stays told."""
    silence = timedelta(seconds=station.installation.settings.cluster.silence)
    with station.database.begin() as connection:
        outbox.try_now(connection, station.clock())
        troubles.forget_machine(connection, platform.node())
        if not nodes.alive(connection, silence):
            troubles.forget_all(connection)
            circuits.begin_again(connection)
    hooking.begin(station)


@contextmanager
def _opened(installation: Installation) -> Iterator[tuple[Station, Held]]:
    """The installation as its files are now, and what they said; closed at the end."""
    held, unreadable = hold(installation.file)
    if unreadable:
        raise Faults(unreadable)
    station = _patiently(lambda: open_station(load_held(installation.file, held)))
    try:
        # a wrong mapping stops the start, not the first order on Monday
        faults = agreement_faults(station.plans, installation.directory.partners.values(), installation.rules)
        if faults:
            raise Faults(faults)
        yield station, held
    finally:
        station.close()
        _log.info("stopped")


def _patiently(work: Callable[[], T]) -> T:
    """A database that is away for a moment, or just starting, is waited for: machines come up together in any order."""
    end = time.monotonic() + WAIT_FOR_DATABASE
    while True:
        try:
            return work()
        except DatabaseTrouble as error:
            if not error.retry or time.monotonic() > end:
                raise
            _log.warning("waiting for the database", error=str(error))
            time.sleep(1.0)


def _serve(station: Station, held: Held, engine: Engine, web: "WebProcess | None", ready: threading.Event | None) -> bool:
    installation = station.installation
    pollers = Pollers(engine)
    name = platform.node() if is_cluster(station) else ""
    reloading = _patiently(lambda: Reloading(station, held, lambda asked: pollers.become(lookers(station), anew=asked), name, leads=web is not None))

    def stop(number: int, frame: FrameType | None) -> None:
        engine.stop()
        if web is not None:
            web.tell_to_stop()

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGHUP, lambda number, frame: reloading.ask())
    try:
        pollers.become(lookers(station))
        engine.every("configuration", GLANCE_EVERY, reloading.look, each_process=True)
        if is_cluster(station):
            same = SameFiles(station, lambda: reloading.held)
            engine.every("files", TELL_FILES_EVERY, same.tell, each_process=True)
            engine.every("same files", COMPARE_EVERY, same.compare)
        engine.every("clock", LOOK_EVERY, ClockWatch(station).keep_watch, each_process=True)
        engine.every("seal", SEAL_EVERY, lambda: seal(station))
        engine.every("retention", KEEP_CLEAN_EVERY, lambda: keep_clean(station))
        engine.every("deadlines", WATCH_DEADLINES_EVERY, lambda: _watch(station))
        engine.every("certificates", WATCH_CERTIFICATES_EVERY, lambda: watch_certificates(station))
        engine.every("webhooks", TELL_EVERY, lambda: hooking.tell(station))
        engine.every("connections", HANG_UP_EVERY, _hang_up_idle, each_process=True)
        engine.every("readers", HANG_UP_EVERY, station.readers.tidy, each_process=True)
        engine.every("spool", CLEAR_SPOOL_EVERY, lambda: clear_spool(station), each_process=True)
        engine.every("heart", HEART_EVERY, Heart(station, engine, name).beat, each_process=True)
        engine.every("meters", METERS_EVERY, lambda: keep_meters(station), each_process=True)
        engine.every("alerts", ALERTS_EVERY, Alerts(station).look)
        engine.every("connections left", CONNECTIONS_EVERY, ConnectionWatch(station).look)
        engine.every("archive", ARCHIVE_EVERY, ArchiveWatch(station, name).look, each_process=True)
        engine.every("disk", DISK_EVERY, Disks(station, name).look, each_process=True)
        if web is not None:
            engine.every("web", 1.0, web.keep_up, each_process=True)
            web.start()
        pages = f"http://{installation.settings.web.host}:{installation.settings.web.port}/" if web is not None else ""
        _log.info("serving", config=str(installation.file), url=pages, partners=len(installation.directory.partners), node=station.node)
        if ready is not None:
            ready.set()
        tell_manager("READY=1", f"STATUS=serving {len(installation.directory.partners)} partners")
        engine.run()
        tell_manager("STOPPING=1")
        keep_meters(station)
        if not is_cluster(station):
            seal(station)
        return engine.idle()
    finally:
        if web is not None:
            web.stop()


def keep_meters(station: Station) -> None:
    """Add what this process counted to what the installation counted."""
    taken = station.meters.take()
    try:
        with station.database.begin() as connection:
            meters.add(connection, taken)
    except DatabaseTrouble:
        station.meters.give_back(taken)
        raise


def _hang_up_idle() -> None:
    hang_up_idle()
    mail_receiving.hang_up_idle()


def _watch(station: Station) -> None:
    watch_receipts(station)
    watch(station)


class WebProcess:
    """The web server as a child: started, started again when it dies, ended with us."""

    def __init__(self, station: Station) -> None:
        self._installation = station.installation
        self._trouble = Standing(station, "pages", f"on {platform.node()}" if is_cluster(station) else "of this machine")
        self._deaths = 0
        self._child: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._wanted = False

    def start(self) -> None:
        self._wanted = True
        self._started = time.monotonic()
        # the child ends itself when its standard input, which only we hold open, is closed by our death
        self._child = subprocess.Popen(
            [
                *(sys.executable, "-m", "gateway.web"),
                *("--config", str(self._installation.file), "--held", str(in_force.path_in(self._installation.data))),
            ],
            stdin=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    def keep_up(self) -> None:
        """Start the child again where it died, and say so: partners' machines are not served without it."""
        child = self._child
        if not self._wanted or child is None:
            return
        lived = time.monotonic() - self._started
        if child.poll() is None:
            if self._deaths and lived > UP:
                self._deaths = 0
                self._trouble.is_over()
        elif lived > AGAIN:
            _log.error("web process died, starting it again", code=child.returncode)
            self._deaths += 1
            self.start()
            web = self._installation.settings.web
            if port_is_free(web.host, web.port):
                self._trouble.stands(f"it ended by itself (code {child.returncode})", WEB_CURE, stopped=self._deaths >= SEVERAL)
            else:
                self._trouble.stands(taken_words(self._installation), PORT_CURE, stopped=self._deaths >= SEVERAL)

    def tell_to_stop(self) -> None:
        """Ask the child to end, without waiting for it."""
        self._wanted = False
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()

    def stop(self) -> None:
        """End the child."""
        self.tell_to_stop()
        child = self._child
        if child is None:
            return
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(5)
