"""What we demand of a mail server's line: TLS 1.2 or newer, and a certificate of the authorities that the machine trusts, or of those in a file."""

import ssl

from gateway.transport.box import TransportError


def context_of(ca_file: str | None) -> ssl.SSLContext:
    """The terms of a line; TransportError where the authorities in the file cannot be read, which stops the account: nothing heals that by itself."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise TransportError(f"the authorities in {ca_file} cannot be read: {error.strerror or error}", retry=False, stop=True) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
