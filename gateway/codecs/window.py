"""A window that slides over a file: bytes come in chunks of any size, text goes out, one character a byte.

The readers of X12 and EDIFACT look through it; it knows no syntax. Bytes are decoded as latin-1 in big blocks, so that
positions in the text are bytes in the file and everything is searched by C-level str methods.
Its rule: the cost is linear in the file whatever the chunks are, and what lies behind `position` is forgotten.
"""

import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator

from gateway.codecs.node import Delimiters

#: bytes that are decoded and looked through at once
BLOCK = 256 * 1024
#: a segment longer than this is no segment: the terminator is wrong or missing
MAXIMUM_SEGMENT = 1024 * 1024
#: a transaction longer than this is not held in memory (an order of 100,000 lines takes about 10 MB)
MAXIMUM_TRANSACTION = 16 * 1024 * 1024

#: more segments than this in one transaction are not held in memory either
MAXIMUM_SEGMENTS = 600_000
#: nor more elements and components: an empty one takes a byte of the file, and a hundred in memory
MAXIMUM_ELEMENTS = 3_000_000

#: problems outside of transactions that are told for one file; of a file of rubbish nobody needs a million
MOST_STRAYS = 1000

#: what may stand around segments without meaning anything; NUL and Ctrl-Z pad files of old systems
BLANKS = " \r\n\t\v\f\0\x1a"
BYTE_ORDER_MARK = "\xef\xbb\xbf"


def shown(delimiter: str) -> str:
    """A delimiter as a message shows it."""
    return delimiter if delimiter.isprintable() else repr(delimiter)[1:-1]


def holds_too_much(text: str, position: int, length: int, delimiters: Delimiters) -> bool:
    """Whether the transaction there has more segments or elements than are held in memory."""
    if length <= MAXIMUM_SEGMENTS:
        return False
    end = position + length
    cuts = text.count(delimiters.element, position, end)
    if delimiters.release:
        # components and repetitions are cut in EDIFACT only, which has a release character in all but the oldest interchanges
        cuts += text.count(delimiters.component, position, end)
    if delimiters.release and delimiters.repetition:
        cuts += text.count(delimiters.repetition, position, end)
    return cuts > MAXIMUM_ELEMENTS or text.count(delimiters.segment, position, end) > MAXIMUM_SEGMENTS


