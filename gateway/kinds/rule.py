"""Kinds of problems: business rules (RULE-), stock (STOCK-), credit (CREDIT-), shipments (SHIPMENT-), billing (BILLING-), money (CASH-)."""

from gateway.problem import Kind
from gateway.problem import Severity

# What an order says about itself.
TEST_TRAFFIC = Kind(
    code="RULE-TEST-TRAFFIC",
    title="The order is test traffic",
    severity=Severity.WARNING,
    cure="Nothing to do: it is judged and answered as test, and touches no stock, no credit and no figures.",
)
NO_LINES = Kind(code="RULE-NO-LINES", title="The order has no lines", cure="The buyer sends the order again with its lines.", ted="007")
NUMBER_OUT_OF_RANGE = Kind(
    code="RULE-NUMBER-OUT-OF-RANGE",
    title="A number is too large or too long to be meant",
    cure="The buyer corrects the number; this check is always on.",
    ted="008",
)
LINE_NUMBER_TWICE = Kind(
    code="RULE-LINE-NUMBER-TWICE",
    title="Two lines have the same number",
    cure="The buyer numbers each line once; answers and shipments name lines by their number.",
    ted="006",
)
LINE_COUNT = Kind(
    code="RULE-LINE-COUNT",
    title="The order counts its lines otherwise than we do",
    cure="Ask the buyer whether lines were lost; release the order when it is complete.",
    ted="010",
)
HASH_TOTAL = Kind(
    code="RULE-HASH-TOTAL",
    title="The hash total of the quantities is not what the lines add up to",
    cure="Ask the buyer whether lines were lost or changed; release the order when it is complete.",
    ted="010",
)
TOTAL_DIFFERS = Kind(
    code="RULE-TOTAL-DIFFERS",
    title="A total of the order is not what its parts add up to",
    cure="Ask the buyer which of the two is meant; release the order to accept what the lines say.",
    ted="010",
)
LINE_AMOUNT_DIFFERS = Kind(
    code="RULE-LINE-AMOUNT-DIFFERS",
    title="A line's amount is not quantity times price",
    cure="Compare quantity, price and the quantity that the price is for; our answer gives the computed amount.",
    ted="010",
)

