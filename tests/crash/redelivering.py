"""What people do to what leaves, in the crash tests: a response that cannot be written, a despatch advice that waits behind it, a partner that is
paused, mended, tried again and resumed. Run by tests/crash/server.py in a child process; each part may be begun again.
"""

from pathlib import Path

from gateway.config import load_installation
from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.pipeline.outbox import pausing
from gateway.pipeline.outbox import redelivering
from gateway.pipeline.service.assembly import seal
from gateway.pipeline.service.assembly import work_off
from gateway.pipeline.station import open_station
from gateway.store.outgoing import pauses
from tests.crash.walk import SHIPMENT
from tests.crash.walk import take_in
from tests.pipeline.world import ACME

#: a response with this number cannot be written
SHORT = ACME + "schema:\n  x12/004010/855:\n    elements:\n      BAK/03: {max: 2}\n"


def walk(folder: Path) -> None:
    """Take the order in, ship it, mend what was wrong, let everything leave."""
    station = open_station(load_installation(folder / "config.yaml"))
    take_in(station)
    hand_in_shipments(station, SHIPMENT, "ship.csv", "warehouse")
    work_off(station)
    station.close()
    (folder / "partners/acme.yaml").write_text(ACME)
    station = open_station(load_installation(folder / "config.yaml"))
    dead = redelivering.to_try_again(station)
    if dead:
        pausing.pause(station, "acme", "clerk", "the guide is mended")
        redelivering.retry(station, dead, "clerk", "mended")
    with station.database.read() as connection:
        paused = pauses.is_paused(connection, "acme")
    work_off(station)
    if paused:
        pausing.resume(station, "acme", "clerk")
    work_off(station)
    seal(station)
    station.close()
