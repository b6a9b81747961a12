"""What one process of a cluster does alone: the mailboxes that it looks into and the timers that it runs, each under a claim that its
heartbeat prolongs. A process that stood still knows by its own steady clock that its claims may be gone, and asks for them anew.

Claims stay where they are while their holder lives; one that holds more mailboxes than its share lets some go to the others.
"""

import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from math import ceil

import structlog

from gateway.pipeline.station import Station
from gateway.store import crash
from gateway.store.watching import troubles
from gateway.store.watching.troubles import Trouble
from gateway.store.working import claims
from gateway.store.working import nodes
from gateway.store.working.nodes import Node

#: first words of keys that are shared out evenly: mailboxes
POLL = "poll:"
#: what a trouble is called that the last holder may have left behind, by the first word of its key
_TROUBLES = {"poll": ("mailbox", "folder", "poller"), "clock": ("clock",)}
#: the kind of trouble when a process fell silent
MACHINE = "machine"
_BEGIN_AGAIN = "The others do its work. Start it again; this goes when a process begins on that machine, or after a day."
#: roles of nodes that look into mailboxes
_LOOKING = ("service", "worker")

_log = structlog.get_logger("cluster")


class Holdings:
    """The claims of one node."""

    def __init__(self, station: Station, node: Node, heartbeat: float, silence: float) -> None:
        self._station = station
        self.node = node
        self._heartbeat = heartbeat
        self._silence = timedelta(seconds=silence)
        self._guard = threading.Lock()
        self._held: dict[str, int] = {}
        #: on the steady clock: until when what we hold is surely ours
        self._sure_until = 0.0
        #: what the others hold, as the last heartbeat saw it
        self._theirs: set[str] = set()
        #: keys that are not asked for before a moment of the steady clock
        self._not_before: dict[str, float] = {}
        #: all mailboxes that this process would look into
        self._expected: set[str] = set()
        #: mailboxes that are to go to others when nobody looks into them
        self._surplus: set[str] = set()
        #: mailboxes above our share that nobody else took
        self._stay: set[str] = set()
        #: mailboxes that the configuration names no more: their claims are given back with the next heartbeat
        self._given_up: set[str] = set()
        self._share = 0
        #: keys of `exclusive`, which two threads of one process may not have at once either
        self._exclusive: set[str] = set()
        self._known = False
        self.alive: list[Node] = []

    def expect(self, key: str) -> None:
        """This process can do what the key names."""
        with self._guard:
            if key.startswith(POLL):
                self._expected.add(key)

    def expect_no_more(self, key: str) -> None:
        """What the key names is not done here any more: the claim runs out, or goes to others."""
        with self._guard:
            self._expected.discard(key)
            if key in self._held:
                self._given_up.add(key)

    def beat(self) -> list[Node]:
        """Show that we live, see who does not and free what it held; returns who died. Raises DatabaseTrouble."""
        began = time.monotonic()
        permits = self._station.permits
        permitted = permits.before_beat()
        with self._guard:
            before = dict(self._held)
        with self._station.database.begin() as connection:
            known = nodes.beat(connection, self.node)
            kept = claims.prolong(connection, self.node.id, self._silence)
            for key in self._drop():
                claims.give_back(connection, key, kept.pop(key, 0))
        with self._station.database.begin() as connection:
            dead = nodes.bury(connection, self._silence)
            crash.point(101)
        with self._station.database.read() as connection:
            standing = claims.standing(connection)
            alive = nodes.alive(connection, self._silence)
        self._tell(dead, alive, begins=not known)
        if self._known and not known:
            _log.warning("thought dead", node=self.node.id, cure="it stood still, or could not reach the database; what it held is given to others")
        self._known = True
        for node in dead:
            _log.warning("node is dead", node=node.id, host=node.host, process=node.process, silent_since=node.beat_at.isoformat())
        with self._guard:
            # what was taken while we asked is not among what was prolonged, and ours all the same
            lost = [key for key, token in before.items() if kept.get(key) != token and self._held.get(key) == token]
            for key in lost:
                del self._held[key]
            self._sure_until = began + self._silence.total_seconds()
            self._theirs = {claim.key for claim in standing if claim.holder != self.node.id}
            if [node.id for node in alive] != [node.id for node in self.alive]:
                self._stay.clear()
            self.alive = alive
            self._share_out()
        if lost:
            _log.warning("claims lost", claims=sorted(lost))
        permits.beaten(permitted, kept, standing, began)
        return dead

    def mine(self, key: str) -> bool:
        """Whether this process is the one that does what the key names; takes it where it is free. Raises DatabaseTrouble."""
        with self._guard:
            now = time.monotonic()
            if key in self._held and now < self._sure_until:
                if key not in self._surplus:
                    return True
                self._surplus.discard(key)
                token = self._held.pop(key)
                self._not_before[key] = now + 3 * self._heartbeat
            elif key in self._theirs or now < self._not_before.get(key, 0.0) or not self._known:
                return False
            else:
                token = None
                if self._is_enough(key):
                    # another one is to have it; where nobody comes it is ours
                    self._stay.add(key)
                    self._not_before[key] = now + 3 * self._heartbeat
                    return False
                self._not_before[key] = now + self._heartbeat
        if token is not None:
            with self._station.database.begin() as connection:
                claims.give_back(connection, key, token)
            return False
        return self._take(key)

    def begin(self, key: str, seconds: float) -> int | None:
        """The token of a claim for a while; None where another one, or another thread of ours, has it."""
        with self._guard:
            if key in self._exclusive:
                return None
            self._exclusive.add(key)
        token = None
        try:
            with self._station.database.begin() as connection:
                token = claims.take(connection, key, self.node.id, timedelta(seconds=seconds))
        finally:
            if token is None:
                with self._guard:
                    self._exclusive.discard(key)
        return token

    def end(self, key: str, token: int) -> None:
        """Give such a claim back."""
        try:
            with self._station.database.begin() as connection:
                claims.give_back(connection, key, token)
        finally:
            with self._guard:
                self._exclusive.discard(key)

    def held(self) -> tuple[str, ...]:
        """What is ours now."""
        with self._guard:
            return tuple(sorted(self._held)) if time.monotonic() < self._sure_until else ()

    def leave(self) -> None:
        """The process ends in order: all that it held is free at once. Raises DatabaseTrouble."""
        self._station.permits.close()
        with self._station.database.begin() as connection:
            nodes.leave(connection, self.node.id)
            if not any(node.host == self.node.host and node.role in _LOOKING for node in nodes.known(connection)):
                # nobody is left there who would say that it is over
                troubles.forget_machine(connection, self.node.host)
            crash.point(104)
        with self._guard:
            self._held.clear()

    # ------------------------------------------------------------ how

    def _tell(self, dead: Sequence[Node], alive: Sequence[Node], *, begins: bool) -> None:
        """Which machines lost a process that nobody has started again; one that begins here, or wakes, is no trouble any more."""
        if not begins and not dead:
            return
        with self._station.database.begin() as connection:
            if begins:
                troubles.is_over(connection, f"{MACHINE} {self.node.host}")
            for node in dead:
                again = any(one.host == node.host and one.role == node.role and one.started_at > node.beat_at for one in alive)
                if node.role in _LOOKING and not again:
                    troubles.stands(connection, _lost(node))

    def _take(self, key: str) -> bool:
        with self._station.database.begin() as connection:
            token = claims.take(connection, key, self.node.id, self._silence)
            if token is not None:
                kind, _, name = key.partition(":")
                for word in _TROUBLES.get(kind, ()):
                    # the last holder may have died with it; where it stands still we shall tell it anew
                    troubles.is_over(connection, f"{word} {name}")
        if token is None:
            return False
        crash.point(102)
        with self._guard:
            self._held[key] = token
        return True

    def _drop(self) -> list[str]:
        with self._guard:
            dropped = [key for key in self._given_up if key not in self._expected]
            self._given_up.clear()
            return dropped

    def _polls(self) -> int:
        return sum(key.startswith(POLL) for key in self._held)

    def _is_enough(self, key: str) -> bool:
        return key.startswith(POLL) and key not in self._stay and self._polls() >= self._share

    def _share_out(self) -> None:
        """How many mailboxes are ours to look into, and which of those that we hold are too many. The guard is held."""
        looking = max(1, sum(node.role in _LOOKING for node in self.alive))
        self._share = ceil(len(self._expected) / looking)
        polls = sorted(key for key in self._held if key.startswith(POLL))
        self._surplus = set(polls[self._share :]) - self._stay


def _lost(node: Node) -> Trouble:
    return Trouble(
        name=f"{MACHINE} {node.host}",
        kind=MACHINE,
        state="retrying",
        error=f"the {node.role} there (process {node.process}) has not been heard of since {node.beat_at:%Y-%m-%d %H:%M:%S} UTC",
        cure=_BEGIN_AGAIN,
        since=node.beat_at,
    )