# Seen before, and orders that are not originals.
DUPLICATE_ORDER = Kind(
    code="RULE-DUPLICATE-ORDER",
    title="The same order was received before",
    cure="Nothing to do if the buyer sent it twice; a new order needs a new number.",
    ted="006",
)
NUMBER_REUSED = Kind(
    code="RULE-NUMBER-REUSED",
    title="The order's number was used before for something else",
    cure="Ask the buyer whether this replaces the earlier order; release it to book it beside the earlier one.",
    ted="006",
)
CANCEL_UNKNOWN = Kind(
    code="RULE-CANCEL-UNKNOWN",
    title="A cancel for an order that we do not have",
    cure="The buyer checks the order number in the cancel.",
    ted="011",
)
CANCEL_TOO_LATE = Kind(
    code="RULE-CANCEL-TOO-LATE", title="A cancel for an order that has left already", cure="Agree with the buyer on a return of the goods."
)
CONFIRM_UNKNOWN = Kind(
    code="RULE-CONFIRM-UNKNOWN",
    title="A confirmation of an order that we do not have",
    cure="Look for the order by telephone or mail; release the document to book it as a new order.",
    ted="011",
)
COPY_UNKNOWN = Kind(
    code="RULE-COPY-UNKNOWN",
    title="A copy of an order that we do not have",
    cure="Ask the buyer whether the original was sent; release the copy to book it as the order.",
    ted="011",
)
COPY_NOT_BOOKED = Kind(
    code="RULE-COPY-NOT-BOOKED",
    title="A confirmation or copy of an order that we have",
    severity=Severity.WARNING,
    cure="Nothing to do: the order stands as it was, nothing is booked again.",
)
# Changes of orders.
CHANGE_ORDER_UNKNOWN = Kind(
    code="RULE-CHANGE-ORDER-UNKNOWN",
    title="A change for an order that we do not have, or have more than once",
    cure="Ask the buyer for the order; when it has come, release the change. A release while it is still missing rejects the change.",
)
CHANGE_ORDER_ENDED = Kind(
    code="RULE-CHANGE-ORDER-ENDED",
    title="A change for an order that was rejected, cancelled or replaced",
    cure="The buyer sends a new order.",
)
CHANGE_TOO_LATE = Kind(
    code="RULE-CHANGE-TOO-LATE",
    title="A change for an order of which everything has left",
    cure="Agree with the buyer on a return of the goods, or on a new order.",
)
CHANGE_DUPLICATE = Kind(
    code="RULE-CHANGE-DUPLICATE",
    title="The same change was received before",
    cure="Nothing to do if the buyer sent it twice; a new change needs a new number.",
)
CHANGE_NUMBER_REUSED = Kind(
    code="RULE-CHANGE-NUMBER-REUSED",
    title="The change's number was used before for another change of the order",
    cure="Ask the buyer which of the two holds; release this one to apply it as well.",
)
CHANGE_SEQUENCE = Kind(
    code="RULE-CHANGE-SEQUENCE",
    title="A change came out of its sequence",
    cure="Ask the buyer for the change that is missing, or whether the older one still holds; release it to apply it as it is.",
)
CHANGE_BEHIND = Kind(
    code="RULE-CHANGE-BEHIND",
    title="A change before this one waits for a person",
    cure="Decide the earlier change; this one then walks on by itself.",
)
CHANGE_IN_ORDER = Kind(
    code="RULE-CHANGE-IN-ORDER",
    title="A change came in the message for orders, which does not say what becomes of lines that it leaves out",
    cure="Compare it with the order. Released, it changes the lines that it names and leaves the others; the partner's rules may say accept.",
)
CHANGE_LINE_UNKNOWN = Kind(
    code="RULE-CHANGE-LINE-UNKNOWN",
    title="A change names a line that the order does not have",
    cure="The buyer checks the line number; a new line is added, not changed.",
)
CHANGE_LINE_THERE = Kind(
    code="RULE-CHANGE-LINE-THERE",
    title="A change adds a line that the order has already",
    cure="The buyer gives the new line a number of its own, or sends it as a change of the line.",
)
CHANGE_CONTRADICTS = Kind(
    code="RULE-CHANGE-CONTRADICTS",
    title="A line of a change says one thing by its action and another by its values",
    cure="Ask the buyer which is meant. Where a partner sends the old quantity in the place of the new one, say so in its mapping.",
)
CHANGE_LINE_LEFT = Kind(
    code="RULE-CHANGE-LINE-LEFT",
    title="A change of a line whose goods have left",
    cure="The line stays as it is and the buyer is told; agree on a return, or on a new line.",
)
CHANGE_BELOW_DESPATCHED = Kind(
    code="RULE-CHANGE-BELOW-DESPATCHED",
    title="A change wants less of a line than has left",
    severity=Severity.WARNING,
    cure="The line ends with what has left, its rest is cancelled, and the buyer is told.",
)
CHANGE_NOTHING = Kind(
    code="RULE-CHANGE-NOTHING",
    title="A change that changes nothing",
    severity=Severity.WARNING,
    cure="Nothing to do: the order is as the buyer wants it.",
)

REJECTED_BY_HAND = Kind(
    code="RULE-REJECTED-BY-HAND",
    title="A person rejected the order",
    cure="The buyer asks the person who is named in the trail, or sends another order.",
)

# Dates.
REQUESTED_DATE_PASSED = Kind(
    code="RULE-REQUESTED-DATE-PASSED",
    title="The requested date has passed",
    severity=Severity.WARNING,
    cure="Our answer promises the earliest date that we can keep.",
    ted="009",
)
CANCEL_DATE_PASSED = Kind(
    code="RULE-CANCEL-DATE-PASSED",
    title="The date after which the buyer does not want the goods has passed",
    cure="Ask the buyer whether the order still stands; release or reject it.",
    ted="009",
)
DATES_CROSSED = Kind(
    code="RULE-DATES-CROSSED",
    title="A latest date lies before its earliest date",
    cure="Ask the buyer for the right dates.",
    ted="012",
)

