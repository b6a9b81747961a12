"""What judging a document by one set of rules came to. A level that did not run is never called passed."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.problem import Problem
from gateway.problem import Severity


class Level(StrEnum):
    """The words of CONTRACT.md."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not_run"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The level's word, what was found, and why it did not run."""

    level: Level
    problems: tuple[Problem, ...] = ()
    reason: str = ""


def judgement_of(problems: list[Problem]) -> Judgement:
    """Passed unless an error was found; for rules that ran whole."""
    failed = any(problem.severity is Severity.ERROR for problem in problems)
    return Judgement(Level.FAILED if failed else Level.PASSED, tuple(problems))


def not_run(reason: str) -> Judgement:
    """The level could not be judged."""
    return Judgement(Level.NOT_RUN, (), reason)
