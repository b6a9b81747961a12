"""Which of a partner's endpoints an answer leaves by, and the names of streams."""

from gateway.exchange.partner import Partner

#: the stream of money that arrives: one for all partners, since a payer may be anybody
BANK_STREAM = "trade:bank"


def trade_stream(partner: str) -> str:
    """Documents of one partner are decided in the order in which they came."""
    return f"trade:{partner}"


def out_stream(partner: str, endpoint: str) -> str:
    """What leaves over one endpoint leaves in order."""
    return f"out:{partner}:{endpoint}"


def endpoint_for(partner: Partner, address: str | None, named: str | None = None) -> str | None:
    """The endpoint of an answer: what the agreement names, else the one at `address` that the document came by, else the first that
    the partner sends from, else its first; None where it has none."""
    if named is not None:
        return named
    for name, endpoint in partner.endpoints.items():
        if endpoint.address == address:
            return name
    sent_from = [agreement.from_ for agreement in partner.receiving() if agreement.from_ is not None]
    return next(iter([*sent_from, *partner.endpoints]), None)
