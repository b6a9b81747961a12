"""References and links, holds, control numbers, series, plans, receipts, handovers, orders, settings, identifiers."""

import threading
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from gateway.problem import Problem
from gateway.problem import Severity
from gateway.store import settings
from gateway.store.columns import moment_text
from gateway.store.database import Database
from gateway.store.identity import new_id
from gateway.store.incoming import holds
from gateway.store.incoming.holds import Hold
from gateway.store.outgoing import controls
from gateway.store.outgoing import receipts
from gateway.store.records import plans
from gateway.store.records import references
from gateway.store.records.references import Link
from gateway.store.records.references import Reference
from gateway.store.rows import StaleState
from gateway.store.trading import handovers
from gateway.store.trading import orders
from gateway.store.trading import series
from gateway.store.trading.handovers import Handover
from gateway.store.trading.orders import LineChange
from gateway.store.trading.orders import OrderLine
from gateway.store.trading.orders import SalesOrder
from tests.store.made import MINUTE
from tests.store.made import NOW
from tests.store.made import document
from tests.store.made import insert


def test_a_document_is_found_by_the_beginning_of_any_of_its_numbers(database: Database) -> None:
    with database.begin() as connection:
        insert(connection, document("D1"), document("D2", created_at=NOW + MINUTE), document("D3"))
        references.add(
            connection,
            [
                Reference(document="D1", kind="number", value="PO-0001/a"),
                Reference(document="D2", kind="number", value="PO 0001 A"),
                Reference(document="D3", kind="number", value="po-00012"),
                Reference(document="D3", kind="note", value="---"),
                Reference(document="D1", kind="number", value="PO-0001/a"),
                Reference(document="D2", kind="name", value="Größe 5"),
            ],
        )

        def found(text: str, **fields: Any) -> list[str]:
            return [one.document for one in references.find(connection, text, **fields)]

        assert found("po0001a") == ["D2", "D1"]
        assert sorted(found("PO-0001")) == ["D1", "D2", "D3"]
        assert found("po0001a", limit=1) == ["D2"]
        assert found("PO-0001", whole=True) == []
        assert found("grösse") == found("größe") == ["D2"]
        assert found("po", kinds=["name"]) == []
        assert found("%") == found("_") == found("") == []
        assert [one.value for one in references.of_document(connection, "D1")] == ["PO-0001/a"]


def test_links_make_a_trail(database: Database) -> None:
    with database.begin() as connection:
        insert(connection, *(document(id) for id in ("order", "answer", "ship", "invoice", "paid", "alone")))
        chain = [
            Link(from_document="order", to_document="answer", relation="answers"),
            Link(from_document="order", to_document="ship", relation="ships"),
            Link(from_document="ship", to_document="invoice", relation="invoices"),
            Link(from_document="invoice", to_document="paid", relation="pays"),
        ]
        references.link(connection, [*chain, chain[0]])
        assert references.links_of(connection, "ship") == [chain[1], chain[2]]
        assert set(references.trail(connection, "paid")) == set(chain)
        assert references.trail(connection, "paid")[0] == chain[3]
        assert references.trail(connection, "alone") == []


def test_a_bank_statement_is_an_end_of_a_trail_and_leads_to_nobody_elses_orders(database: Database) -> None:
    with database.begin() as connection:
        insert(connection, document("invoice"), document("statement", kind="bank_statement"), document("other"), document("their order"))
        paid, others, order = (
            Link(from_document="invoice", to_document="statement", relation="pays"),
            Link(from_document="other", to_document="statement", relation="pays"),
            Link(from_document="their order", to_document="other", relation="invoices"),
        )
        references.link(connection, [paid, others, order])
        assert references.trail(connection, "invoice") == [paid]
        assert set(references.trail(connection, "statement")) == {paid, others, order}
        assert set(references.trail(connection, "their order")) == {order, others}


