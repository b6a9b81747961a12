"""Cash application: money from bank statements and remittance advices is booked once, and matched to what is open. Decided in trade/cash;
here payments, allocations and their evidence are written in one transaction. Test traffic books nothing."""

from collections.abc import Sequence
from datetime import date
from typing import cast

from gateway.model import document as canonical
from gateway.model.money import from_minor
from gateway.model.money import to_minor
from gateway.model.payment import BankStatement
from gateway.model.payment import RemittanceAdvice
from gateway.pipeline.answers.work import Work
from gateway.pipeline.station import short_id
from gateway.pipeline.trading.judging import partner_of
from gateway.store import crash
from gateway.store.records import documents
from gateway.store.records import references
from gateway.store.trading import ledger
from gateway.trade import cash

#: remittance advices that are looked through for a trace
_MOST_ADVICES = 500

#: how a payment fits, in words
_MATCHED = {
    "exact": "the amount is what is open",
    "over": "the amount is more than what is open",
    "part": "the amount is a part of what is open",
    "with_credit_notes": "the amount is what is open less credit notes",
    "payer_and_amount": "one invoice of this payer has this amount",
    "advice": "as its remittance advice says",
    "advice_was_money": "its remittance advice was booked as the money",
    "reversal_by_trace": "the bank takes back the payment of this trace",
    "reversal_by_payer_account": "the bank takes back the payment of this account",
    "unapplied": "nobody is known who pays so",
    "on_account": "the payer is known, and not what for",
}
#: why an invoice is meant, in words
_EVIDENCE = {
    "number_in_text": "its number stands in the {field}",
    "digits_in_text": "digits of its number stand in the {field}",
    "reference": "it is named by the {field}",
    "payer_and_amount": "payer and amount fit",
}


def apply_bank_statements(work: Work, rows: Sequence[documents.Document]) -> None:
    """Book the entries of bank statements and match them; a statement that comes again finds its entries booked."""
    for row in rows:
        if row.test:
            _finish(work, row, "test traffic books nothing")
            continue
        statement = cast(BankStatement, canonical.decode(row.body or ""))
        pieces = [money for money in map(cash.money_of, statement.entries) if money is not None]
        # the bank's entry for an advice that was booked as money is the same money
        booked = _booked_advices(work, pieces)
        for money in pieces:
            if money.id in booked:
                facts = {"trace": money.trace or "", "payment": booked[money.id]}
                work.note(row, "payment known", facts, reason="its remittance advice was booked as the money")
        pieces = [money for money in pieces if money.id not in booked]
        source = f"{statement.account}|{statement.number}"
        payments = {money.id: _payment(work, row, source, money) for money in pieces}
        fresh = {payment.bank_reference for payment in ledger.add_payments(work.connection, list(payments.values()))}
        new = [money for money in pieces if payments[money.id].bank_reference in fresh]
        matched = cash.match(new, _items(work), _payers(work), advices=_advices(work), earlier=_earlier(work, new))
        for money, result in zip(new, matched, strict=True):
            _book(work, row, payments[money.id], result)
        applied = sum(1 for result in matched if result.state == "applied")
        _finish(work, row, f"{len(pieces) + len(booked)} payments, {len(pieces) - len(new) + len(booked)} of them known, {applied} applied")
        crash.point(46)


def apply_remittance_advices(work: Work, rows: Sequence[documents.Document]) -> None:
    """An advice that comes with its payment (820) is that money; another one waits for the bank's entry with its trace."""
    for row in rows:
        if row.test:
            _finish(work, row, "test traffic books nothing")
            continue
        advice = cast(RemittanceAdvice, canonical.decode(row.body or ""))
        loaded = partner_of(work, row)
        currency = advice.currency or loaded.partner.currency or work.station.installation.settings.us.currency
        if advice.trace:
            work.references.append(references.Reference(document=row.id, kind="trace", value=advice.trace))
        if not _is_money(advice):
            _finish(work, row, "kept until the bank's entry comes")
            continue
        trace = advice.trace or advice.number
        minor = to_minor(advice.amount, currency)
        if _came_before(work, row.partner, trace, currency, minor):
            _finish(work, row, f"the bank's entry for {trace} was booked before")
            continue
        if _settled_before(work, advice, row.partner, currency, minor):
            _finish(work, row, f"the money of {advice.amount} {currency} came before, without this trace: its invoices are settled by it")
            continue
        payment = ledger.Payment(
            id=short_id("P", "remittance", row.partner, trace),
            source="remittance",
            bank_reference=f"{row.partner}|{trace}",
            partner=row.partner,
            document=row.id,
            currency=currency,
            amount_minor=minor,
            unapplied_minor=minor,
            booked_on=advice.paid_on or advice.issued_on or work.now.date(),
            trace=trace,
            state="unapplied",
            created_at=work.now,
        )
        if ledger.add_payments(work.connection, [payment]):
            items = _items(work, row.partner)
            _book(work, row, payment, cash.match_advice(advice, items, row.partner, payment=payment.id))
        _finish(work, row, f"payment {trace} of {advice.amount} {currency}")
        crash.point(46)


