"""The certificate that we show to a partner's HTTPS server (`client_certificate:`), over AS2 and HTTPS alike: read as the line reads it, so
that what is wrong with it, and when it ends, is known before a message waits."""

from collections.abc import Iterator

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from gateway.config import Installation
from gateway.exchange.endpoint import Endpoint
from gateway.exchange.partner import Partner


def lines_of(installation: Installation) -> Iterator[tuple[Partner, str, Endpoint]]:
    """All endpoints that have one."""
    for loaded in installation.directory.partners.values():
        for name, endpoint in loaded.partner.endpoints.items():
            if endpoint.client_certificate is not None:
                yield loaded.partner, name, endpoint


def read_line(installation: Installation, endpoint: Endpoint) -> x509.Certificate:
    """The certificate of an endpoint that has one; raises ConfigTrouble where it or its key is not there, ValueError where they cannot be used."""
    file = (endpoint.client_certificate or "").removeprefix("file:")
    certificate = x509.load_pem_x509_certificate(installation.secret_bytes(f"file:{file}"))
    try:
        key = serialization.load_pem_private_key(installation.secret_bytes(endpoint.client_key or ""), None)
    except (TypeError, UnsupportedAlgorithm) as error:  # it is locked by a password
        raise ValueError(str(error)) from error
    if certificate.public_key() != key.public_key():
        raise ValueError("the private key does not belong to the certificate")
    return certificate
