"""Canonical documents as JSON, to be written as UBL."""

from typing import Any

SELLER = {
    "name": "Seller Co",
    "identifiers": {"gln": "4012345500004", "vat": "DE987654321"},
    "endpoint": "0088:4012345500004",
    "address": {"lines": ["Hafen 1", "Tor 2", "Halle 3", "Rampe 4"], "city": "Hamburg", "postal_code": "20457", "country": "DE"},
    "contacts": [{"name": "Billing", "phone": "+4940", "email": "billing@seller.example"}, {"name": "Second"}],
}
BUYER = {
    "name": "ACME & Sons <Ltd>",
    "identifiers": {"gln": "1234567890128", "duns": "123456789", "vat": "DE123456789", "buyer_assigned": "HQ"},
    "endpoint": "0204:991-01234-44",
    "address": {"lines": ["Main St 12"], "city": "Bonn", "region": "NW", "postal_code": "53111", "country": "DE"},
}
SHIP_TO = {
    "name": "Store 12",
    "identifiers": {"gln": "1234567890135", "buyer_assigned": "0012"},
    "address": {"lines": ["Markt 1"], "city": "Köln", "postal_code": "50667", "country": "DE"},
}
TAX = {"type": "VAT", "category": "S", "rate": "19"}

BILL: dict[str, Any] = {
    "number": "RE-2026-1",
    "issued_on": "2026-01-21",
    "due_on": "2026-02-20",
    "currency": "EUR",
    "order_number": "PO1",
    "despatch_number": "LS-1",
    "despatched_on": "2026-01-20",
    "contract_number": "C-9",
    "buyer_reference": "Cost 17",
    "buyer": BUYER,
    "seller": SELLER,
    "ship_to": SHIP_TO,
    "payment_terms": [{"basis": "invoice_date", "net_days": 30, "text": "2/10 net 30"}],
    "payment_means": [
        {
            "type": "credit_transfer",
            "iban": "DE89370400440532013000",
            "bic": "COBADEFFXXX",
            "account_name": "Seller Co",
            "reference": "RF18539007547034",
        }
    ],
    "notes": [{"text": "Thank you"}, {"text": "Come again"}],
    "allowances_charges": [
        {"kind": "charge", "reason_code": "FC", "reason": "Freight", "amount": "10.00", "tax": TAX},
        {"kind": "allowance", "reason_code": "95", "reason": "Discount", "amount": "4.80", "percent": "5", "base_amount": "96.00", "tax": TAX},
    ],
    "lines": [
        {
            "number": "1",
            "order_line": "1",
            "quantity": "12",
            "unit": "H87",
            "price": "800.00",
            "price_base": "100",
            "price_unit": "H87",
            "gross_price": "1000.00",
            "net_amount": "96.00",
            "identifiers": {"buyer": "B2033", "seller": "V5179", "gtin": "4012345500004"},
            "name": "WIDGET",
            "description": "Blue and large",
            "tax": TAX,
            "notes": [{"text": "Handle with care"}],
        },
        {
            "number": "2",
            "quantity": "1",
            "price": "50.00",
            "net_amount": "47.50",
            "identifiers": {"seller": "V9"},
            "tax": {"type": "VAT", "category": "E", "rate": "0"},
            "allowances_charges": [{"kind": "allowance", "reason": "Damaged box", "amount": "2.50"}],
        },
    ],
    "taxes": [
        {"type": "VAT", "category": "S", "rate": "19", "taxable": "101.20", "tax": "19.23"},
        {"type": "VAT", "category": "E", "rate": "0", "taxable": "47.50", "tax": "0.00", "exemption_reason": "Exempt under paragraph 4"},
    ],
    "totals": {
        "lines": "143.50",
        "allowances": "4.80",
        "charges": "10.00",
        "net": "148.70",
        "tax": "19.23",
        "gross": "167.93",
        "prepaid": "20.00",
        "payable": "147.93",
    },
}
INVOICE = {"kind": "invoice", "type": "380", **BILL}
CREDIT_NOTE = {"kind": "credit_note", "invoice_number": "RE-2025-9", "invoice_issued_on": "2025-12-30", "reason": "Returned", **BILL}