def test_a_hold_is_decided_once(database: Database) -> None:
    reason = Problem(code="CREDIT-LIMIT", severity=Severity.ERROR, message="over the limit")
    with database.begin() as connection:
        insert(connection, document())
        hold = Hold(id="H1", document="D1", kind="credit", reasons=(reason,), opened_at=NOW)
        assert holds.open_hold(connection, hold)
        assert not holds.open_hold(connection, hold)
        holds.open_hold(connection, Hold(id="H2", document="D1", kind="rules", opened_at=NOW - MINUTE))
        assert [one.id for one in holds.list_open(connection)] == ["H2", "H1"]
        assert [one.id for one in holds.list_open(connection, kind="credit")] == ["H1"]
        assert [one.id for one in holds.list_open(connection, after=(NOW - MINUTE, "H2"))] == ["H1"]
        decided = holds.resolve(connection, "H1", decision="release", actor="ann", reason="paid", at=NOW + MINUTE)
        assert (decided.decision, decided.actor, decided.reasons) == ("release", "ann", (reason,))
        with pytest.raises(StaleState, match="release by ann"):
            holds.resolve(connection, "H1", decision="reject", actor="bob", reason="no", at=NOW)
        with pytest.raises(StaleState, match="no hold"):
            holds.resolve(connection, "none", decision="reject", actor="bob", reason="no", at=NOW)
        assert [one.id for one in holds.list_open(connection)] == ["H2"]
        assert [one.id for one in holds.of_document(connection, "D1")] == ["H2", "H1"]
        assert holds.of_transmission(connection, "none") == []


def test_control_numbers_have_no_gap_and_roll_over(database: Database) -> None:
    with database.begin() as connection:
        assert controls.draw(connection, "acme", "ZZ:US", "interchange") == 1
        assert controls.draw(connection, "acme", "ZZ:US", "interchange", count=3) == 2
        assert controls.draw(connection, "acme", "ZZ:US", "group") == 1
        assert controls.draw(connection, "beta", "ZZ:US", "interchange", start=100) == 100
        assert controls.draw(connection, "beta", "ZZ:US", "interchange", start=100, maximum=102) == 101
        assert controls.draw(connection, "beta", "ZZ:US", "interchange", count=2, start=100, maximum=102) == 100
        assert controls.draw(connection, "beta", "ZZ:US", "interchange", start=200) == 200
        controls.set_last(connection, "acme", "ZZ:US", "interchange", 5000)
        assert controls.draw(connection, "acme", "ZZ:US", "interchange") == 5001
        assert [(one.partner, one.level, one.last, one.drawn) for one in controls.ledger(connection, "acme")] == [
            ("acme", "group", 1, 1),
            ("acme", "interchange", 5001, 5),
        ]
        for wrong in ({"count": 0}, {"count": 10, "maximum": 9}, {"start": -1}):
            with pytest.raises(ValueError, match="cannot be drawn"):
                controls.draw(connection, "acme", "ZZ:US", "interchange", **wrong)


def test_a_rollback_gives_numbers_back(database: Database) -> None:
    with database.begin() as connection:
        controls.draw(connection, "acme", "us", "interchange")
        series.draw(connection, "us", "invoice")
    with pytest.raises(RuntimeError):
        with database.begin() as connection:
            controls.draw(connection, "acme", "us", "interchange")
            series.draw(connection, "us", "invoice")
            raise RuntimeError
    with database.begin() as connection:
        assert controls.draw(connection, "acme", "us", "interchange") == 2
        assert series.draw(connection, "us", "invoice") == 2


def test_senders_at_once_never_draw_the_same_number(database: Database) -> None:
    drawn: list[int] = []

    def work() -> None:
        for _ in range(10):
            with database.begin() as connection:
                drawn.append(controls.draw(connection, "acme", "us", "interchange", maximum=25))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(drawn) == list(range(1, 21))


def test_a_series_per_legal_entity(database: Database) -> None:
    with database.begin() as connection:
        assert series.last(connection, "us", "invoice") is None
        assert series.draw(connection, "us", "invoice", start=1000, count=2) == 1000
        assert series.draw(connection, "us", "invoice", start=1000) == 1002
        assert series.draw(connection, "de", "invoice") == 1
        assert series.last(connection, "us", "invoice") == 1002
        with pytest.raises(ValueError, match="at least one"):
            series.draw(connection, "us", "invoice", count=0)


