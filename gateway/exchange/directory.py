"""All partners, found by their identifiers; who may send what as whom over which endpoint."""

from collections.abc import Sequence as List
from dataclasses import dataclass
from dataclasses import field

from gateway.exchange.partner import Agreement
from gateway.exchange.partner import Identifiers
from gateway.exchange.partner import LoadedPartner
from gateway.exchange.sharing import unlike_endpoints
from gateway.kinds import partner as kinds
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.yaml_source import Fault
from gateway.yaml_source import Faults

#: where a file that a person hands in by command comes from: the operator is entitled to everything
BY_HAND = "command"


@dataclass(frozen=True, slots=True)
class Directory:
    """All partners, found by identifier. `ours` are our own identities: what is addressed to none of them is not for us."""

    partners: dict[str, LoadedPartner]
    by_identity: dict[str, str]
    ours: frozenset[str]
    #: what `agreement_for` answered before: a file of thousands asks the same each time
    answered: dict[tuple[str, ...], "tuple[LoadedPartner, Agreement] | Problem"] = field(default_factory=dict, compare=False, repr=False)

    def find(self, syntax: str, identity: str) -> LoadedPartner | None:
        """The partner that sends as `identity` (qualifier:id) in `syntax`."""
        for key in identity_keys(syntax, identity):
            if key in self.by_identity:
                return self.partners[self.by_identity[key]]
        return None

    def is_ours(self, syntax: str, identity: str) -> bool:
        """Whether `identity` is us; true as well where we have told no identity for this syntax."""
        if not any(key.startswith(f"{syntax}|") for key in self.ours):
            return True
        return any(key in self.ours for key in identity_keys(syntax, identity))


def identity_keys(syntax: str, identity: str) -> list[str]:
    """Keys to look an identity up by: as written, and as GLN or DUNS where the qualifier says so."""
    qualifier, _, value = identity.partition(":")
    keys = [f"{syntax}|{identity}"]
    if (syntax, qualifier) in {("x12", "UL"), ("edifact", "14"), ("ubl", "0088")}:
        keys.append(f"gln|{value}")
    if (syntax, qualifier) in {("x12", "01"), ("edifact", "1"), ("ubl", "0060")}:
        keys.append(f"duns|{value}")
    if syntax == "ubl" and qualifier == "vat":
        keys.append(f"vat|{value}")
    return keys


def keys_of(identifiers: Identifiers) -> list[str]:
    """All keys under which somebody with these identifiers is found."""
    keys = [f"x12|{identity}" for identity in identifiers.x12]
    keys += [f"edifact|{identity}" for identity in identifiers.edifact]
    keys += [f"ubl|{identity}" for identity in identifiers.peppol]
    keys += [f"{scheme}|{value}" for scheme in ("gln", "duns", "vat") if (value := getattr(identifiers, scheme))]
    keys += [f"file|{value}" for value in identifiers.file]
    return keys


def build_directory(partners: List[LoadedPartner], ours: Identifiers) -> Directory:
    """The directory of these partners; raises Faults where two of them share an id or an identifier."""
    by_id: dict[str, LoadedPartner] = {}
    by_identity: dict[str, str] = {}
    faults: list[Fault] = []
    for loaded in partners:
        partner = loaded.partner
        if partner.id in by_id:
            faults.append(Fault(loaded.file, 1, 1, f"'{partner.id}' is the id of {by_id[partner.id].file} as well"))
            continue
        by_id[partner.id] = loaded
        for key in keys_of(partner.identifiers):
            if by_identity.get(key, partner.id) != partner.id:
                faults.append(Fault(loaded.file, 1, 1, f"'{key.partition('|')[2]}' identifies {by_identity[key]} as well"))
            by_identity[key] = partner.id
    faults += unlike_endpoints(by_id.values())
    if faults:
        raise Faults(faults)
    own = set(keys_of(ours))
    if ours.gln:
        own |= {f"edifact|14:{ours.gln}", f"ubl|0088:{ours.gln}"}
    return Directory(by_id, by_identity, frozenset(own))


