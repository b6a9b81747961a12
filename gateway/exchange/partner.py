"""Partners, their endpoints and agreements, as their YAML says them.

An agreement is directed (receive or send). What stands here is checked when it is loaded: every fault with file, line and
column. Secrets are only named (`env:NAME`, `file:path`), never held.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from decimal import Decimal
from typing import Annotated
from typing import Any
from typing import Literal

import pydantic

from gateway.exchange.acknowledgment_keys import ErrorClass
from gateway.exchange.acknowledgment_keys import delimiters_fault
from gateway.exchange.acknowledgment_keys import version_fault
from gateway.exchange.bounds import Within
from gateway.exchange.checked import checked
from gateway.exchange.currency import Currency
from gateway.exchange.currency import known_currency
from gateway.exchange.endpoint import Endpoint
from gateway.exchange.keys import Keys
from gateway.exchange.keys import Texts
from gateway.exchange.keys import listed
from gateway.exchange.retention import Retention
from gateway.exchange.timing import ControlNumbers
from gateway.exchange.timing import Day
from gateway.exchange.timing import MaybeBatch
from gateway.exchange.timing import MaybeChecks
from gateway.exchange.timing import MaybeExpected
from gateway.exchange.timing import NumberChecks
from gateway.exchange.timing import Zone
from gateway.kinds import KINDS
from gateway.model.money import is_handy
from gateway.model.money import parse_money
from gateway.yaml_source import Fault
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Resolver
from gateway.yaml_source import Scalar
from gateway.yaml_source import Sequence
from gateway.yaml_source import did_you_mean
from gateway.yaml_source import load

#: files of our own descriptions
_OWN = ("csv", "fixed", "json", "xml")
_SPEC = re.compile(r"(x12/\d{6}/\w+|edifact/d\d\d[ab]/\w+|ubl/[\w-]+|peppol/[\w-]+|camt/\d{3}|(?:csv|fixed|json|xml)/[\w-]+)\Z")


class Identifiers(Keys):
    """Who somebody is, by syntax or scheme. X12 and EDIFACT identities are written qualifier:id."""

    x12: Texts = ()
    edifact: Texts = ()
    gln: str | None = None
    duns: str | None = None
    vat: str | None = None
    peppol: Texts = ()
    as2: str | None = None
    #: what files without an envelope (CSV, JSON) call the partner, in the column that says who sends
    file: Texts = ()

    _listed = pydantic.field_validator("x12", "edifact", "peppol", "file", mode="before")(listed)

    @pydantic.field_validator("x12", "edifact", "peppol")
    @classmethod
    def _qualified(cls, value: Texts) -> Texts:
        for text in value:
            if ":" not in text:
                raise ValueError(f"'{text}' is no identity: write qualifier:id, like 'ZZ:ACME' or '14:4012345500004'")
        return value

    @pydantic.field_validator("x12", "edifact")
    @classmethod
    def _fits(cls, value: Texts, info: pydantic.ValidationInfo) -> Texts:
        qualifiers, most, where = ((2,), 15, "ISA06 and ISA08") if info.field_name == "x12" else ((0, 1, 2, 3, 4), 35, "the UNB")
        for text in value:
            qualifier, _, name = text.partition(":")
            if any(part != part.strip() for part in text.split(":")):
                raise ValueError(f"'{text}' has a blank at an end of its parts: no file would be found to be theirs")
            if len(qualifier) not in qualifiers or not 1 <= len(name.split(":")[0]) <= most:
                raise ValueError(f"'{text}' does not fit into {where}: at most {most} characters behind the qualifier")
        return value


class Agreement(Keys):
    """What we exchange with a partner, one direction of one document type over one endpoint."""

    receive: str | None = None
    send: str | None = None
    from_: str | None = pydantic.Field(default=None, alias="from")
    to: str | None = None
    acknowledge: Literal["997", "999", "CONTRL", "none"] | None = None
    acknowledge_when: Literal["always", "on_error"] = "always"
    #: one acknowledgment for each group (interchange), or one for each transaction (message)
    acknowledge_by: Literal["group", "transaction"] = "group"
    #: an answer to the interchange itself: TA1, and CONTRL that was not agreed
    acknowledge_interchange: Literal["asked", "asked_or_refused", "always", "never"] = "asked_or_refused"
    #: `received`, or the characters; ours when it is left out
    acknowledge_delimiters: str | None = None
    #: of the group (X12, 004010) or the syntax (EDIFACT, UNOC:3); the received one when it is left out
    acknowledge_version: str | None = None
    #: answers to what the application found in a transaction that is good as such
    application_errors: Literal["none", "824", "APERAK"] = "none"
    application_when: Literal["always", "on_error"] = "on_error"
    #: our code of a problem -> the code that this partner knows (647 in an 824, 9321 in an APERAK)
    application_codes: dict[str, str] = {}
    #: element errors, or those of these classes, lead to accepted-with-errors instead of rejection
    accept_errors: bool | tuple[ErrorClass, ...] = False
    #: warnings of these classes count as errors
    refuse_warnings: tuple[ErrorClass, ...] = ()
    #: despatch advices: handling units with their goods in them, or (standard pack) each item with its handling units under it
    structure: Literal["as_packed", "item_first"] = "as_packed"
    #: seconds that an outgoing document can still be stopped
    undo: Annotated[float, Within(0, 2_592_000, "number of seconds")] = 0.0
    #: the version and identity to use instead of the received ones
    association: str | None = None
    syntax_version: str | None = None
    expect_acknowledgment: MaybeExpected = None
    #: when documents leave together; the acknowledgments of what we receive never wait for it
    batch: MaybeBatch = None

    @pydantic.field_validator("receive", "send")
    @classmethod
    def _is_spec(cls, value: str | None) -> str | None:
        if value is not None and not _SPEC.match(value):
            raise ValueError(f"'{value}' is no document type: write it like x12/004010/850, edifact/d96a/orders or ubl/order")
        return value

    _warnings_listed = pydantic.field_validator("refuse_warnings", mode="before")(listed)

    @pydantic.field_validator("application_codes")
    @classmethod
    def _known_problems(cls, value: dict[str, str]) -> dict[str, str]:
        for code, theirs in value.items():
            if code not in KINDS:
                raise ValueError(f"'{code}' is no code of a problem{did_you_mean(code, KINDS)}: docs/errors.md lists them")
            if not re.fullmatch(r"[A-Za-z0-9]{1,8}", theirs):
                raise ValueError(f"'{theirs}' is no code of an answer: up to three letters and digits in an 824, eight in an APERAK")
        return value

    @pydantic.model_validator(mode="after")
    def _answerable(self) -> "Agreement":
        """What answers a syntax belongs to it."""
        syntax = self.spec.split("/")[0]
        others = {"x12": {"CONTRL", "APERAK"}, "edifact": {"997", "999", "824"}}.get(syntax, {"997", "999", "CONTRL", "824", "APERAK"})
        for key, value in (("acknowledge", self.acknowledge), ("application_errors", self.application_errors)):
            if value in others:
                raise ValueError(f"{key}: {value} does not answer {self.spec}")
        for fault_of, text in ((delimiters_fault, self.acknowledge_delimiters), (version_fault, self.acknowledge_version)):
            if text is not None and (fault := fault_of(text, syntax)):
                raise ValueError(fault)
        return self

    @pydantic.model_validator(mode="after")
    def _directed(self) -> "Agreement":
        if (self.receive is None) == (self.send is None):
            raise ValueError("an agreement says either receive: or send:")
        if self.receive is not None and self.to is not None:
            raise ValueError("receive: goes with from:, not with to:")
        if self.send is not None and self.from_ is not None:
            raise ValueError("send: goes with to:, not with from:")
        for key in ("expect_acknowledgment", "batch"):
            if self.receive is not None and getattr(self, key) is not None:
                raise ValueError(f"{key}: goes with send:, not with receive:")
        return self

    @property
    def spec(self) -> str:
        return self.receive or self.send or ""


class Credit(Keys):
    """Terms of credit. `limit` is money such as `50000 USD`."""

    limit: str | None = None
    hold_days_overdue: Annotated[int, Within(0, 3650, "number of days")] | None = None
    #: the first order of a new partner waits for a person
    first_order: Literal["hold", "accept"] = "hold"

    @pydantic.field_validator("limit")
    @classmethod
    def _is_money(cls, value: str | None) -> str | None:
        if value is not None:
            amount, currency = parse_money(value)
            known_currency(currency)
            if not (amount >= 0 and is_handy(amount)):
                raise ValueError(f"'{value}' is no limit: write an amount from 0 up and its currency, like '50000 USD'")
        return value

    @property
    def amount(self) -> Decimal | None:
        return parse_money(self.limit)[0] if self.limit else None

    @property
    def currency(self) -> str | None:
        return parse_money(self.limit)[1] if self.limit else None


class Terms(Keys):
    """How the partner pays, where its orders do not say."""

    net_days: Annotated[int, Within(0, 3650, "number of days")] = 30
    discount_percent: Annotated[Decimal, Within(0, 100, "percentage")] | None = None
    discount_days: Annotated[int, Within(0, 3650, "number of days")] | None = None


class Partner(Keys):
    """One partner's file. `mapping`, `schema`, `tables` and `rules` stay YAML nodes: their rooms check them."""

    id: str
    name: str
    identifiers: Identifiers
    endpoints: dict[str, Endpoint] = {}
    agreements: tuple[Agreement, ...] = ()
    credit: Credit | Literal["none"] | None = None
    currency: Currency | None = None
    country: str | None = None
    language: str | None = None
    terms: Terms = Terms()
    tax: Literal["vat", "none"] = "vat"
    #: bank accounts that this partner pays from
    accounts: tuple[str, ...] = ()
    mapping: Any = None
    schema_: Any = pydantic.Field(default=None, alias="schema")
    tables: Any = None
    rules: Any = None
    control_numbers: ControlNumbers = ControlNumbers()
    check_control_numbers: MaybeChecks = NumberChecks()
    #: where the partner's days and hours are counted; the installation's where it says nothing
    zone: Zone | None = None
    #: its holidays, besides those of the installation
    holidays: tuple[Day, ...] = ()
    #: how long its payloads are kept, where that is not what config.yaml says
    retention: Retention | None = None
    #: what mappings may ask for besides, as partner.NAME
    values_: dict[str, str] = pydantic.Field(default={}, alias="values")

    @pydantic.field_validator("retention")
    @classmethod
    def _of_a_partner(cls, value: Retention | None) -> Retention | None:
        if value is not None and value.strangers is not None:
            raise ValueError("`strangers` are nobody's partners: how long they are kept is said in config.yaml")
        return value

    @pydantic.field_validator("values_")
    @classmethod
    def _are_names(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name):
                raise ValueError(f"'{name}' is no name for a value: lower-case letters, digits and _ only")
        return value

    @pydantic.field_validator("id")
    @classmethod
    def _is_name(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", value):
            raise ValueError(f"'{value}' is no id: lower-case letters, digits, - and _ only")
        return value

    def receiving(self) -> Iterable[Agreement]:
        """The agreements about what they send us."""
        return (agreement for agreement in self.agreements if agreement.receive is not None)

    def sending(self, *specs: str) -> Agreement | None:
        """The first agreement to send whose type is one of `specs` (`855`, `ordrsp`, `order-response`: the last part)."""
        for agreement in self.agreements:
            if agreement.send is None:
                continue
            syntax, _, name = agreement.send.rpartition("/")
            # a type of our own description may have a name before it: csv/acme-despatch-advice
            if name in specs or (syntax in _OWN and any(name.endswith(f"-{spec}") for spec in specs)):
                return agreement
        return None

    def agreement_to_send(self, spec: str) -> Agreement | None:
        """The agreement under which exactly this type is sent."""
        return next((agreement for agreement in self.agreements if agreement.send == spec), None)

    def endpoint(self, name: str | None) -> Endpoint | None:
        """The endpoint of that name; None without a name, or where there is none of it."""
        return self.endpoints.get(name) if name else None

    def values(self) -> dict[str, str]:
        """What a mapping may ask for as `partner.x`."""
        known = {
            "id": self.id,
            "name": self.name,
            "currency": self.currency,
            "country": self.country,
            "language": self.language,
            "gln": self.identifiers.gln,
            "duns": self.identifiers.duns,
            "vat": self.identifiers.vat,
        }
        return {**self.values_, **{name: value for name, value in known.items() if value}}


@dataclass(frozen=True, slots=True)
class LoadedPartner:
    """A partner with the nodes of its differences and the digest of its file: part of the effective plan of each document."""

    partner: Partner
    file: str
    text: str
    digest: str
    mappings: dict[str, Mapping] = field(default_factory=dict)
    schemas: dict[str, Mapping] = field(default_factory=dict)
    tables: Mapping | None = None
    rules: Mapping | None = None


def load_partner(name: str, resolver: Resolver) -> LoadedPartner:
    """The partner of file `name` (partners/acme.yaml); raises Faults with everything that is wrong in it."""
    node = load(name, resolver)
    found = resolver.text_of(name)
    assert found is not None
    file, text = found
    if not isinstance(node, Mapping):
        raise Faults([node.fault("a partner file is a list of keys: id, name, identifiers, ...")])
    partner = checked(node, Partner)
    faults: list[Fault] = []
    partner = _named(partner, node, faults)
    for position, agreement in enumerate(partner.agreements):
        agreements = node.items["agreements"]
        assert isinstance(agreements, Sequence)
        here = agreements.items[position]
        for key, endpoint in (("from", agreement.from_), ("to", agreement.to)):
            if endpoint is not None and endpoint not in partner.endpoints and isinstance(here, Mapping):
                faults.append(here.items[key].fault(f"there is no endpoint '{endpoint}'" + did_you_mean(endpoint, partner.endpoints)))
            elif endpoint is not None and isinstance(here, Mapping):
                reason = _unusable(partner.endpoints[endpoint], key)
                if reason:
                    faults.append(here.items[key].fault(f"'{endpoint}' {reason}"))
    parts = {key: _by_spec(node.items.get(key), key, faults) for key in ("mapping", "schema")}
    if faults:
        raise Faults(faults)
    tables, rules = node.items.get("tables"), node.items.get("rules")
    return LoadedPartner(
        partner,
        file,
        text,
        hashlib.sha256(text.encode()).hexdigest(),
        parts["mapping"],
        parts["schema"],
        tables if isinstance(tables, Mapping) else None,
        rules if isinstance(rules, Mapping) else None,
    )


def _unusable(endpoint: Endpoint, key: str) -> str:
    """Why an endpoint cannot serve an agreement in this direction; nothing where it can."""
    if key == "to" and endpoint.transport in {"folder", "sftp", "mail"} and endpoint.send_to is None:
        return "does not say where to put what we send: add send_to: to it"
    if key == "from" and endpoint.transport == "https" and not endpoint.api_keys:
        return "has no keys with which the partner could push files: add api_keys: to it"
    if key == "from" and endpoint.transport == "mail" and not endpoint.from_:
        return "does not say whose mail is meant: add a mailbox and from: to it"
    return ""


def _named(partner: Partner, node: Mapping, faults: list[Fault]) -> Partner:
    """The partner with the AS2 name in each AS2 endpoint and the account in each HTTPS one: part of the endpoint's address, by which
    senders are told apart."""
    endpoints = {}
    for name, endpoint in partner.endpoints.items():
        if endpoint.as2 is not None and endpoint.name is None:
            if partner.identifiers.as2 is None:
                place = node.items["endpoints"]
                here = place.items[name] if isinstance(place, Mapping) else place
                faults.append(here.fault("an AS2 endpoint needs the partner's AS2 name: name: THEM here, or identifiers: {as2: THEM}"))
            endpoint = endpoint.model_copy(update={"name": partner.identifiers.as2})
        if endpoint.https is not None and endpoint.account is None:
            endpoint = endpoint.model_copy(update={"account": partner.id})
        endpoints[name] = endpoint
    return partner.model_copy(update={"endpoints": endpoints})


def _by_spec(node: Node | None, key: str, faults: list[Fault]) -> dict[str, Mapping]:
    """`mapping:` is one difference with `extends:`, a list of such, or a mapping from spec to difference."""
    if node is None:
        return {}
    if isinstance(node, Mapping) and "extends" not in node:
        parts = [(name, value) for name, value in node.items.items()]
    else:
        parts = []
        for item in node.items if isinstance(node, Sequence) else (node,):
            extends = item.get("extends") if isinstance(item, Mapping) else None
            if isinstance(extends, Scalar):
                parts.append((extends.text, item))
            else:
                faults.append(item.fault(f"`{key}:` names what it differs from: extends: x12/004010/850"))
    answer = {}
    for name, value in parts:
        if isinstance(value, Mapping):
            answer[name] = value
        else:
            faults.append(value.fault(f"the differences to {name} are a list of keys"))
    return answer
