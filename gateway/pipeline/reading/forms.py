"""Files that do not say themselves what they are (CSV, fixed width): which descriptions are tried on them, and whose they then are.

A file has a name for its type where somebody says it (`--as`), or where an agreement of the partner, or of one at the endpoint,
receives such files. Who sends is said by the endpoint, by `--partner`, or by a column of the document.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gateway.codecs.layout import Form
from gateway.codecs.node import Transaction
from gateway.pipeline.plans import FORMS
from gateway.pipeline.plans import Plans

if TYPE_CHECKING:
    from gateway.exchange.directory import Directory
    from gateway.exchange.partner import LoadedPartner


def forms_for(
    plans: Plans, directory: Directory | None = None, partner: LoadedPartner | None = None, spec: str | None = None, address: str | None = None
) -> list[Form]:
    """The forms to try on a file: those of the partner's agreements, else of all that may send by this address; with a `spec` that was
    said only those of that type, and at last that type as it is described for everybody."""
    senders: Iterable[LoadedPartner] = [partner] if partner is not None else directory.partners.values() if directory is not None else ()
    found: dict[tuple[str, str], Form] = {}
    for loaded in senders:
        for name in receives(loaded, address):
            form = plans.form(name, loaded) if spec in (None, name) else None
            if form is not None:
                found.setdefault((name, form.owner), form)
    said = plans.form(spec, partner, said=True) if spec is not None else None
    return [*found.values(), *([said] if said is not None else [])]


def sender_of(transaction: Transaction, spec: str, directory: Directory, address: str | None = None) -> LoadedPartner | None:
    """Who sent a document without an envelope: whom its column names, whose description it was read by, or the only one who may
    send such files by this address."""
    if transaction.sender:
        named = directory.find("file", transaction.sender) or directory.partners.get(transaction.sender)
        return named if named is not None and transaction.owner in ("", named.partner.id) else None
    if transaction.owner:
        return directory.partners.get(transaction.owner)
    able = [loaded for loaded in directory.partners.values() if spec in receives(loaded, address)]
    return able[0] if len(able) == 1 else None


def receives(loaded: LoadedPartner, address: str | None) -> list[str]:
    """The types without an envelope that a partner may send by an address; None for any."""
    # whoever knows a partner has these loaded already
    from gateway.exchange.directory import BY_HAND

    answer = []
    for agreement in loaded.partner.receiving():
        endpoint = loaded.partner.endpoint(agreement.from_)
        here = address is None or address == BY_HAND or endpoint is None or endpoint.serves(address)
        if agreement.receive and agreement.receive.split("/")[0] in FORMS and here:
            answer.append(agreement.receive)
    return answer
