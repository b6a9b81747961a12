"""What every message of a problem must say: what was found and what was expected."""

from gateway.problem import Problem


def says_what_was_found_and_expected(problem: Problem) -> None:
    """Both sides are given; the sentence names at least one of them, and what was found where it is short enough to be shown."""
    assert problem.expected, problem
    assert problem.found is not None or problem.code in NOTHING_FOUND, problem
    sentence = problem.message
    named = [side for side in (problem.found, problem.expected) if side and (side in sentence or side.split()[0] in sentence)]
    assert named or any(word in sentence for word in problem.expected.split() if len(word) > 1), problem


#: kinds that are about what is not there
NOTHING_FOUND = {
    "X12-ELEMENT-MISSING",
    "EDIFACT-ELEMENT-MISSING",
    "X12-GE-MISSING",
    "X12-IEA-MISSING",
    "X12-SEGMENT-ENDLESS",
    "EDIFACT-SEGMENT-ENDLESS",
    "EDIFACT-DELIMITERS-GUESSED",
    "EDIFACT-GROUPS-MIXED",
    "EDIFACT-PACKAGE",
}
