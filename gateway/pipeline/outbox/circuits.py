"""Accounts at partners' servers are left alone where they fail: a refused login or a strange host key stops polling AND sending until
something was mended here or a person says so (an account is not locked by us), a server that is away is tried more and more rarely.

Whoever meets the failure writes it to the store; all threads and machines ask there before they knock. Other credentials are another
account (logins.py), so what was mended here is tried at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from gateway.exchange.endpoint import Endpoint
from gateway.exchange.partner import Partner
from gateway.pipeline.outbox.boxes import box_and_account
from gateway.pipeline.outbox.logins import account_of
from gateway.pipeline.outbox.logins import mail_account
from gateway.pipeline.spread import spread
from gateway.pipeline.station import Station
from gateway.store.outgoing import circuits
from gateway.store.outgoing import outbox
from gateway.store.outgoing.circuits import Circuit
from gateway.transport.box import Box
from gateway.transport.box import TransportError
from gateway.transport.box import Unreachable

#: seconds that an account is left alone after its first, second, ... failure in a row, each a fifth more or less
WAITS = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0)
#: no wait is longer than this: a clock that was set back must not hold anything up
LONGEST_WAIT = timedelta(seconds=400)


class Resting(TransportError):
    """The account is left alone: nothing was tried, or it is left alone from now on."""


@contextmanager
def guarded(station: Station, endpoint: Endpoint) -> Iterator[Box]:
    """The box of an endpoint, where its account may be tried; raises Resting where not, and remembers how the try ended."""
    box, account = box_and_account(station, endpoint)
    with knocking(station, account):
        yield box


@contextmanager
def knocking(station: Station, account: str | None) -> Iterator[None]:
    """Try an account, where it may be tried; raises Resting where not, and remembers how the try ended. None: there is no login."""
    if account is None:
        yield
        return
    with station.database.read() as connection:
        known = circuits.get(connection, account)
    if known is not None:
        _demand_tryable(station, known)
    try:
        yield
    except TransportError as error:
        if error.stop or isinstance(error, Unreachable):
            _failed(station, account, known, error)
        if error.stop:
            raise Resting(error.message, retry=False, stop=True) from error
        raise
    if known is not None:
        with station.database.begin() as connection:
            circuits.works(connection, account)


def try_again(station: Station, partner: Partner) -> int:
    """A person says that it was mended: polling and sending go on; returns how many rows of the outbox were waiting for it."""
    installation = station.installation
    accounts = {account_of(installation, endpoint) for endpoint in partner.endpoints.values()}
    if installation.settings.mail is not None and any(endpoint.mail and endpoint.send_to for endpoint in partner.endpoints.values()):
        accounts.add(mail_account(installation))
    with station.database.begin() as connection:
        for account in accounts:
            if account is not None:
                circuits.works(connection, account)
        return outbox.try_now(connection, station.clock(), partner.id)


def _demand_tryable(station: Station, known: Circuit) -> None:
    left = known.not_before - station.clock()
    if known.state == "stopped" or timedelta() < left < LONGEST_WAIT:
        raise Resting(known.error, retry=known.state != "stopped", stop=known.state == "stopped")


def _failed(station: Station, account: str, known: Circuit | None, error: TransportError) -> None:
    now = station.clock()
    failures = known.failures if known is not None else 0
    wait = spread(WAITS[min(failures, len(WAITS) - 1)])
    circuit = Circuit(
        account=account,
        state="stopped" if error.stop else "resting",
        error=error.message,
        failures=failures + 1,
        since=now,
        not_before=now + timedelta(seconds=wait),
    )
    with station.database.begin() as connection:
        circuits.put(connection, circuit)
