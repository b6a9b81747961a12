"""A file of interchanges read through once, in X12 as in EDIFACT: transactions while all is in order, else with care, else what stands around.

It knows no tag. Its rule: of a file of rubbish nobody is told more than MOST_STRAYS problems.
"""

from collections.abc import Iterator
from typing import Protocol

from gateway.codecs.node import Event
from gateway.codecs.node import Segment
from gateway.codecs.node import Transaction
from gateway.codecs.window import MOST_STRAYS
from gateway.codecs.window import Window
from gateway.problem import Problem


class InterchangeReader(Protocol):
    """What a syntax must be able to do."""

    window: Window
    #: a trailer was missing somewhere: look for the end of each transaction with care
    careful: bool

    def lead_in(self) -> Iterator[Event]:
        """What stands before the first interchange."""

    def at_transaction(self) -> bool:
        """Whether a transaction comes next."""

    def outside_group(self) -> Iterator[Problem]:
        """A transaction that stands outside of any group where it should not."""

    def read_transactions(self) -> Iterator[Transaction]:
        """The transactions from here on, while all is in order."""

    def read_with_care(self) -> Transaction:
        """One of which something is odd."""

    def read_other(self) -> list[Event] | None:
        """Anything but a transaction; None at the end of the file."""

    def close_interchange(self, segment: Segment, offset: int) -> list[Event]:
        """The end of the interchange that is open, if one is."""


def read_interchanges(reader: InterchangeReader) -> Iterator[Event]:
    """Everything in a file, in its order, one transaction in memory at a time."""
    yield from reader.lead_in()
    window = reader.window
    strays = 0
    while True:
        if reader.at_transaction():
            yield from reader.outside_group()
            if not reader.careful:
                yield from reader.read_transactions()
            if reader.at_transaction():
                yield reader.read_with_care()
            continue
        events = reader.read_other()
        if events is None:
            break
        for event in events:
            strays += isinstance(event, Problem)
            if strays <= MOST_STRAYS or not isinstance(event, Problem):
                yield event
    yield from reader.close_interchange([], window.offset)
