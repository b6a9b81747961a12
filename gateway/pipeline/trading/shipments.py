"""Shipments that come in files: whose orders they are of, and whether they were taken before. A file may be a JSON or CSV of our own
form, or one of a description (csv/warehouse-shipment) that a mapping reads as shipments.
"""

from collections.abc import Collection

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
from gateway.pipeline.trading import owners
from gateway.problem import NOWHERE
from gateway.problem import Place
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


def owner_of(connection: Connection, shipment: Shipment, identity: str | None, partners: Collection[str], named: str | None = None) -> str | Problem:
    """The partner whose orders are shipped; the Problem where they are nobody's, or several partners'. `identity`: what the shipment is known
    by; `named`: the partner that whoever hands it in says it is."""
    place = Place(line=next((row.source_line for row in shipment.rows), None))
    if named is not None and shipment.partner not in {None, named}:
        words = f"The file says that the orders are of {shipment.partner}, and it was handed in as of {named}"
        return kinds.SHIPMENT_UNREADABLE.at(place, words, found=shipment.partner, expected=named)
    said = named or shipment.partner
    numbers = {row.order for row in shipment.rows}
    if said is None and identity is not None:
        # what is booked is known, though its order is through now and somebody else's of that number is open
        having = owners.having(connection, numbers, owners.SHIPPING)
        known = [partner for partner in sorted(having) if documents.get(connection, shipment_id(partner, identity)) is not None]
        if len(known) == 1:
            return known[0]
    found = owners.owner_of(connection, numbers, owners.SHIPPING, partners, said)
    return msgspec.structs.replace(found, place=place) if isinstance(found, Problem) else found


def shipment_id(owner: str, identity: str) -> str:
    """The document's id: a shipment of the same number is the same one."""
    return short_id("D", "shipment", owner, identity)


def encode(shipment: Shipment) -> str:
    return msgspec.json.encode(shipment).decode()
