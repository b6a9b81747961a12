"""Shipments that come in files: whose orders they are of, and whether they were taken before. A file may be a JSON or CSV of our own
form, or one of a description (csv/warehouse-shipment) that a mapping reads as shipments.
"""

import msgspec
from sqlalchemy import Connection

from gateway.exchange.partner import LoadedPartner
from gateway.kinds import rule as kinds
from gateway.pipeline.plans import Plans
from gateway.pipeline.reading.forms import forms_for
from gateway.pipeline.reading.payload import Read
from gateway.pipeline.reading.payload import read_payload
from gateway.pipeline.reading.payload import stateless
from gateway.pipeline.station import short_id
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.store.records import documents
from gateway.trade.shipment import Shipment
from gateway.trade.shipment import read_shipments
from gateway.trade.shipment import shipment_problems


def shipments_of(data: bytes, plans: Plans, spec: str | None, loaded: LoadedPartner | None = None) -> tuple[list[Shipment], list[Problem]]:
    """Shipments of a file, of the type that was said or of our own form. Where anything is wrong: all problems and no shipments."""
    if spec is None:
        return read_shipments(data)
    shipments: list[Shipment] = []
    problems: list[Problem] = []
    for item in read_payload([data], plans, stateless(plans, None, loaded, spec), forms_for(plans, None, loaded, spec))[1]:
        if isinstance(item, Read):
            problems += item.problems
            # whatever the mapping makes: only shipments are taken here
            made: object = item.document
            if isinstance(made, Shipment):
                shipments.append(made)
                problems += shipment_problems(made)
        elif isinstance(item, Problem):
            problems.append(item)
    wrong = [problem for problem in problems if problem.severity is Severity.ERROR]
    if not wrong and not shipments:
        wrong = [kinds.SHIPMENT_EMPTY.at(NOWHERE, f"The file holds no shipment that {spec} reads", found="0 shipments", expected="at least 1")]
    return ([], wrong) if wrong else (shipments, [])


def owner_of(connection: Connection, shipment: Shipment, partner: str | None = None) -> str | Problem:
    """The partner whose orders are shipped; the Problem where they are nobody's, or several partners'."""
    numbers = {row.order for row in shipment.rows}
    found = {
        row.partner for number in numbers for row in documents.search(connection, documents.Filters(kind="order", direction="in", number=number))
    }
    owners = {partner} if partner is not None else found
    if len(owners) == 1:
        return owners.pop()
    word = "no partner's" if not owners else f"an order of {', '.join(sorted(owners))}"
    told = ", ".join(sorted(numbers))
    return kinds.SHIPMENT_ORDER_UNKNOWN.at(NOWHERE, f"Order {told} is {word}", found=told, expected="orders of one partner: name it with --partner")


def shipment_id(owner: str, identity: str) -> str:
    """The document's id: a shipment of the same number is the same one."""
    return short_id("D", "shipment", owner, identity)


def encode(shipment: Shipment) -> str:
    return msgspec.json.encode(shipment).decode()
