"""Rows of documents: one document, a step of its state and the line that it leaves in its history, what a list may ask for, what is counted."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import UNSET
from msgspec import UnsetType

from gateway.problem import Problem
from gateway.store.rows import Row


class Document(Row, frozen=True, kw_only=True):
    """One document. In lists the contents (body to plan_digests) are left at their defaults."""

    id: str
    #: in or out
    direction: str
    #: empty where the partner is not known
    partner: str
    interchange: str | None = None
    transmission: str | None = None
    #: place in the interchange, counted from 0
    ordinal: int = 0
    #: order, order_response, ...; empty where it could not be read that far
    kind: str
    #: the document's own number (order number, invoice number)
    number: str = ""
    #: 850, ORDERS, ...
    transaction_type: str = ""
    transaction_control: str = ""
    group_control: str = ""
    state: str
    test: bool = False
    stream: str
    #: 0 in a new one: drawn when it is inserted
    seq: int = 0
    hold_key: str | None = None
    #: where its transaction lies in the payload
    byte_offset: int | None = None
    byte_length: int | None = None
    #: of the payload in the archive
    sha256: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    created_at: datetime
    due_at: datetime | None = None
    attempts: int = 0
    transition_no: int = 1
    #: canonical JSON
    body: str | None = None
    problems: tuple[Problem, ...] = ()
    #: JSON of the caller: what the acknowledgment says about it
    result: str | None = None
    #: what -> digest of the plan in force (store.plans): mapping, schema, rules, partner
    plan_digests: Mapping[str, str] = {}


class Change(Row, frozen=True, kw_only=True):
    """One step of one document's state. A new state starts without due time and with no attempts unless they are given."""

    document: str
    expected: str
    state: str
    actor: str
    reason: str
    at: datetime
    due_at: datetime | None = None
    attempts: int = 0
    number: str | UnsetType = UNSET
    hold_key: str | None | UnsetType = UNSET
    amount_minor: int | None | UnsetType = UNSET
    currency: str | None | UnsetType = UNSET
    body: str | UnsetType = UNSET
    problems: tuple[Problem, ...] | UnsetType = UNSET
    result: str | UnsetType = UNSET
    plan_digests: Mapping[str, str] | UnsetType = UNSET


class Transition(Row, frozen=True, kw_only=True):
    """One line of a document's history; the first has no state before."""

    document: str
    transition_no: int
    state_before: str | None
    state: str
    actor: str
    reason: str
    at: datetime


class Filters(Row, frozen=True, kw_only=True):
    """What a list of documents shows; None means any."""

    states: tuple[str, ...] | None = None
    kind: str | None = None
    partner: str | None = None
    direction: str | None = None
    #: whole number, as written
    number: str | None = None
    test: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


class Count(Row, frozen=True, kw_only=True):
    """How many documents are alike in these."""

    partner: str
    direction: str
    kind: str
    state: str
    test: bool
    count: int
