"""The files that an operator would write by hand: config.yaml, a file for each partner, master data as CSV. They are what a newcomer
copies, so they say why things stand there.
"""

import csv
import io
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import timedelta

from gateway.demo.cast import ACME
from gateway.demo.cast import BUYERS
from gateway.demo.cast import CLUMSY
from gateway.demo.cast import EUROCO
from gateway.demo.cast import NORDIC
from gateway.demo.cast import US
from gateway.demo.cast import WARES
from gateway.demo.premises import Premises
from gateway.exchange.as2 import make_key_and_certificate

#: the order in which master data is loaded: what refers to items comes after them
KINDS = ("items", "item_references", "places", "prices", "stock")
_DAYS_OF_KEYS = 365

CONFIG = """\
# The installation of `gateway demo`. Relative paths are relative to this file.

us:                                    # who we are on documents and envelopes
  name: {us.name}
  identifiers: {{x12: "ZZ:{us.identity}", edifact: "14:{us.gln}", gln: "{us.gln}", vat: {us.vat}, peppol: "0088:{us.gln}", as2: {us.identity}}}
  address: {{lines: [{us.street}], city: {us.city}, postal_code: "{us.postal_code}", country: {us.country}}}
  iban: {us.iban}        # buyers pay to this account
  bic: COBADEFFXXX
  gs1_prefix: "4012345"                # our pallets' numbers (SSCC) start so
  tax_rate: "19"

data: data                             # database, archive of all bytes, signing key of the journal
web: {{host: 127.0.0.1, port: {port}}}

erp: {{folder: erp, format: json}}       # accepted orders are handed over here
inbox:                                 # what our own systems and our bank give us
  shipments: inbox/shipments           # the warehouse: CSV or JSON, what has left the house
  bank: inbox/bank                     # the bank: camt.053

invoices: {{series: "INV-{{number:06d}}", credit_series: "CN-{{number:06d}}"}}   # counted without gaps

poll: 0.1                              # seconds between two looks into a folder
"""

_ACME = """\
# Sends X12 and takes X12, through a mailbox on its own SFTP server.

id: acme
name: {acme.name}
identifiers: {{x12: "ZZ:{acme.identity}", gln: "{acme.gln}"}}

endpoints:
  mailbox:
    sftp: sftp://127.0.0.1:{sftp_port}/out      # files are fetched there,
    send_to: /in                       # and ours put here
    user: {sftp_user}
    key: file:keys/acme_sftp           # a secret is named, never written
    host_keys: ["{sftp_host_key}"]     # nobody else is spoken to
    settle: 0                          # its files appear whole, by rename
    poll: 0.15

agreements:
  - {{receive: x12/004010/850, from: mailbox, acknowledge: "997"}}
  - {{receive: x12/004010/820, from: mailbox, acknowledge: "997"}}
  - {{receive: x12/004010/860, from: mailbox, acknowledge: "997"}}    # it may change its orders,
  - {{send: x12/004010/855, to: mailbox}}
  - {{send: x12/004010/865, to: mailbox}}                             # and is answered line by line
  - {{send: x12/004010/856, to: mailbox}}
  - {{send: x12/004010/810, to: mailbox}}

currency: {acme.currency}
country: {acme.country}
tax: none                              # a reseller in the US: no tax on invoices
terms: {{net_days: 30}}
credit: {{limit: "50000 USD", hold_days_overdue: 45, first_order: accept}}
"""

_EUROCO = """\
# Sends EDIFACT and takes EDIFACT, by AS2: signed, encrypted, each message with a signed receipt.

id: euroco
name: {euroco.name}
identifiers: {{edifact: "14:{euroco.identity}", gln: "{euroco.gln}", vat: {euroco.vat}}}

endpoints:
  station:
    as2: http://127.0.0.1:{as2_port}/as2
    name: EUROCO                       # its AS2 name; ours stands in config.yaml
    certificates: [keys/euroco.pem]    # verifies what it signs, encrypts what we send
    our_key: file:keys/as2.key
    our_certificate: keys/as2.pem

agreements:
  - {{receive: edifact/d96a/orders, from: station, acknowledge: CONTRL}}
  - {{receive: edifact/d96a/ordchg, from: station, acknowledge: CONTRL}}
  - {{send: edifact/d96a/ordrsp, to: station}}
  - {{send: edifact/d96a/desadv, to: station}}
  - {{send: edifact/d96a/invoic, to: station}}

currency: {euroco.currency}
country: {euroco.country}
accounts: [{euroco.iban}]     # it pays from here
terms: {{net_days: 30}}
credit: {{limit: "250000 EUR", first_order: accept}}
"""

