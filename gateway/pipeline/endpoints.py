"""Which of a partner's endpoints an answer leaves by, and the names of streams."""

import posixpath

from gateway.exchange.directory import Directory
from gateway.exchange.endpoint import Endpoint
from gateway.exchange.partner import LoadedPartner
from gateway.exchange.partner import Partner
from gateway.store.outgoing.precedence import WINDOW

#: the stream of money that arrives: one for all partners, since a payer may be anybody
BANK_STREAM = "trade:bank"


def trade_stream(partner: str) -> str:
    """Documents of one partner are decided in the order in which they came."""
    return f"trade:{partner}"


def out_stream(partner: str, endpoint: str) -> str:
    """What leaves over one endpoint leaves in order."""
    return f"out:{partner}:{endpoint}"


#: after the endpoint in the name of the stream of receipts that are posted to the partner's address for them
RECEIPTS = ":receipts"
#: between the endpoint and the type in the name of a stream for documents that can be stopped for a while
_UNDO = " ~ "


def batch_stream(partner: str, endpoint: str, window: str) -> str:
    """Documents of one window leave in their order, in nobody else's way: what leaves at once does not wait behind them."""
    return f"{out_stream(partner, endpoint)}{WINDOW}{window}"


def undo_stream(partner: str, endpoint: str, spec: str) -> str:
    """Documents of one type that rest before they leave, in nobody else's way either."""
    return f"{out_stream(partner, endpoint)}{_UNDO}{spec}"


def is_batched(stream: str) -> bool:
    """Whether a stream holds documents that leave together."""
    return WINDOW in stream


def partner_of_stream(stream: str) -> str:
    """Whose stream it is: the word behind the first colon."""
    return stream.partition(":")[2].partition(":")[0]


def endpoint_for(partner: Partner, address: str | None, named: str | None = None) -> str | None:
    """The endpoint of an answer: what the agreement names, else the one at `address` that the document came by, else the first that
    the partner sends from, else its first; None where it has none."""
    if named is not None:
        return named
    for name, endpoint in partner.endpoints.items():
        if address is not None and endpoint.serves(address):
            return name
    sent_from = [agreement.from_ for agreement in partner.receiving() if agreement.from_ is not None]
    return next(iter([*sent_from, *partner.endpoints]), None)


def owner_of(directory: Directory, address: str | None) -> LoadedPartner | None:
    """The first partner that has an endpoint at this address."""
    if address is None:
        return None
    return next((loaded for loaded in directory.partners.values() if any(one.serves(address) for one in loaded.partner.endpoints.values())), None)


def only_owner(directory: Directory, address: str | None) -> str | None:
    """The partner that alone has an endpoint at this address; None where several share it, or nobody has one."""
    found = {
        loaded.partner.id
        for loaded in directory.partners.values()
        if address is not None and any(one.serves(address) for one in loaded.partner.endpoints.values())
    }
    return found.pop() if len(found) == 1 else None


def shares_its_inbox(directory: Directory, partner: str, name: str) -> bool:
    """Whether what we send over this endpoint lies beside what we send to another partner (a VAN): then file names must tell them apart."""
    endpoint = directory.partners[partner].partner.endpoint(name)
    if endpoint is None or endpoint.send_to is None:
        return False
    return any(
        _inbox(other) == _inbox(endpoint)
        for id, loaded in directory.partners.items()
        if id != partner
        for other in loaded.partner.endpoints.values()
        if other.send_to is not None
    )


def _inbox(endpoint: Endpoint) -> tuple[str, str]:
    """Where our files appear: the place (one disk, or one server) and the folder."""
    server = endpoint.sftp.partition("://")[2].partition("/")[0].rpartition("@")[2] if endpoint.sftp else ""
    return server, posixpath.normpath(endpoint.send_to or "")
