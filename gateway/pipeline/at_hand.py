"""Orders that this process has just read: their trade step comes within the second and need not read their JSON again."""

from collections import OrderedDict
from threading import Lock

from gateway.model.document import Document
from gateway.model.document import decode

#: characters of JSON whose documents are kept: several times what is read before the other streams have their turn
_AT_MOST = 4_000_000


class AtHand:
    """Documents by their JSON itself: whatever another process made of a row meanwhile, what is found is what stands in it."""

    def __init__(self, most: int = _AT_MOST) -> None:
        self._most = most
        self._size = 0
        self._known: OrderedDict[str, Document] = OrderedDict()
        self._guard = Lock()

    def put(self, body: str, document: Document) -> None:
        """Keep a document for who asks for it next; the oldest go where there are too many."""
        with self._guard:
            if self._known.pop(body, None) is None:
                self._size += len(body)
            self._known[body] = document
            while self._size > self._most:
                oldest, _ = self._known.popitem(last=False)
                self._size -= len(oldest)

    def take(self, body: str) -> Document:
        """The document of this JSON: the one that was kept, which is kept no longer, or read anew."""
        with self._guard:
            known = self._known.pop(body, None)
            if known is not None:
                self._size -= len(body)
        return known if known is not None else decode(body)
