"""A hard end for a conversation over a socket: limits of single waits do not stop a peer that says one byte now and then.

Knows sockets and nothing of what is spoken over them.
"""

import contextlib
import socket
import threading
from collections.abc import Callable
from collections.abc import Iterator


@contextlib.contextmanager
def cut_off_after(seconds: float, its_socket: Callable[[], socket.socket | None]) -> Iterator[Callable[[], bool]]:
    """Shut the socket down when the block takes longer; what is yielded says whether that happened. Whoever waits on it then meets an OSError
    or the end of the stream."""
    late = threading.Event()

    def cut_off() -> None:
        late.set()
        found = its_socket()
        if found is not None:
            with contextlib.suppress(OSError):
                # not the TLS layer's own: that one belongs to the thread that waits
                socket.socket.shutdown(found, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut_off)
    timer.daemon = True
    timer.start()
    try:
        yield late.is_set
    finally:
        timer.cancel()
