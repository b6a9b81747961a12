"""All levels of one XML document, each judged on its own: a document that fails its schema still gets its rules.

The official Schematron and the Peppol rules have no engine here yet: their levels say `not_run`, never more.
"""

from dataclasses import dataclass

from gateway.codecs.node import Transaction
from gateway.conformance import en16931
from gateway.conformance import xsd
from gateway.conformance.level import Judgement
from gateway.conformance.level import not_run
from gateway.problem import Problem


@dataclass(frozen=True, slots=True)
class Conformance:
    """The levels in the order of CONTRACT.md: xsd, en16931, peppol."""

    judgements: dict[str, Judgement]

    @property
    def levels(self) -> dict[str, str]:
        """The word of each level, as `gateway check --json` shows them."""
        return {name: judgement.level.value for name, judgement in self.judgements.items()}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What all levels found."""
        return tuple(problem for judgement in self.judgements.values() for problem in judgement.problems)

    @property
    def reasons(self) -> dict[str, str]:
        """Why a level did not run."""
        return {name: judgement.reason for name, judgement in self.judgements.items() if judgement.reason}


def judge(transaction: Transaction, shelf: xsd.SchemaShelf) -> Conformance:
    """Every level for one document."""
    return Conformance(
        {
            "xsd": xsd.validate(transaction, shelf),
            "en16931": en16931.judge(transaction),
            "peppol": not_run("the Peppol rules do not run in this version"),
        }
    )
