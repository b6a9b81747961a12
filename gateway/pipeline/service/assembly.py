"""The service assembled: which step serves which stream, which mailboxes are looked into, and how commands get their work done
beside it or without it."""

import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from gateway.config import ConfigTrouble
from gateway.exchange.endpoint import Endpoint
from gateway.pipeline.answers.deadlines import watch
from gateway.pipeline.arriving import fetching
from gateway.pipeline.arriving import mail_receiving
from gateway.pipeline.arriving.files_in_the_way import FilesInTheWay
from gateway.pipeline.as2 import opening
from gateway.pipeline.as2.waiting import watch_receipts
from gateway.pipeline.engine.attending import attended
from gateway.pipeline.engine.claims import POLL
from gateway.pipeline.engine.local import LocalEngine
from gateway.pipeline.engine.local import OwnerLock
from gateway.pipeline.engine.port import Engine
from gateway.pipeline.engine.port import Step
from gateway.pipeline.inbound.walk import Inbound
from gateway.pipeline.meters import TRANSPORT_ERRORS
from gateway.pipeline.outbound import hooking
from gateway.pipeline.outbound import walk as outbound
from gateway.pipeline.outbox.circuits import Resting
from gateway.pipeline.outbox.circuits import guarded
from gateway.pipeline.service.condition import owner_of
from gateway.pipeline.service.joining import check_shared
from gateway.pipeline.service.joining import own_database
from gateway.pipeline.service.pollers import Look
from gateway.pipeline.service.pollers import Looker
from gateway.pipeline.service.waiting import Waiting
from gateway.pipeline.spread import spread
from gateway.pipeline.station import Station
from gateway.pipeline.trading import cycle
from gateway.pipeline.trading import handing_over
from gateway.pipeline.troubles import MENDS_ITSELF
from gateway.pipeline.troubles import TRY_AGAIN
from gateway.pipeline.troubles import UNREACHED
from gateway.pipeline.troubles import Standing
from gateway.store.outgoing import pauses
from gateway.store.outgoing import tries
from gateway.store.outgoing import webhooks
from gateway.store.verifying import checkpoints
from gateway.store.working import claims
from gateway.store.working import nodes
from gateway.transport.box import Busy
from gateway.transport.box import TransportError
from gateway.transport.box import Unreachable
from gateway.transport.folder import FolderBox

if TYPE_CHECKING:
    # its packages are an extra: imported only where config.yaml asks for a cluster
    from gateway.pipeline.engine.cluster import ClusterEngine

_log = structlog.get_logger("service")

#: seconds after which a mailbox that fails is looked into again, growing to the last one
BACK_OFF = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0)


def steps() -> Mapping[str, Step]:
    """What serves a stream, by its first word."""
    served: Mapping[str, Step] = {
        "open": opening.step,
        "in": Inbound().step,
        "trade": cycle.step,
        "out": outbound.step,
        "erp": handing_over.step,
        "hook": hooking.step,
    }
    return {kind: attended(step) for kind, step in served.items()}


def local_engine(station: Station) -> LocalEngine:
    """The engine of this machine with all steps; whoever makes it holds the owner's lock."""
    with station.database.begin() as connection:
        # the only owner is us: leases of a process that died hold nobody back
        tries.forget_leases(connection)
        webhooks.forget_leases(connection)
    return LocalEngine(station, steps())


def cluster_engine(station: Station, role: str) -> "ClusterEngine":
    """The engine of one process among others, with all steps."""
    from gateway.pipeline.engine.cluster import ClusterEngine

    check_shared(station)
    return ClusterEngine(station, steps(), role=role)


def is_cluster(station: Station) -> bool:
    """Whether other processes may work on the same installation."""
    return station.installation.settings.engine == "cluster"


def mailboxes(station: Station) -> dict[str, tuple[Endpoint, float]]:
    """Every address that files are fetched from, once, with the seconds between two looks."""
    settings = station.installation.settings
    found: dict[str, tuple[Endpoint, float]] = {}
    for loaded in station.installation.directory.partners.values():
        # endpoints that only take our answers are looked into as well: acknowledgments may come there
        for endpoint in loaded.partner.endpoints.values():
            if endpoint.transport in {"folder", "sftp"}:
                seconds = endpoint.poll or (settings.poll if endpoint.transport == "folder" else settings.poll_remote)
                found.setdefault(endpoint.address, (endpoint, seconds))
    return found


