"""How many connections the processes of a cluster open to one account together: never more than are agreed with the partner.

A permit is a claim on one of the agreed connections, by the database's clock. It is asked for when a connection is opened and given back when
it is hung up; the heartbeat prolongs it with all other claims. Who finds none free says so by one more claim, which the others see with their
next heartbeat: they hang up where they only kept a connection. A process that works alone asks for nothing.
"""

import threading
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection

from gateway.store import crash
from gateway.store.database import Database
from gateway.store.database import DatabaseTrouble
from gateway.store.working import claims
from gateway.store.working.claims import Claim
from gateway.transport.box import Busy
from gateway.transport.sftp_permit import Permit

#: first words of the keys of claims: one of the agreed connections, and that somebody waits for one
CONNECTION = "connection:"
WANTED = "wanted:"
#: seconds for which who let another process have a connection asks for none: the other one asks every half second
AFTER_YOU = 2.0
#: seconds after which nobody waits any more who said so and did not ask again
FORGOTTEN = 60.0


class Permits:
    """What one process has of the connections that all may open together."""

    def __init__(self) -> None:
        self._database: Database | None = None
        self._node = ""
        self._lease = timedelta()
        self._guard = threading.Lock()
        self._held: dict[str, Permit] = {}
        #: keys that are asked for at this moment
        self._asking: set[str] = set()
        #: accounts that we said we wait for: the token of it, and when we last asked
        self._waiting: dict[str, tuple[int, float]] = {}
        self._places: dict[tuple[str, int], Places] = {}
        self._ending = False

    def share(self, database: Database, node: str, lease: timedelta) -> None:
        """Other processes work on the same installation: from now on connections are counted with theirs."""
        self._database, self._node, self._lease = database, node, lease

    def of(self, account: str, agreed: int) -> "Places | None":
        """Where to ask before a connection to an account is opened; None where this process works alone."""
        if self._database is None:
            return None
        with self._guard:
            return self._places.setdefault((account, agreed), Places(self, account, agreed))

    def before_beat(self) -> dict[str, int]:
        """What is ours: keys and tokens."""
        with self._guard:
            return {key: permit.token for key, permit in self._held.items()}

    def beaten(self, before: Mapping[str, int], kept: Mapping[str, int], standing: Sequence[Claim], began: float) -> None:
        """What a heartbeat that began at that moment found: which of our claims it prolonged, and which claims stand. Raises DatabaseTrouble."""
        wanted = {claim.key for claim in standing if claim.key.startswith(WANTED) and claim.holder != self._node}
        with self._guard:
            for key, token in before.items():
                permit = self._held.get(key)
                if permit is not None and permit.token == token:
                    permit.sure_until = began + self._lease.total_seconds() if kept.get(key) == token else 0.0
            for place in self._places.values():
                place.wanted = WANTED + place.account in wanted
            for account, (_, asked) in list(self._waiting.items()):
                if asked < began - FORGOTTEN:
                    del self._waiting[account]
            ours = self._held.keys() | self._asking | {WANTED + account for account in self._waiting}
            # a transaction whose end we did not learn left them, or nobody waits any more
            left_over = {key: token for key, token in kept.items() if key.startswith((CONNECTION, WANTED)) and key not in ours}
        self.look()
        if left_over and self._database is not None:
            with self._database.begin() as connection:
                for key, token in sorted(left_over.items()):
                    claims.give_back(connection, key, token)

    def look(self, *, ending: bool = False) -> None:
        """Have those hang up who lost their permit, or only keep a connection that another process waits for."""
        with self._guard:
            listeners = [listener for place in self._places.values() for listener in place.listeners]
        for listener in listeners:
            listener(ending)

    def look_first(self) -> None:
        """Before a heartbeat asks anybody: a process that stood still for too long hangs up at once."""
        with self._guard:
            lost = any(not permit.is_sure() for permit in self._held.values())
        if lost:
            self.look()

    def end(self) -> None:
        """The process is about to end: nobody waits for a connection any more."""
        self._ending = True

    def close(self) -> None:
        """The process ends: hang up everywhere. What was ours is free when it signs off."""
        with self._guard:
            for permit in self._held.values():
                permit.sure_until = 0.0
        self.look(ending=True)

    # ------------------------------------------------------------ what the places ask

    def take(self, account: str, agreed: int, *, waits: bool) -> Permit | None:
        """One of the agreed connections that nobody has. None: there is none, and where we wait for one the others know. Raises Busy."""
        assert self._database is not None
        with self._guard:
            ours = self._held.keys() | self._asking
            keys = [key for number in range(1, agreed + 1) if (key := f"{CONNECTION}{account} {number}") not in ours]
            self._asking.update(keys)
        permit, began = None, time.monotonic()
        try:
            if keys:
                with self._database.begin() as connection:
                    permit = self._take_one(connection, account, keys, began, waits=waits)
        except DatabaseTrouble as error:
            raise Busy(f"whether a connection to {account} is free cannot be asked: {error}") from error
        finally:
            with self._guard:
                self._asking.difference_update(keys)
                if permit is not None:
                    self._held[permit.key] = permit
        if permit is not None:
            crash.point(158)
        elif self._ending:
            raise Busy(f"other processes have the connections to {account}, and this one ends")
        return permit

    def give_back(self, permit: Permit) -> None:
        """The connection is hung up. Where the database is away the next heartbeat tells it."""
        assert self._database is not None
        crash.point(159)
        with self._guard:
            if self._held.get(permit.key) is permit:
                del self._held[permit.key]
        try:
            with self._database.begin() as connection:
                claims.give_back(connection, permit.key, permit.token)
        except DatabaseTrouble:
            return

    def _take_one(self, connection: Connection, account: str, keys: Sequence[str], began: float, *, waits: bool) -> Permit | None:
        # asked first: who inserts over what another one has waits for its heartbeat, and that for us
        taken = claims.taken(connection, [*keys, WANTED + account])
        permit = None
        for key in keys:
            token = claims.take(connection, key, self._node, self._lease) if key not in taken else None
            if token is not None:
                permit = Permit(key, token, began + self._lease.total_seconds())
                break
        with self._guard:
            said = self._waiting.get(account)
        if permit is not None and said is not None:
            claims.give_back(connection, WANTED + account, said[0])
            said = None
        elif permit is None and waits:
            # where another one said so already it is known
            token = claims.take(connection, WANTED + account, self._node, self._lease) if WANTED + account not in taken else None
            said = (token, began) if token is not None else said and (said[0], began)
        with self._guard:
            if said is not None:
                self._waiting[account] = said
            else:
                self._waiting.pop(account, None)
        return permit


class Places:
    """The agreed connections to one account, as a pool of this process asks for them."""

    def __init__(self, permits: Permits, account: str, agreed: int) -> None:
        self._permits = permits
        self.account = account
        self._agreed = agreed
        self._not_before = 0.0
        #: another process waits for one
        self.wanted = False
        #: whom a heartbeat tells that something may have changed
        self.listeners: list[Callable[[bool], None]] = []

    def take(self, *, waits: bool) -> Permit | None:
        """May one be opened? None: not now."""
        if time.monotonic() < self._not_before:
            return None
        return self._permits.take(self.account, self._agreed, waits=waits)

    def give_back(self, permit: Permit) -> None:
        """It is hung up."""
        if self.wanted:
            self.wanted = False
            self._not_before = time.monotonic() + AFTER_YOU
        self._permits.give_back(permit)
