"""A wire between an SFTP client and its server, for faults of lines."""

import contextlib
import socket
import threading


class Relay:
    """A wire between client and server that can fall silent or break."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._target = port
        self._sockets: list[socket.socket] = []
        self.deaf = threading.Event()
        #: bytes that came from the server, and after how many the line breaks
        self.passed = 0
        self.breaks_after: int | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        for one in self._sockets:
            with contextlib.suppress(OSError):  # the other end may have gone first
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()
        for one in self._sockets:
            one.close()

    def _accept(self) -> None:
        try:
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [client, server]
                threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._pump, args=(server, client, True), daemon=True).start()
        except OSError:
            return

    def _pump(self, source: socket.socket, target: socket.socket, may_be_deaf: bool) -> None:
        try:
            while data := source.recv(65536):
                if may_be_deaf:
                    self.passed += len(data)
                    if self.breaks_after is not None and self.passed >= self.breaks_after:
                        self.cut()
                if not (may_be_deaf and self.deaf.is_set()):
                    target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