def test_a_plan_is_kept_once(database: Database) -> None:
    with database.begin() as connection:
        plans.keep(connection, "d", "mapping", "acme/850", "content")
        plans.keep(connection, "d", "mapping", "acme/850", "other")
        found = plans.get(connection, "d")
        assert found is not None and (found.kind, found.name, found.content) == ("mapping", "acme/850", "content")
        assert plans.get(connection, "none") is None


def test_the_same_message_gets_the_same_receipt(database: Database) -> None:
    given = receipts.Receipt(
        as2_from="ACME", as2_to="US", message_id="<1@acme>", transmission=None, mdn_sha256="ab", headers={"AS2-To": "ACME"}, at=NOW
    )
    with database.begin() as connection:
        assert receipts.keep(connection, [given])
        assert not receipts.keep(connection, [msgspec.structs.replace(given, mdn_sha256="cd")])
        assert receipts.find(connection, *given.names) == given
        assert receipts.find(connection, "BETA", "US", "<1@acme>") is None
        # another name of ours: another message
        assert receipts.find(connection, "ACME", "US2", "<1@acme>") is None
        assert receipts.keep(connection, [msgspec.structs.replace(given, as2_to="US2", mdn_sha256="cd")])
        found = receipts.find_many(connection, [given.names, ("ACME", "US2", "<1@acme>"), ("ACME", "US3", "<1@acme>")])
        assert {names[1]: receipt.mdn_sha256 for names, receipt in found.items()} == {"US": "ab", "US2": "cd"}


def test_a_handover_is_offered_until_it_is_confirmed(database: Database) -> None:
    with database.begin() as connection:
        insert(connection, document())
        made = Handover(id="D1/erp", document="D1", target="erp", kind="order", body="{}", created_at=NOW, due_at=NOW)
        handovers.offer(connection, [made, made])
        handovers.offer(connection, [])
        assert handovers.list_waiting(connection, "erp", NOW) == [made]
        assert handovers.list_waiting(connection, "erp", NOW, after=(NOW, "D1/erp")) == []
        handovers.failed(connection, "D1/erp", error="timeout", next_due=NOW + MINUTE)
        assert handovers.list_waiting(connection, "erp", NOW) == []
        assert [one.attempts for one in handovers.list_waiting(connection, "erp", NOW + MINUTE)] == [1]
        assert handovers.confirm(connection, "D1/erp", receipt="SAP-1", at=NOW)
        assert not handovers.confirm(connection, "D1/erp", receipt="SAP-1", at=NOW)
        with pytest.raises(StaleState, match="SAP-1"):
            handovers.confirm(connection, "D1/erp", receipt="SAP-2", at=NOW)
        with pytest.raises(StaleState, match="no handover"):
            handovers.confirm(connection, "none", receipt="x", at=NOW)
        with pytest.raises(StaleState):
            handovers.failed(connection, "D1/erp", error="late", next_due=None)
        handovers.offer(connection, [Handover(id="D1/crm", document="D1", target="crm", kind="order", body="{}", created_at=NOW, due_at=NOW)])
        handovers.failed(connection, "D1/crm", error="gone", next_due=None)
        assert handovers.get(connection, "D1/crm").state == "dead"  # type: ignore[union-attr]


def order(id: str = "D1", **fields: Any) -> SalesOrder:
    return SalesOrder(
        **{
            "document": id,
            "partner": "acme",
            "number": "PO1",
            "currency": "USD",
            "total_minor": 1000,
            "created_at": NOW,
            "changed_at": NOW,
            "requested_on": date(2026, 2, 1),
            **fields,
        }
    )


def order_line(number: str = "1", **fields: Any) -> OrderLine:
    return OrderLine(
        **{
            "document": "D1",
            "number": number,
            "ordinal": 1,
            "item": None,
            "unit": "EA",
            "price": Decimal("9.9900"),
            "ordered": Decimal("10.5"),
            **fields,
        }
    )


