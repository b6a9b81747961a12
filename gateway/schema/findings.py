"""What is found wrong inside a segment: the value that says it, and its place there."""

from dataclasses import dataclass

from gateway.problem import Kind
from gateway.problem import Severity

#: characters of a wrong value that are shown
_SHOWN = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong inside a segment."""

    kind: Kind
    message: str
    element: int | None = None
    component: int | None = None
    repetition: int | None = None
    reference: str | None = None
    #: the loop it stands in, where the segment's place in the schema does not say it
    loop: str | None = None
    found: str | None = None
    expected: str | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class At:
    """An element, component and repetition, as far as they matter."""

    element: int
    component: int | None = None
    repetition: int | None = None


def shown(value: str) -> str:
    """A wrong value as a sentence shows it."""
    return value if len(value) <= _SHOWN else value[:_SHOWN] + "..."
