"""An order that is written as an 850 and read again is the same order; a written body fits its schema."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gateway.codecs import x12
from gateway.codecs.node import Delimiters
from gateway.mapping.apply import to_document
from gateway.mapping.apply import to_transaction
from gateway.model.document import decode
from gateway.model.document import encode
from tests.mapping.mapping_world import NOBODY
from tests.mapping.mapping_world import checked
from tests.mapping.mapping_world import shipped_reading
from tests.mapping.mapping_world import shipped_writing
from tests.mapping.mapping_world import source_of
from tests.mapping.mapping_world import transaction_of
from tests.mapping.mapping_world import x12_file

VERSIONS = ("003060", "004010", "004030", "005010", "006020", "007030")
MARKS = Delimiters(element="*", component=">", segment="~")

WORD = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-./", min_size=3, max_size=10)
#: no blanks at the ends, for they mean nothing in X12
WORDS = st.lists(WORD, min_size=1, max_size=2).map(" ".join)
DAY = st.dates(date(2000, 1, 1), date(2079, 12, 31)).map(date.isoformat)


def amount(places: int = 4) -> st.SearchStrategy[str]:
    return st.decimals(min_value=0, max_value=99999, places=places).map(lambda value: format(value.normalize(), "f"))


CENTS = st.decimals(min_value=0, max_value=99999, places=2).map(lambda value: format(value, "f"))


def part(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


def filled(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return part(**fields).filter(bool)


def one_of_each(identifiers: dict[str, Any]) -> dict[str, Any]:
    """N1 has room for one identifier."""
    return dict(list(identifiers.items())[:1])


ADDRESS = st.fixed_dictionaries(
    {"city": WORDS},
    optional={
        "lines": st.lists(WORDS, min_size=1, max_size=4),
        "region": st.sampled_from(["IL", "NY"]),
        "postal_code": st.sampled_from(["62701", "53113"]),
        "country": st.sampled_from(["US", "DE"]),
    },
)
CONTACT = st.fixed_dictionaries(
    {"role": st.sampled_from(["order", "buyer", "delivery"]), "name": WORDS},
    optional={"phone": st.sampled_from(["5551234", "0301234"]), "email": st.just("a@b.example"), "fax": st.just("99")},
)
PARTY = st.fixed_dictionaries(
    {"name": WORDS},
    optional={
        "identifiers": filled(
            gln=st.just("4012345500004"), duns=st.just("001234567"), buyer_assigned=st.just("0012"), seller_assigned=st.just("00981")
        ).map(one_of_each),
        "address": ADDRESS,
        "contacts": st.lists(CONTACT, min_size=1, max_size=2),
    },
)
REFERENCE = st.fixed_dictionaries({"type": st.sampled_from(["contract", "department", "promotion", "quotation"]), "value": WORDS})
NOTE = st.fixed_dictionaries({"type": st.just("general"), "text": WORDS, "source_code": st.just("L1")})
SAC = st.fixed_dictionaries(
    {"kind": st.sampled_from(["allowance", "charge"]), "reason_code": st.sampled_from(["FC", "95"]), "amount": CENTS}, optional={"reason": WORDS}
)
IDENTIFIERS = filled(
    buyer=WORD,
    seller=WORD,
    gtin=st.just("4012345500004"),
    manufacturer=WORD,
    other=st.lists(st.fixed_dictionaries({"scheme": st.sampled_from(["VC", "CL", "SZ"]), "value": WORD}), min_size=1, max_size=3),
)
SUB_LINE = st.fixed_dictionaries(
    {"number": WORD, "relation": st.just("included"), "quantity": amount(), "unit": st.just("EA")},
    optional={"price": amount(), "identifiers": IDENTIFIERS, "description": WORDS},
)
LINE = st.fixed_dictionaries(
    {"quantity": amount(), "unit": st.sampled_from(["EA", "H87", "XCS", "KGM"])},
    optional={
        "price": amount(),
        "price_base": st.sampled_from(["100", "1000"]),
        "identifiers": IDENTIFIERS,
        "description": WORDS,
        "attributes": st.lists(st.fixed_dictionaries({"type": st.sampled_from(["color", "size"]), "value": WORDS}), min_size=1, max_size=2),
        "packaging": st.just([{"type": "XCT", "units_per_pack": "6"}]),
        "requested_on": DAY,
        "references": st.lists(REFERENCE, min_size=1, max_size=2),
        "notes": st.lists(NOTE, min_size=1, max_size=2),
        "allowances_charges": st.lists(SAC, min_size=1, max_size=2),
        "taxes": st.just([{"type": "VAT", "rate": "19"}]),
        "sub_lines": st.lists(SUB_LINE, min_size=1, max_size=2),
    },
)


@st.composite
def orders(draw: st.DrawFn) -> dict[str, Any]:
    held: dict[str, Any] = {
        "kind": "order",
        "number": draw(WORD),
        "type": draw(st.sampled_from(["standard", "blanket", "release"])),
        "purpose": draw(st.sampled_from(["original", "cancel", "change"])),
        "issued_on": draw(DAY),
    }
    held |= draw(
        part(
            release=WORD,
            currency=st.sampled_from(["USD", "EUR"]),
            buyer=PARTY,
            seller=PARTY,
            ship_to=PARTY,
            bill_to=PARTY,
            parties=st.lists(PARTY, min_size=1, max_size=2).map(lambda parties: [{"role": "mark_for", **party} for party in parties]),
            delivery=filled(
                requested_on=DAY,
                deliver_not_before=DAY,
                deliver_not_after=DAY,
                ship_not_before=DAY,
                ship_not_after=DAY,
                ship_on=DAY,
                cancel_after=DAY,
            ),
            delivery_terms=st.fixed_dictionaries(
                {"freight": st.sampled_from(["prepaid", "collect"])}, optional={"incoterm": st.just("DAP"), "place": WORDS}
            ),
            transport=filled(mode=st.sampled_from(["road", "air"]), scac=st.just("UPSN"), carrier=WORDS),
            payment_terms=st.just([{"basis": "invoice_date", "net_days": 30, "discounts": [{"percent": "2", "days": 10}]}]),
            references=st.lists(REFERENCE, min_size=1, max_size=3),
            notes=st.lists(NOTE, min_size=1, max_size=2),
            allowances_charges=st.lists(SAC, min_size=1, max_size=2),
        )
    )
    held["lines"] = [{"number": str(number), **line} for number, line in enumerate(draw(st.lists(LINE, min_size=1, max_size=3)), start=1)]
    for line in held["lines"]:
        if "price" not in line:
            line.pop("price_base", None)
        if draw(st.booleans()):
            line["deliveries"] = [{"quantity": line["quantity"], "requested_on": draw(DAY)}]
    held["totals"] = {"line_count": len(held["lines"])}
    return held


def bare(held: Any) -> Any:
    """Without source, and without the codes that reading keeps beside our words."""
    if isinstance(held, dict):
        return {key: bare(value) for key, value in held.items() if key not in ("source", "source_code", "unit_source", "type_source")}
    return [bare(value) for value in held] if isinstance(held, list) else held


@pytest.mark.parametrize("version", VERSIONS)
@settings(max_examples=40, deadline=None)
@given(held=orders())
def test_any_order_comes_back_as_it_went_out(version: str, held: dict[str, Any]) -> None:
    document = decode(json.dumps(held))
    body, problems = to_transaction(document, shipped_writing(f"x12/{version}/850"), NOBODY)
    assert problems == []
    transaction = transaction_of(x12_file(x12.write(body, MARKS).decode(), version=version))
    result = checked(transaction, f"x12/{version}/850")
    assert result.problems == []
    back, problems = to_document(transaction, result.tree, shipped_reading(f"x12/{version}/850"), source_of(transaction), NOBODY)
    assert problems == []
    assert back is not None
    assert bare(json.loads(encode(back))) == bare(held)


def test_codes_come_back_as_they_were_sent() -> None:
    sent = "BEG*00*KN*PO1**20260105~REF*BC*C-1~REF*QQ*X~PO1*1*2*PF~"
    transaction = transaction_of(x12_file(sent))
    document, _ = to_document(
        transaction, checked(transaction, "x12/004010/850").tree, shipped_reading("x12/004010/850"), source_of(transaction), NOBODY
    )
    assert document is not None
    body, _ = to_transaction(document, shipped_writing("x12/004010/850"), NOBODY)
    assert x12.write(body, MARKS).decode() == sent + "CTT*1~"
