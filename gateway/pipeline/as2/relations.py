"""AS2 endpoints of partners as relations of the exchange room: names, keys and certificates read from where the YAML names them."""

import functools
import operator
from collections.abc import Iterator
from dataclasses import replace
from zoneinfo import ZoneInfo

from gateway.config import ConfigTrouble
from gateway.config import Installation
from gateway.exchange.as2 import As2Relation
from gateway.exchange.as2 import Identity
from gateway.exchange.as2 import Limits
from gateway.exchange.as2 import Old
from gateway.exchange.as2 import Pinned
from gateway.exchange.as2 import read_certificate
from gateway.exchange.as2 import read_identity
from gateway.exchange.endpoint import Endpoint
from gateway.exchange.endpoint_as2 import OurKey
from gateway.exchange.endpoint_as2 import TheirCertificate
from gateway.exchange.partner import Partner

_OLD = {"sha1": Old.SHA1, "tripledes": Old.TRIPLEDES, "short_keys": Old.SHORT_KEYS}


def relation_of_endpoint(installation: Installation, partner: Partner, endpoint: Endpoint) -> As2Relation:
    """The relation that an AS2 endpoint describes; raises ConfigTrouble where a key or certificate cannot be read."""
    us = endpoint.our_name or installation.settings.us.identifiers.as2
    them = endpoint.name or partner.identifiers.as2
    if us is None or them is None:
        raise ConfigTrouble(
            f"The AS2 endpoint of {partner.id} needs both names: us.identifiers.as2 in config.yaml and name (or identifiers.as2) of the partner"
        )
    if endpoint.receipt_delivery == "async" and not (endpoint.our_receipt_url or installation.settings.web.as2_url):
        raise ConfigTrouble(
            f"The AS2 endpoint of {partner.id} asks for receipts that are posted to us: say where, by web.as2_url in config.yaml or by "
            "our_receipt_url in the partner's file"
        )
    try:
        identities = tuple(read_our_key(installation, partner, key) for key in endpoint.keys)
        certificates = [(given.use, read_their_certificate(installation, partner, given)) for given in endpoint.certificates]
    except ValueError as error:
        raise ConfigTrouble(f"A key or certificate of the AS2 endpoint of {partner.id} cannot be used: {error}") from None
    return As2Relation(
        us=us,
        partner=them,
        identities=identities,
        verification=tuple(one for use, one in certificates if use != "encryption"),
        encryption=tuple(one for use, one in certificates if use != "signature"),
        sign=None if endpoint.sign == "none" else endpoint.sign,
        sign_padding=endpoint.sign_padding,
        encrypt=None if endpoint.encrypt == "none" else endpoint.encrypt,
        compress=endpoint.compress != "none",
        compress_signed=endpoint.compress == "after_signing",
        receipt=endpoint.receipt,
        receipt_delivery=endpoint.receipt_delivery,
        our_receipt_url=endpoint.our_receipt_url or installation.settings.web.as2_url,
        receipt_addresses=endpoint.receipt_addresses,
        require_signature=endpoint.require_signature,
        require_encryption=endpoint.require_encryption,
        accept=functools.reduce(operator.or_, (_OLD[word] for word in endpoint.accept_old), Old.NOTHING),
        oaep=None if endpoint.oaep == "none" else endpoint.oaep,
        content_type=endpoint.content_type,
        limits=Limits(most_bytes=endpoint.largest * 1_000_000),
    )


def read_our_key(installation: Installation, partner: Partner, given: OurKey) -> Identity:
    """A key of ours with its days; raises ConfigTrouble where it is not there, ValueError where it cannot be used."""
    zone = _zone(installation, partner)
    password = installation.secret(given.password) if given.password is not None else None
    identity = read_identity(installation.secret_bytes(given.key), installation.secret_bytes(_file(given.certificate)), password)
    return replace(identity, since=given.since(zone), until=given.ends(zone), signs=given.use != "encryption", decrypts=given.use != "signature")


def read_their_certificate(installation: Installation, partner: Partner, given: TheirCertificate) -> Pinned:
    """A certificate of the partner's with its days; raises ConfigTrouble where it is not there, ValueError where it cannot be used."""
    zone = _zone(installation, partner)
    return Pinned(read_certificate(installation.secret_bytes(_file(given.file))), given.since(zone), given.ends(zone))


def _zone(installation: Installation, partner: Partner) -> ZoneInfo:
    return ZoneInfo(partner.zone or installation.settings.zone)


def _file(name: str) -> str:
    """Certificates are no secrets: a bare path is enough."""
    return name if name.startswith(("file:", "env:")) else f"file:{name}"


def as2_endpoints(installation: Installation) -> Iterator[tuple[Partner, str, Endpoint]]:
    """All AS2 endpoints of all partners."""
    for loaded in installation.directory.partners.values():
        for name, endpoint in loaded.partner.endpoints.items():
            if endpoint.as2 is not None:
                yield loaded.partner, name, endpoint