_NORDIC = """\
# Sends UBL orders and takes Peppol documents, through a folder that its access point fills and empties.

id: nordic
name: {nordic.name}
identifiers: {{peppol: "0088:{nordic.gln}", gln: "{nordic.gln}", vat: {nordic.vat}}}

endpoints:
  box: {{folder: boxes/nordic/out, send_to: boxes/nordic/in, settle: 0.2}}

agreements:
  - {{receive: ubl/order, from: box}}
  - {{send: peppol/order-response, to: box}}
  - {{send: peppol/despatch-advice, to: box}}
  - {{send: peppol/invoice, to: box}}
  - {{send: peppol/credit-note, to: box}}

currency: {nordic.currency}
country: {nordic.country}
accounts: [{nordic.iban}]
terms: {{net_days: 30}}
credit: {{limit: "100000 EUR", first_order: accept}}

# only what is different from the base rules (schemas/rules/order.yaml)
rules:
  checks:
    RULE-PRICE-DIFFERS: {{outcome: hold, tolerance: "1 %"}}
"""

_CLUMSY = """\
# Sends X12 through a shared folder. Makes mistakes.

id: clumsy
name: {clumsy.name}
identifiers: {{x12: "ZZ:{clumsy.identity}", gln: "{clumsy.gln}"}}

endpoints:
  box: {{folder: boxes/clumsy/out, send_to: boxes/clumsy/in, settle: 0.2}}

agreements:
  - {{receive: x12/004010/850, from: box, acknowledge: "997"}}
  - {{receive: x12/004010/820, from: box, acknowledge: "997"}}
  - {{send: x12/004010/855, to: box}}
  - {{send: x12/004010/856, to: box}}
  - {{send: x12/004010/810, to: box}}

currency: {clumsy.currency}
country: {clumsy.country}
tax: none
terms: {{net_days: 14}}
credit: {{limit: "20000 USD", hold_days_overdue: 60, first_order: accept}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the partners listen today: known when their processes are up."""

    sftp_port: int
    sftp_user: str
    sftp_host_key: str
    as2_port: int


def write_as2_keys(premises: Premises, at: datetime) -> None:
    """A key and a certificate for each side; each keeps its own key and gets the other's certificate."""
    theirs = premises.home(EUROCO.id).folder / "keys"
    theirs.mkdir()
    begin = at - timedelta(days=_DAYS_OF_KEYS)
    for owner, own, certificate, other in (
        (US.name, premises.keys / "as2.key", premises.keys / "as2.pem", theirs / "gateway.pem"),
        (EUROCO.name, theirs / "own.key", theirs / "own.pem", premises.keys / "euroco.pem"),
    ):
        key, public = make_key_and_certificate(owner, 3 * _DAYS_OF_KEYS, begin)
        own.touch(mode=0o600)
        own.write_bytes(key)
        certificate.write_bytes(public)
        other.write_bytes(public)


def write_configuration(premises: Premises, port: int, addresses: Addresses) -> None:
    """config.yaml and the partners' files."""
    premises.config.write_text(CONFIG.format(us=US, port=port))
    values = {name: getattr(addresses, name) for name in Addresses.__slots__}
    for company, text in ((ACME, _ACME), (EUROCO, _EUROCO), (NORDIC, _NORDIC), (CLUMSY, _CLUMSY)):
        (premises.partners / f"{company.id}.yaml").write_text(text.format(**{company.id: company}, **values))


def write_master_data(premises: Premises, now: datetime) -> None:
    """One CSV for each kind, as `gateway.store.trading.masterdata.import_rows` takes them."""
    since = (now.astimezone(UTC).date() - timedelta(days=120)).isoformat()
    restock = (now.astimezone(UTC).date() + timedelta(days=9)).isoformat()
    tables: dict[str, tuple[Sequence[str], Iterable[Sequence[object]]]] = {
        "items": (
            ("number", "name", "base_unit", "units", "gtin", "tax_category", "tax_rate"),
            [(ware.number, ware.name, "EA", "XCT=12", ware.gtin, "S", 19) for ware in WARES],
        ),
        "item_references": (
            ("partner", "scheme", "value", "item"),
            [(buyer, "buyer", ware.number_of(buyer), ware.number) for buyer in BUYERS for ware in WARES],
        ),
        "places": (
            ("partner", "scheme", "value", "address"),
            [
                (ACME.id, "buyer_assigned", "0012", "A-100"),
                (CLUMSY.id, "buyer_assigned", "0012", "A-200"),
                (EUROCO.id, "gln", EUROCO.gln, "A-300"),
                (NORDIC.id, "gln", NORDIC.gln, "A-400"),
            ],
        ),
        "prices": (
            ("partner", "item", "currency", "amount", "valid_from"),
            [("", ware.number, currency, ware.price(currency), since) for currency in ("USD", "EUR") for ware in WARES],
        ),
        "stock": (
            ("item", "on_hand", "restock_on"),
            [(ware.number, ware.on_hand, restock if ware.on_hand < 100 else "") for ware in WARES],
        ),
    }
    for kind in KINDS:
        head, rows = tables[kind]
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
        (premises.masterdata / f"{kind}.csv").write_text(out.getvalue())


def read_rows(premises: Premises, kind: str) -> list[dict[str, str]]:
    """The rows of one of these files."""
    with (premises.masterdata / f"{kind}.csv").open(newline="") as file:
        return list(csv.DictReader(file))
