"""The chapters in which something is not as it should be: mistakes in files, decisions that people take, goods and money that fall short."""

from decimal import Decimal

from gateway.demo import messages_bank
from gateway.demo import messages_x12
from gateway.demo.cast import ACME
from gateway.demo.cast import CLUMSY
from gateway.demo.cast import DRILL
from gateway.demo.cast import EUROCO
from gateway.demo.cast import GLOVES
from gateway.demo.cast import HAMMER
from gateway.demo.cast import LEVEL
from gateway.demo.cast import NORDIC
from gateway.demo.cast import SCREWS
from gateway.demo.cast import TAPE
from gateway.demo.cast import TOOLBOX
from gateway.demo.cast import US
from gateway.demo.cast import Ware
from gateway.demo.cast import asked
from gateway.demo.cast import with_vat
from gateway.demo.chapters_clean import accept
from gateway.demo.chapters_clean import deliver
from gateway.demo.dialects import X12
from gateway.demo.dialects import Edifact
from gateway.demo.dialects import Ubl
from gateway.demo.stage import Stage
from gateway.store.incoming import interchanges
from gateway.trade.reference import rf_reference

_ANVIL = Ware(number="K-999", name="Anvil, falling", gtin="", usd=Decimal("99.00"), eur=Decimal("99.00"))


def syntax_error(stage: Stage) -> None:
    """A 997 that names the element; corrected, the order is accepted."""
    number, dialect = "CB-1001", X12()
    control = stage.order(CLUMSY, dialect, stage.purchase(number, asked(GLOVES, 30, "USD", "4,60")))
    stage.say(f"Clumsy Brothers send {number} with a price of '4,60': a comma where X12 has a point")
    outcome, data = stage.acknowledgment(CLUMSY, dialect, control)
    segment, element = messages_x12.value(data, "AK3", 1), messages_x12.value(data, "AK4", 1)
    place, bad = messages_x12.value(data, "AK3", 2), messages_x12.value(data, "AK4", 4)
    stage.say(f"we acknowledge it: 997 {outcome}; it names segment {place} ({segment}), element {element}: '{bad}'")
    stage.check("the 997 rejects the order", outcome == "rejected", outcome)
    stage.check("the 997 names PO1, element 4, and what stood there", (segment, element, bad) == ("PO1", "4", "4,60"), (segment, element, bad))
    control = stage.order(CLUMSY, dialect, stage.purchase(number, asked(GLOVES, 30, "USD")))
    stage.say(f"they correct it and send {number} again")
    accept(stage, CLUMSY, dialect, number, control)


def duplicates(stage: Stage) -> None:
    """The same interchange again, and the same order in a new one: neither is booked twice."""
    number, dialect = "CB-1002", X12()
    purchase = stage.purchase(number, asked(SCREWS, 40, "USD"))
    control = stage.order(CLUMSY, dialect, purchase)
    stage.say(f"they order screws: {number}")
    accept(stage, CLUMSY, dialect, number, control)
    exposure = stage.exposure(CLUMSY)
    _, data = dialect.order(CLUMSY, [purchase], control, stage.now)
    stage.send(CLUMSY, f"850-{control:05d}-again.edi", data)
    stage.say("the very same file comes a second time")

    def refused() -> bool:
        with stage.station.database.read() as connection:
            sender, receiver = f"ZZ:{CLUMSY.identity}", f"ZZ:{US.identity}"
            rows = interchanges.find_by_control(connection, partner=CLUMSY.id, sender=sender, receiver=receiver, control_number=f"{control:09d}")
        return [row.outcome for row in rows if row.state == "refused"] == ["duplicate"]

    stage.watch.until("the second interchange is refused as a duplicate", refused)
    data = stage.watch.arrival(CLUMSY.id, "our TA1", lambda data: messages_x12.value(data, "TA1", 1) == f"{control:09d}")
    said = (messages_x12.value(data, "TA1", 4), messages_x12.value(data, "TA1", 5))
    stage.say(f"we know interchange {control:09d} already: TA1 {' '.join(word or '' for word in said)}, nothing is booked")
    stage.check("a TA1 says that the interchange is a duplicate (R 025)", said == ("R", "025"), said)
    stage.check("the duplicate interchange makes no second order", len(stage.orders(CLUMSY, number)) == 1)
    stage.order(CLUMSY, dialect, purchase)
    stage.say(f"then {number} once more, in a new interchange")
    outcome, _ = stage.response(CLUMSY, dialect, number)
    stage.say(f"we answer: 855 {outcome}, the order stands already")
    stage.order_state(CLUMSY, number, "rejected")
    stage.check("the duplicate order is rejected", outcome == "rejected", outcome)
    stage.check("nothing was booked twice", stage.exposure(CLUMSY) == exposure, stage.exposure(CLUMSY))


