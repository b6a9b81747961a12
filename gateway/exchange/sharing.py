"""Endpoints that several partners share: one AS2 station, one folder, one account at a server (a VAN). What is used there before anybody knows
whose file it is must be the same for all of them: of two keys or passwords one would be taken silently."""

from collections.abc import Iterable
from collections.abc import Iterator
from operator import attrgetter

from gateway.exchange.endpoint import Endpoint
from gateway.exchange.partner import LoadedPartner
from gateway.yaml_source import Fault

#: what opens the messages of a station
_STATION = ("certificates", "keys", "require_signature", "require_encryption", "accept_old", "receipt_addresses", "largest")
#: how a mailbox of files is looked into
_FILES = ("poll", "settle", "ready", "done_suffix", "ignore", "only", "empty", "after", "archive_to")
_LOGIN = ("key", "passphrase", "password", "host_keys", "connections", "legacy")
#: how a mailbox of mails is looked into; who may send what in it is each partner's own
_MAILS = ("poll", "password", "authorities", "after", "archive_to")


def unlike_endpoints(partners: Iterable[LoadedPartner]) -> Iterator[Fault]:
    """Endpoints at one place that say different things about it."""
    first: dict[tuple[str | None, ...], tuple[LoadedPartner, str, Endpoint]] = {}
    for loaded in partners:
        for name, endpoint in loaded.partner.endpoints.items():
            place, keys, advice = _place(endpoint)
            if place is None:
                continue
            other, its_name, there = first.setdefault(place, (loaded, name, endpoint))
            wrong = [key for key in keys if attrgetter(key)(endpoint) != attrgetter(key)(there)]
            if wrong:
                words = f"endpoint '{name}' is at the same place as '{its_name}' of {other.file}, but not with its {' and '.join(wrong)}"
                yield Fault(loaded.file, 1, 1, f"{words}: they must be the same{advice}")


def _place(endpoint: Endpoint) -> tuple[tuple[str | None, ...] | None, tuple[str, ...], str]:
    """What is looked into, the keys that say how, and what else could be meant."""
    if endpoint.as2 is not None:
        advice = "; two stations that call themselves the same need two names of ours (our_name)"
        return ("as2", endpoint.name, endpoint.our_name), _STATION, advice
    if endpoint.mailbox is not None:
        return ("mail", endpoint.mailbox, endpoint.user), _MAILS, ""
    if endpoint.transport in {"folder", "sftp"}:
        return (endpoint.address,), (*_FILES, *_LOGIN), ""
    return None, (), ""
