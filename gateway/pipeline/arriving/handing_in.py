"""What our own people and systems hand in: files as if they had arrived, shipments, invoice releases, bank files. Commands and
folders both come here; everything handed in is kept like what arrives, and a shipment or release with a number is taken once."""

import time
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from gateway.exchange.directory import BY_HAND
from gateway.exchange.partner import LoadedPartner
from gateway.kinds import rule as kinds
from gateway.pipeline.arriving.fetching import LONGEST_VISIT
from gateway.pipeline.arriving.fetching import alone
from gateway.pipeline.arriving.files_in_the_way import FilesInTheWay
from gateway.pipeline.endpoints import trade_stream
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.inbound.shipment_files import INBOX
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.pipeline.trading import owners
from gateway.pipeline.trading.invoicing import Release
from gateway.pipeline.trading.shipments import hand_over
from gateway.pipeline.trading.shipments import shipments_of
from gateway.pipeline.trading.shipments import take_shipments
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.store import crash
from gateway.store.database import DatabaseTrouble
from gateway.store.identity import new_id
from gateway.store.incoming import holds
from gateway.store.incoming import interchanges
from gateway.store.incoming import transmissions
from gateway.store.incoming.transmissions import Transmission
from gateway.store.outgoing import outbox
from gateway.store.records import documents
from gateway.store.records import references
from gateway.trade.crediting import CreditLine
from gateway.transport.box import Box
from gateway.transport.box import FileTrouble
from gateway.transport.box import Found
from gateway.transport.box import TransportError

_log = structlog.get_logger("handing in")


@dataclass(frozen=True, slots=True)
class Became:
    """What became of one file that was handed in."""

    file: str
    transmission: Transmission
    documents: list[documents.Document]
    #: acknowledgments and documents of ours that it led to
    outgoing: list[outbox.Entry]
    #: why the file as a whole waits for a person
    waits_for: tuple[Problem, ...] = ()

    @property
    def problems(self) -> list[Problem]:
        return [*self.transmission.problems, *self.waits_for, *(problem for row in self.documents for problem in row.problems)]


def hand_in_files(station: Station, files: Sequence[Path], loaded: LoadedPartner | None, actor: str, spec: str | None = None) -> list[Transmission]:
    """Files as if they had arrived: over the partner's own endpoint where one is named, else by the operator, who may hand in anybody's.
    `spec`: what they are, where they do not say it themselves (csv/orders)."""
    address = BY_HAND
    if loaded is not None:
        named = [loaded.partner.endpoint(agreement.from_) for agreement in loaded.partner.receiving()]
        if spec is not None:
            named = [loaded.partner.endpoint(one.from_) for one in loaded.partner.receiving() if one.receive == spec] or named
        address = next((endpoint.address for endpoint in named if endpoint is not None), BY_HAND)
    arrivals = [
        Arrival(
            address=address,
            name=file.name,
            identity=f"{new_id()}|{file.name}",
            data=file.read_bytes(),
            partner=loaded.partner.id if loaded else None,
            properties={"as": spec} if spec is not None else {},
        )
        for file in files
    ]
    return [transmission for transmission, _ in register(station, arrivals, actor)]


class NotTaken(Exception):
    """Something handed in that cannot be taken as it is; its problems say why. Nothing of it was kept."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


def hand_in_shipments(station: Station, data: bytes, name: str, actor: str, partner: str | None = None, spec: str | None = None) -> list[str]:
    """Shipments of a JSON or CSV file (`spec`: of another type) onto their partners' streams; raises NotTaken. The documents' ids; a shipment
    known by its number (or, without one, by its very content) is there already and is not taken again."""
    shipments, problems = shipments_of(data, station.plans, spec)
    if problems:
        raise NotTaken(problems)
    sha256 = station.archive.keep(data)
    with station.database.begin() as connection:
        ids, wrong = take_shipments(station, connection, shipments, sha256, name, actor, named=partner)
        crash.point(47)
    if wrong:
        raise NotTaken(wrong)
    return ids


def release_invoices(station: Station, orders_: Sequence[str], actor: str, partner: str | None = None) -> list[str]:
    """Release what was despatched of these orders for billing; raises NotTaken. The documents' ids."""
    meant, wrong = [], []
    with station.database.read() as connection:
        for number in dict.fromkeys(orders_):
            owner = owners.owner_of(connection, [number], owners.BILLING, station.installation.directory.partners, partner)
            if isinstance(owner, Problem):
                wrong.append(owner)
            else:
                meant.append((owner, number))
    if wrong:
        raise NotTaken(wrong)
    return release_orders(station, meant, actor)


