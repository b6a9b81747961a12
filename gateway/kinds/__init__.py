"""The table of all kinds of problems, one file a family; data only. docs/errors.md is made from it."""

from gateway.kinds import answer
from gateway.kinds import as2
from gateway.kinds import control
from gateway.kinds import document
from gateway.kinds import edifact
from gateway.kinds import en16931
from gateway.kinds import file
from gateway.kinds import json
from gateway.kinds import lines
from gateway.kinds import mail
from gateway.kinds import partner
from gateway.kinds import pipeline
from gateway.kinds import rule
from gateway.kinds import x12
from gateway.kinds import xml
from gateway.problem import Kind

FAMILIES = (file, pipeline, x12, edifact, xml, en16931, document, partner, rule, as2, answer, lines, mail, control, json)


def table() -> dict[str, Kind]:
    """Every kind by its code."""
    kinds = {}
    for family in FAMILIES:
        for value in vars(family).values():
            if isinstance(value, Kind):
                assert value.code not in kinds, value.code
                kinds[value.code] = value
    return kinds


KINDS = table()

#: codes that are no longer raised, and what took their place; none of them is ever given another meaning
RETIRED = {"RULE-CHANGE-BY-HAND": "changes and replacements of orders are applied; what holds one is told by a RULE-CHANGE- code of its own"}
