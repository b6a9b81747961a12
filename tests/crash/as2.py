"""What the AS2 crash tests kill: an order comes by folder and its answer leaves by AS2; a receipt is posted to us. Both may be begun again."""

from pathlib import Path

from gateway.pipeline.as2.keys import Relations
from gateway.pipeline.as2.posting import read_kept
from gateway.pipeline.as2.posting import written_head
from gateway.pipeline.as2.receiving import receive_as2
from gateway.pipeline.as2.receiving import receive_together
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.service.assembly import work_off
from gateway.store.outgoing import outbox
from tests.crash.walk import open_here
from tests.pipeline.world import x12_order


def answer(folder: Path) -> None:
    """The order, and all work that it makes; what failed is tried at once, as at a start of the service."""
    station = open_here(folder)
    register(station, [Arrival(address="folder:boxes/acme/out", name="po.edi", identity="po.edi", data=x12_order())])
    with station.database.begin() as connection:
        outbox.try_now(connection, station.clock())
    work_off(station)
    station.close()


def hear(folder: Path) -> None:
    """The receipt in receipt.txt is posted to us."""
    station = open_here(folder)
    headers, body = read_kept(station.archive, station.archive.keep((folder / "receipt.txt").read_bytes()))
    given = receive_as2(station, Relations(station), headers, body)
    assert given.status == 200, given
    station.close()


def answer_and_hear(folder: Path) -> None:
    """The answer leaves, and the partner's station posts its receipt later, which it put into receipt.txt."""
    answer(folder)
    if (folder / "receipt.txt").exists():
        hear(folder)
        answer(folder)


def take(folder: Path) -> None:
    """The message in message.txt is posted to us, as often as its sender likes, and answered in answer.txt; then all work is done."""
    station = open_here(folder)
    headers, body = read_kept(station.archive, station.archive.keep((folder / "message.txt").read_bytes()))
    given = receive_as2(station, Relations(station), headers, body)
    assert given.status == 200, given
    (folder / "answer.txt").write_bytes(written_head(given.headers) + given.body)
    with station.database.begin() as connection:
        outbox.try_now(connection, station.clock())
    work_off(station)
    station.close()


def together(folder: Path) -> None:
    """The messages in message-*.txt are posted to us over several connections at once."""
    station = open_here(folder)
    requests = [read_kept(station.archive, station.archive.keep(path.read_bytes())) for path in sorted(folder.glob("message-*.txt"))]
    for given in receive_together(station, Relations(station), requests):
        assert not isinstance(given, Exception) and given.status == 200, given
    work_off(station)
    station.close()