def unknown_item(stage: Stage) -> None:
    """An item that we do not sell waits for a person, who rejects it."""
    number, dialect = "CB-1003", X12()
    stage.order(CLUMSY, dialect, stage.purchase(number, asked(_ANVIL, 1, "USD")))
    stage.say(f"{number} asks for an anvil, which we do not sell")
    hold = stage.held(number)
    codes = [problem.code for problem in hold.reasons]
    stage.say("it waits for a person: " + hold.reasons[0].message)
    stage.check("the unknown item is what holds it", "RULE-ITEM-UNKNOWN" in codes, codes)
    stage.reject(hold.id, "we do not sell anvils")
    outcome, _ = stage.response(CLUMSY, dialect, number)
    stage.say(f"Anna rejects it, 'we do not sell anvils'; they get an 855, {outcome}")
    stage.check("the rejection reaches the buyer", outcome == "rejected", outcome)


def cut_off(stage: Stage) -> None:
    """A file that ends in the middle: said where it ends, rejected, nothing lost."""
    number, dialect = "CB-1004", X12()
    control = stage.next_control()
    _, data = dialect.order(CLUMSY, [stage.purchase(number, asked(HAMMER, 5, "USD"), asked(TAPE, 5, "USD"))], control, stage.now)
    cut = data[: data.index(b"PO1*2") + 9]
    stage.send(CLUMSY, f"850-{control:05d}.edi", cut)
    stage.say(f"a file breaks off after {len(cut)} bytes")
    outcome, _ = stage.acknowledgment(CLUMSY, dialect, control)
    stage.say(f"we acknowledge what came: 997 {outcome}")
    stage.check("the file that was cut off is rejected", outcome == "rejected", outcome)
    stage.check("no order came of it", not [row for row in stage.orders(CLUMSY, number) if row.state != "rejected"])


def stranger(stage: Stage) -> None:
    """A sender whom nobody knows: kept, held, answered to nobody."""
    control = stage.next_control()
    purchase = stage.purchase("X-1", asked(DRILL, 100, "USD"))
    stage.send(CLUMSY, f"850-{control:05d}.edi", messages_x12.orders(CLUMSY, [purchase], control, stage.now, sender="STRANGER"))
    stage.say("a file from 'STRANGER' lies in their folder")
    hold = stage.held_file("PARTNER-UNKNOWN-SENDER")
    stage.say("nobody knows that sender: the file is kept and waits for a person, nothing is answered")
    stage.check("the unknown sender's file is held", hold.transmission is not None)
    stage.check("the stranger gets no answer", stage.watch.nothing_new(CLUMSY.id, lambda data: b"STRANGER" in data))


def price_difference(stage: Stage) -> None:
    """A price below the list waits for a person, who lets it pass."""
    number, dialect = "PO-1002", X12()
    control = stage.order(ACME, dialect, stage.purchase(number, asked(LEVEL, 30, "USD", "20.00")))
    stage.say(f"ACME orders 30 spirit levels at 20.00; our list says {LEVEL.usd}: {number}")
    hold = stage.held(number)
    outcome, _ = stage.acknowledgment(ACME, dialect, control)
    codes = [problem.code for problem in hold.reasons]
    stage.say(f"997 {outcome}, but no answer yet: the price waits for a person")
    stage.check("the price difference holds the order", codes == ["RULE-PRICE-DIFFERS"], codes)
    stage.check("a held order is not answered", stage.watch.nothing_new(ACME.id, lambda data: dialect.answered(data, number) is not None))
    stage.release(number, "price agreed by phone")
    outcome, _ = stage.response(ACME, dialect, number)
    stage.say(f"Anna releases it, 'price agreed by phone'; ACME gets its 855, {outcome}")
    stage.check("the released order is accepted", outcome == "accepted", outcome)


def credit_hold(stage: Stage) -> None:
    """An order beyond the credit limit waits; the buyer cancels it."""
    number, dialect = "PO-1003", X12()
    stage.order(ACME, dialect, stage.purchase(number, asked(DRILL, 700, "USD")))
    stage.say(f"ACME orders 700 drills for {700 * DRILL.usd} USD: {number}")
    hold = stage.held(number)
    codes = [problem.code for problem in hold.reasons]
    stage.say("that is beyond its credit limit of 50000 USD: it waits")
    stage.check("the credit limit holds the order", "CREDIT-LIMIT" in codes, codes)
    stage.order(ACME, dialect, stage.purchase(number, asked(DRILL, 700, "USD"), cancels=True))
    stage.say("before anybody has decided, ACME cancels it")
    stage.sales_state(ACME, number, "cancelled")
    outcome, _ = stage.response(ACME, dialect, number)
    stage.say("the cancel reaches the held order: withdrawn, and answered")
    states = [row.state for row in stage.orders(ACME, number)]
    stage.check("the held order is cancelled", states == ["cancelled", "cancelled"], states)


