"""Money to open items: what is certain is settled, the rest waits with its candidates."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.payment import BankStatement
from gateway.model.payment import RemittanceAdvice
from gateway.model.payment import RemittanceLine
from gateway.model.payment import StatementEntry
from gateway.trade.cash import Matched
from gateway.trade.cash import Money
from gateway.trade.cash import OpenItem
from gateway.trade.cash import Payers
from gateway.trade.cash import Settled
from gateway.trade.cash import match
from gateway.trade.cash import match_advice
from gateway.trade.cash import match_statement
from gateway.trade.cash import money_of
from gateway.trade.reference import rf_reference

D = Decimal
PAYERS = Payers(
    accounts={"DE02 acme": frozenset({"acme"}), "DE03SHARED": frozenset({"north", "south"})},
    names={"Acme G.m.b.H.": frozenset({"acme"}), "Twin": frozenset({"north"}), "TWIN": frozenset({"south"})},
)


def item(number: str, amount: Any, partner: str = "acme", currency: str = "EUR") -> OpenItem:
    amount = D(str(amount))
    return OpenItem(id=number, number=number, partner=partner, kind="invoice" if amount > 0 else "credit_note", currency=currency, open=amount)


ITEMS = [
    item("INV-000017", "119.00"),
    item("INV-000018", "238.00"),
    item("INV-000019", "50.00"),
    item("CN-000004", "-19.00"),
    item("INV-000020", "77.70", "north"),
    item("INV-000021", "99.00", currency="USD"),
]


def money(amount: Any, **fields: Any) -> Money:
    return Money(**{"id": "p1", "amount": D(str(amount)), "currency": "EUR", **fields})


def one(amount: Any, items: list[OpenItem] = ITEMS, **fields: Any) -> Matched:
    [matched] = match([money(amount, **fields)], items, PAYERS)
    return matched


def settled(matched: Matched) -> dict[str, Decimal]:
    return {allocation.item: allocation.amount for allocation in matched.allocations}


ACME = {"payer_account": "DE02 ACME"}
RF17 = rf_reference("INV-000017")


@pytest.mark.parametrize("reference", [RF17, f"{RF17[:4]} {RF17[4:8]} {RF17[8:]}".lower(), "INV-000017", "000017"])
def test_a_structured_reference_settles_its_invoice_whoever_pays(reference: str) -> None:
    matched = one("119.00", references=(reference,), payer_name="Somebody else")
    assert settled(matched) == {"INV-000017": D("119.00")}
    assert (matched.state, matched.rule, matched.partner, matched.on_account, matched.unapplied) == ("applied", "exact", "acme", 0, 0)
    assert (matched.evidence[0].field, matched.evidence[0].text) == ("references", reference)


@pytest.mark.parametrize(
    "text", ["Invoice INV-000017 thanks", "RE INV 000017", "inv000017/18.11.", "INV.000017", f"payment {RF17[:4]} {RF17[4:8]} {RF17[8:]} ok"]
)
def test_an_invoice_number_in_the_text_is_found_as_people_write_it(text: str) -> None:
    matched = one("119.00", text=text)
    assert settled(matched) == {"INV-000017": D("119.00")}
    evidence = matched.evidence[0]
    assert text[evidence.start : evidence.end] == evidence.text


def test_several_numbers_and_their_sum() -> None:
    assert settled(one("357.00", text="INV-000017, INV-000018")) == {"INV-000017": D("119.00"), "INV-000018": D("238.00")}


def test_document_numbers_in_their_own_field() -> None:
    assert settled(one("119.00", numbers=("INV000017",))) == {"INV-000017": D("119.00")}


def test_digits_alone_need_the_amount_or_nobody_is_paid() -> None:
    assert settled(one("119.00", text="000017")) == {"INV-000017": D("119.00")}
    short = one("100.00", text="000017")
    assert (short.state, short.unapplied, short.candidates) == ("unapplied", D("100.00"), ("INV-000017",))


def test_digits_of_another_payers_invoice_settle_nothing() -> None:
    matched = one("77.70", text="000020", **ACME)
    assert (matched.state, matched.on_account, matched.allocations) == ("on_account", D("77.70"), ())


def test_a_part_payment_leaves_the_invoice_open() -> None:
    first, second = match([money("90.00", references=(RF17,)), money("29.00", references=(RF17,), id="p2")], ITEMS, PAYERS)
    assert (first.rule, settled(first)) == ("part", {"INV-000017": D("90.00")})
    assert (second.rule, settled(second)) == ("exact", {"INV-000017": D("29.00")})


def test_an_over_payment_stays_on_account() -> None:
    matched = one("120.00", references=(RF17,))
    assert (settled(matched), matched.on_account, matched.rule) == ({"INV-000017": D("119.00")}, D("1.00"), "over")


def test_an_invoice_that_is_paid_already_is_not_paid_twice() -> None:
    _, again = match([money("119.00", references=(RF17,), **ACME), money("119.00", references=(RF17,), id="p2", **ACME)], ITEMS, PAYERS)
    assert (again.state, again.on_account, again.allocations) == ("on_account", D("119.00"), ())


def test_what_names_a_settled_invoice_is_for_no_other_one() -> None:
    items = [item("INV-000001", "92.50"), item("INV-000002", "0")]
    matched = one("92.50", items, text="INV-000002", **ACME)
    assert (matched.state, matched.rule, settled(matched), matched.candidates) == ("on_account", "names_settled", {}, ("INV-000002",))
    again = match([money("50.00", id=id, text="INV-000019", **ACME) for id in "ab"], [*ITEMS, item("INV-000030", "50.00")], PAYERS)
    assert [one.state for one in again] == ["applied", "on_account"]


def test_a_known_customer_who_owes_this_amount_pays_nobody_elses_invoice() -> None:
    named = {"text": "INV-000020", **ACME}
    assert one("77.70", **named).evidence[-1].rule == "other_payer"
    matched = one("77.70", [*ITEMS, item("INV-000031", "77.70")], **named)
    assert (matched.state, matched.rule, matched.partner) == ("on_account", "names_of_another", "acme")


def test_a_credit_note_that_is_named_is_taken_off() -> None:
    matched = one("100.00", text="INV-000017 CN-000004")
    assert [(use.credit, use.invoice, use.amount) for use in matched.credits] == [("CN-000004", "INV-000017", D("19.00"))]
    assert settled(matched) == {"INV-000017": D("100.00")}


def test_a_credit_note_that_explains_the_difference_is_taken_off() -> None:
    matched = one("338.00", text="INV-000017 INV-000018", **ACME)
    assert (matched.rule, settled(matched)) == ("with_credit_notes", {"INV-000017": D("100.00"), "INV-000018": D("238.00")})


def test_two_credit_notes_that_would_explain_it_are_not_guessed() -> None:
    items = [*ITEMS, item("CN-000005", "-19.00")]
    matched = one("338.00", items, text="INV-000017 INV-000018", **ACME)
    assert (matched.state, matched.on_account, matched.candidates) == ("on_account", D("338.00"), ("INV-000017", "INV-000018"))


def test_too_little_for_several_invoices_waits_for_a_person() -> None:
    matched = one("300.00", text="INV-000017 INV-000018", **ACME)
    assert (matched.state, matched.allocations, matched.on_account, matched.candidates) == (
        "on_account",
        (),
        D("300.00"),
        ("INV-000017", "INV-000018"),
    )


def test_the_payer_and_an_amount_that_only_one_invoice_has() -> None:
    for fields in (ACME, {"payer_name": "ACME  G M B H"}, {"partner": "acme"}):
        matched = one("238.00", **fields)
        assert (matched.rule, settled(matched), matched.evidence[0].rule) == ("payer_and_amount", {"INV-000018": D("238.00")}, "payer_and_amount")


def test_two_invoices_of_one_amount_are_not_guessed() -> None:
    matched = one("238.00", [*ITEMS, item("INV-000030", "238.00")], **ACME)
    assert (matched.state, matched.on_account, matched.candidates) == ("on_account", D("238.00"), ("INV-000018", "INV-000030"))


def test_an_unknown_payer_leaves_the_money_unapplied_with_candidates() -> None:
    matched = one("238.00", payer_name="Nobody", payer_account="XX1")
    assert (matched.state, matched.unapplied, matched.partner, matched.candidates) == ("unapplied", D("238.00"), None, ("INV-000018",))


def test_an_account_that_two_partners_share_tells_nobody_apart() -> None:
    assert one("77.70", payer_account="DE03SHARED").state == "unapplied"
    assert one("77.70", payer_name="twin").state == "unapplied"


def test_a_number_in_the_text_with_another_amount_from_an_unknown_payer_waits() -> None:
    matched = one("5000.00", text="INV-000017")
    assert (matched.state, matched.unapplied, matched.candidates) == ("unapplied", D("5000.00"), ("INV-000017",))


def test_the_number_of_another_partners_invoice_with_another_amount_waits() -> None:
    matched = one("50.00", text="INV-000020", **ACME)
    assert (matched.state, matched.on_account, matched.candidates) == ("on_account", D("50.00"), ("INV-000020",))


def test_currencies_are_never_mixed() -> None:
    matched = one("99.00", text="INV-000021", **ACME)
    assert (matched.state, matched.on_account) == ("on_account", D("99.00"))
    assert settled(one("99.00", text="INV-000021", currency="USD")) == {"INV-000021": D("99.00")}


# --- remittance advices -----------------------------------------------------------------------------------------------------


def advice(amount: Any, *lines: tuple[str, Any], trace: str | None = "T778899", **fields: Any) -> RemittanceAdvice:
    made = tuple(
        RemittanceLine(type="credit_note" if number.startswith("CN") else "invoice", number=number, paid=D(str(paid))) for number, paid in lines
    )
    return RemittanceAdvice(**{"number": "R1", "amount": D(str(amount)), "currency": "EUR", "trace": trace, "lines": made, **fields})


def test_an_advice_is_matched_to_the_cent_with_its_credit_notes() -> None:
    matched = match_advice(advice("338.00", ("INV-000017", "119.00"), ("000018", "238.00"), ("CN-000004", "19.00")), ITEMS, "acme", payment="p9")
    assert settled(matched) == {"INV-000017": D("100.00"), "INV-000018": D("238.00")}
    assert [(use.credit, use.amount) for use in matched.credits] == [("CN-000004", D("19.00"))]
    assert (matched.rule, matched.on_account, matched.payment) == ("advice", 0, "p9")


def test_a_short_line_leaves_its_invoice_open_and_an_unknown_one_stays_on_account() -> None:
    matched = match_advice(advice("230.00", ("INV-000018", "200.00"), ("INV-999999", "30.00")), ITEMS, "acme", payment="p9")
    assert (settled(matched), matched.on_account) == ({"INV-000018": D("200.00")}, D("30.00"))


def test_an_advice_that_does_not_add_up_settles_nothing() -> None:
    matched = match_advice(advice("339.00", ("INV-000017", "119.00"), ("INV-000018", "238.00")), ITEMS, "acme", payment="p9")
    assert (matched.state, matched.on_account, matched.allocations) == ("on_account", D("339.00"), ())
    assert matched.problems[0].message == "The lines of remittance advice R1 add up to 357.00 EUR, the payment is 339.00 EUR"
    assert matched.problems[0].code == "CASH-AMOUNTS-DIFFER"


def test_an_advice_without_a_currency_takes_that_of_the_partners_items_if_it_is_one() -> None:
    north = advice("77.70", ("INV-000020", "77.70"), currency=None)
    assert settled(match_advice(north, ITEMS, "north", payment="p9")) == {"INV-000020": D("77.70")}
    assert match_advice(advice("119.00", ("INV-000017", "119.00"), currency=None), ITEMS, "acme", payment="p9").allocations == ()


def test_an_advice_never_settles_another_partners_invoice() -> None:
    assert match_advice(advice("77.70", ("INV-000020", "77.70")), ITEMS, "acme", payment="p9").on_account == D("77.70")


def test_the_bank_entry_is_explained_by_the_advice_of_its_trace() -> None:
    advices = [advice("357.00", ("INV-000017", "119.00"), ("INV-000018", "238.00")), advice("1.00", ("INV-000019", "1.00"), trace="T1")]
    for fields in ({"trace": "T778899"}, {"text": "ACH T778899 ACME"}):
        [matched] = match([money("357.00", **fields)], ITEMS, PAYERS, advices=advices)
        assert (matched.rule, len(matched.allocations), matched.partner) == ("advice", 2, "acme")
    [other] = match([money("356.00", trace="T778899")], ITEMS, PAYERS, advices=advices)
    assert other.allocations == ()


def test_an_advice_that_was_money_already_is_not_counted_twice() -> None:
    [matched] = match([money("357.00", trace="T778899")], ITEMS, PAYERS, settled_by_advice={"T778899": "p0"})
    assert (matched.state, matched.refers_to, matched.allocations) == ("settled", "p0", ())


# --- statements and reversals -----------------------------------------------------------------------------------------------


def entry(amount: Any, direction: str = "credit", **fields: Any) -> StatementEntry:
    return StatementEntry(
        **{"reference": "e1", "direction": direction, "amount": D(str(amount)), "currency": "EUR", "booked_on": date(2026, 11, 20), **fields}
    )


def test_money_that_left_is_not_ours_to_match() -> None:
    assert money_of(entry(5, "debit")) is None
    statement = BankStatement(number="1", account="DE1", entries=(entry(5, "debit"), entry("119.00", structured_references=(RF17,), reference="e2")))
    [matched] = match_statement(statement, ITEMS, PAYERS)
    assert (matched.payment, settled(matched)) == ("e2", {"INV-000017": D("119.00")})


def test_a_reversal_undoes_the_payment_with_its_trace() -> None:
    earlier = [
        Settled(payment="p0", amount=D("119.00"), currency="EUR", trace="E2E-1"),
        Settled(payment="p1", amount=D("119.00"), currency="EUR", trace="E2E-2"),
    ]
    statement = BankStatement(number="1", account="DE1", entries=(entry("119.00", "debit", reversal=True, end_to_end="E2E-2"),))
    [matched] = match_statement(statement, ITEMS, PAYERS, earlier=earlier)
    assert (matched.state, matched.refers_to, matched.allocations) == ("reversal", "p1", ())


def test_a_reversal_of_a_payment_in_the_same_file() -> None:
    first = money("119.00", references=(RF17,), **ACME)
    results = match([first, money("119.00", reversal=True, id="p2", **ACME), money("119.00", reversal=True, id="p3", **ACME)], ITEMS, PAYERS)
    assert [result.refers_to for result in results] == [None, "p1", None]
    assert results[2].problems[0].code == "CASH-REVERSAL-UNKNOWN"


def test_a_reversal_that_fits_two_payments_waits() -> None:
    earlier = [Settled(payment=number, amount=D(5), currency="EUR", payer_account="DE02ACME") for number in ("p1", "p2")]
    [matched] = match([money(5, reversal=True, id="p3", **ACME)], ITEMS, PAYERS, earlier=earlier)
    assert (matched.state, matched.candidates) == ("unapplied", ("p1", "p2"))


# --- laws -------------------------------------------------------------------------------------------------------------------

NUMBERS = [f"INV-{number:06d}" for number in range(1, 7)]
AMOUNTS = st.decimals(min_value=D("0.01"), max_value=D("300.00"), places=2)
PAYMENTS = st.lists(
    st.tuples(
        AMOUNTS,
        st.lists(st.sampled_from([*NUMBERS, "CN-000001", "CN-000002", "000003"]), max_size=4),
        st.sampled_from(["references", "numbers", "text"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@given(opens=st.lists(AMOUNTS, min_size=6, max_size=6), credits=st.lists(AMOUNTS, min_size=2, max_size=2), payments=PAYMENTS, exact=st.booleans())
def test_allocations_never_exceed_the_money_nor_what_is_open(opens: list[Decimal], credits: list[Decimal], payments: list[Any], exact: bool) -> None:
    items = [item(number, amount) for number, amount in zip(NUMBERS, opens, strict=True)] + [
        item(f"CN-{count:06d}", -amount) for count, amount in enumerate(credits, 1)
    ]
    left = {one.id: one.open for one in items}
    given_money = []
    for count, (amount, mentioned, field, known) in enumerate(payments):
        total = sum((left[number] for number in set(mentioned) if number in left), D(0))
        value: Any = " ".join(mentioned) if field == "text" else tuple(mentioned)
        given_money.append(money(total if exact and total > 0 else amount, id=f"p{count}", **{field: value}, **(ACME if known else {})))
    for paid, matched in zip(given_money, match(given_money, items, PAYERS), strict=True):
        assert sum((one.amount for one in matched.allocations), D(0)) + matched.on_account + matched.unapplied == paid.amount
        assert matched.on_account >= 0
        assert matched.unapplied >= 0
        assert matched.partner is not None or matched.on_account == 0
        for allocation in matched.allocations:
            assert allocation.amount > 0
            left[allocation.item] -= allocation.amount
            assert left[allocation.item] >= 0
        for use in matched.credits:
            assert use.amount > 0
            left[use.credit] += use.amount
            left[use.invoice] -= use.amount
            assert left[use.credit] <= 0
            assert left[use.invoice] >= 0


LINES = st.lists(st.tuples(st.sampled_from([*NUMBERS, "CN-000001", "INV-999999"]), AMOUNTS), max_size=8)


@given(lines=LINES, opens=st.lists(AMOUNTS, min_size=6, max_size=6), credit=AMOUNTS)
def test_an_advice_never_exceeds_the_money_nor_what_is_open(lines: list[tuple[str, Decimal]], opens: list[Decimal], credit: Decimal) -> None:
    items = [item(number, amount) for number, amount in zip(NUMBERS, opens, strict=True)] + [item("CN-000001", -credit)]
    total = sum((-paid if number.startswith("CN") else paid for number, paid in lines), D(0))
    if total < 0:
        return
    matched = match_advice(advice(total, *lines), items, "acme", payment="p1")
    left = {one.id: one.open for one in items}
    for allocation in matched.allocations:
        left[allocation.item] -= allocation.amount
    for use in matched.credits:
        left[use.credit] += use.amount
        left[use.invoice] -= use.amount
    assert all(left[one.id] >= 0 if one.open > 0 else left[one.id] <= 0 for one in items)
    assert sum((one.amount for one in matched.allocations), D(0)) + matched.on_account == total


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    assert one("1.23", text=text, references=(text,), numbers=(text,), trace=text).unapplied == D("1.23")


def test_a_long_text_is_read_quickly() -> None:
    assert one("1.00", text="RF12 " * 100_000 + "A-" * 100_000).state == "unapplied"


# --- as payers write -------------------------------------------------------------------------------------------------------

COUNTED = [item("IN26-107207", "100.00"), item("IN26-107278", "50.00"), item("IN26-107311", "25.00", "north")]


@pytest.mark.parametrize("text", ["107207 107278", "107 207, 107 278", "IN26-107207/107278", "Rechnung 26107207 und 107278 vom 18.11."])
def test_the_counter_of_a_number_alone_is_enough_where_payer_and_sum_confirm_it(text: str) -> None:
    assert settled(one("150.00", COUNTED, text=text, **ACME)) == {"IN26-107207": D("100.00"), "IN26-107278": D("50.00")}


def test_a_misread_number_among_several_is_no_over_payment() -> None:
    matched = one("175.00", COUNTED, text="IN26-107207 IN26-107278 IN26-107999", **ACME)
    assert (matched.state, matched.on_account, matched.candidates) == ("on_account", D("175.00"), ("IN26-107207", "IN26-107278"))


def test_two_items_behind_the_same_digits_are_not_guessed() -> None:
    twins = [item("A-107207", "100.00"), item("B-107207", "100.00")]
    matched = one("200.00", twins, text="107207", **ACME)
    assert (matched.state, matched.allocations, matched.candidates) == ("on_account", (), ("A-107207", "B-107207"))
