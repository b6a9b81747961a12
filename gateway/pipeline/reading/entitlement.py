"""Who sent a transaction, under which agreement, and whether it may walk on: exchange.partner's answer, turned into reading terms."""

from dataclasses import dataclass

import msgspec

from gateway.codecs.node import GroupStart
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.exchange.application_reading import APPLICATION_ANSWERS
from gateway.exchange.directory import ANSWERED
from gateway.exchange.directory import BY_HAND
from gateway.exchange.directory import Directory
from gateway.exchange.directory import agreement_for
from gateway.exchange.partner import Agreement
from gateway.exchange.partner import LoadedPartner
from gateway.kinds import partner as kinds
from gateway.model.change import OrderChange
from gateway.model.document import Document
from gateway.model.order import Order
from gateway.model.payment import BankStatement
from gateway.model.payment import RemittanceAdvice
from gateway.model.values import Party
from gateway.pipeline.plans import FORM_SYNTAXES
from gateway.pipeline.plans import Plans
from gateway.pipeline.plans import spec_of
from gateway.pipeline.reading.forms import receives
from gateway.pipeline.reading.forms import sender_of
from gateway.pipeline.reading.payload import Read
from gateway.pipeline.reading.payload import Terms
from gateway.pipeline.reading.payload import read_transaction
from gateway.problem import NOWHERE
from gateway.problem import Problem

#: answers to what we sent need no agreement, only a known sender at its own endpoint
ACKNOWLEDGMENTS = frozenset({"997", "999", "TA1", "CONTRL"}) | APPLICATION_ANSWERS
#: what makes an interchange wait for a person
WAITING = frozenset({kinds.UNKNOWN_SENDER.code, kinds.NOT_ENTITLED.code, kinds.RECEIVER_NOT_US.code})


@dataclass(frozen=True, slots=True)
class Entitled:
    """One transaction with its sender. `hold`: why it waits for a person instead of walking on."""

    read: Read
    partner: LoadedPartner | None
    agreement: Agreement | None
    hold: Problem | None = None
    #: which of the interchange's groups it stands in, from 1; 0: none
    group: int = 0


def entitle(
    transaction: Transaction, start: InterchangeStart, group: GroupStart | None, address: str, directory: Directory, plans: Plans
) -> Entitled:
    """Read a transaction for its partner, or say why it waits."""
    if transaction.syntax in {Syntax.X12, Syntax.EDIFACT}:
        return _by_envelope(transaction, start, group, address, directory, plans)
    if transaction.syntax in FORM_SYNTAXES:
        return _by_endpoint(transaction, start, group, address, directory, plans)
    return _by_content(transaction, start, group, address, directory, plans)


def _by_envelope(
    transaction: Transaction, start: InterchangeStart, group: GroupStart | None, address: str, directory: Directory, plans: Plans
) -> Entitled:
    spec = spec_of(transaction)
    syntax = transaction.syntax.value
    found = agreement_for(syntax, start.sender, start.receiver, spec, address, directory)
    if isinstance(found, Problem):
        loaded = directory.find(syntax, start.sender)
        known = plans.nearest(spec) == spec
        if found.code in ANSWERED and transaction.type in ACKNOWLEDGMENTS:
            terms = Terms(plans.nearest(spec), loaded)
            return Entitled(read_transaction(transaction, start, group, plans, terms), loaded, None)
        # what we do not know at all says so; what we know but have not agreed on says that
        terms = Terms(spec if known else None, loaded, refused=found if known and found.code in ANSWERED else None)
        return Entitled(read_transaction(transaction, start, group, plans, terms), loaded, None, found if found.code in WAITING else None)
    loaded, agreement = found
    wanted = agreement.association
    if wanted and transaction.association and transaction.association != wanted:
        other = kinds.SUBSET_NOT_AGREED.at(
            NOWHERE, f"The {transaction.type} follows {transaction.association}, agreed is {wanted}", found=transaction.association, expected=wanted
        )
        return Entitled(read_transaction(transaction, start, group, plans, Terms(spec, loaded, refused=other)), loaded, agreement)
    terms = Terms(spec, loaded, agreement.accept_errors, agreement.refuse_warnings, application=agreement.application_errors != "none")
    return Entitled(read_transaction(transaction, start, group, plans, terms), loaded, agreement)


