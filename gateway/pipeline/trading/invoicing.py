"""Invoices and credit notes: what was despatched and not invoiced is billed under a number without gaps, drawn in the transaction that
writes the invoice; what is owed becomes an open item."""

from collections.abc import Sequence
from datetime import date
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import cast

import msgspec

from gateway.exchange.partner import LoadedPartner
from gateway.kinds import rule
from gateway.model import document as canonical
from gateway.model.invoice import CreditNote
from gateway.model.invoice import Invoice
from gateway.model.money import to_minor
from gateway.model.values import Discount
from gateway.model.values import Party
from gateway.model.values import PartyIdentifiers
from gateway.model.values import PaymentTerms
from gateway.pipeline.answers.work import Work
from gateway.pipeline.answers.work import answer_endpoint
from gateway.pipeline.answers.work import own_document
from gateway.pipeline.trading.fulfilling import open_orders
from gateway.pipeline.trading.judging import partner_of
from gateway.pipeline.trading.shipping import us_as_seller
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.problem import codes
from gateway.store import crash
from gateway.store.records import documents
from gateway.store.records import references
from gateway.store.trading import ledger
from gateway.store.trading import orders
from gateway.store.trading import series
from gateway.trade.billing import BillingPolicy
from gateway.trade.billing import build_invoice
from gateway.trade.crediting import CreditLine
from gateway.trade.crediting import build_credit_note
from gateway.trade.open_order import OpenOrder
from gateway.trade.tax import TaxPolicy

