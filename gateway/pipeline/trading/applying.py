"""Cash application: money from bank statements and remittance advices is booked once, and matched to what is open. Decided in trade/cash;
here payments, allocations and their evidence are written in one transaction. Test traffic books nothing."""

from collections.abc import Sequence
from typing import cast

import msgspec

from gateway.kinds import rule
from gateway.model import document as canonical
from gateway.model.money import from_minor
from gateway.model.money import to_minor
from gateway.model.payment import BankStatement
from gateway.model.payment import RemittanceAdvice
from gateway.pipeline.answers.work import Work
from gateway.pipeline.station import short_id
from gateway.pipeline.trading.bank_entries import Statement
from gateway.pipeline.trading.bank_entries import compare_statement
from gateway.pipeline.trading.bank_entries import minor_of
from gateway.pipeline.trading.judging import partner_of
from gateway.pipeline.trading.same_money import ADVISED
from gateway.pipeline.trading.same_money import compare_advice
from gateway.pipeline.trading.same_money import compare_entries
from gateway.pipeline.trading.same_money import payers_of
from gateway.problem import Problem
from gateway.problem import codes
from gateway.store import crash
from gateway.store.incoming import holds
from gateway.store.records import documents
from gateway.store.records import references
from gateway.store.rows import StaleState
from gateway.store.trading import ledger
from gateway.trade import cash
from gateway.trade.mentions import numbers_in

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
    "names_settled": "what it names is settled already",
    "names_other_amount": "the amount is not that of what it names",
    "names_of_another": "what it names is another customer's",
}
#: why an invoice is meant, in words
_EVIDENCE = {
    "number": "its number stands in the {field}",
    "number_in_text": "its number stands in the {field}",
    "digits_in_text": "digits of its number stand in the {field}",
    "reference": "it is named by the {field}",
    "payer_and_amount": "payer and amount fit",
    "other_payer": "another customer pays it",
}


