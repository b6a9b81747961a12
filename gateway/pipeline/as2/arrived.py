"""Requests that came together, on their way into the archive. A small one goes there with the first thing that is written of it, so that one wait
for the disk serves both; all of them are there before anything is committed, and before anybody is answered, but those that are beyond measure."""

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
        self._unkept: dict[str, bytes] = {}
        #: beyond measure: not kept at all, unless something names them after all
        self._beyond: dict[str, bytes] = {}
        #: the requests' digests, in their order
        self.digests = tuple(self._digest_of(*request) for request in requests)

    def keep_with(self, payloads: Sequence[bytes]) -> list[str]:
        """Keep what is written of the requests, and those requests that are not kept yet; the digests of what was given."""
        digests = self.archive.keep_many([*payloads, *self._unkept.values()])
        self._unkept = {}
        return digests[: len(payloads)]

    def keep(self) -> None:
        """All requests are in the archive when this returns."""
        if self._unkept:
            self.keep_with([])
        crash.point(71)

    def leave_out(self, beyond: set[str], named: set[str]) -> None:
        """Of these requests `beyond` are not to be kept, as far as they are not kept yet and are not `named` by anything either."""
        for digest in named & self._beyond.keys():
            self._unkept[digest] = self._beyond.pop(digest)
        for digest in (beyond - named) & self._unkept.keys():
            self._beyond[digest] = self._unkept.pop(digest)

    def _digest_of(self, headers: Sequence[tuple[str, str]], body: bytes) -> str:
        if len(body) > AT_ONCE:
            # it goes to the disk in pieces, before there are more copies of it
            return keep_request(self.archive, headers, body)
        request = written_head(headers) + body
        digest = hashlib.sha256(request).hexdigest()
        self._unkept[digest] = request
        return digest