LEAST: dict[str, Any] = {
    "number": "RE1",
    "issued_on": "2026-01-21",
    "currency": "EUR",
    "order_number": "PO1",
    "buyer": {"name": "ACME", "identifiers": {"gln": "1234567890128"}, "address": {"country": "DE"}},
    "seller": {"name": "Seller Co", "identifiers": {"gln": "4012345500004"}, "address": {"country": "DE"}},
    "lines": [{"number": "1", "quantity": "1", "price": "10.00", "net_amount": "10.00", "tax": {"category": "O"}}],
    "taxes": [{"category": "O", "taxable": "10.00", "tax": "0.00", "exemption_code": "VATEX-EU-O"}],
    "totals": {"lines": "10.00", "net": "10.00", "tax": "0.00", "gross": "10.00", "payable": "10.00"},
}

RESPONSE: dict[str, Any] = {
    "kind": "order_response",
    "number": "AB-1",
    "order_number": "PO1",
    "order_issued_on": "2026-01-05",
    "response": "accepted_with_changes",
    "issued_on": "2026-01-06",
    "issued_at": "2026-01-06T09:30:00Z",
    "currency": "EUR",
    "buyer": BUYER,
    "seller": SELLER,
    "delivery": {"promised_on": "2026-01-20"},
    "notes": [{"text": "One line is short"}],
    "lines": [
        {
            "number": "1",
            "action": "accepted",
            "quantity": "12",
            "unit": "H87",
            "price": "8.00",
            "identifiers": {"seller": "V5179", "buyer": "B2033"},
            "description": "WIDGET",
            "promised_on": "2026-01-20",
        },
        {
            "number": "2",
            "action": "back_ordered",
            "quantity": "4",
            "back_ordered_quantity": "6",
            "unit": "XCT",
            "identifiers": {"gtin": "4012345500004"},
            "schedule": [{"quantity": "4", "promised_on": "2026-01-20"}, {"quantity": "6", "promised_on": "2026-02-10"}],
        },
        {"number": "3", "action": "rejected", "unit": "H87", "identifiers": {"buyer": "B1"}, "reason": "No longer made"},
    ],
}

DESPATCH: dict[str, Any] = {
    "kind": "despatch_advice",
    "number": "LS-1",
    "issued_on": "2026-01-20",
    "issued_at": "2026-01-20T07:00:00Z",
    "despatched_on": "2026-01-20",
    "despatched_at": "2026-01-20T08:00:00Z",
    "estimated_delivery_on": "2026-01-21",
    "buyer": BUYER,
    "seller": SELLER,
    "ship_to": SHIP_TO,
    "ship_from": {"name": "Warehouse", "address": {"lines": ["Kai 7"], "city": "Hamburg", "postal_code": "20457", "country": "DE"}},
    "transport": {"mode": "road", "scac": "UPSN", "carrier": "UPS", "consignment": "1Z999"},
    "gross_weight": "120.5",
    "weight_unit": "KGM",
    "notes": [{"text": "Fragile"}],
    "orders": [
        {
            "number": "PO1",
            "issued_on": "2026-01-05",
            "units": [
                {
                    "sscc": "340123450000000018",
                    "type": "XPX",
                    "weight": "60.25",
                    "weight_unit": "KGM",
                    "lines": [
                        {
                            "number": "1",
                            "order_line": "1",
                            "quantity": "8",
                            "unit": "H87",
                            "outstanding_quantity": "4",
                            "description": "WIDGET",
                            "identifiers": {"seller": "V5179", "gtin": "4012345500004"},
                            "batch": "L77",
                            "best_before": "2027-01-01",
                        },
                        {"number": "2", "order_line": "2", "quantity": "1", "unit": "XCT", "identifiers": {"seller": "V9"}},
                    ],
                },
                {
                    "sscc": "340123450000000025",
                    "type": "XCT",
                    "lines": [
                        {
                            "number": "3",
                            "order_line": "1",
                            "quantity": "4",
                            "unit": "H87",
                            "description": "WIDGET",
                            "identifiers": {"seller": "V5179"},
                        }
                    ],
                },
            ],
        },
        {"number": "PO2", "lines": [{"number": "4", "order_line": "7", "quantity": "3", "unit": "EA", "identifiers": {"seller": "V1"}}]},
    ],
}