class Window:
    """The part of the file that is being looked at. `text` starts at byte `base` of the file; `position` is within `text`."""

    __slots__ = ("_chunks", "_counted", "_rest", "base", "breaks", "ended", "first_line", "position", "text")

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks: Iterator[bytes] = iter(chunks)
        self._rest = memoryview(b"")
        #: the line of the text before `_counted`
        self.first_line = 1
        self._counted = 0
        #: whether there is any line break in the text: most files have none
        self.breaks = False
        self.text = ""
        self.position = 0
        self.base = 0
        self.ended = False

    @property
    def offset(self) -> int:
        """Bytes of the file before `position`."""
        return self.base + self.position

    @property
    def line(self) -> int:
        """The line of `position`, from 1; it must only be asked in rising order."""
        if self.position > self._counted:
            if self.breaks:
                self.first_line += self.text.count("\n", self._counted, self.position)
            self._counted = self.position
        return self.first_line

    def more(self) -> bool:
        """Read on and forget what lies before `position`, which becomes 0. False when the file has ended: nothing moved then."""
        if self.ended:
            return False
        kept = len(self.text) - self.position
        wanted = max(BLOCK, kept)
        pieces: list[bytes | memoryview] = []
        gained = 0
        while gained < wanted:
            chunk: bytes | memoryview | None = self._rest or next(self._chunks, None)
            if chunk is None:
                self.ended = True
                break
            self._rest = memoryview(b"")
            if gained + len(chunk) > 2 * wanted:
                view = memoryview(chunk)
                chunk, self._rest = view[: wanted - gained], view[wanted - gained :]
            pieces.append(chunk)
            gained += len(chunk)
        if not gained:
            return False
        self.line  # noqa: B018 -- counts the lines of what is forgotten now
        self.base += self.position
        self._counted -= self.position
        self.text = self.text[self.position :] + b"".join(pieces).decode("latin-1")
        self.position = 0
        self.breaks = "\n" in self.text
        return True

    def hold(self, length: int) -> bool:
        """Have at least `length` characters from `position` on; False when the file ends before."""
        while len(self.text) - self.position < length:
            if not self.more():
                return False
        return True

    def find(self, needle: str, limit: int) -> int:
        """Where `needle` is next, as a distance from `position`; -1 when it is not within `limit` characters or the file ends."""
        searched = 0
        while True:
            found = self.text.find(needle, self.position + searched)
            if found >= 0:
                distance = found - self.position
                return distance if distance <= limit else -1
            have = len(self.text) - self.position
            if have > limit:
                return -1
            searched = max(0, have - len(needle) + 1)
            if not self.more():
                return -1

    def seek(self, possible: re.Pattern[str], longest: int, is_there: Callable[[str, int], bool]) -> None:
        """Step behind `position` to the next place that looks `possible` and of which `is_there` is true, or to the end of the file."""
        search = self.position + 1
        while True:
            found = possible.search(self.text, search)
            if found is None:
                self.position = max(self.position, len(self.text) - 16)
                search = 0
                if not self.more():
                    self.position = len(self.text)
                    return
                continue
            self.position = found.start()
            self.hold(longest)
            if is_there(self.text, self.position):
                return
            search = self.position + 3

    def skip(self, characters: str) -> str:
        """Step over any of `characters`; what was stepped over (its head only, where it is long)."""
        skipped = ""
        while True:
            text = self.text
            start = self.position
            if start < len(text) and text[start] not in characters:
                return skipped
            rest = text[start : start + 4096]
            blank = len(rest) - len(rest.lstrip(characters))
            if len(skipped) < 64:
                skipped += rest[: min(blank, 64)]
            self.position += blank
            if self.position < len(text) and blank < len(rest):
                return skipped
            if self.position >= len(text) and not self.more():
                return skipped


class Numbers:
    """Control numbers seen so far. Consecutive ones cost nothing, so that a million transactions fit in no memory at all."""

    __slots__ = ("_expected", "_others", "_plain", "_run", "_runs", "_width")

    def __init__(self) -> None:
        self._width = 0
        #: the number that would continue the run, and the run's first
        self._expected = -1
        self._run = -1
        #: earlier runs (width, first, last) that are long, and all other numbers
        self._runs: list[tuple[int, int, int]] = []
        self._others: set[str] = set()
        self._plain = True

    def add(self, number: str) -> bool:
        """True when the number is new. Numbers are text: 1 and 0001 are two."""
        # longer ones are no numbers of ours, and int() refuses them beyond some thousand digits
        if len(number) <= 18 and number.isdecimal():
            value = int(number)
            if value == self._expected and len(number) == self._width and self._plain:
                self._expected = value + 1
                return True
            return self._add_number(number, value)
        if number in self._others:
            return False
        self._others.add(number)
        return True

    def _add_number(self, number: str, value: int) -> bool:
        width = len(number)
        if width == self._width and self._run <= value < self._expected or number in self._others:
            return False
        if any(width == run_width and first <= value <= last for run_width, first, last in self._runs):
            return False
        if value == self._expected and width == self._width:
            self._expected = value + 1
            return True
        last = self._expected - 1
        if self._run >= 0:
            self._plain = False
            if last - self._run > 64 and len(self._runs) < 64:
                self._runs.append((self._width, self._run, last))
            else:
                self._others.update(f"{one:0{self._width}}" for one in range(self._run, last + 1))
        self._run, self._expected, self._width = value, value + 1, width
        return True