def test_an_order_is_followed_from_line_to_line(database: Database) -> None:
    with database.begin() as connection:
        insert(connection, document())
        orders.create(connection, [order()], [order_line("1"), order_line("2", ordinal=2)])
        orders.create(connection, [order(total_minor=5)], [order_line("1", ordered=Decimal(99))])
        assert orders.get(connection, "D1") == order()
        orders.decide_lines(
            connection,
            [order_line("1", accepted=Decimal("10.5")), order_line("2", accepted=Decimal(4), back_ordered=Decimal("6.5"), state="partial")],
        )
        orders.change_state(connection, "D1", "registered", "accepted", at=NOW + MINUTE, total_minor=900, promised_on=date(2026, 2, 2))
        lines = orders.add_quantities(
            connection,
            [
                LineChange(document="D1", line="1", despatched=Decimal("0.1")),
                LineChange(document="D1", line="1", despatched=Decimal("0.2")),
                LineChange(document="D1", line="2", invoiced=Decimal(1)),
            ],
        )
        assert lines["D1", "1"].despatched == Decimal("0.3")
        found = orders.lines_of(connection, ["D1"])
        assert [(one.number, one.ordered, one.accepted, one.back_ordered, one.despatched, one.invoiced, one.price) for one in found] == [
            ("1", Decimal("10.5"), Decimal("10.5"), Decimal(0), Decimal("0.3"), Decimal(0), Decimal("9.9900")),
            ("2", Decimal("10.5"), Decimal(4), Decimal("6.5"), Decimal(0), Decimal(1), Decimal("9.9900")),
        ]
        assert str(found[0].price) == "9.9900"
        with pytest.raises(StaleState, match="no line 9"):
            orders.add_quantities(connection, [LineChange(document="D1", line="9", despatched=Decimal(1))])
        with pytest.raises(StaleState, match="is accepted, expected registered or held"):
            orders.change_state(connection, "D1", ("registered", "held"), "cancelled", at=NOW)
        orders.change_state(connection, "D1", ("accepted", "part_despatched"), "part_despatched", at=NOW, add_invoiced_minor=300)
        assert orders.get(connection, "D1").invoiced_minor == 300  # type: ignore[union-attr]
        assert orders.committed_minor(connection, "acme") == {"USD": 600}
        orders.put_lines(connection, "D1", [order_line("7")])
        assert [one.number for one in orders.lines_of(connection, ["D1"])] == ["7"]


def test_orders_are_found_and_listed(database: Database) -> None:
    with database.begin() as connection:
        insert(connection, *(document(f"D{n}") for n in range(4)))
        orders.create(
            connection,
            [order(f"D{n}", number=f"PO{n % 2}", created_at=NOW + n * MINUTE, test=n == 3, state="accepted" if n else "held") for n in range(4)],
            [],
        )
        assert [one.document for one in orders.find(connection, "acme", ["PO1"])] == ["D1", "D3"]
        assert orders.find(connection, "beta", ["PO1"]) == []
        page = orders.search(connection, partner="acme", limit=2)
        assert [one.document for one in page] == ["D3", "D2"]
        assert [one.document for one in orders.search(connection, after=(page[-1].created_at, page[-1].document))] == ["D1", "D0"]
        assert [one.document for one in orders.search(connection, states=["held"], test=False)] == ["D0"]


def test_the_installation_keeps_its_name_and_its_salt(database: Database) -> None:
    with database.begin() as connection:
        assert settings.get(connection, "x") is None
        settings.put(connection, "x", "1")
        settings.put(connection, "x", "2")
        assert settings.get(connection, "x") == "2"
        assert settings.put_once(connection, "x", "3") == "2"
        assert settings.installation_id(connection) == settings.installation_id(connection)
        assert settings.installation_salt(connection) == settings.installation_salt(connection)
        assert len(settings.installation_salt(connection)) == 32


def test_identifiers_sort_in_the_order_of_making_and_never_repeat() -> None:
    made = [new_id() for _ in range(5000)]
    assert made == sorted(set(made))
    assert {len(id) for id in made} == {26}
    together: list[str] = []
    threads = [threading.Thread(target=lambda: together.extend(new_id() for _ in range(2000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(together)) == 8000


def test_times_without_a_zone_are_never_stored() -> None:
    with pytest.raises(ValueError, match="needs its zone"):
        moment_text(NOW.replace(tzinfo=None))
    assert moment_text(NOW) == "2026-01-05T09:30:00.000000Z"
