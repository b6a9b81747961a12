"""The envelope of an interchange on its way: what stands around its transactions, and what is wrong with it, until it is answered."""

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field

import msgspec

from gateway.codecs.node import GroupEnd
from gateway.codecs.node import GroupStart
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import InterchangeStart
from gateway.exchange.acknowledgment import GroupResult
from gateway.exchange.acknowledgment import InterchangeResult
from gateway.exchange.acknowledgment import ReceivedEnvelope
from gateway.exchange.acknowledgment import TransactionResult
from gateway.exchange.acknowledgment import received_envelope
from gateway.problem import Problem


class GroupSeen(msgspec.Struct, kw_only=True):
    """A functional group on its way: its header, and what its trailer said when it came."""

    type: str
    control_number: str
    version: str
    sender: str
    receiver: str
    declared: int | None = None
    counted: int = 0
    problems: tuple[Problem, ...] = ()


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of an interchange's envelope."""

    envelope: ReceivedEnvelope | None
    groups: tuple[GroupSeen, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class Progress:
    """The envelope of an interchange while it is split."""

    start: InterchangeStart | None = None
    groups: list[GroupSeen] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    end: InterchangeEnd | None = None
    #: nothing in it is taken, whatever stands in it (a duplicate, an unknown sender)
    refused: bool = False
    #: what is wrong with our own answers to it
    alerts: list[Problem] = field(default_factory=list)

    def open_group(self, start: GroupStart) -> None:
        self.groups.append(
            GroupSeen(type=start.type, control_number=start.control_number, version=start.version, sender=start.sender, receiver=start.receiver)
        )

    def close_group(self, end: GroupEnd) -> None:
        if self.groups:
            group = self.groups[-1]
            group.declared, group.counted, group.problems = end.declared, end.counted, end.problems

    def encode(self) -> str:
        """The envelope as it is stored with the interchange."""
        return msgspec.json.encode(
            Kept(envelope=received_envelope(self.start) if self.start else None, groups=tuple(self.groups), problems=tuple(self.all_problems))
        ).decode()

    @property
    def all_problems(self) -> list[Problem]:
        return [*self.problems, *(self.end.problems if self.end else ())]

    def result(self, transactions: Iterable[tuple[int, TransactionResult]]) -> InterchangeResult:
        """Everything found; each transaction with the number of its group (0: none)."""
        assert self.start is not None
        by_group: dict[int, list[TransactionResult]] = {}
        for group, transaction in transactions:
            by_group.setdefault(group, []).append(transaction)
        return InterchangeResult(
            envelope=received_envelope(self.start),
            refused=self.refused,
            problems=tuple(self.all_problems),
            transactions=tuple(by_group.get(0, ())),
            groups=tuple(
                GroupResult(
                    type=group.type,
                    control_number=group.control_number,
                    version=group.version,
                    sender=group.sender,
                    receiver=group.receiver,
                    declared=group.declared,
                    counted=group.counted,
                    problems=group.problems,
                    transactions=tuple(by_group.get(number, ())),
                )
                for number, group in enumerate(self.groups, 1)
            ),
        )


class KeptResult(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction's result as it is stored with its document. `group` counts the interchange's groups from 1."""

    group: int
    result: TransactionResult


_RESULT = msgspec.json.Decoder(KeptResult)


def encode_result(group: int, result: TransactionResult) -> str:
    return msgspec.json.encode(KeptResult(group=group, result=result)).decode()


def decode_result(text: str) -> KeptResult:
    return _RESULT.decode(text)