def apply_bank_statements(work: Work, rows: Sequence[documents.Document]) -> None:
    """Book the entries of bank statements and match them; a statement that comes again finds its entries booked."""
    for row in rows:
        if row.test:
            _finish(work, row, "test traffic books nothing")
            continue
        statement = cast(BankStatement, canonical.decode(row.body or ""))
        where = Statement(statement.account, statement.number)
        pieces = [money for money in map(cash.money_of, statement.entries) if money is not None]
        # once more, corrected, or in a daily and a weekly one
        seen = compare_statement(work, where, pieces)
        fresh = [money for money in pieces if money.id not in seen.known]
        # the bank's entry for an advice that was booked as money is the same money
        compared = compare_entries(work, where, fresh)
        new = [money for money in fresh if money.id not in compared.known]
        doubtful = {**seen.doubtful, **compared.doubtful}
        payments = {money.id: _payment(work, row, where.source, seen.free_name(money), money) for money in new}
        for money in pieces:
            # as the page of receivables names it, and as the bank does
            name = payments[money.id].bank_reference if money.id in payments else money.id
            _name(work, row, name, name.rpartition("/")[0])
            before = seen.known.get(money.id)
            if before is not None and before.source != where.source:
                facts = {"trace": money.trace or "", "payment": before.id}
                work.note(row, "payment known", facts, reason=f"it was booked from bank statement {before.source.removeprefix(f'{where.account}|')}")
            elif money.id in compared.known:
                facts = {"trace": money.trace or "", "payment": compared.known[money.id]}
                work.note(row, "payment known", facts, reason="its remittance advice was booked as the money")
        # a bank may list what it takes back before the payment that it was: money that comes is booked first
        clear = sorted((money for money in new if money.id not in doubtful), key=lambda money: money.reversal)
        earlier = _earlier(work, clear)
        ledger.add_payments(work.connection, list(payments.values()))
        # by the names of their payments, which is what another entry of this statement takes back
        named = [msgspec.structs.replace(money, id=payments[money.id].id) for money in clear]
        items = [*_items(work), *_settled_that_are_named(work, clear)]
        matched = cash.match(named, items, payers_of(work), advices=_advices(work), earlier=earlier)
        for money, result in zip(clear, matched, strict=True):
            _book(work, row, payments[money.id], result)
        for money in new:
            if money.id in doubtful:
                _book(work, row, payments[money.id], cash.Matched(payment=money.id, state="unapplied", problems=(doubtful[money.id],)))
        applied = sum(1 for result in matched if result.state == "applied")
        _finish(work, row, f"{len(pieces)} payments, {len(pieces) - len(new)} of them known, {applied} applied")
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
        before = compare_advice(work, row, advice, trace, currency)
        if before.doubt is not None:
            _hold(work, row, before.doubt)
            continue
        if before.why:
            _finish(work, row, before.why)
            continue
        name = f"{row.partner}|{trace}"
        if ledger.booked(work.connection, ADVISED, [name]):
            # other money under a number that was used before
            name = f"{name}|{row.id}"
        _name(work, row, name)
        payment = ledger.Payment(
            id=short_id("P", ADVISED, *name.split("|")),
            source=ADVISED,
            bank_reference=name,
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
        ledger.add_payments(work.connection, [payment])
        result = cash.match_advice(advice, _items(work, row.partner), row.partner, payment=payment.id)
        _book(work, row, payment, result, _why_not(work, advice, row.partner) if result.on_account else "")
        _finish(work, row, f"payment {trace} of {advice.amount} {currency}")
        crash.point(46)


def _name(work: Work, row: documents.Document, *names: str) -> None:
    """What a payment is found by."""
    work.references += [references.Reference(document=row.id, kind="payment", value=name) for name in names if name]


def _hold(work: Work, row: documents.Document, doubt: Problem) -> None:
    """Whether an advice is money that is booked already, a person says."""
    work.move(row.id, row.state, "held", doubt.message, problems=(*row.problems, doubt))
    work.holds.append(holds.Hold(id=short_id("H", row.id, row.transition_no), document=row.id, kind="matching", reasons=(doubt,), opened_at=work.now))
    work.note(row, "document held", {"problems": doubt.code}, reason=doubt.message)


def _why_not(work: Work, advice: RemittanceAdvice, partner: str) -> str:
    """Why an advice settled nothing: what its numbers are that are no open items of this payer."""
    items: dict[str, list[ledger.OpenItem]] = {}
    for item in ledger.find_items(work.connection, {line.number for line in advice.lines}):
        items.setdefault(item.number, []).append(item)
    words: dict[str, list[str]] = {}
    for number in dict.fromkeys(line.number for line in advice.lines):
        named = items.get(number, [])
        if not any(item.partner == partner and item.open_minor for item in named):
            what = "unknown" if not named else "settled" if any(item.partner == partner for item in named) else "not this payer's"
            words.setdefault(what, []).append(number)
    return "; ".join(f"{', '.join(numbers[:5])}{' and others' if len(numbers) > 5 else ''}: {what}" for what, numbers in words.items())


def _is_money(advice: RemittanceAdvice) -> bool:
    """Whether the advice travels with the payment that it speaks of (BPR01 C, D, X) or only announces it."""
    return advice.method in {None, "payment", "payment_with_advice", "ach", "wire", "check", "credit_transfer", "ACH", "CHK", "FWT"}


def _payment(work: Work, row: documents.Document, source: str, name: str, money: cash.Money) -> ledger.Payment:
    minor = minor_of(money)
    return ledger.Payment(
        id=short_id("P", source, name),
        source=source,
        bank_reference=name,
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
    return [_item(item) for item in ledger.open_items(work.connection, partner=partner)]


def _settled_that_are_named(work: Work, pieces: Sequence[cash.Money]) -> list[cash.OpenItem]:
    """Settled items whose numbers stand in what payers wrote: such money is for nothing else."""
    numbers = {number for money in pieces for number in numbers_in(money.text, money.trace, *money.references, *money.numbers)}
    named = references.with_numbers(work.connection, numbers, ("invoice", "credit_note"))
    return [_item(item) for item in ledger.items_of_documents(work.connection, named) if item.open_minor == 0]


def _item(item: ledger.OpenItem) -> cash.OpenItem:
    return cash.OpenItem(
        id=item.id,
        partner=item.partner,
        kind=item.kind,
        number=item.number,
        currency=item.currency,
        open=from_minor(item.open_minor, item.currency),
        order_number=item.order_number,
    )


def _advices(work: Work) -> list[RemittanceAdvice]:
    """Advices that announced money which is still to come."""
    found = documents.search(work.connection, documents.Filters(kind="remittance_advice", direction="in", test=False), limit=_MOST_ADVICES)
    rows = documents.get_many(work.connection, [row.id for row in found])
    advices = [cast(RemittanceAdvice, canonical.decode(row.body)) for row in rows.values() if row.body]
    return [advice for advice in advices if not _is_money(advice)]


def _earlier(work: Work, pieces: Sequence[cash.Money]) -> list[cash.Settled]:
    """Payments that a reversal may take back, once. Those of its own statement are not booked yet."""
    traces = [money.trace for money in pieces if money.reversal and money.trace]
    return [
        cash.Settled(
            payment=payment.id,
            amount=from_minor(payment.amount_minor, payment.currency),
            currency=payment.currency,
            partner=payment.partner,
            trace=payment.trace,
            payer_account=payment.payer_account,
        )
        for payment in ledger.find_by_trace(work.connection, traces)
        if payment.amount_minor > 0 and payment.state != ledger.TAKEN_BACK
    ]


def _book(work: Work, row: documents.Document, payment: ledger.Payment, result: cash.Matched, why: str = "") -> None:
    """Write what became of one piece of money. One that cannot be booked so, whatever the reason, waits for a person by itself."""
    evidence = "; ".join(dict.fromkeys(_EVIDENCE.get(one.rule, one.rule).format(field=one.field.replace("_", " ")) for one in result.evidence))[:400]
    how = result.rule if result.state in {"applied", ledger.REVERSAL} or (result.rule or "").startswith("names_") else None
    how = how or result.state
    reason = _MATCHED.get(how, how.replace("_", " ")) + (f" ({evidence})" if evidence else "")
    reason = "; ".join(one.message for one in result.problems) or (f"{reason}: {why}" if why else reason)
    try:
        with work.connection.begin_nested():
            partner, settled = _settle(work, payment, result, reason)
    except StaleState as error:
        reason, result = str(error), cash.Matched(payment=payment.id, state="unapplied")
        partner, settled = _settle(work, payment, result, reason)
        why = reason
    if why or result.problems:
        ledger.add_details(work.connection, payment.id, {"why": reason})
    items = [item for id in sorted(settled) if (item := ledger.get_item(work.connection, id)) is not None]
    relation = "pays" if result.state != ledger.REVERSAL else "takes_back"
    work.links += [references.Link(from_document=item.document, to_document=row.id, relation=relation) for item in items if item.document is not None]
    named = _named(work, result) if not items else []
    work.links += [references.Link(from_document=item.document, to_document=row.id, relation="named_by") for item in named if item.document]
    work.note(
        row,
        f"payment {result.state}",
        {
            "payment": payment.id,
            "amount": f"{from_minor(payment.amount_minor, payment.currency)} {payment.currency}",
            "partner": partner or "",
            "items": ",".join(item.id for item in items),
            "numbers": ",".join(item.number for item in items),
            "candidates": ",".join(result.candidates),
            "named": ",".join(item.id for item in named),
            "on_account": str(result.on_account) if result.on_account else "",
            "problems": codes(result.problems),
        },
        reason=reason,
    )


def _named(work: Work, result: cash.Matched) -> list[ledger.OpenItem]:
    """The payer's items that money names which waits: who asks for one of them hears of it."""
    wanted = dict.fromkeys(one.item for one in result.evidence if one.strong) if result.state in {"on_account", "unapplied"} else {}
    items = [item for id in wanted if (item := ledger.get_item(work.connection, id)) is not None]
    return [item for item in items if item.partner == result.partner]


def _settle(work: Work, payment: ledger.Payment, result: cash.Matched, reason: str) -> tuple[str | None, set[str]]:
    """Allocations and credits of one piece of money, and its state: whose it is, and the items that it settles, or opens again."""
    connection, partner, settled = work.connection, result.partner, set[str]()
    if result.state == ledger.REVERSAL and result.refers_to is not None:
        before = ledger.get_payment(connection, result.refers_to)
        if before is None or not ledger.set_payment(connection, before.id, before.state, ledger.TAKEN_BACK):
            raise StaleState(f"payment {result.refers_to} that the bank takes back is not there as it was")
        # both are of the same payer, or what it owes would be reckoned with money that is gone
        partner = before.partner
        for taken in ledger.taken_by(connection, before.id):
            ledger.reverse(connection, taken.id, id=short_id("A", taken.id, "reversed", payment.id), actor=work.actor, reason=reason, at=work.now)
            settled.add(taken.open_item)
    ledger.allocate(
        connection,
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
            connection,
            id=short_id("C", payment.id, use.credit, use.invoice),
            credit_item=use.credit,
            invoice_item=use.invoice,
            amount_minor=to_minor(use.amount, payment.currency),
            currency=payment.currency,
            actor=work.actor,
            reason=reason,
            at=work.now,
        )
    if not ledger.set_payment(connection, payment.id, "unapplied", result.state, partner=partner):
        raise StaleState(f"payment {payment.id} is not unapplied any more: it cannot be {result.state.replace('_', ' ')}")
    return partner, settled | {one.item for one in result.allocations} | {use.invoice for use in result.credits}


def _finish(work: Work, row: documents.Document, reason: str) -> None:
    rest = tuple(problem for problem in row.problems if problem.code != rule.CASH_TRACE_USED.code)
    work.move(row.id, row.state, "done", reason, problems=rest)
