"""What a process makes sure of before it works beside others: that it is alone where it must be, and that it shares what all share."""

import time
from datetime import timedelta

from gateway.config import ConfigTrouble
from gateway.pipeline.station import Station
from gateway.store import settings
from gateway.store.incoming import transmissions
from gateway.store.keeping import erasures
from gateway.store.verifying import checkpoints
from gateway.store.verifying.checkpoints import fingerprint
from gateway.store.working import seats
from gateway.store.working.seats import Seats

#: the name of the setting that tells by which key the journal is signed
_JOURNAL_KEY = "journal key"


def own_database(station: Station, wait: float) -> Seats | None:
    """Be the only one on this database, as `engine: local` must be: the lock on the data folder is seen on this machine alone. None on
    SQLite, whose file lies in that folder. Waits for a process that just dies."""
    if station.database.dialect != "postgresql":
        return None
    alone = Seats(station.database, timedelta(0))
    end = time.monotonic() + wait
    while not alone.sit(seats.ENGINE):
        if time.monotonic() >= end:
            alone.close()
            raise ConfigTrouble(
                "Another service works on this database, perhaps on another machine: stop it, or write `engine: cluster` into the config.yaml of all"
            )
        time.sleep(0.05)
    return alone


def stay_owner(alone: Seats) -> None:
    """Own the database again where the server has ended our session meanwhile."""
    if not alone.has(seats.ENGINE) and not alone.sit(seats.ENGINE):
        raise ConfigTrouble("Another service has begun to work on this database: stop one of them")
    alone.keep()


def check_shared(station: Station) -> None:
    """What all machines of a cluster must have alike: the key of the journal, and the archive. Raises ConfigTrouble."""
    folder = station.installation.data
    with station.database.read() as connection:
        last = checkpoints.last(connection)
        # what a rule has erased is missed by nobody
        newest = [one for one in transmissions.search(connection, limit=1) if erasures.of_payload(connection, one.sha256) is None]
    if last is not None and not (folder / "keys" / "journal.key").exists():
        raise ConfigTrouble(
            f"The journal is signed with a key that is not here: copy data/keys/journal.key of the first machine to {folder}/keys/journal.key"
        )
    key = fingerprint(station.journal_key().public_key())
    with station.database.begin() as connection:
        known = settings.put_once(connection, _JOURNAL_KEY, last.key if last is not None else key)
    if known != key:
        raise ConfigTrouble(
            f"The journal is signed with another key than {folder}/keys/journal.key (made here at a first start): put data/keys/journal.key of "
            "the first machine in its place"
        )
    if newest and not station.archive.has(newest[0].sha256):
        raise ConfigTrouble(
            f"What another machine kept is not in {station.archive.place}: all machines need one archive: name the same "
            "`archive` in every config.yaml (the database, an object store, or a shared folder)"
        )