#: answers that a directory keeps: senders are named from outside, and without end
_ANSWERED_AT_MOST = 1000


def agreement_for(
    syntax: str, sender: str, receiver: str, spec: str, address: str, directory: Directory
) -> tuple[LoadedPartner, Agreement] | Problem:
    """Who sent this and under which agreement, or why it is nobody's.

    `sender`/`receiver` are identities of the envelope, `spec` like x12/004010/850, `address` the endpoint's address that the
    file came by (BY_HAND: entitled to everything). UNKNOWN_SENDER, NOT_ENTITLED and RECEIVER_NOT_US wait for a person;
    NO_AGREEMENT and VERSION_NOT_AGREED are answered negatively.
    """
    asked = (syntax, sender, receiver, spec, address)
    known = directory.answered.get(asked)
    if known is None:
        if len(directory.answered) >= _ANSWERED_AT_MOST:
            directory.answered.clear()
        known = directory.answered[asked] = _agreement_for(syntax, sender, receiver, spec, address, directory)
    return known


def _agreement_for(
    syntax: str, sender: str, receiver: str, spec: str, address: str, directory: Directory
) -> tuple[LoadedPartner, Agreement] | Problem:
    loaded = directory.find(syntax, sender)
    if loaded is None:
        return kinds.UNKNOWN_SENDER.at(NOWHERE, f"No partner sends as '{sender}'", found=sender, expected="an identifier of a partner in partners/")
    partner = loaded.partner
    if not directory.is_ours(syntax, receiver):
        return kinds.RECEIVER_NOT_US.at(
            NOWHERE, f"The file is addressed to '{receiver}', which is not one of our identifiers", found=receiver, expected="an identifier of ours"
        )
    foreign = foreign_to(loaded, sender, address)
    if foreign is not None:
        return foreign
    candidates = [agreement for agreement in partner.receiving() if agreement.receive == spec]
    for agreement in candidates:
        endpoint = partner.endpoint(agreement.from_)
        if address == BY_HAND or endpoint is None or endpoint.serves(address):
            return loaded, agreement
    if candidates:
        return kinds.NOT_ENTITLED.at(
            NOWHERE, f"{partner.name} may send {spec} only over '{candidates[0].from_}'", found=address, expected=str(candidates[0].from_)
        )
    others = [str(one.receive) for one in partner.receiving() if one.receive and _same_type(one.receive, spec)]
    if others:
        return kinds.VERSION_NOT_AGREED.at(
            NOWHERE, f"{partner.name} sends {spec}, agreed is {' or '.join(others)}", found=spec, expected=", ".join(others)
        )
    return kinds.NO_AGREEMENT.at(
        NOWHERE,
        f"There is no agreement to receive {spec} from {partner.name}",
        found=spec,
        expected=", ".join(sorted(str(agreement.receive) for agreement in partner.receiving())) or "an agreement to receive",
    )


def foreign_to(loaded: LoadedPartner, sender: str, address: str) -> Problem | None:
    """Why what comes by this address may not be taken for the partner's, whatever is in it; None where it may."""
    endpoints = loaded.partner.endpoints.values()
    if address == BY_HAND or any(endpoint.serves(address) for endpoint in endpoints):
        return None
    return kinds.NOT_ENTITLED.at(
        NOWHERE,
        f"'{sender}' is {loaded.partner.name}, which has no endpoint {address}",
        found=address,
        expected=" or ".join(sorted({endpoint.address for endpoint in endpoints})) or "an endpoint of this partner",
    )


def _same_type(one: str, other: str) -> bool:
    """Whether two specs differ in nothing but their version."""
    (syntax, *_, kind), (other_syntax, *_, other_kind) = one.split("/"), other.split("/")
    return (syntax, kind) == (other_syntax, other_kind) and one != other


#: problems of agreements that are answered negatively, and not looked at by a person
ANSWERED = frozenset({kinds.NO_AGREEMENT.code, kinds.VERSION_NOT_AGREED.code})