def _came_before(work: Work, partner: str, trace: str, currency: str, minor: int) -> bool:
    """Whether the bank's entry for an advice is booked."""
    payers = _payers(work)
    for payment in ledger.find_by_trace(work.connection, [trace]):
        if payment.source == "remittance":
            continue
        amount = from_minor(payment.amount_minor, payment.currency)
        entry = cash.Money(
            id=payment.id, amount=amount, currency=payment.currency, payer_name=payment.payer_name, payer_account=payment.payer_account
        )
        payer = payment.partner or cash.payer_of(entry, payers)
        if _is_same_money(payer, partner, same_amount=(payment.currency, payment.amount_minor) == (currency, minor)):
            return True
    return False


def _is_same_money(payer: str | None, partner: str, *, same_amount: bool) -> bool:
    """Whether a bank's entry is the money of a partner's advice that has its trace. Payers number their traces themselves, so that another one's
    money may carry the same: who paid decides, and where nobody can tell, the amount."""
    return payer == partner if payer is not None else same_amount


def _settled_before(work: Work, advice: RemittanceAdvice, partner: str, currency: str, minor: int) -> bool:
    """Whether everything that the advice names is settled, by a bank's entry of this very amount: then it is the same money."""
    numbers = {line.number for line in advice.lines}
    items = [item for item in ledger.find_items(work.connection, numbers, partner) if item.currency == currency]
    if not items or {item.number for item in items} != numbers or any(item.open_minor for item in items):
        return False
    paid_by = {one.payment for item in items for one in ledger.allocations_of(work.connection, item=item.id) if one.payment}
    payments = [ledger.get_payment(work.connection, one) for one in paid_by]
    return any(one is not None and one.source != "remittance" and one.amount_minor == minor for one in payments)


def _is_money(advice: RemittanceAdvice) -> bool:
    """Whether the advice travels with the payment that it speaks of (BPR01 C, D, X) or only announces it."""
    return advice.method in {None, "payment", "payment_with_advice", "ach", "wire", "check", "credit_transfer", "ACH", "CHK", "FWT"}


def _payment(work: Work, row: documents.Document, source: str, money: cash.Money) -> ledger.Payment:
    sign = -1 if money.reversal else 1
    minor = sign * to_minor(abs(money.amount), money.currency)
    return ledger.Payment(
        id=short_id("P", source, money.id),
        source=source,
        bank_reference=money.id,
        partner=None,
        document=row.id,
        currency=money.currency,
        amount_minor=minor,
        unapplied_minor=minor,
        booked_on=money.booked_on or work.now.date(),
        payer_name=money.payer_name,
        payer_account=money.payer_account,
        trace=money.trace,
        text=money.text,
        created_at=work.now,
    )


def _items(work: Work, partner: str | None = None) -> list[cash.OpenItem]:
    return [
        cash.OpenItem(
            id=item.id,
            partner=item.partner,
            kind=item.kind,
            number=item.number,
            currency=item.currency,
            open=from_minor(item.open_minor, item.currency),
            order_number=item.order_number,
        )
        for item in ledger.open_items(work.connection, partner=partner)
    ]


def _payers(work: Work) -> cash.Payers:
    accounts: dict[str, set[str]] = {}
    names: dict[str, set[str]] = {}
    for loaded in work.station.installation.directory.partners.values():
        for account in loaded.partner.accounts:
            accounts.setdefault(account.replace(" ", ""), set()).add(loaded.partner.id)
        names.setdefault(loaded.partner.name, set()).add(loaded.partner.id)
    return cash.Payers(
        accounts={key: frozenset(value) for key, value in accounts.items()}, names={key: frozenset(value) for key, value in names.items()}
    )


def _advices(work: Work) -> list[RemittanceAdvice]:
    """Advices that announced money which is still to come."""
    found = documents.search(work.connection, documents.Filters(kind="remittance_advice", direction="in", test=False), limit=_MOST_ADVICES)
    rows = documents.get_many(work.connection, [row.id for row in found])
    advices = [cast(RemittanceAdvice, canonical.decode(row.body)) for row in rows.values() if row.body]
    return [advice for advice in advices if not _is_money(advice)]


