"""For machines that watch: alive, ready, and a few honest numbers from the store."""

from collections import Counter
from collections.abc import Iterator

from fastapi import Request
from fastapi.responses import PlainTextResponse
from fastapi.responses import Response
from prometheus_client import CollectorRegistry
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.pipeline.condition import serving
from gateway.pipeline.condition import workers_of
from gateway.pipeline.station import Station
from gateway.store import answers
from gateway.store import awaited
from gateway.store import documents
from gateway.store import holds
from gateway.store import ledger
from gateway.store import outbox
from gateway.store import pauses
from gateway.store import troubles
from gateway.store import webhooks
from gateway.store.database import DatabaseTrouble
from gateway.web.answers import json_answer
from gateway.web.door import Door
from gateway.web.pages import station_of

#: rows that are counted one by one: above that a gauge stands still
COUNTED = 10_000


def alive(request: Request) -> Response:
    """This process answers."""
    return PlainTextResponse("ok\n")


def ready(request: Request) -> Response:
    """Whether work is done: the database answers, and a service owns the data."""
    station = station_of(request)
    try:
        with station.database.read() as connection:
            outbox.next_due(connection)
            owner = "running" if serving(station, workers_of(station, connection)) else "none: start gateway run"
        database = "reachable"
    except DatabaseTrouble as error:
        database, owner = str(error), "unknown"
    return json_answer({"database": database, "engine": owner}, 200 if database == "reachable" and owner == "running" else 503)


class StoreNumbers(Collector):
    """What the store says at the moment of asking."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def collect(self) -> Iterator[GaugeMetricFamily]:
        station = self._station
        with station.database.read() as connection:
            counts = documents.counts(connection)
            waiting = holds.list_open(connection, limit=COUNTED)
            states = {state: len(outbox.search(connection, state=state, limit=COUNTED)) for state in (*outbox.OPEN, "held_back", "dead")}
            paused = len(pauses.standing(connection))
            ageing = ledger.ageing(connection, station.clock().date())
            unmatched = ledger.unapplied_payments(connection, limit=COUNTED)
            awaiting = awaited.counts(connection)
            odd = len(answers.unmatched(connection, limit=COUNTED))
            rejections = len(holds.list_open(connection, kind="answer", limit=COUNTED))
            not_working = troubles.standing(connection)
            workers = workers_of(station, connection)
        kept = GaugeMetricFamily("gateway_documents", "Documents in the store", labels=("direction", "kind", "state", "test"))
        sums: dict[tuple[str, str, str, str], int] = {}
        for count in counts:
            key = (count.direction, count.kind or "unread", count.state, "yes" if count.test else "no")
            sums[key] = sums.get(key, 0) + count.count
        for key, number in sorted(sums.items()):
            kept.add_metric(key, number)
        yield kept
        yield GaugeMetricFamily("gateway_holds_open", "Documents and files that wait for a person", value=len(waiting))
        leaving = GaugeMetricFamily("gateway_outbox", "Rows of the outbox that have not left", labels=("state",))
        for state, number in states.items():
            leaving.add_metric((state,), number)
        yield leaving
        yield GaugeMetricFamily("gateway_partners_paused", "Partners to whom nothing is sent for now", value=paused)
        overdue = GaugeMetricFamily("gateway_open_items", "Open items by days past due (-1: not due)", labels=("currency", "bucket"))
        items: dict[tuple[str, str], int] = {}
        for row in ageing:
            items[row.currency, str(row.bucket)] = items.get((row.currency, str(row.bucket)), 0) + row.count
        for pair, number in sorted(items.items()):
            overdue.add_metric(pair, number)
        yield overdue
        yield GaugeMetricFamily("gateway_payments_unmatched", "Payments that are not used up", value=len(unmatched))
        missing = GaugeMetricFamily("gateway_answers", "Answers of partners that are waited for or overdue", labels=("state", "partner"))
        for pair, number in sorted(awaiting.items()):
            missing.add_metric(pair, number)
        yield missing
        yield GaugeMetricFamily("gateway_rejections_open", "Documents that partners rejected and nobody has dealt with", value=rejections)
        yield GaugeMetricFamily("gateway_answers_unmatched", "Answers of partners that fit nothing we sent", value=odd)
        failing = GaugeMetricFamily("gateway_not_working", "Mailboxes, steps and endpoints that do not work now", labels=("kind", "state"))
        kinds = {("mailbox", "stopped"): 0, ("mailbox", "retrying"): 0, ("sending", "stopped"): 0, ("sending", "retrying"): 0}
        for trouble in not_working:
            kinds[trouble.kind, trouble.state] = kinds.get((trouble.kind, trouble.state), 0) + 1
        for pair, number in sorted(kinds.items()):
            failing.add_metric(pair, number)
        yield failing
        yield GaugeMetricFamily("gateway_engine_owned", "1 where a service owns the data", value=int(serving(station, workers) is not None))
        alive = GaugeMetricFamily("gateway_nodes", "Processes of a cluster that are alive", labels=("host", "role"))
        mailboxes = GaugeMetricFamily("gateway_node_mailboxes", "Mailboxes that a machine looks into", labels=("host",))
        by_role = Counter((worker.host, worker.role) for worker in workers)
        by_host = Counter({worker.host: 0 for worker in workers})
        for worker in workers:
            by_host[worker.host] += len(worker.mailboxes)
        for (host, role), number in sorted(by_role.items()):
            alive.add_metric((host, role), number)
        for host, number in sorted(by_host.items()):
            mailboxes.add_metric((host,), number)
        yield from (alive, mailboxes)


class WebhookNumbers(Collector):
    """How far the events for other systems are."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def collect(self) -> Iterator[GaugeMetricFamily]:
        with self._station.database.read() as connection:
            counts = webhooks.counts(connection)
        events = GaugeMetricFamily("gateway_webhook_events", "Events for webhooks by state", labels=("webhook", "state"))
        for pair, number in sorted(counts.items()):
            events.add_metric(pair, number)
        yield events


class DoorNumbers(Collector):
    """What happened at the door for partners' machines since this process began."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def collect(self) -> Iterator[CounterMetricFamily]:
        yield CounterMetricFamily("gateway_wrong_keys", "Requests of partners without a key or with a wrong one", value=self._door.wrong_keys)
        yield CounterMetricFamily("gateway_turned_away", "Requests with a right key that were too many", value=self._door.turned_away)


def metrics(request: Request) -> Response:
    """The numbers in Prometheus' text form."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StoreNumbers(station_of(request)))
    registry.register(WebhookNumbers(station_of(request)))
    registry.register(DoorNumbers(request.app.state.door))
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8")
