"""Numbers for Prometheus. Those of the store are read from counters and from indexes of what is open: a store full of what is done costs
nothing. Those that the engine counts come from the store as well, where it adds them every few seconds (pipeline.meters)."""

from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from gateway.pipeline.meters import AS2_REFUSED
from gateway.pipeline.meters import BUCKETS
from gateway.pipeline.meters import STEP_CLASSES
from gateway.pipeline.meters import STEP_MICROSECONDS
from gateway.pipeline.meters import TRANSPORT_ERRORS
from gateway.pipeline.service.condition import Worker
from gateway.pipeline.service.condition import not_working
from gateway.pipeline.service.condition import serving
from gateway.pipeline.service.condition import workers_of
from gateway.pipeline.service.heart import silence_of
from gateway.pipeline.station import Station
from gateway.store.outgoing import awaited
from gateway.store.outgoing import outbox
from gateway.store.outgoing import pauses
from gateway.store.outgoing import webhooks
from gateway.store.records import documents
from gateway.store.trading import ledger
from gateway.store.watching import meters
from gateway.store.watching import tallies
from gateway.store.watching.troubles import Trouble
from gateway.store.working import queues
from gateway.web.door import Door
from gateway.web.metric_names import METRICS

Labels = TypeVar("Labels", bound=tuple[str, ...])
#: troubles that are told as 0 where there are none, so that an alarm has something to compare with
_ALWAYS = tuple((kind, state) for kind in ("mailbox", "sending", "configuration", "certificate") for state in ("stopped", "retrying"))


def text_of(station: Station, door: Door) -> bytes:
    """All numbers in Prometheus' text form."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers(station, door))
    return generate_latest(registry)


class _Numbers(Collector):
    """What is found at the moment of asking."""

    def __init__(self, station: Station, door: Door) -> None:
        self._station = station
        self._door = door

    def collect(self) -> Iterator[Metric]:
        station = self._station
        with station.database.read() as connection:
            now = station.clock()
            workers = workers_of(station, connection)
            yield from _documents(connection)
            yield from _open(connection)
            yield _gauge("gateway_not_working", _troubles(not_working(station, connection)))
            yield from _waiting(connection, now)
            yield from _counted(connection)
            yield from _money(connection, now)
            yield _gauge("gateway_webhook_events", webhooks.counts(connection))
        yield from _nodes(station, workers)
        yield _counter("gateway_wrong_keys", {(): self._door.wrong_keys})
        yield _counter("gateway_turned_away", {(): self._door.turned_away})


def _documents(connection: Connection) -> Iterator[Metric]:
    by_kind: Counter[tuple[str, ...]] = Counter()
    by_partner: Counter[tuple[str, ...]] = Counter()
    for count in documents.counts(connection):
        by_kind[count.direction, count.kind or "unread", count.state, "yes" if count.test else "no"] += count.count
        if not count.test:
            by_partner[count.partner, count.direction, count.state] += count.count
    yield _gauge("gateway_documents", by_kind)
    yield _gauge("gateway_partner_documents", by_partner)


def _open(connection: Connection) -> Iterator[Metric]:
    yield _gauge("gateway_holds_open", {(): tallies.open_holds(connection)})
    yield _gauge("gateway_rejections_open", {(): tallies.open_holds(connection, "answer")})
    yield _gauge("gateway_outbox", {(state,): tallies.outbox(connection, state) for state in (*outbox.OPEN, outbox.POSTED, "held_back", "dead")})
    yield _gauge("gateway_partners_paused", {(): len(pauses.standing(connection))})


def _troubles(standing: Iterable[Trouble]) -> Counter[tuple[str, str]]:
    counts = Counter(dict.fromkeys(_ALWAYS, 0))
    counts.update((trouble.kind, trouble.state) for trouble in standing)
    return counts


def _waiting(connection: Connection, now: datetime) -> Iterator[Metric]:
    def age(since: datetime | None) -> float:
        return max(0.0, (now - since).total_seconds()) if since is not None else 0.0

    yield _gauge("gateway_queue_age_seconds", {(queue,): age(since) for queue, since in queues.oldest(connection, now).items()})
    yield _gauge("gateway_unsent_age_seconds", {(partner,): age(since) for partner, since in queues.unsent(connection).items()})
    yield _gauge("gateway_answers", awaited.counts(connection))
    yield _gauge("gateway_answer_wait_seconds", {(partner,): age(since) for partner, since in tallies.answers_awaited(connection).items()})
    yield _gauge("gateway_answers_unmatched", {(): tallies.unmatched_answers(connection)})


def _counted(connection: Connection) -> Iterator[Metric]:
    """What the engines counted since the installation began."""
    errors: dict[tuple[str, ...], float] = {}
    refused: dict[tuple[str, ...], float] = {}
    classes: dict[tuple[str, ...], Counter[int]] = {}
    seconds: dict[tuple[str, ...], float] = {}
    for (name, labels), value in meters.all_counts(connection).items():
        if name == TRANSPORT_ERRORS:
            errors[labels] = value
        elif name == AS2_REFUSED:
            refused[labels] = value
        elif name == STEP_CLASSES:
            classes.setdefault(labels[:2], Counter())[int(labels[2])] += value
        elif name == STEP_MICROSECONDS:
            seconds[labels] = value / 1_000_000
    yield _counter("gateway_transport_errors", errors)
    yield _counter("gateway_as2_refused", refused)
    help, names = METRICS["gateway_step_seconds"]
    steps = HistogramMetricFamily("gateway_step_seconds", help, labels=names)
    for labels, found in sorted(classes.items()):
        up_to, total = [], 0
        for number, end in enumerate((*map(str, BUCKETS), "+Inf")):
            total += found[number]
            up_to.append((end, float(total)))
        steps.add_metric(labels, up_to, seconds.get(labels, 0.0))
    yield steps


def _money(connection: Connection, now: datetime) -> Iterator[Metric]:
    items: Counter[tuple[str, ...]] = Counter()
    for row in ledger.ageing(connection, now.date()):
        items[row.currency, str(row.bucket)] += row.count
    yield _gauge("gateway_open_items", items)
    yield _gauge("gateway_payments_unmatched", {(): tallies.unapplied_payments(connection)})


def _nodes(station: Station, workers: Iterable[Worker]) -> Iterator[Metric]:
    present = list(workers)
    mailboxes = Counter({(worker.host,): 0 for worker in present})
    for worker in present:
        mailboxes[(worker.host,)] += len(worker.mailboxes)
    yield _gauge("gateway_engine_owned", {(): int(serving(station, present) is not None)})
    silence = silence_of(station.installation.data)
    yield _gauge("gateway_engine_silence_seconds", {(): silence} if silence is not None else {})
    yield _gauge("gateway_nodes", Counter((worker.host, worker.role) for worker in present))
    yield _gauge("gateway_node_mailboxes", mailboxes)


def _gauge(name: str, values: Mapping[Labels, float]) -> Metric:
    help, labels = METRICS[name]
    family = GaugeMetricFamily(name, help, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, value)
    return family


def _counter(name: str, values: Mapping[Labels, float]) -> Metric:
    help, labels = METRICS[name]
    family = CounterMetricFamily(name, help, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, value)
    return family
