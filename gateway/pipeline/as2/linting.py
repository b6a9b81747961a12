"""`gateway lint` of AS2 endpoints, and of what we show to partners' HTTPS servers: whether the files that they name can be used, belong
together, hold today, and suffice for what is set.

A file or variable that is not there is a note where no gateway has run: keys lie on the server alone, and lint runs elsewhere as well. On the
machine that has the gateway's data, a file that is not there is a fault.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from datetime import datetime
from functools import partial

from gateway.config import ConfigTrouble
from gateway.config import FileTrouble
from gateway.config import Installation
from gateway.exchange.as2 import expiries
from gateway.exchange.as2 import expiry_of_line
from gateway.exchange.endpoint import Endpoint
from gateway.exchange.partner import LoadedPartner
from gateway.exchange.partner import Partner
from gateway.pipeline.as2.line import read_line
from gateway.pipeline.as2.relations import read_our_key
from gateway.pipeline.as2.relations import read_their_certificate
from gateway.pipeline.as2.relations import relation_of_endpoint
from gateway.yaml_source import Fault
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Sequence
from gateway.yaml_source import parse

Path = tuple[str | int, ...]


def lint_as2(installation: Installation, partners: Iterable[LoadedPartner], at: datetime) -> tuple[list[Fault], list[str]]:
    """All faults of all keys and certificates of endpoints, and what could not be checked."""
    faults: list[Fault] = []
    notes: list[str] = []
    for loaded in partners:
        for name, endpoint in loaded.partner.endpoints.items():
            if endpoint.client_certificate is not None:
                _lint_line(installation, endpoint, _at(parse(loaded.text, loaded.file), ("endpoints", name, "client_certificate")), at, faults, notes)
            if endpoint.as2 is not None:
                node = _at(parse(loaded.text, loaded.file), ("endpoints", name))
                faults += [node.fault(sentence) for sentence in _lacking(loaded.partner, name, endpoint)]
                before = len(faults), len(notes)
                for looks in _files(installation, loaded.partner, endpoint):
                    for place, read in looks:
                        if not _try(_at(node, place), read, faults, notes, runs_here=_runs_here(installation)):
                            break
                if before == (len(faults), len(notes)):
                    faults += _as_a_whole(installation, loaded.partner, endpoint, node, at)
    return faults, notes


def _lint_line(installation: Installation, endpoint: Endpoint, place: Node, at: datetime, faults: list[Fault], notes: list[str]) -> None:
    """What we show to a partner's HTTPS server."""

    def read() -> None:
        end = expiry_of_line(read_line(installation, endpoint), at)
        if end is not None and end.stage == 0:
            faults.append(place.fault(end.sentence))

    _try(place, read, faults, notes, runs_here=_runs_here(installation))


def _runs_here(installation: Installation) -> bool:
    """Whether a gateway has run here: it makes its keys before anything else."""
    return (installation.data / "keys").is_dir()


def _try(place: Node, read: Callable[[], object], faults: list[Fault], notes: list[str], *, runs_here: bool) -> bool:
    try:
        read()
    except ConfigTrouble as error:
        if isinstance(error, FileTrouble) and runs_here:
            faults.append(place.fault(f"{error}: put it there, the service cannot do without it"))
        else:
            notes.append(f"{place.fault('').file}: {error}")
        return False
    except ValueError as error:
        faults.append(place.fault(f"cannot be used: {error}"))
        return False
    return True


def _files(installation: Installation, partner: Partner, endpoint: Endpoint) -> Iterator[list[tuple[Path, Callable[[], object]]]]:
    """Each key and certificate: where it stands, and how it is read; what is read after another one needs that."""
    plain = len(endpoint.keys) - len(endpoint.our_keys)
    for number, key in enumerate(endpoint.keys):
        ours: tuple[Path, Path] = (
            (("our_key",), ("our_certificate",))
            if number < plain
            else (("our_keys", number - plain, "key"), ("our_keys", number - plain, "certificate"))
        )
        yield [(ours[0], partial(installation.secret_bytes, key.key)), (ours[1], partial(read_our_key, installation, partner, key))]
    for number, given in enumerate(endpoint.certificates):
        yield [(("certificates", number, "file"), partial(read_their_certificate, installation, partner, given))]


def _lacking(partner: Partner, name: str, endpoint: Endpoint) -> Iterator[str]:
    """What an endpoint would need for what its agreements say."""
    sends = any(agreement.send is not None and agreement.to == name for agreement in partner.agreements)
    receives = any(agreement.receive is not None and agreement.from_ == name for agreement in partner.agreements)
    ours = {use for key in endpoint.keys for use in ("signature", "encryption") if key.use in (use, "both")}
    theirs = {use for one in endpoint.certificates for use in ("signature", "encryption") if one.use in (use, "both")}
    if sends and endpoint.sign != "none" and "signature" not in ours:
        yield f"sign: {endpoint.sign} needs a key of ours: add our_key: and our_certificate:, or sign: none"
    if sends and endpoint.encrypt != "none" and "encryption" not in theirs:
        yield f"encrypt: {endpoint.encrypt} needs a certificate of the partner's: add it to certificates:, or encrypt: none"
    if sends and endpoint.receipt == "signed" and "signature" not in theirs:
        yield "receipt: signed needs a certificate of the partner's to verify it with: add it to certificates:, or receipt: unsigned"
    if receives and endpoint.require_signature and "signature" not in theirs:
        yield "what the partner signs needs its certificate: add it to certificates:, or require_signature: false"
    if receives and endpoint.require_encryption and "encryption" not in ours:
        yield "what the partner encrypts needs a key of ours: add our_key: and our_certificate:, or require_encryption: false"


def _as_a_whole(installation: Installation, partner: Partner, endpoint: Endpoint, node: Node, at: datetime) -> Iterator[Fault]:
    try:
        relation = relation_of_endpoint(installation, partner, endpoint)
    except (ConfigTrouble, ValueError) as error:
        yield node.fault(str(error))
        return
    for expiry in expiries(relation, at):
        if expiry.stage == 0:
            yield node.fault(expiry.sentence)


def _at(node: Node, path: Path) -> Node:
    """The node at a path, or the nearest above it that is written out."""
    for step in path:
        match node, step:
            case Mapping(items=items), str() if step in items:
                node = items[step]
            case Sequence(items=listed), int():
                node = listed[step]
    return node