def lookers(station: Station) -> dict[str, Looker]:
    """Who looks into each mailbox and into the folders of our own systems, by name."""
    installation = station.installation
    found = {
        address: Looker("mailbox", seconds, installation.mark_of(endpoint), partial(_look_into, station, address, endpoint))
        for address, (endpoint, seconds) in mailboxes(station).items()
    }
    for source in mail_receiving.sources(installation):
        mark = " ".join(installation.mark_of(endpoint) for endpoint in source.endpoints)
        seconds = source.first.poll or installation.settings.poll_remote
        found[f"mail:{source.name}"] = Looker("mailbox", seconds, mark, partial(_look_into_mail, station, source))
    inbox = installation.settings.inbox
    for kind, folder in (("shipments", inbox.shipments), ("bank", inbox.bank)):
        if folder is not None:
            found[kind] = Looker("folder", installation.settings.poll, str(installation.path(folder)), partial(_look_into_own, station, kind, folder))
    return found


def _look_into(station: Station, address: str, endpoint: Endpoint) -> Look:
    owners = _owners(station, address)
    # several share a VAN's mailbox
    partner = owners[0] if len(owners) == 1 else None
    in_the_way = FilesInTheWay(station, address, partner)
    trouble = Standing(station, "mailbox", address, partner)
    is_ours = _claimed(station, address)

    def work() -> bool:
        with station.database.read() as connection:
            if pauses.is_fetching_paused(connection, owners):
                return False
        now = station.fixed()
        with guarded(now, endpoint) as box:
            return fetching.poll(now, address, box, empty=endpoint.empty, in_the_way=in_the_way, is_ours=is_ours)

    return Look(_patiently("mailbox", address, work, trouble, _counting(station, address)), trouble)


def _look_into_mail(station: Station, source: mail_receiving.Source) -> Look:
    trouble = Standing(station, "mailbox", source.name, source.partners[0] if len(source.partners) == 1 else None)
    postman = mail_receiving.Postman(source)

    def work() -> bool:
        with station.database.read() as connection:
            if pauses.is_fetching_paused(connection, source.partners):
                return False
        return postman.look(station.fixed())

    return Look(_patiently("mailbox", source.name, work, trouble, _counting(station, source.name)), trouble)


def _owners(station: Station, address: str) -> list[str]:
    """The partners that an address belongs to."""
    found = {
        loaded.partner.id
        for loaded in station.installation.directory.partners.values()
        for endpoint in loaded.partner.endpoints.values()
        if endpoint.address == address
    }
    return sorted(found)


def _look_into_own(station: Station, kind: str, folder: str) -> Look:
    from gateway.pipeline.arriving import handing_in

    box = FolderBox(station.installation.path(folder))
    trouble = Standing(station, "folder", folder)
    in_the_way = FilesInTheWay(station, f"{kind}:{folder}")
    is_ours = _claimed(station, kind)

    def work() -> bool:
        return handing_in.poll_folder(station.fixed(), kind, box, in_the_way, is_ours)

    return Look(_patiently("folder", folder, work, trouble, _counting(station, f"folder:{folder}")), trouble)


def _claimed(station: Station, name: str) -> Callable[[], bool]:
    """Whether we are the process that looks in there, asked of the database: one that stood still does not know."""
    if not is_cluster(station):
        return fetching.alone

    def is_ours() -> bool:
        with station.database.read() as connection:
            return claims.is_held(connection, f"{POLL}{name}", station.node)

    return is_ours


def _counting(station: Station, address: str) -> Callable[[], None]:
    """Counts a failure of a mailbox."""
    return partial(station.meters.count, TRANSPORT_ERRORS, "in", address)


