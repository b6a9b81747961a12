"""Processes of a cluster must work by the same files. Each says what its own say, by digests; one of them compares, and tells where they differ.

Of keys and certificates that the files name it is their fingerprint, of passwords only that they are there. Files reach machines one after the
other: only what stays different for a while is told. What belongs to a machine (its data folder, its web address, how it reaches the database)
may differ.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from datetime import timedelta

from gateway import __version__
from gateway.config.held import Held
from gateway.config.settings import Settings
from gateway.pipeline.service.fingerprints import Fingerprints
from gateway.pipeline.station import Station
from gateway.store.watching import troubles
from gateway.store.watching.troubles import Trouble
from gateway.store.working import nodes
from gateway.store.working.nodes import Node

TELL_EVERY = 5.0
COMPARE_EVERY = 10.0
#: seconds that files may be different while somebody copies them
PATIENCE = 60.0
TROUBLE = "configuration differs between machines"
CURE = "Copy the right ones to the other machines; each takes them over by itself, or says what is wrong in them. Until then each works by its own."
#: keys of config.yaml that are a machine's own
_OWN = frozenset({"data", "database", "web", "partners", "mappings", "schemas"})
_SHOWN = 12
_MOST = 10
_NOTHING = "nothing"


class SameFiles:
    """What this process works by, and whether all work by the same."""

    def __init__(self, station: Station, held: Callable[[], Held], counting: Callable[[], float] = time.monotonic) -> None:
        self._station = station
        self._held = held
        self._counting = counting
        self._different_since: float | None = None
        self._fingerprints = Fingerprints()

    def tell(self) -> None:
        """Say what our files say, for a timer: anew where they changed, or where we were thought dead."""
        installation = self._station.installation
        said = digests_of(self._held(), installation.settings) | self._fingerprints.of(installation)
        with self._station.database.read() as connection:
            known = nodes.files_of(connection, [self._station.node]).get(self._station.node)
        if known != said:
            with self._station.database.begin() as connection:
                nodes.put_files(connection, self._station.node, said)

    def compare(self) -> None:
        """Whether all say the same, for a timer of one process at a time."""
        station = self._station
        with station.database.read() as connection:
            alive = [
                node for node in nodes.alive(connection, timedelta(seconds=station.installation.settings.cluster.silence)) if node.role != "command"
            ]
            files = nodes.files_of(connection, [node.id for node in alive])
            told = next((trouble for trouble in troubles.standing(connection) if trouble.name == TROUBLE), None)
        error = "; ".join(differences(alive, files))
        if not error:
            self._different_since = None
            if told is not None:
                with station.database.begin() as connection:
                    troubles.is_over(connection, TROUBLE)
            return
        if self._different_since is None:
            self._different_since = self._counting()
        if (told is None and self._counting() - self._different_since < PATIENCE) or (told is not None and told.error == error):
            return
        with station.database.begin() as connection:
            stands = Trouble(name=TROUBLE, kind="configuration", state="stopped", error=error, cure=CURE, since=station.clock())
            troubles.stands(connection, stands)


def digests_of(held: Held, settings: Settings) -> dict[str, str]:
    """The files and keys of config.yaml that all machines must have alike, with a digest of each."""
    keys = settings.model_dump(mode="json", exclude=set(_OWN))
    said = {f"config.yaml: {name}": _digest(json.dumps(value, sort_keys=True)) for name, value in keys.items()}
    return {"the program": __version__, **said, **{name: _digest(text) for name, text in held.texts.items()}}


def digest_of(files: Mapping[str, str]) -> str:
    """One digest of all, for people to compare."""
    return _digest(json.dumps(sorted(files.items())))


def differences(alive: list[Node], files: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """What is not the same everywhere: `partners/acme.yaml is 4f1c0a9b2e7d on first, 77aa90cc31ff on second`."""
    saying = [node for node in alive if node.id in files]
    names = sorted({name for node in saying for name in files[node.id]})
    different = [name for name in names if len({files[node.id].get(name) for node in saying}) > 1]
    hosts = Counter(node.host for node in saying)
    for name in different[:_MOST]:
        where: dict[str, str] = {}
        for node in saying:
            where.setdefault(node.host if hosts[node.host] == 1 else f"{node.host} (process {node.process})", files[node.id].get(name, _NOTHING))
        yield f"{name} is {', '.join(f'{digest} on {machine}' for machine, digest in where.items())}"
    if len(different) > _MOST:
        yield f"{len(different) - _MOST} more are different"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_SHOWN]
