"""AS2 relations as they are at this moment: read anew when a key's or certificate's file changes and when the configuration is loaded anew,
so that nobody has to start the service again for a new certificate."""

import hashlib
import os
import threading
from collections.abc import Iterable
from collections.abc import Iterator

from cryptography.hazmat.primitives.serialization import Encoding

from gateway.config import Installation
from gateway.exchange.as2 import As2Relation
from gateway.exchange.as2 import Pinned
from gateway.exchange.as2 import fingerprint
from gateway.exchange.endpoint import Endpoint
from gateway.exchange.partner import Partner
from gateway.pipeline.as2.measures import Measures
from gateway.pipeline.as2.relations import as2_endpoints
from gateway.pipeline.as2.relations import relation_of_endpoint
from gateway.pipeline.station import Station
from gateway.store.payloads.archive import Archive

#: what a relation was made from: the partner's and the endpoint's keys, and the time, size and number of each file that they name
Stamp = tuple[object, ...]

_GUARD = threading.Lock()
_MADE: dict[tuple[str, str, str], tuple[Stamp, As2Relation]] = {}


def relation_in_force(installation: Installation, partner: Partner, endpoint: Endpoint) -> As2Relation:
    """The relation that an AS2 endpoint describes now; raises ConfigTrouble where a key or certificate cannot be read."""
    key = (str(installation.file), partner.id, f"{endpoint.as2} {endpoint.name} {endpoint.our_name}")
    stamp = _stamp(installation, partner, endpoint)
    with _GUARD:
        made = _MADE.get(key)
    if made is not None and made[0] == stamp:
        return made[1]
    relation = relation_of_endpoint(installation, partner, endpoint)
    with _GUARD:
        _MADE[key] = (stamp, relation)
    return relation


def _stamp(installation: Installation, partner: Partner, endpoint: Endpoint) -> Stamp:
    settings = installation.settings
    return (endpoint, partner.zone, settings.zone, settings.us.identifiers.as2, *(_state(installation, name) for name in _files(endpoint)))


def _files(endpoint: Endpoint) -> Iterator[str]:
    for key in endpoint.keys:
        yield key.key
        yield key.certificate
        if key.password is not None:
            yield key.password
    for certificate in endpoint.certificates:
        yield certificate.file


def _state(installation: Installation, name: str) -> object:
    if name.startswith("env:"):
        return hashlib.sha256(installation.secret_bytes(name)).digest()
    try:
        # asked for each message: links are followed all the same
        found = os.stat(os.path.join(installation.folder, name.removeprefix("file:")))
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def keep_certificate(archive: Archive, pinned: Iterable[Pinned], signed_by: str | None) -> tuple[str, ...]:
    """The certificate of this fingerprint in the archive, where it stays when the partner has another one: its digest is the fingerprint."""
    for one in pinned:
        if signed_by is not None and fingerprint(one.certificate) == signed_by:
            digest = signed_by.partition(":")[2]
            return (digest if archive.has(digest) else archive.keep(one.certificate.public_bytes(Encoding.DER)),)
    return ()


class Relations:
    """Every AS2 relation of the installation, found by the names in a request's head."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._directory: object = None
        self._by_names: dict[tuple[str, str], list[tuple[Partner, str, Endpoint]]] = {}
        self.measures = Measures()

    def find(self, as2_from: str, as2_to: str) -> As2Relation | None:
        """What these two names agreed on; raises ConfigTrouble where its keys cannot be read."""
        found = self.partner_of(as2_from, as2_to)
        return relation_in_force(self._station.installation, found[0], found[2]) if found is not None else None

    def partner_of(self, as2_from: str, as2_to: str) -> tuple[Partner, str, Endpoint] | None:
        """The first partner whose endpoint has these two names, the endpoint's name, and the endpoint. Several partners may have them (a
        VAN): then their endpoints have the same certificates, which `gateway lint` demands."""
        sharing = self._names().get((as2_from, as2_to))
        return sharing[0] if sharing else None

    def sender_of(self, as2_from: str, as2_to: str) -> str | None:
        """The one partner that these names are of, or the sender's name alone where ours is written otherwise; None where that is nobody, or
        several. Anybody may write names: it says whose message it claims to be."""
        known = self._names()
        sharing = known.get((as2_from, as2_to)) or [one for (theirs, _), found in known.items() if theirs == as2_from for one in found]
        whose = {partner.id for partner, _, _ in sharing}
        return whose.pop() if len(whose) == 1 else None

    def _names(self) -> dict[tuple[str, str], list[tuple[Partner, str, Endpoint]]]:
        installation = self._station.installation
        if installation.directory is not self._directory:
            by_names: dict[tuple[str, str], list[tuple[Partner, str, Endpoint]]] = {}
            for partner, name, endpoint in as2_endpoints(installation):
                us = endpoint.our_name or installation.settings.us.identifiers.as2
                if us is not None and endpoint.name is not None:
                    by_names.setdefault((endpoint.name, us), []).append((partner, name, endpoint))
            self._by_names, self._directory = by_names, installation.directory
        return self._by_names