# Quantities, items, units.
QUANTITY_NOT_POSITIVE = Kind(
    code="RULE-QUANTITY-NOT-POSITIVE",
    title="A line orders nothing, or less than nothing",
    cure="The buyer sends the line with a quantity above zero; returns do not come as orders.",
    ted="P",
)
DELIVERIES_DIFFER = Kind(
    code="RULE-DELIVERIES-DIFFER",
    title="A line's deliveries do not add up to its quantity",
    cure="Ask the buyer which of the two is meant.",
    ted="010",
)
ITEM_UNKNOWN = Kind(
    code="RULE-ITEM-UNKNOWN",
    title="None of the line's item numbers is known",
    cure="Add the buyer's item number to the cross-references and release the order, or reject it.",
    ted="Q",
)
ITEM_AMBIGUOUS = Kind(
    code="RULE-ITEM-AMBIGUOUS",
    title="The line's item numbers name different items",
    cure="Correct the cross-reference, or ask the buyer which item is meant.",
    ted="Q",
)
ITEM_DISCONTINUED = Kind(code="RULE-ITEM-DISCONTINUED", title="The item is no longer sold", cure="Offer the buyer what replaces it.", ted="Q")
UNIT_UNKNOWN = Kind(
    code="RULE-UNIT-UNKNOWN",
    title="The unit cannot be converted into the item's unit",
    cure="Add the unit to the item's units with its size and release the order.",
    ted="H",
)
MINIMUM_QUANTITY = Kind(
    code="RULE-MINIMUM-QUANTITY",
    title="Less than the item's minimum quantity",
    cure="Release the order to make an exception, or ask the buyer for more.",
    ted="P",
)
ORDER_MULTIPLE = Kind(
    code="RULE-ORDER-MULTIPLE",
    title="Not a multiple of what the item is sold in",
    cure="Release the order to make an exception, or ask the buyer for full packs.",
    ted="P",
)

# Prices.
PRICE_DIFFERS = Kind(
    code="RULE-PRICE-DIFFERS",
    title="The price is not the list price",
    cure="Release the order to accept the buyer's price, or correct the price list and release it.",
    ted="MN",
)
PRICE_NOT_LISTED = Kind(
    code="RULE-PRICE-NOT-LISTED",
    title="The price list has no price for the item",
    cure="Add the price, or release the order to accept the buyer's price.",
    ted="MN",
)
PRICE_MISSING = Kind(
    code="RULE-PRICE-MISSING",
    title="Neither the order nor the price list has a price",
    cure="Add the price to the list and release the order.",
    ted="MN",
)
PRICE_NEGATIVE = Kind(
    code="RULE-PRICE-NEGATIVE",
    title="A price is below zero",
    cure="The buyer sends the line with its price; deductions are allowances.",
    ted="MN",
)
CURRENCY_DIFFERS = Kind(
    code="RULE-CURRENCY-DIFFERS",
    title="The price list has other currencies than the order",
    cure="Add prices in the order's currency, or ask the buyer for another currency.",
    ted="011",
)

# Places.
SHIP_TO_UNKNOWN = Kind(
    code="RULE-SHIP-TO-UNKNOWN",
    title="The ship-to is not in the master data",
    severity=Severity.WARNING,
    cure="Add the place to the partner's addresses.",
    ted="011",
)

# Stock and credit: raised by the decision, not by the rules.
STOCK_SHORT = Kind(
    code="STOCK-SHORT",
    title="There is less in stock than ordered",
    severity=Severity.WARNING,
    cure="The buyer was told what comes now and what comes later.",
)
STOCK_NONE = Kind(
    code="STOCK-NONE", title="There is nothing in stock", severity=Severity.WARNING, cure="The buyer was told when it comes, or that it does not."
)
CREDIT_LIMIT = Kind(
    code="CREDIT-LIMIT", title="The order would exceed the credit limit", cure="Release the order, raise the limit, or wait for money."
)
CREDIT_OVERDUE = Kind(
    code="CREDIT-OVERDUE", title="Invoices are overdue for too long", cure="Ask for the money; release the order when it is promised or paid."
)
CREDIT_FIRST_ORDER = Kind(
    code="CREDIT-FIRST-ORDER",
    title="The first order of a new partner",
    cure="Vet the partner, then release the order; later orders pass by themselves.",
)
CREDIT_CURRENCY = Kind(
    code="CREDIT-CURRENCY",
    title="The order's currency is not that of the credit limit",
    cure="Decide by hand; currencies are never added to each other.",
)
CREDIT_AMOUNT_UNKNOWN = Kind(
    code="CREDIT-AMOUNT-UNKNOWN",
    title="The order's value is not known, so the limit cannot be checked",
    cure="Add the missing price to the list and release the order.",
)