def short_shipment(stage: Stage) -> None:
    """Less in stock than ordered: some now, the rest later."""
    number, dialect = "PO-1004", X12()
    purchase = stage.purchase(number, asked(TOOLBOX, 40, "USD"))
    control = stage.order(ACME, dialect, purchase)
    stage.say(f"ACME orders 40 toolboxes, we have {TOOLBOX.on_hand}: {number}")
    stage.acknowledgment(ACME, dialect, control)
    outcome, data = stage.response(ACME, dialect, number)
    promised = [(segment[1], segment[2]) for segment in messages_x12.segments(data) if segment[0] == "ACK"]
    stage.say(f"we answer: 855, {outcome}: {TOOLBOX.on_hand} now, {40 - TOOLBOX.on_hand} on back-order")
    stage.check("the 855 promises 25 now (IA) and 15 later (IB)", promised == [("IA", "25"), ("IB", "15")], promised)
    bill = deliver(stage, ACME, dialect, purchase, (TOOLBOX.on_hand,))
    stage.sales_state(ACME, number, "part_despatched")
    stage.say(f"{bill.number} is for what was shipped; the order stays open for the rest")
    stage.check("the order waits for the back-order", ok=True)


def test_order(stage: Stage) -> None:
    """Test traffic walks the whole way and touches nothing."""
    number, dialect = "PO-TEST", X12()
    exposure = stage.exposure(ACME)
    control = stage.next_control()
    purchase = stage.purchase(number, asked(HAMMER, 5000, "USD"))
    stage.send(ACME, f"850-{control:05d}.edi", messages_x12.orders(ACME, [purchase], control, stage.now, test=True))
    stage.say(f"ACME tries something out: {number}, 5000 hammers, marked as a test (ISA15 T)")
    outcome, data = stage.response(ACME, dialect, number)
    usage = messages_x12.value(data, "ISA", 15)
    stage.say(f"we answer: 855, {outcome}, marked as a test as well")
    stage.check("the answer to a test is a test", usage == "T", usage)
    stage.check("the document is marked as test traffic", all(row.test for row in stage.orders(ACME, number)))
    stage.check("a test touches no credit", stage.exposure(ACME) == exposure, stage.exposure(ACME))


def short_payment(stage: Stage) -> None:
    """A buyer pays less: the rest stays open."""
    number, dialect = "4500102", Edifact()
    purchase = stage.purchase(number, asked(HAMMER, 40, "EUR"))
    control = stage.order(EUROCO, dialect, purchase)
    stage.say(f"Euroco orders hammers: {number}")
    accept(stage, EUROCO, dialect, number, control)
    bill = deliver(stage, EUROCO, dialect, purchase)
    paid = bill.amount - Decimal("20.00")
    stage.bank(messages_bank.Arrived(amount=paid, payer=EUROCO.name.upper(), iban=EUROCO.iban, reference=rf_reference(bill.number)))
    stage.say(f"and pays {paid} EUR, 20.00 less than {bill.number} asks for")
    left = stage.open_amount(EUROCO, bill.number, lambda left: left != bill.amount)
    stage.say(f"matched; {left} EUR stay open")
    stage.check("the short payment leaves 20.00 open", left == Decimal("20.00"), left)


def credit_note(stage: Stage) -> None:
    """Damaged goods are credited; the buyer takes the credit off its payment."""
    number, dialect = "NO-1002", Ubl()
    purchase = stage.purchase(number, asked(LEVEL, 12, "EUR"))
    control = stage.order(NORDIC, dialect, purchase)
    stage.say(f"Nordic orders 12 spirit levels: {number}")
    accept(stage, NORDIC, dialect, number, control)
    bill = deliver(stage, NORDIC, dialect, purchase)
    stage.credit(bill.number, "1", 2, "two arrived broken")
    data = stage.watch.arrival(NORDIC.id, "our CreditNote", lambda data: dialect.credit(data, bill.number) is not None)
    note = dialect.credit(data, bill.number)
    assert note is not None
    stage.say(f"two arrived broken: Nordic gets credit note {note.number} over {note.amount} EUR")
    expected = with_vat(2 * LEVEL.eur)
    stage.check(f"the credit note is over {expected} EUR", note.amount == expected, note.amount)
    paid = bill.amount - note.amount
    stage.bank(messages_bank.Arrived(amount=paid, payer=NORDIC.name, iban=NORDIC.iban, text=f"{bill.number} ./. Gutschrift"))
    stage.say(f"it pays {paid} EUR for {bill.number}, the credit taken off")
    stage.settled(NORDIC, bill.number, note.number)
    stage.say("invoice and credit note are settled, both")
    stage.check("a payment less the credit note settles both", ok=True)


def unplaced_money(stage: Stage) -> None:
    """Money from somebody unknown, for nothing that we know of."""
    amount = Decimal("777.77")
    stage.bank(messages_bank.Arrived(amount=amount, payer="M. Mustermann", iban="DE75512108001245126199", text="as agreed, many thanks"))
    stage.say(f"{amount} EUR arrive from M. Mustermann: 'as agreed, many thanks'")
    payment = stage.unplaced(amount)
    stage.say("nobody can tell what for: the money waits unapplied, nothing is guessed")
    stage.check("the payment stays unapplied", payment.unapplied_minor == 77777, payment.state)