def _booked_advices(work: Work, pieces: Sequence[cash.Money]) -> dict[str, str]:
    """The bank's entries that are the money of advices which were booked as money themselves, each with that payment. What takes money back
    is never that, nor what is paid after it was taken back."""
    pieces = [money for money in pieces if money.trace and not money.reversal]
    known = ledger.find_by_trace(work.connection, [money.trace for money in pieces if money.trace])
    advised = [payment for payment in known if payment.source == "remittance"]
    payers = _payers(work) if advised else cash.Payers()
    booked: dict[str, str] = {}
    for money in pieces:
        for payment in advised:
            amount = (payment.currency, payment.amount_minor) == (money.currency, to_minor(abs(money.amount), money.currency))
            if payment.state == ledger.TAKEN_BACK and money.booked_on is not None and money.booked_on > _taken_back_on(payment, known):
                continue
            if payment.trace == money.trace and _is_same_money(cash.payer_of(money, payers), payment.partner or "", same_amount=amount):
                booked[money.id] = payment.id
    return booked


def _taken_back_on(payment: ledger.Payment, known: Sequence[ledger.Payment]) -> date:
    """The day on which the bank took a payment back."""
    fits = (payment.trace, payment.partner, payment.currency, -payment.amount_minor)
    days = [one.booked_on for one in known if one.state == ledger.REVERSAL and (one.trace, one.partner, one.currency, one.amount_minor) == fits]
    return max(days, default=date.max)


def _earlier(work: Work, pieces: Sequence[cash.Money]) -> list[cash.Settled]:
    """Payments that a reversal may take back: once, and by their payer. Another one's may have the same trace."""
    back = [money for money in pieces if money.reversal and money.trace]
    payers = _payers(work) if back else cash.Payers()
    by_trace: dict[str | None, set[str | None]] = {}
    for money in back:
        by_trace.setdefault(money.trace, set()).add(cash.payer_of(money, payers))
    found = [payment for payment in ledger.find_by_trace(work.connection, [money.trace for money in back if money.trace]) if payment.amount_minor > 0]
    mine = [one for one in found if one.partner is None or {None, one.partner} & by_trace.get(one.trace, set())]
    return [
        cash.Settled(
            payment=payment.id,
            amount=from_minor(payment.amount_minor, payment.currency),
            currency=payment.currency,
            trace=payment.trace,
            payer_account=payment.payer_account,
        )
        for payment in mine
        if payment.state != ledger.TAKEN_BACK
    ]


def _book(work: Work, row: documents.Document, payment: ledger.Payment, result: cash.Matched) -> None:
    """Write what became of one piece of money."""
    evidence = "; ".join(dict.fromkeys(_EVIDENCE.get(one.rule, one.rule).format(field=one.field.replace("_", " ")) for one in result.evidence))[:400]
    reason = _MATCHED.get(result.rule or result.state, (result.rule or result.state).replace("_", " ")) + (f" ({evidence})" if evidence else "")
    whose = result.partner
    settled = {one.item for one in result.allocations} | {use.invoice for use in result.credits}
    if result.state == ledger.REVERSAL and result.refers_to is not None:
        before = ledger.get_payment(work.connection, result.refers_to)
        for one in ledger.taken_by(work.connection, result.refers_to):
            ledger.reverse(work.connection, one.id, id=short_id("A", one.id, "reversed", payment.id), actor=work.actor, reason=reason, at=work.now)
            settled.add(one.open_item)
        if before is not None:
            # both are of the same payer, or what it owes would be reckoned with money that is gone
            whose = before.partner
            ledger.set_payment(work.connection, before.id, before.state, ledger.TAKEN_BACK)
    ledger.allocate(
        work.connection,
        [
            ledger.Allocation(
                id=short_id("A", payment.id, one.item),
                payment=payment.id,
                open_item=one.item,
                kind="payment",
                currency=payment.currency,
                amount_minor=to_minor(one.amount, payment.currency),
                actor=work.actor,
                reason=reason,
                at=work.now,
            )
            for one in result.allocations
        ],
    )
    for use in result.credits:
        ledger.apply_credit(
            work.connection,
            id=short_id("C", payment.id, use.credit, use.invoice),
            credit_item=use.credit,
            invoice_item=use.invoice,
            amount_minor=to_minor(use.amount, payment.currency),
            currency=payment.currency,
            actor=work.actor,
            reason=reason,
            at=work.now,
        )
    ledger.set_payment(work.connection, payment.id, "unapplied", result.state, partner=whose)
    for item_id in sorted(settled):
        item = ledger.get_item(work.connection, item_id)
        if item is not None and item.document is not None:
            work.links.append(references.Link(from_document=item.document, to_document=row.id, relation="pays"))
    work.note(
        row,
        f"payment {result.state}",
        {
            "payment": payment.id,
            "amount": f"{from_minor(payment.amount_minor, payment.currency)} {payment.currency}",
            "partner": whose or "",
            "items": ",".join(sorted(settled)),
            "candidates": ",".join(result.candidates),
            "on_account": str(result.on_account) if result.on_account else "",
        },
        reason=reason,
    )


def _finish(work: Work, row: documents.Document, reason: str) -> None:
    work.move(row.id, row.state, "done", reason)
