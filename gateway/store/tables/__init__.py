"""All tables of the gateway, in SQLAlchemy Core, one module a noun. What a state or a kind may be stands beside the functions that write it.

Money is integer minor units and a currency; quantities are exact decimals in text; times are UTC text of one width.
Changing a table needs a new migration: a test compares these pages with what the migrations build.
"""

from gateway.store.tables.arriving import interchange as interchange
from gateway.store.tables.arriving import transmission as transmission
from gateway.store.tables.as2 import as2_sending as as2_sending
from gateway.store.tables.as2 import receipt as receipt
from gateway.store.tables.documents import document as document
from gateway.store.tables.documents import document_content as document_content
from gateway.store.tables.documents import document_count as document_count
from gateway.store.tables.documents import document_state as document_state
from gateway.store.tables.documents import hold as hold
from gateway.store.tables.documents import link as link
from gateway.store.tables.documents import plan as plan
from gateway.store.tables.documents import reference as reference
from gateway.store.tables.engine import claim as claim
from gateway.store.tables.engine import node as node
from gateway.store.tables.engine import node_files as node_files
from gateway.store.tables.engine import poke as poke
from gateway.store.tables.engine import stream as stream
from gateway.store.tables.journal import commitment_salt as commitment_salt
from gateway.store.tables.journal import journal_checkpoint as journal_checkpoint
from gateway.store.tables.journal import journal_entry as journal_entry
from gateway.store.tables.journal import journal_head as journal_head
from gateway.store.tables.ledger import allocation as allocation
from gateway.store.tables.ledger import credit_application as credit_application
from gateway.store.tables.ledger import open_item as open_item
from gateway.store.tables.ledger import payment as payment
from gateway.store.tables.links import pickup as pickup
from gateway.store.tables.links import upload as upload
from gateway.store.tables.links import webhook as webhook
from gateway.store.tables.masterdata import item as item
from gateway.store.tables.masterdata import item_reference as item_reference
from gateway.store.tables.masterdata import item_unit as item_unit
from gateway.store.tables.masterdata import partner_note as partner_note
from gateway.store.tables.masterdata import place as place
from gateway.store.tables.masterdata import price as price
from gateway.store.tables.masterdata import reservation as reservation
from gateway.store.tables.masterdata import reserved as reserved
from gateway.store.tables.masterdata import stock as stock
from gateway.store.tables.metadata import APPEND_ONLY as APPEND_ONLY
from gateway.store.tables.metadata import METADATA as METADATA
from gateway.store.tables.numbers import control as control
from gateway.store.tables.numbers import control_run as control_run
from gateway.store.tables.numbers import counting as counting
from gateway.store.tables.numbers import series as series
from gateway.store.tables.operations import alert as alert
from gateway.store.tables.operations import alert_message as alert_message
from gateway.store.tables.operations import alert_mute as alert_mute
from gateway.store.tables.operations import circuit as circuit
from gateway.store.tables.operations import left_behind as left_behind
from gateway.store.tables.operations import meter as meter
from gateway.store.tables.operations import pause as pause
from gateway.store.tables.operations import setting as setting
from gateway.store.tables.operations import trouble as trouble
from gateway.store.tables.orders import order_change as order_change
from gateway.store.tables.orders import order_line as order_line
from gateway.store.tables.orders import sales_order as sales_order
from gateway.store.tables.outgoing import answer as answer
from gateway.store.tables.outgoing import handover as handover
from gateway.store.tables.outgoing import outbox as outbox
from gateway.store.tables.payloads import payload as payload
from gateway.store.tables.payloads import payload_piece as payload_piece
from gateway.store.tables.retention import erasure as erasure
from gateway.store.tables.retention import legal_hold as legal_hold
