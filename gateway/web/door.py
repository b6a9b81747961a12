"""The door that partners' machines come through with their API keys: who it is, whether it comes too often, and how often keys were wrong.

Keys are never logged, nor is any part of them. Addresses are not looked at: behind a proxy all of them are the proxy's.
"""

import structlog
from fastapi import Request

from gateway.config import Installation
from gateway.pipeline.arriving.accounts import Account
from gateway.pipeline.arriving.accounts import Accounts
from gateway.pipeline.arriving.accounts import load_accounts
from gateway.pipeline.bucket import Bucket
from gateway.pipeline.station import Station
from gateway.pipeline.troubles import TRY_AGAIN
from gateway.pipeline.troubles import Standing

#: wrong keys a minute that are answered as such; more are told to wait
WRONG_A_MINUTE = 60
_log = structlog.get_logger("door")


class Refused(Exception):
    """Not let in: the status and the words of the answer."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.headers = {"WWW-Authenticate": 'Bearer realm="gateway"'} if status == 401 else {"Retry-After": "60"}


class Door:
    """Made once a process. Every method is quick, and is called in one thread (the event loop) or for one number at a time."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._installation: Installation | None = None
        self._accounts = Accounts()
        self._buckets: dict[str, Bucket] = {}
        self._wrong = Bucket(WRONG_A_MINUTE)
        self._troubles: dict[str, Standing] = {}
        #: since this process began
        self.wrong_keys = 0
        self.turned_away = 0

    def let_in(self, request: Request) -> Account:
        """Whose key a request carries; raises Refused."""
        account = self._known().of(request.headers.get("authorization"))
        if account is None:
            self.wrong_keys += 1
            if not self._wrong.take():
                raise Refused(429, "There were too many wrong keys: wait a minute.")
            _log.warning("wrong key", path=request.url.path, wrong_keys=self.wrong_keys)
            raise Refused(401, "The key is missing or wrong: send it as Authorization: Bearer KEY.")
        bucket = self._buckets.setdefault(account.name, Bucket(self._station.installation.settings.web.partner_requests))
        if not bucket.take():
            self.turned_away += 1
            raise Refused(429, f"There were more than {bucket.a_minute} requests in a minute: wait a minute.")
        return account

    def _known(self) -> Accounts:
        installation = self._station.installation
        if installation is not self._installation:
            self._accounts = load_accounts(installation)
            self._installation = installation
            # how many requests a minute may have changed
            self._buckets = {}
            self._tell(self._accounts)
        return self._accounts

    def _tell(self, accounts: Accounts) -> None:
        for name in {*accounts.faults, *self._troubles}:
            trouble = self._troubles.setdefault(name, Standing(self._station, "key", name))
            if name in accounts.faults:
                trouble.stands(accounts.faults[name], TRY_AGAIN, stopped=True)
                _log.error("key not usable", account=name, error=accounts.faults[name])
            else:
                trouble.is_over()