def _by_content(
    transaction: Transaction, start: InterchangeStart, group: GroupStart | None, address: str, directory: Directory, plans: Plans
) -> Entitled:
    """XML has no envelope of ours: the sender stands in the document, or (bank files) is whoever delivers to this address."""
    spec = spec_of(transaction)
    read = read_transaction(transaction, start, group, plans, Terms(plans.nearest(spec)))
    if read.document is None:
        loaded = _at_address(directory, address, None)
        return Entitled(read, loaded, None, None if loaded or address == BY_HAND else _unknown("a document that could not be read"))
    if isinstance(read.document, BankStatement | RemittanceAdvice):
        loaded = _at_address(directory, address, spec)
        if loaded is None and address != BY_HAND:
            return Entitled(read, None, None, _unknown(address))
        return Entitled(read, loaded, next((a for a in loaded.partner.receiving() if a.receive == spec), None) if loaded else None)
    sender, receiver = _identities(read.document)
    problem: Problem = _unknown("nobody")
    for identity in sender:
        found = agreement_for("ubl", identity, _own(receiver, directory), spec, address, directory)
        if not isinstance(found, Problem):
            loaded, agreement = found
            if loaded.mappings.get(spec) or loaded.tables or loaded.schemas.get(spec):
                read = read_transaction(transaction, start, group, plans, Terms(spec, loaded, agreement.accept_errors, agreement.refuse_warnings))
            return Entitled(_addressed(read, identity, _own(receiver, directory)), loaded, agreement)
        problem = found
        if found.code != kinds.UNKNOWN_SENDER.code:
            break
    loaded_or_none = next((loaded for identity in sender if (loaded := directory.find("ubl", identity))), None)
    if problem.code in ANSWERED:
        read = read_transaction(transaction, start, group, plans, Terms(spec, loaded_or_none, refused=problem))
        return Entitled(read, loaded_or_none, None)
    return Entitled(read, loaded_or_none, None, problem)


def _by_endpoint(
    transaction: Transaction, start: InterchangeStart, group: GroupStart | None, address: str, directory: Directory, plans: Plans
) -> Entitled:
    """Files without an envelope: the sender is who has an agreement about them at this address; among several, who a column or the
    document names."""
    spec = spec_of(transaction)

    def read_for(loaded: LoadedPartner | None, agreement: Agreement | None = None, refused: Problem | None = None) -> Read:
        lenient = (agreement.accept_errors, agreement.refuse_warnings) if agreement is not None else (False, ())
        return read_transaction(transaction, start, group, plans, Terms(spec, loaded, *lenient, refused=refused))

    able = [loaded for loaded in directory.partners.values() if spec in receives(loaded, address)]
    named = sender_of(transaction, spec, directory, address)
    if named is None and transaction.sender:
        return Entitled(read_for(directory.partners.get(transaction.owner)), None, None, _unknown(transaction.sender))
    if named is None:
        read = read_for(None)
        identities = _identities(read.document)[0] if read.document is not None else []
        named = next((loaded for identity in identities if (loaded := directory.find("ubl", identity)) in able), None)
        if named is None:
            return Entitled(read, None, None, _unknown(address if address != BY_HAND else f"a file of type {spec}"))
    agreement = next((one for one in named.partner.receiving() if one.receive == spec), None)
    if agreement is None:
        refused = kinds.NO_AGREEMENT.at(
            NOWHERE, f"There is no agreement to receive {spec} from {named.partner.name}", found=spec, expected="an agreement to receive it"
        )
        return Entitled(read_for(named, refused=refused), named, None)
    hold = None
    if named not in able:
        words = f"{named.partner.name} may send {spec} only over '{agreement.from_}'"
        hold = kinds.NOT_ENTITLED.at(NOWHERE, words, found=address, expected=str(agreement.from_))
    return Entitled(read_for(named, agreement), named, agreement if hold is None else None, hold)


def _unknown(who: str) -> Problem:
    return kinds.UNKNOWN_SENDER.at(NOWHERE, f"No partner is known for {who}", found=who, expected="an identifier of a partner in partners/")


def _at_address(directory: Directory, address: str, spec: str | None) -> LoadedPartner | None:
    for loaded in directory.partners.values():
        for agreement in loaded.partner.receiving():
            endpoint = loaded.partner.endpoint(agreement.from_)
            if endpoint is not None and endpoint.serves(address) and spec in {None, agreement.receive}:
                return loaded
    return None


def _identities(document: Document) -> tuple[list[str], list[str]]:
    """Identities of the sender and of the receiver as the document names them."""
    buyer, seller = getattr(document, "buyer", None), getattr(document, "seller", None)
    return (_of_party(buyer), _of_party(seller)) if isinstance(document, Order | OrderChange) else (_of_party(seller), _of_party(buyer))


def _of_party(party: Party | None) -> list[str]:
    if party is None:
        return []
    identities = [party.endpoint] if party.endpoint else []
    if party.identifiers is not None:
        for scheme, value in (("0088", party.identifiers.gln), ("0060", party.identifiers.duns), ("vat", party.identifiers.vat)):
            if value:
                identities.append(f"{scheme}:{value}")
        identities += [f"{other.scheme}:{other.value}" for other in party.identifiers.other]
    return list(dict.fromkeys(identities))


def _own(identities: list[str], directory: Directory) -> str:
    """The receiver's identity that is ours, if one is."""
    return next((identity for identity in identities if directory.is_ours("ubl", identity)), identities[0] if identities else "")


def _addressed(read: Read, sender: str, receiver: str) -> Read:
    assert read.document is not None
    source = read.document.source
    if source is None:
        return read
    document = msgspec.structs.replace(read.document, source=msgspec.structs.replace(source, sender=sender, receiver=receiver))
    return msgspec.structs.replace(read, document=document)