def release_orders(station: Station, meant: Sequence[tuple[str, str]], actor: str) -> list[str]:
    """Release what was despatched of these orders (of a partner, of a number) for billing. The documents' ids."""
    return _insert(station, [_release(partner, number, Release(orders=(number,)), station) for partner, number in meant], actor, "invoice release")


def release_credit(station: Station, invoice: str, lines: Sequence[CreditLine], reason: str, actor: str) -> list[str]:
    """Release an invoice, or some of its lines, for a credit note; raises NotTaken. The documents' ids."""
    with station.database.read() as connection:
        found = documents.search(connection, documents.Filters(kind="invoice", direction="out", number=invoice))
    if len(found) != 1:
        raise NotTaken(
            [kinds.BILLING_NOTHING.at(NOWHERE, f"'{invoice}' is no invoice that we made", found=invoice, expected="the number of an invoice")]
        )
    release = Release(credit=invoice, lines=tuple(lines), reason=reason)
    return _insert(station, [_release(found[0].partner, invoice, release, station)], actor, "credit release")


def _release(partner: str, number: str, release: Release, station: Station) -> documents.Document:
    return documents.Document(
        id=short_id("D", "invoice_release", partner, new_id()),
        direction="in",
        partner=partner,
        kind="invoice_release",
        number=number,
        state="registered",
        stream=trade_stream(partner),
        created_at=station.clock(),
        body=msgspec.json.encode(release).decode(),
    )


def _insert(station: Station, made: Sequence[documents.Document], actor: str, name: str) -> list[str]:
    with station.database.begin() as connection:
        hand_over(connection, made, actor, name)
        crash.point(47)
    return [row.id for row in made]


def poll_folder(station: Station, kind: str, box: Box, in_the_way: FilesInTheWay, is_ours: Callable[[], bool] = alone) -> bool:
    """Take what our own systems put into a folder: its files walk inward. One file stops no other."""
    came = False
    listed = box.list_ready()
    in_the_way.keep_only(listed)
    end = time.monotonic() + LONGEST_VISIT
    for found in listed:
        if time.monotonic() > end:
            # whoever stops the service waits no longer for it
            in_the_way.tell()
            return True
        if in_the_way.waits(found):
            continue
        try:
            # also what was left behind: another file may lie in its place, and what is known is not taken twice
            _hand_in(station, kind, found, b"".join(box.fetch(found)))
            came |= not in_the_way.was_left(found)
        except FileTrouble as error:
            in_the_way.add(found, error.message)
            continue
        except (TransportError, DatabaseTrouble, OSError):
            raise
        except Exception as error:  # noqa: BLE001  a fault of ours with one file must not keep back all that lie behind it
            _log.exception("file not handed in", file=found.name)
            in_the_way.add(found, f'"{found.name}" could not be handed in: {type(error).__name__}: {error}')
            continue
        crash.point(130)
        if not is_ours():
            break  # we stood still: another process looks in here now, and finds that it is known
        try:
            box.remove(found)
        except FileTrouble as error:
            in_the_way.add(found, error.message)
            in_the_way.leave([found])
        else:
            crash.point(131)
            in_the_way.are_gone([found])
    in_the_way.tell()
    return came


def _hand_in(station: Station, kind: str, found: Found, data: bytes) -> None:
    register(station, [Arrival(address=BY_HAND, name=found.name, identity=f"{kind}|{found.identity}", data=data, properties={INBOX: kind})])


def became(station: Station, file: str, transmission_id: str) -> Became:
    """What became of a file that was handed in, when the work is done."""
    with station.database.read() as connection:
        transmission = transmissions.get(connection, transmission_id)
        assert transmission is not None
        open_holds = [hold for hold in holds.of_transmission(connection, transmission_id) if hold.resolved_at is None]
        waits_for = tuple(problem for hold in open_holds for problem in hold.reasons)
        rows = documents.of_transmission(connection, transmission_id, limit=100_000)
        whole = documents.get_many(connection, [row.id for row in rows])
        outgoing = [entry for row in interchanges.of_transmission(connection, transmission_id) for entry in outbox.of_interchange(connection, row.id)]
        for row in rows:
            for link in references.links_of(connection, row.id):
                if link.from_document == row.id:
                    outgoing += outbox.of_document(connection, link.to_document)
    return Became(file, transmission, [whole[row.id] for row in rows], outgoing, waits_for)
