"""The plan of a rule set: which check leads to which outcome, with which tolerance. Frozen, without YAML."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from gateway.model.money import number_words
from gateway.problem import Outcome


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far two numbers may be apart: an amount in the document's currency, or a percent of what was expected."""

    amount: Decimal
    percent: bool = False

    def allows(self, found: Fraction, expected: Fraction) -> bool:
        """Whether the difference is small enough."""
        limit = abs(expected) * Fraction(self.amount) / 100 if self.percent else Fraction(self.amount)
        return abs(found - expected) <= limit

    def words(self) -> str:
        """As it is written in a rule file."""
        return number_words(self.amount) + (" %" if self.percent else "")


EXACT = Tolerance(Decimal(0))


@dataclass(frozen=True, slots=True)
class Check:
    """What one kind of problem leads to."""

    code: str
    outcome: Outcome
    tolerance: Tolerance = EXACT


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePlan:
    """A loaded rule set. A check that is switched off is not in `checks`."""

    checks: dict[str, Check]
    #: the words of trade.acceptance.AcceptancePolicy that the files set, as written
    decisions: dict[str, str]
    #: SHA-256 over all that the plan was made of; the effective plan kept with each document
    digest: str
    #: names and texts of the files it was made of, so that it can be archived
    sources: tuple[tuple[str, str], ...] = ()
