"""Requests that came together, on their way into the archive. A small one goes there with the first thing that is written of it, so that one wait
for the disk serves both; all of them are there before anything is committed, and before anybody is answered."""

import hashlib
from collections.abc import Sequence

from gateway.pipeline.as2.posting import AT_ONCE
from gateway.pipeline.as2.posting import keep_request
from gateway.pipeline.as2.posting import written_head
from gateway.store import crash
from gateway.store.payloads.archive import Archive

#: header lines and body
Request = tuple[Sequence[tuple[str, str]], bytes]


class Arrived:
    """Used by one thread, for as long as it takes these requests in."""

    def __init__(self, archive: Archive, requests: Sequence[Request] = ()) -> None:
        self.archive = archive
        self._unkept: list[bytes] = []
        #: the requests' digests, in their order
        self.digests = tuple(self._digest_of(*request) for request in requests)

    def keep_with(self, payloads: Sequence[bytes]) -> list[str]:
        """Keep what is written of the requests, and those requests that are not kept yet; the digests of what was given."""
        digests = self.archive.keep_many([*payloads, *self._unkept])
        self._unkept = []
        return digests[: len(payloads)]

    def keep(self) -> None:
        """All requests are in the archive when this returns."""
        if self._unkept:
            self.keep_with([])
        crash.point(71)

    def _digest_of(self, headers: Sequence[tuple[str, str]], body: bytes) -> str:
        if len(body) > AT_ONCE:
            # it goes to the disk in pieces, before there are more copies of it
            return keep_request(self.archive, headers, body)
        self._unkept.append(written_head(headers) + body)
        return hashlib.sha256(self._unkept[-1]).hexdigest()