def _patiently(what: str, address: str, work: Callable[[], bool], trouble: Standing, count: Callable[[], None]) -> Callable[[], bool]:
    """Look into a mailbox; where that fails say so once, in the log and on the pages, wait longer and longer, and say when it works again.
    A refused login or a strange host key stops it: going on could lock an account. A setting that is wrong is looked at again now and then."""
    # a folder of this machine costs nothing to look into, and may be made any moment
    longest = 1 if address.startswith("folder:") or what == "folder" else len(BACK_OFF) - 1
    failures = 0
    not_before = 0.0
    halted = False
    whose = {"partner": trouble.partner} if trouble.partner is not None else {}

    def look() -> bool:
        nonlocal failures, not_before, halted
        if halted or time.monotonic() < not_before:
            return False
        try:
            came = work()
        except Busy:
            return False  # our own sending has the connections: the next look has its turn
        except Resting as error:
            if error.stop and trouble.is_news(error.message):
                _log.error(f"{what} stopped", **whose, address=address, error=error.message, cure="mend what the error names; then gateway reload")
            trouble.stands(error.message, TRY_AGAIN if error.stop else UNREACHED, stopped=error.stop)
            return False
        except (TransportError, ConfigTrouble, OSError) as error:
            # where the account is known to all who would knock there it is left alone by that (Resting), else by us until we are made anew
            halted = isinstance(error, TransportError) and error.stop
            stopped = halted or isinstance(error, ConfigTrouble)
            if not isinstance(error, Unreachable):  # how long a server is left alone is known to all who would knock there
                not_before = time.monotonic() + spread(BACK_OFF[min(failures, longest)])
            failures += 1
            count()
            if stopped and trouble.is_news(str(error)):
                _log.error(f"{what} stopped", **whose, address=address, error=str(error), cure="mend what the error names; then gateway reload")
            elif failures == 1:
                _log.warning(f"{what} failed", **whose, address=address, error=str(error), cure="it is tried again by itself")
            trouble.stands(str(error), TRY_AGAIN if stopped else UNREACHED if isinstance(error, Unreachable) else MENDS_ITSELF, stopped=stopped)
            return False
        if failures:
            _log.info(f"{what} works again", **whose, address=address, failures=failures)
        trouble.is_over()
        failures = 0
        return came

    return look


def work_off(
    station: Station,
    timeout: float = 300.0,
    *,
    files: Sequence[str] | None = None,
    documents: Sequence[str] | None = None,
    deliveries: Sequence[str] | None = None,
) -> None:
    """What a command does after it committed: where nobody works on the installation, do the work; else wait for it to be done: what
    became of these files (transmissions), documents and rows of the outbox, or all work where nothing is said of any."""
    waiting = Waiting(station, files, documents, deliveries)
    end = time.monotonic() + timeout
    (_work_off_among_others if is_cluster(station) else _work_off_or_wait)(station, waiting, end, timeout)


def _work_off_or_wait(station: Station, waiting: Waiting, end: float, timeout: float) -> None:
    with OwnerLock(station.installation.data) as lock:
        while time.monotonic() < end:
            if lock.take():
                _work_alone(station, end)
                return
            if waiting.is_over():
                return
            time.sleep(0.05)
    owner = owner_of(station.installation.data)
    raise _not_done(timeout, f" (process {owner})" if owner else "")


def _work_alone(station: Station, end: float) -> None:
    alone = own_database(station, max(0.0, min(10.0, end - time.monotonic())))
    engine = local_engine(station)
    try:
        _do_all(station, engine, end)
    finally:
        engine.close()
        if alone is not None:
            alone.close()


def _work_off_among_others(station: Station, waiting: Waiting, end: float, timeout: float) -> None:
    silence = timedelta(seconds=station.installation.settings.cluster.silence)
    while time.monotonic() < end:
        with station.database.begin() as connection:
            # one that was killed a moment ago still seems alive: it is waited for until it is silent for too long
            nodes.bury(connection, silence)
            working = [node for node in nodes.alive(connection, silence) if node.role != "command"]
        if not working:
            engine = cluster_engine(station, "command")
            try:
                _do_all(station, engine, end)
            finally:
                engine.close()
            return
        if waiting.is_over():
            return
        time.sleep(0.05)
    raise _not_done(timeout)


def _do_all(station: Station, engine: Engine, end: float) -> None:
    engine.drain(max(1.0, end - time.monotonic()))
    watch_receipts(station)
    watch(station)
    seal(station)


def _not_done(timeout: float, owner: str = "") -> TimeoutError:
    return TimeoutError(
        f"The work was handed in, but is not done after {timeout:.0f} seconds: gateway status says what the service{owner} that owns the data does"
    )


def seal(station: Station) -> None:
    """Sign what the journal holds so far."""
    with station.database.begin() as connection:
        checkpoints.seal(connection, station.journal_key(), station.clock())
