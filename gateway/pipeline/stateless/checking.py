"""`gateway check`: one report a file, in the form of CONTRACT.md; no state touched. A gigabyte streams: only transactions that are
not plainly accepted are kept, `counts` has all."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

from gateway.codecs.layout import Form
from gateway.codecs.node import GroupEnd
from gateway.codecs.node import GroupStart
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.codecs.node import outcome_word
from gateway.kinds import file as file_kinds
from gateway.kinds import pipeline as kinds
from gateway.pipeline.plans import FORM_SYNTAXES
from gateway.pipeline.plans import Plans
from gateway.pipeline.reading.payload import Decide
from gateway.pipeline.reading.payload import Read
from gateway.pipeline.reading.payload import read_payload
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.problem import problem_json

#: problems that a report shows; the counts go on
MOST_PROBLEMS = 10_000
#: interchanges, groups, and transactions with problems that a report lists, of each so many
MOST_LISTED = 10_000


class Report:
    """What becomes of one file; fed with the items of reading, then asked for its JSON."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._syntax = Syntax.UNKNOWN
        self._problems: list[Problem] = []
        self._interchanges: list[dict[str, Any]] = []
        self._open: dict[str, Any] | None = None
        self._group: dict[str, Any] | None = None
        self._outcomes: set[str] = set()
        self._group_outcomes: set[str] = set()
        self._all: set[str] = set()
        self.transactions = 0
        self.accepted = 0
        self.errors = 0
        self._left_out = 0
        #: how many interchanges, groups and transactions with problems there were
        self._seen = {"interchanges": 0, "groups": 0, "transactions": 0}
        self.levels: dict[str, str] = {}

    def feed(
        self,
        chunks: Iterable[bytes],
        plans: Plans,
        decide: Decide,
        judge: Callable[[Transaction], tuple[dict[str, str], list[Problem]]] | None = None,
        forms: Sequence[Form] = (),
    ) -> None:
        """Read a payload to its end. `judge` adds the levels of an XML document (XSD, EN 16931, ...)."""
        self._syntax, items = read_payload(chunks, plans, decide, forms)
        for item in items:
            if isinstance(item, Read):
                self._transaction(item, judge)
            elif isinstance(item, InterchangeStart):
                self._begin(item)
            elif isinstance(item, GroupStart):
                self._begin_group(item)
            elif isinstance(item, GroupEnd):
                self._end_group(item)
            elif isinstance(item, InterchangeEnd):
                self._end(item)
            else:
                self._note([item])
                if self._open is None and item.severity is Severity.ERROR:
                    self._all.add("rejected")
                elif item.severity is Severity.ERROR:
                    self._outcomes.add("accepted_with_errors")

    def cannot_open(self, reason: str) -> None:
        """The file itself is missing or closed to us."""
        self._note([kinds.NOT_FOUND.at(NOWHERE, f"{self._file} cannot be opened: {reason}", found=reason, expected="a file that can be read")])

    @property
    def outcome(self) -> str:
        if self._syntax is Syntax.UNKNOWN or not self._interchanges:
            return "unreadable"
        combined = _combined(self._all)
        # a file that is known by its sort and holds nothing that can be read
        return "rejected" if not self.transactions and combined == "accepted" and self.errors else combined

    @property
    def exit_code(self) -> int:
        if self.outcome == "unreadable":
            return 3
        return 1 if self.errors else 0

    @property
    def problems(self) -> list[Problem]:
        return self._problems

    def json(self) -> dict[str, Any]:
        """The object that CONTRACT.md shows."""
        if self.outcome == "unreadable" and not self._problems:
            self._note(
                [
                    file_kinds.UNREADABLE.at(
                        NOWHERE, "The file is nothing that we can read", expected="X12, EDIFACT, UBL, camt or another file that we take"
                    )
                ]
            )
        answer: dict[str, Any] = {
            "file": self._file,
            "syntax": self._syntax.value,
            "outcome": self.outcome,
            "counts": {"transactions": self.transactions, "accepted": self.accepted, "rejected": self.transactions - self.accepted},
            "interchanges": self._interchanges,
            "problems": [problem_json(problem) for problem in self._problems],
        }
        if self._left_out:
            answer["problems_left_out"] = self._left_out
        for what, count in self._seen.items():
            if count > MOST_LISTED:
                answer[f"{what}_left_out"] = count - MOST_LISTED
        if self.levels:
            answer["levels"] = self.levels
        return answer

    def _note(self, problems: Iterable[Problem]) -> list[int]:
        """Keep problems; their indexes."""
        indexes = []
        for problem in problems:
            if problem.severity is Severity.ERROR:
                self.errors += 1
            if len(self._problems) >= MOST_PROBLEMS:
                self._left_out += 1
                continue
            indexes.append(len(self._problems))
            self._problems.append(problem)
        return indexes

    def _begin(self, start: InterchangeStart) -> None:
        self._open = {
            "control_number": start.control_number,
            "sender": start.sender,
            "receiver": start.receiver,
            "test": start.test,
            "outcome": "accepted",
            "groups": [],
        }
        self._outcomes = set()
        self._list("interchanges", self._interchanges, self._open)

    def _begin_group(self, start: GroupStart) -> None:
        assert self._open is not None
        self._group = {
            "type": start.type,
            "control_number": start.control_number,
            "version": start.version,
            "outcome": "accepted",
            "transactions": [],
        }
        self._group_outcomes = set()
        self._list("groups", self._open["groups"], self._group)

    def _transaction(self, read: Read, judge: Callable[[Transaction], tuple[dict[str, str], list[Problem]]] | None) -> None:
        assert self._open is not None
        problems, outcome = list(read.problems), read.result.outcome
        if judge is not None and read.transaction.root is not None and read.transaction.syntax not in FORM_SYNTAXES:
            self.levels, found = judge(read.transaction)
            problems += found
            if any(problem.severity is Severity.ERROR for problem in found):
                outcome = "rejected"
        self.transactions += 1
        if outcome != "rejected":
            self.accepted += 1
        if self._group is None:
            # EDIFACT without UNG, XML: one group that nobody sent
            self._group = {
                "type": read.transaction.type,
                "control_number": "",
                "version": read.transaction.version,
                "outcome": "accepted",
                "transactions": [],
            }
            self._group_outcomes = set()
            self._list("groups", self._open["groups"], self._group)
        self._group_outcomes.add(outcome)
        if problems:
            listed = {
                "type": read.transaction.type,
                "control_number": read.transaction.control_number,
                "outcome": outcome,
                "problems": self._note(problems),
            }
            self._list("transactions", self._group["transactions"], listed)

    def _list(self, what: str, where: list[dict[str, Any]], listed: dict[str, Any]) -> None:
        """Show a part of the file, as long as there are not too many of its sort."""
        self._seen[what] += 1
        if self._seen[what] <= MOST_LISTED:
            where.append(listed)

    def _end_group(self, end: GroupEnd) -> None:
        self._settle_group(end.problems)

    def _settle_group(self, problems: Iterable[Problem]) -> None:
        if self._group is None:
            return
        problems = list(problems)
        self._note(problems)
        if any(problem.severity is Severity.ERROR for problem in problems) and self._group_outcomes != {"rejected"}:
            self._group_outcomes.add("accepted_with_errors")
        self._group["outcome"] = _combined(self._group_outcomes)
        self._outcomes |= self._group_outcomes
        self._group = None

    def _end(self, end: InterchangeEnd) -> None:
        self._settle_group(())
        self._note(end.problems)
        if any(problem.severity is Severity.ERROR for problem in end.problems) and self._outcomes != {"rejected"}:
            self._outcomes.add("accepted_with_errors")
        assert self._open is not None
        self._open["outcome"] = _combined(self._outcomes)
        self._all |= self._outcomes
        self._open = None


def _combined(outcomes: set[str]) -> str:
    return outcome_word(sorted(outcomes))