# Shipments.
SHIPMENT_UNREADABLE = Kind(
    code="SHIPMENT-UNREADABLE", title="A shipment cannot be read", cure="Correct the row that is named and hand the shipment in again."
)
SHIPMENT_EMPTY = Kind(code="SHIPMENT-EMPTY", title="A shipment holds no goods", cure="Hand in the rows that left the house.")
SHIPMENT_ORDER_UNKNOWN = Kind(
    code="SHIPMENT-ORDER-UNKNOWN",
    title="A shipment names an order that is not open",
    cure="Check the order number; held, rejected and cancelled orders do not ship.",
)
SHIPMENT_ORDER_AMBIGUOUS = Kind(
    code="SHIPMENT-ORDER-AMBIGUOUS",
    title="Several partners have an open order of the number that a shipment names",
    cure="Say whose order is meant: --partner, or a column `partner` in the file, with the partner's id.",
)
SHIPMENT_PARTNER_UNKNOWN = Kind(
    code="SHIPMENT-PARTNER-UNKNOWN",
    title="A shipment is said to be of a partner that is not there",
    cure="Give the id that stands in the partner's file: gateway partner list names them.",
)
SHIPMENT_LINE_UNKNOWN = Kind(
    code="SHIPMENT-LINE-UNKNOWN", title="A shipment names a line that the order does not have", cure="Check the line number or the item."
)
SHIPMENT_TOO_MUCH = Kind(
    code="SHIPMENT-TOO-MUCH", title="More was shipped than is still to come", cure="Correct the quantity, or agree with the buyer on a new order."
)
SHIPMENT_UNIT = Kind(
    code="SHIPMENT-UNIT", title="A shipment counts in another unit than the order", cure="Give the quantity in the unit of the order line."
)
SHIPMENT_SSCC = Kind(code="SHIPMENT-SSCC", title="An SSCC is not right", cure="An SSCC has 18 digits, the last one being the check digit.")
SHIPMENT_DUPLICATE = Kind(
    code="SHIPMENT-DUPLICATE",
    title="A shipment of this number was taken before",
    cure="Nothing, where it is the same one; else give it a number of its own.",
)
SHIPMENT_PARTIES = Kind(code="SHIPMENT-PARTIES", title="One shipment goes to different buyers or places", cure="Hand in one shipment for each place.")

# Billing.
BILLING_NOTHING = Kind(
    code="BILLING-NOTHING", title="There is nothing to invoice", cure="Ship first; what is invoiced already is not invoiced again."
)
BILLING_ORDER_UNKNOWN = Kind(
    code="BILLING-ORDER-UNKNOWN",
    title="An order that is to be billed is not there",
    cure="Check the order number, and whose order it is: gateway trail NUMBER shows what is known.",
)
BILLING_ORDER_AMBIGUOUS = Kind(
    code="BILLING-ORDER-AMBIGUOUS",
    title="Several partners have an order of the number that is to be billed",
    cure="Say whose order is meant: --partner, with the partner's id.",
)
BILLING_PARTNER_UNKNOWN = Kind(
    code="BILLING-PARTNER-UNKNOWN",
    title="An order is to be billed of a partner that is not there",
    cure="Give the id that stands in the partner's file: gateway partner list names them.",
)
BILLING_PRICE_MISSING = Kind(code="BILLING-PRICE-MISSING", title="A shipped line has no price", cure="Add the price and invoice again.")
BILLING_PARTIES = Kind(
    code="BILLING-PARTIES", title="One invoice cannot be for different buyers or currencies", cure="Make one invoice for each buyer and currency."
)
BILLING_TAX = Kind(
    code="BILLING-TAX",
    title="The tax of a line cannot be right",
    cure="Give the item a tax category and rate, or set us.tax_rate in config.yaml; where no VAT applies, say tax: none for the partner.",
)
BILLING_OVER_CREDIT = Kind(
    code="BILLING-OVER-CREDIT", title="More would be credited than was invoiced", cure="Credit at most what is left of the invoice's line."
)
BILLING_LINE_UNKNOWN = Kind(
    code="BILLING-LINE-UNKNOWN", title="A credit names a line that the invoice does not have", cure="Check the line number of the invoice."
)

# Money.
CASH_AMOUNTS_DIFFER = Kind(
    code="CASH-AMOUNTS-DIFFER",
    title="A remittance advice does not add up to its payment",
    cure="Ask the payer what the difference is for; nothing was matched.",
)
CASH_TRACE_USED = Kind(
    code="CASH-TRACE-USED",
    title="A payment with the reference of this remittance advice is booked, and it is not the same",
    cure="Release it where it is other money: it is booked then. Reject it where the payer tells the same payment again.",
)
CASH_ENTRY_ALIKE = Kind(
    code="CASH-ENTRY-ALIKE",
    title="A bank's entry may be one that another statement had",
    cure="Look at the bank's account: where it is one payment, leave it unmatched. Ask the bank for its own reference (AcctSvcrRef) of each entry.",
)
CASH_REVERSAL_UNKNOWN = Kind(
    code="CASH-REVERSAL-UNKNOWN",
    title="The bank takes back a payment that we do not have",
    cure="Look for the payment at the bank: it may have been taken back before. What it paid stays as it is.",
)
