"""AS2 endpoints of partners as relations of the exchange room: names, keys and certificates read from where the YAML names them."""

from collections.abc import Iterator

from gateway.config import ConfigTrouble
from gateway.config import Installation
from gateway.exchange.as2 import As2Relation
from gateway.exchange.as2 import Identity
from gateway.exchange.as2 import read_certificate
from gateway.exchange.as2 import read_identity
from gateway.exchange.endpoint import Endpoint
from gateway.exchange.partner import Partner


def relation_of_endpoint(installation: Installation, partner: Partner, endpoint: Endpoint) -> As2Relation:
    """The relation that an AS2 endpoint describes; raises ConfigTrouble where a key or certificate cannot be read."""
    us = endpoint.our_name or installation.settings.us.identifiers.as2
    them = endpoint.name or partner.identifiers.as2
    if us is None or them is None:
        raise ConfigTrouble(
            f"The AS2 endpoint of {partner.id} needs both names: us.identifiers.as2 in config.yaml and name (or identifiers.as2) of the partner"
        )
    try:
        certificates = tuple(read_certificate(installation.secret_bytes(_file(name))) for name in endpoint.certificates)
        identities: tuple[Identity, ...] = ()
        if endpoint.our_key is not None and endpoint.our_certificate is not None:
            identities = (read_identity(installation.secret_bytes(endpoint.our_key), installation.secret_bytes(_file(endpoint.our_certificate))),)
    except ValueError as error:
        raise ConfigTrouble(f"A key or certificate of the AS2 endpoint of {partner.id} cannot be used: {error}") from None
    return As2Relation(
        us=us,
        partner=them,
        identities=identities,
        verification=certificates,
        encryption=certificates,
        sign=None if endpoint.sign == "none" else endpoint.sign,
        encrypt=None if endpoint.encrypt == "none" else endpoint.encrypt,
        compress=endpoint.compress,
        receipt=endpoint.receipt,
        require_signature=endpoint.require_signature,
        require_encryption=endpoint.require_encryption,
        accept_old=endpoint.accept_old,
        oaep=endpoint.oaep,
        content_type=endpoint.content_type,
    )


def _file(name: str) -> str:
    """Certificates are no secrets: a bare path is enough."""
    return name if name.startswith(("file:", "env:")) else f"file:{name}"


def as2_endpoints(installation: Installation) -> Iterator[tuple[Partner, str, Endpoint]]:
    """All AS2 endpoints of all partners."""
    for loaded in installation.directory.partners.values():
        for name, endpoint in loaded.partner.endpoints.items():
            if endpoint.as2 is not None:
                yield loaded.partner, name, endpoint


class Relations:
    """Every AS2 relation of the installation, found by the names in a request's head; made once a process."""

    def __init__(self, installation: Installation) -> None:
        self._by_names: dict[tuple[str, str], tuple[As2Relation, Partner, Endpoint]] = {}
        for partner, _, endpoint in as2_endpoints(installation):
            relation = relation_of_endpoint(installation, partner, endpoint)
            self._by_names[relation.partner, relation.us] = (relation, partner, endpoint)

    def find(self, as2_from: str, as2_to: str) -> As2Relation | None:
        found = self._by_names.get((as2_from, as2_to))
        return found[0] if found else None

    def partner_of(self, as2_from: str, as2_to: str) -> tuple[Partner, Endpoint] | None:
        found = self._by_names.get((as2_from, as2_to))
        return (found[1], found[2]) if found else None
