"""The clean chapters: an order walks to its payment in X12 by SFTP, in EDIFACT by AS2, in UBL through a folder."""

import json
from decimal import Decimal

from gateway.demo import messages_bank
from gateway.demo import messages_x12
from gateway.demo.cast import ACME
from gateway.demo.cast import DRILL
from gateway.demo.cast import EUROCO
from gateway.demo.cast import HAMMER
from gateway.demo.cast import LEVEL
from gateway.demo.cast import NORDIC
from gateway.demo.cast import SCREWDRIVERS
from gateway.demo.cast import TAPE
from gateway.demo.cast import Company
from gateway.demo.cast import Purchase
from gateway.demo.cast import asked
from gateway.demo.cast import with_vat
from gateway.demo.dialects import X12
from gateway.demo.dialects import Bill
from gateway.demo.dialects import Dialect
from gateway.demo.dialects import Edifact
from gateway.demo.dialects import Ubl
from gateway.demo.stage import Stage
from gateway.pipeline.keeping.trails import trail_of
from gateway.trade.reference import rf_reference


def x12_to_cash(stage: Stage) -> None:
    """850, 997, 855, 856, 810, 820."""
    number, dialect = "PO-1001", X12()
    purchase = stage.purchase(number, asked(HAMMER, 24, "USD"), asked(DRILL, 6, "USD"))
    control = stage.order(ACME, dialect, purchase)
    stage.say(f"ACME sends purchase order {number} by SFTP: 24 hammers, 6 drills")
    accept(stage, ACME, dialect, number, control)
    bill = deliver(stage, ACME, dialect, purchase)
    paid = [messages_x12.Remitted(invoice=bill.number, amount=bill.amount)]
    control = stage.next_control()
    stage.send(ACME, f"820-{control}.edi", messages_x12.remittance(ACME, f"ACME{control:08d}", paid, control, stage.now))
    stage.say(f"ACME pays {bill.number} and says so in a remittance advice (820)")
    close(stage, ACME, number, bill)


def edifact_to_cash(stage: Stage) -> None:
    """ORDERS, CONTRL, ORDRSP, DESADV, INVOIC, camt.053 with the structured reference."""
    number, dialect = "4500101", Edifact()
    purchase = stage.purchase(number, asked(SCREWDRIVERS, 20, "EUR"), asked(LEVEL, 10, "EUR"))
    control = stage.order(EUROCO, dialect, purchase)
    stage.say(f"Euroco posts order {number} by AS2, signed and encrypted")
    receipt_file = stage.premises.home(EUROCO.id).receipts / f"orders-{control:05d}.edi.json"
    stage.watch.until("our AS2 receipt reaches Euroco", receipt_file.is_file)
    receipt = json.loads(receipt_file.read_bytes())
    stage.say("our receipt (MDN) comes back in the answer: signed, digest of the content confirmed")
    stage.check("Euroco verifies our signed receipt and its MIC", receipt["ok"] and receipt["signed"] and receipt["mic_matches"] is True, receipt)
    accept(stage, EUROCO, dialect, number, control)
    bill = deliver(stage, EUROCO, dialect, purchase)
    reference = rf_reference(bill.number)
    stage.bank(messages_bank.Arrived(amount=bill.amount, payer=EUROCO.name.upper(), iban=EUROCO.iban, reference=reference))
    stage.say(f"the bank's statement (camt.053) shows {bill.amount:.2f} EUR with reference {reference}")
    close(stage, EUROCO, number, bill)


def ubl_to_cash(stage: Stage) -> None:
    """Order, OrderResponse, DespatchAdvice, Invoice, camt.053 with the invoice's number in its text."""
    number, dialect = "NO-1001", Ubl()
    purchase = stage.purchase(number, asked(TAPE, 50, "EUR"))
    control = stage.order(NORDIC, dialect, purchase)
    stage.say(f"Nordic puts order {number} (UBL, Peppol BIS 3) into the folder that we share")
    accept(stage, NORDIC, dialect, number, control)
    bill = deliver(stage, NORDIC, dialect, purchase)
    stage.bank(messages_bank.Arrived(amount=bill.amount, payer=NORDIC.name, iban=NORDIC.iban, text=f"Rechnung {bill.number} vielen Dank"))
    stage.say(f"the bank's statement shows {bill.amount:.2f} EUR: 'Rechnung {bill.number} vielen Dank'")
    close(stage, NORDIC, number, bill)


def accept(stage: Stage, buyer: Company, dialect: Dialect, number: str, control: int) -> None:
    """The order is acknowledged, accepted, answered and handed over."""
    if dialect.names[0]:
        outcome, _ = stage.acknowledgment(buyer, dialect, control)
        stage.say(f"we acknowledge it: {dialect.names[0]} {outcome}")
        stage.check(f"{number} is acknowledged as accepted", outcome == "accepted", outcome)
    outcome, _ = stage.response(buyer, dialect, number)
    stage.say(f"we answer: {dialect.names[1]}, {outcome}")
    stage.check(f"{number} is answered as accepted", outcome == "accepted", outcome)
    document = stage.order_state(buyer, number, "accepted")
    stage.handed_over(document.id)
    stage.say("the order lies in the ERP's folder, with its receipt")


def deliver(stage: Stage, buyer: Company, dialect: Dialect, purchase: Purchase, quantities: tuple[int, ...] = ()) -> Bill:
    """Goods leave, the buyer is told, and gets the invoice."""
    shipped = quantities or tuple(line.quantity for line in purchase.lines)
    stage.ship(purchase.number, *((position, quantity) for position, quantity in enumerate(shipped, 1)))
    stage.say("the warehouse reports what it has shipped (CSV): one pallet")
    stage.advice(buyer, dialect, purchase.number)
    stage.say(f"{buyer.name} gets the despatch advice ({dialect.names[2]}) before the truck arrives")
    stage.check(f"a despatch advice for {purchase.number} reaches {buyer.name}", ok=True)
    stage.invoice(purchase.number)
    bill, data = stage.bill(buyer, dialect, purchase.number)
    net = sum((quantity * Decimal(line.price) for quantity, line in zip(shipped, purchase.lines, strict=True)), Decimal(0))
    due = net if buyer.currency == "USD" else with_vat(net)
    stage.say(f"and the invoice ({dialect.names[3]}) {bill.number}: {bill.amount:.2f} {buyer.currency}")
    stage.check(f"invoice {bill.number} asks for {due} {buyer.currency}", bill.amount == due, bill.amount)
    if isinstance(dialect, X12):
        control = stage.next_control()
        stage.send(buyer, f"997-{control:05d}.edi", messages_x12.acknowledgment(buyer, data, control, stage.now))
        outcome = stage.acknowledged("invoice", bill.number)
        stage.say(f"which {buyer.name} acknowledges: 997 {outcome}")
        stage.check(f"the 997 for {bill.number} is put to it", outcome == "accepted", outcome)
    return bill


def close(stage: Stage, buyer: Company, number: str, bill: Bill) -> None:
    """The money is matched; the trail leads from the order to it."""
    stage.settled(buyer, bill.number)
    stage.say(f"{bill.number} is settled: matched without a person")
    trail = trail_of(stage.station, number)
    kinds = {row.kind for row in trail.documents} if trail else set()
    wanted = {"order", "order_response", "despatch_advice", "invoice"}
    paid = kinds & {"bank_statement", "remittance_advice"}
    stage.check(f"the trail of {number} leads from the order to the payment", wanted <= kinds and bool(paid), sorted(kinds))
