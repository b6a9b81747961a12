"""What our own people and systems hand in: files as if they had arrived, shipments, invoice releases, bank files. Commands and
folders both come here; everything handed in is kept like what arrives, and a shipment or release with a number is taken once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.exchange.partner import BY_HAND
from gateway.exchange.partner import LoadedPartner
from gateway.pipeline.receive import Arrival
from gateway.pipeline.receive import register
from gateway.pipeline.station import Station
from gateway.problem import Problem
from gateway.store import documents
from gateway.store import interchanges
from gateway.store import outbox
from gateway.store import references
from gateway.store import transmissions
from gateway.store.identity import new_id
from gateway.store.transmissions import Transmission
from gateway.transport.box import Box


@dataclass(frozen=True, slots=True)
class Became:
    """What became of one file that was handed in."""

    file: str
    transmission: Transmission
    documents: list[documents.Document]
    #: acknowledgments and documents of ours that it led to
    outgoing: list[outbox.Entry]

    @property
    def problems(self) -> list[Problem]:
        return [*self.transmission.problems, *(problem for row in self.documents for problem in row.problems)]


def hand_in_files(station: Station, files: Sequence[Path], loaded: LoadedPartner | None, actor: str) -> list[Transmission]:
    """Files as if they had arrived: over the partner's own endpoint where one is named, else by the operator, who may hand in anybody's."""
    address = BY_HAND
    if loaded is not None:
        named = [loaded.partner.endpoint(agreement.from_) for agreement in loaded.partner.receiving()]
        address = next((endpoint.address for endpoint in named if endpoint is not None), BY_HAND)
    arrivals = [Arrival(address=address, name=file.name, identity=f"{new_id()}|{file.name}", data=file.read_bytes(),
                        partner=loaded.partner.id if loaded else None) for file in files]
    return [transmission for transmission, _ in register(station, arrivals, actor)]


def poll_folder(station: Station, kind: str, box: Box) -> bool:
    """Take what our own systems put into a folder: bank files walk inward, shipments become documents."""
    came = False
    for found in box.list_ready():
        data = b"".join(box.fetch(found))
        register(station, [Arrival(address=BY_HAND, name=found.name, identity=f"{kind}|{found.identity}", data=data, properties={"inbox": kind})])
        box.remove(found)
        came = True
    return came


def became(station: Station, file: str, transmission_id: str) -> Became:
    """What became of a file that was handed in, when the work is done."""
    with station.database.read() as connection:
        transmission = transmissions.get(connection, transmission_id)
        assert transmission is not None
        rows = documents.of_transmission(connection, transmission_id, limit=100_000)
        whole = documents.get_many(connection, [row.id for row in rows])
        outgoing = [entry for row in interchanges.of_transmission(connection, transmission_id) for entry in outbox.of_interchange(connection, row.id)]
        for row in rows:
            for link in references.links_of(connection, row.id):
                if link.from_document == row.id:
                    outgoing += outbox.of_document(connection, link.to_document)
    return Became(file, transmission, [whole[row.id] for row in rows], outgoing)