INVOICES = ("810", "invoic", "invoice")
CREDIT_NOTES = ("credit-note", "810", "invoic")
#: links that a release looks for in the database: what left, and what was credited before
_READ = frozenset({"ships", "credits"})


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be billed: orders by number, or an invoice to be credited (wholly, or some of its lines)."""

    orders: tuple[str, ...] = ()
    credit: str | None = None
    lines: tuple[CreditLine, ...] = ()
    reason: str | None = None


def invoice_releases(work: Work, rows: Sequence[documents.Document]) -> None:
    """Bill what people or our systems released, one after the other. Each sees what the ones before it in this step made, and what was shipped in
    it: a second click is no second credit note."""
    for row in rows:
        if any(link.relation in _READ for link in work.links):
            work.write_documents()
        release = msgspec.json.decode(row.body or "", type=Release)
        if release.credit is not None:
            _credit(work, row, release)
        else:
            _invoice(work, row, release)
        crash.point(46)


def _invoice(work: Work, row: documents.Document, release: Release) -> None:
    loaded = partner_of(work, row)
    opened, _ = open_orders(work, row.partner, release.orders)
    policy = _policy(work, loaded)
    test = any(order.test for order in opened)
    # tried with a number that is not drawn: only an invoice that can be made takes one out of the series
    tried = build_invoice(opened, "tried", work.now.date(), policy)
    if tried.invoice is None:
        _refuse(work, row, tried.problems)
        return
    number = _test_number(row) if test else _number(work, "invoice", work.station.installation.settings.invoices.series)
    despatch = _last_despatch(work, opened)
    billed = build_invoice(opened, number, work.now.date(), policy, issued_at=work.now, despatch_number=despatch[0], despatched_on=despatch[1])
    invoice = billed.invoice
    assert invoice is not None and invoice.totals is not None
    orders.add_quantities(work.connection, [orders.LineChange(document=one.document, line=one.line, invoiced=one.quantity) for one in billed.updates])
    _orders_invoiced(work, opened, invoice)
    _done(work, row, f"invoice {number}", number)
    first = documents.get(work.connection, billed.updates[0].document)
    assert first is not None
    made = _publish(work, loaded, row, first, invoice, "invoice", INVOICES, test)
    for document in dict.fromkeys(one.document for one in billed.updates):
        work.links.append(references.Link(from_document=document, to_document=made.id, relation="invoices"))
    for order in release.orders:
        work.references.append(references.Reference(document=made.id, kind="order", value=order))
    if not test:
        _owe(work, made, invoice, 1)


def _credit(work: Work, row: documents.Document, release: Release) -> None:
    loaded = partner_of(work, row)
    wanted = documents.Filters(kind="invoice", partner=row.partner, number=release.credit, direction="out")
    found = documents.search(work.connection, wanted)
    if not found:
        _refuse(
            work,
            row,
            (
                rule.BILLING_NOTHING.at(
                    NOWHERE, f"There is no invoice {release.credit} to {row.partner}", found=release.credit, expected="an invoice that we sent"
                ),
            ),
        )
        return
    original = documents.get(work.connection, found[0].id)
    assert original is not None
    invoice = cast(Invoice, canonical.decode(original.body or ""))
    notes = documents.get_many(
        work.connection, [link.to_document for link in references.links_of(work.connection, original.id) if link.relation == "credits"]
    )
    earlier = [cast(CreditNote, canonical.decode(one.body or "")) for one in notes.values() if one.kind == "credit_note"]
    lines = release.lines or None
    tried = build_credit_note(invoice, "tried", work.now.date(), lines=lines, reason=release.reason, earlier=earlier)
    if tried.note is None:
        _refuse(work, row, tried.problems)
        return
    number = _test_number(row) if original.test else _number(work, "credit_note", work.station.installation.settings.invoices.credit_series)
    note = build_credit_note(invoice, number, work.now.date(), lines=lines, reason=release.reason, earlier=earlier).note
    assert note is not None
    _done(work, row, f"credit note {number}", number)
    made = _publish(work, loaded, row, original, note, "credit_note", CREDIT_NOTES, original.test)
    work.links.append(references.Link(from_document=original.id, to_document=made.id, relation="credits"))
    work.references.append(references.Reference(document=made.id, kind="invoice", value=invoice.number))
    if not original.test:
        _owe(work, made, note, -1)


def _test_number(row: documents.Document) -> str:
    """The number of a test invoice: outside of the series, and no longer than an X12 invoice number may be (22)."""
    return f"TEST-{row.id.rpartition('-')[2][:16]}"


def _number(work: Work, name: str, form: str) -> str:
    return form.format(number=series.draw(work.connection, work.station.installation.settings.invoices.entity, name))


def _policy(work: Work, loaded: LoadedPartner) -> BillingPolicy:
    us, partner = work.station.installation.settings.us, loaded.partner
    discounts: tuple[Discount, ...] = ()
    if partner.terms.discount_percent is not None:
        discounts = (Discount(percent=partner.terms.discount_percent, days=partner.terms.discount_days),)
    return BillingPolicy(
        tax=TaxPolicy(regime=partner.tax, country=us.address.country, rate=us.tax_rate),
        seller=us_as_seller(work),
        buyer=Party(
            name=partner.name,
            identifiers=PartyIdentifiers(gln=partner.identifiers.gln, duns=partner.identifiers.duns, vat=partner.identifiers.vat),
            endpoint=partner.identifiers.peppol[0] if partner.identifiers.peppol else None,
        ),
        terms=(PaymentTerms(basis="invoice_date", net_days=partner.terms.net_days, discounts=discounts),),
        currency=partner.currency or us.currency,
        iban=us.iban,
        bic=us.bic,
        account_name=us.name if us.iban else None,
    )


def _last_despatch(work: Work, opened: Sequence[OpenOrder]) -> tuple[str | None, date | None]:
    """Number and day of the only despatch advice of these orders; nothing where there are several."""
    numbers = {}
    for order in opened:
        for link in references.links_of(work.connection, order.document):
            if link.relation == "ships" and link.from_document == order.document:
                row = documents.get(work.connection, link.to_document)
                if row is not None and row.kind in {"despatch_advice", "shipment"}:
                    numbers[row.number] = row.created_at.date()
    return next(iter(numbers.items())) if len(numbers) == 1 else (None, None)


def _orders_invoiced(work: Work, opened: Sequence[OpenOrder], invoice: Invoice) -> None:
    """Orders move on: what of them is invoiced no longer counts as open order."""
    lines = {(line.document, line.number): line for line in orders.lines_of(work.connection, [order.document for order in opened])}
    for order in opened:
        sales = orders.get(work.connection, order.document)
        assert sales is not None
        net = sum((line.net_amount for line in invoice.lines if line.order_number == order.order.number), Decimal(0))
        mine = [line for key, line in lines.items() if key[0] == order.document and line.state != "rejected"]
        whole = all(line.invoiced >= line.accepted for line in mine)
        minor = (
            min(to_minor(net, sales.currency), sales.total_minor - sales.invoiced_minor) if not whole else sales.total_minor - sales.invoiced_minor
        )
        orders.change_state(work.connection, order.document, sales.state, "invoiced" if whole else sales.state, at=work.now, add_invoiced_minor=minor)


def _publish(
    work: Work,
    loaded: LoadedPartner,
    row: documents.Document,
    cause: documents.Document,
    document: Invoice | CreditNote,
    kind: str,
    specs: tuple[str, ...],
    test: bool,
) -> documents.Document:
    """Keep the document and send it, where the partner takes one."""
    assert document.totals is not None and document.totals.payable is not None
    agreement = loaded.partner.sending(*specs)
    endpoint = answer_endpoint(work, loaded.partner, agreement, cause.transmission) if agreement else None
    body = canonical.encode(document).decode()
    minor = to_minor(document.totals.payable, document.currency)
    if agreement is None or endpoint is None:
        made = documents.Document(
            id=f"{row.id}-{kind}",
            direction="out",
            partner=row.partner,
            kind=kind,
            number=document.number,
            state="kept",
            test=test,
            stream=row.stream,
            amount_minor=minor,
            currency=document.currency,
            created_at=work.now,
            body=body,
        )
        work.documents.append(made)
        work.references.append(references.Reference(document=made.id, kind=kind, value=document.number))
        work.note(row, f"{kind} not sent", {}, reason="no agreement of the partner says that we send one")
    else:
        made = own_document(
            work, kind, document.number, row.partner, agreement, row.id, test=test, currency=document.currency, body=body, amount_minor=minor
        )
        work.send(made, loaded, agreement, endpoint, relation="invoices" if kind == "invoice" else "credits", cause=cause)
    work.links.append(references.Link(from_document=row.id, to_document=made.id, relation="makes"))
    return made


def _owe(work: Work, made: documents.Document, document: Invoice | CreditNote, sign: int) -> None:
    """The open item of an invoice (or, negative, of a credit note)."""
    assert made.amount_minor is not None
    due = document.due_on or document.issued_on + timedelta(days=30)
    minor = sign * made.amount_minor
    item = ledger.OpenItem(
        id=f"{made.id}-item",
        partner=made.partner,
        document=made.id,
        kind=made.kind,
        number=made.number,
        order_number=document.order_number,
        currency=document.currency,
        amount_minor=minor,
        open_minor=minor,
        issued_on=document.issued_on,
        due_on=due,
        created_at=work.now,
    )
    # its row refers to the document's, which is written at the end: it waits until then
    work.after_documents.append(partial(ledger.add_items, work.connection, [item]))


def _done(work: Work, row: documents.Document, reason: str, number: str) -> None:
    work.move(row.id, row.state, "done", reason, number=number)
    work.note(row, f"{row.kind} done", {"number": number}, reason=reason)


def _refuse(work: Work, row: documents.Document, problems: tuple[Problem, ...]) -> None:
    reason = "; ".join(problem.message for problem in problems)
    work.move(row.id, row.state, "rejected", reason, problems=problems)
    work.note(row, f"{row.kind} rejected", {"problems": codes(problems)}, reason=reason)
