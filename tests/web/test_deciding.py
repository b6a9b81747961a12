"""What people decide on pages, and what systems hand in: it reaches the store, the journal and the partner."""

import json
from urllib.parse import quote

import pytest

from gateway.store import journal
from gateway.store.incoming import holds
from gateway.store.incoming import transmissions
from gateway.store.outgoing import outbox
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order
from tests.web.conftest import Seeded

LOW_PRICE = (("1", "10", "8.10", "SKU1"),)
GOOD = (("1", "10", "9.25", "SKU1"),)


def held(fresh: Seeded) -> str:
    """A held order's hold."""
    fresh.world.receive(x12_order("PO1", lines=LOW_PRICE))
    with fresh.world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    return hold.id


def state_of(fresh: Seeded, number: str = "PO1") -> str:
    fresh.world.settle()
    return fresh.document(number).state


def test_a_held_order_is_released_through_the_form(fresh: Seeded) -> None:
    hold = held(fresh)
    assert "RULE-PRICE-DIFFERS" in fresh.site.get("/holds").text
    reply = fresh.site.post_form(f"/holds/{hold}/release", "reason=agreed+by+phone")
    assert (reply.status, reply.headers["location"]) == (303, f"/holds?done={hold}")
    page = fresh.site.get(reply.headers["location"]).text
    assert "was released by web (local user)" in page and "agreed by phone" in page
    assert state_of(fresh) == "accepted"
    assert any("*855*" in text for text in fresh.world.sent())
    with fresh.world.station.database.read() as connection:
        told = journal.of_subject(connection, "document", fresh.document("PO1").id)
    assert ("web (local user)", "agreed by phone") in {(one.entry.actor, one.entry.reason) for one in told}


def test_a_held_order_is_rejected_through_the_form_and_the_partner_told(fresh: Seeded) -> None:
    reply = fresh.site.post_form(f"/holds/{held(fresh)}/reject", "reason=too+cheap")
    assert reply.status == 303 and state_of(fresh) == "rejected"
    response = next(text for text in fresh.world.sent() if "*855*" in text)
    assert tags(response, "BAK")[0][2] in {"RD", "RJ"}


@pytest.mark.parametrize("form", ["reason=", "reason=+++", "", "other=x"])
def test_a_decision_needs_a_reason(fresh: Seeded, form: str) -> None:
    hold = held(fresh)
    reply = fresh.site.post_form(f"/holds/{hold}/release", form)
    assert reply.status == 422 and "needs a reason" in reply.text and state_of(fresh) == "held"


def test_nobody_decides_twice(fresh: Seeded) -> None:
    hold = held(fresh)
    assert fresh.site.post_form(f"/holds/{hold}/release", "reason=yes").status == 303
    again = fresh.site.post_form(f"/holds/{hold}/reject", "reason=no")
    assert again.status == 409 and "was decided already" in again.text


def test_a_hold_is_meant_by_its_own_id_only(fresh: Seeded) -> None:
    held(fresh)
    for other in ("PO1", "H", "H-none", fresh.document("PO1").id):
        assert fresh.site.post_form(f"/holds/{other}/release", "reason=x").status == 409
    assert state_of(fresh) == "held"


def test_what_was_typed_stays_when_a_decision_is_refused(fresh: Seeded) -> None:
    hold = held(fresh)
    page = fresh.site.post_form(f"/holds/{hold}/release", f"reason={'x' * 600}")
    assert page.status == 409 and "600 characters long" in page.text and f'value="{"x" * 600}"' in page.text


def test_an_unknown_senders_file_is_rejected_through_the_form(fresh: Seeded) -> None:
    fresh.world.receive(x12_order("PO9", sender="STRANGER"))
    with fresh.world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    assert fresh.site.post_form(f"/holds/{hold.id}/reject", "reason=not+ours").status == 303
    with fresh.world.station.database.read() as connection:
        assert holds.list_open(connection) == []


def test_a_delivery_that_was_given_up_is_tried_again(fresh: Seeded) -> None:
    fresh.world.receive(x12_order("PO1", lines=GOOD))
    station = fresh.world.station
    with station.database.begin() as connection:
        entry = outbox.search(connection)[0]
        from sqlalchemy import update

        from gateway.store import tables

        connection.execute(update(tables.outbox).where(tables.outbox.c.id == entry.id).values(state="dead", last_error="no such host"))
    assert "no such host" in fresh.site.get("/deliveries?state=dead").text
    reply = fresh.site.post_form(f"/deliveries/{quote(entry.id)}/retry", "")
    assert reply.status == 303 and "tried again" in fresh.site.follow(reply.headers["location"]).text
    assert fresh.site.post_form(f"/deliveries/{quote(entry.id)}/retry", "").status == 409
    fresh.world.settle()
    with station.database.read() as connection:
        assert outbox.get_existing(connection, entry.id).state == "sent"
    told = fresh.site.post_form(f"/deliveries/{quote(entry.id)}/retry", "")
    assert told.status == 409 and "there is nothing to try again" in told.text


def test_a_partner_is_paused_what_waits_is_stopped_and_the_rest_leaves_when_it_is_resumed(fresh: Seeded) -> None:
    station = fresh.world.station
    assert fresh.site.post_form("/partners/acme/pause", "reason=+").status == 422
    assert fresh.site.post_form("/partners/nobody/pause", "reason=x").status == 404
    reply = fresh.site.post_form("/partners/acme/pause", "reason=server+moves&fetching=too")
    assert (reply.status, reply.headers["location"]) == (303, "/partners/acme")
    page = fresh.site.get("/partners/acme").text
    assert "server moves" in page and "its mailboxes are not looked into" in page and 'action="/partners/acme/resume"' in page
    assert "gateway_partners_paused 1.0" in fresh.site.get("/metrics").text
    assert "acme" in fresh.site.get("/").text and "paused" in fresh.site.get("/").text
    fresh.world.receive(x12_order("PO1", lines=GOOD))
    with station.database.read() as connection:
        response = next(entry for entry in outbox.search(connection) if entry.kind == "order_response")
    listed = fresh.site.get("/deliveries?state=waiting").text
    assert 'href="/partners/acme">paused' in listed and f"/deliveries/{quote(response.id)}/cancel" in listed
    assert f"/deliveries/{quote(response.id)}/cancel" in fresh.site.get(f"/documents/{response.document}").text
    assert "needs a reason" in fresh.site.post_form(f"/deliveries/{quote(response.id)}/cancel", "reason=+").text
    assert fresh.site.post_form(f"/deliveries/{quote(response.id)}/cancel", f"reason={'x' * 600}").status == 409
    stopped = fresh.site.post_form(f"/deliveries/{quote(response.id)}/cancel", "reason=told+by+phone")
    assert stopped.status == 303 and "was stopped and does not leave" in fresh.site.follow(stopped.headers["location"]).text
    assert "stopped before it left" in fresh.site.get(f"/documents/{response.document}").text
    assert fresh.site.post_form("/partners/acme/resume", "").status == 303
    assert fresh.site.post_form("/partners/acme/resume", "").status == 409
    fresh.world.settle()
    assert [text for text in fresh.world.sent() if "*997*" in text] and not [text for text in fresh.world.sent() if "*855*" in text]


# ---------------------------------------------------------------- the API


def api(fresh: Seeded, method: str, path: str, body: object = None, kind: str = "application/json") -> tuple[int, dict[str, object]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
    reply = fresh.site.ask(method, f"/api/v1/{path}", data, {"Content-Type": kind})
    return reply.status, json.loads(reply.body)


def test_the_api_lists_and_shows_documents(fresh: Seeded) -> None:
    fresh.world.receive(x12_order("PO1", lines=GOOD))
    status, answer = api(fresh, "GET", "documents?kind=order")
    [one] = answer["documents"]  # type: ignore[misc]
    assert (status, one["number"], one["state"], one["amount_minor"]) == (200, "PO1", "accepted", 9250)
    status, whole = api(fresh, "GET", f"documents/{one['id']}")
    assert status == 200 and whole["document"]["lines"][0]["price"] == "9.25" and whole["plans"] and whole["history"]  # type: ignore[index]
    assert api(fresh, "GET", "documents/none")[0] == 404


def test_the_api_decides_holds(fresh: Seeded) -> None:
    hold = held(fresh)
    status, answer = api(fresh, "GET", "holds")
    assert status == 200 and answer["holds"][0]["id"] == hold and answer["holds"][0]["number"] == "PO1"  # type: ignore[index]
    assert api(fresh, "POST", f"holds/{hold}/release", {"reason": ""})[0] == 409
    assert api(fresh, "POST", f"holds/{hold}/release", {"why": "x"})[0] == 400
    assert api(fresh, "POST", f"holds/{hold}/release", {"reason": "agreed"})[0] == 200
    assert state_of(fresh) == "accepted"
    assert api(fresh, "POST", f"holds/{hold}/reject", {"reason": "no"})[0] == 409


def test_shipments_and_invoices_are_handed_in_by_the_api(fresh: Seeded) -> None:
    fresh.world.receive(x12_order("PO1", lines=GOOD))
    status, answer = api(fresh, "POST", "shipments?name=../../evil.csv", b"order,line,quantity\nPO1,1,10\n", "text/csv")
    assert status == 202 and len(answer["documents"]) == 1  # type: ignore[arg-type]
    assert api(fresh, "POST", "shipments", b"order,line,quantity\nPO1,1,10\n", "text/csv")[1] == answer
    fresh.world.settle()
    status, answer = api(fresh, "POST", "invoices", {"orders": ["PO1"]})
    assert status == 202
    fresh.world.settle()
    assert fresh.document("INV-000001", kind="invoice", direction="out").amount_minor == 9250
    status, answer = api(fresh, "POST", "invoices", {"orders": ["NOBODY"]})
    assert status == 422 and answer["problems"][0]["code"].startswith("BILLING-")  # type: ignore[index]
    assert api(fresh, "POST", "shipments", b"rubbish")[0] == 422
    assert api(fresh, "POST", "invoices", b"{")[0] == 400


def test_a_bank_file_is_handed_in_once(fresh: Seeded) -> None:
    status, first = api(fresh, "POST", "payments/files?name=..%2f..%2fstatement.xml", b"no bank file", "application/octet-stream")
    assert status == 202 and first["new"] is True
    assert api(fresh, "POST", "payments/files", b"no bank file", "application/octet-stream")[1]["new"] is False
    with fresh.world.station.database.read() as connection:
        row = transmissions.get(connection, str(first["transmission"]))
    assert row is not None and row.name == "statement.xml"
    assert api(fresh, "POST", "payments/files", b"")[0] == 400
    assert api(fresh, "POST", "payments/files?partner=nobody", b"x")[0] == 400


def test_master_data_is_taken_whole_or_not_at_all(fresh: Seeded) -> None:
    assert api(fresh, "PUT", "masterdata/items", b"number,name,base_unit\nSKU9,Nine,EA\n", "text/csv") == (200, {"rows": 1, "faults": []})
    assert api(fresh, "PUT", "masterdata/prices", [{"item": "SKU9", "currency": "USD", "amount": "3.50"}])[0] == 200
    status, answer = api(fresh, "PUT", "masterdata/items", b"number,colour\nSKU8,red\n", "text/csv")
    assert status == 422 and "there is no column 'colour'" in str(answer["faults"])
    assert api(fresh, "PUT", "masterdata/prices", [{"item": "NOBODY", "currency": "USD", "amount": "3.50"}])[0] == 422
    assert api(fresh, "PUT", "masterdata/secrets", b"x")[0] == 400
    assert api(fresh, "PUT", "masterdata/items", b"\xff\xfe")[0] == 400
    with fresh.world.station.database.read() as connection:
        assert [one.entry.actor for one in journal.of_subject(connection, "masterdata", "items")] == ["api (local user)"]


def test_the_api_describes_itself(fresh: Seeded) -> None:
    described = json.loads(fresh.site.get("/api/openapi.json").body)
    assert "/api/v1/shipments" in described["paths"] and "requestBody" in described["paths"]["/api/v1/invoices"]["post"]
    assert not any(path.startswith(("/documents", "/as2")) for path in described["paths"])
    assert fresh.site.get("/docs").status == 404 and fresh.site.get("/redoc").status == 404


def test_health_says_what_is_so(fresh: Seeded) -> None:
    from gateway.pipeline.engine.local import OwnerLock

    assert fresh.site.get("/healthz").text == "ok\n"
    assert fresh.site.get("/readyz").status == 503
    with OwnerLock(fresh.world.station.installation.data) as lock:
        assert lock.take()
        reply = fresh.site.get("/readyz")
        assert (reply.status, json.loads(reply.body)) == (200, {"database": "reachable", "engine": "running", "archive": "writable"})
    fresh.world.receive(x12_order("PO1", lines=LOW_PRICE))
    metrics = fresh.site.get("/metrics").text
    assert 'gateway_documents{direction="in",kind="order",state="held",test="no"} 1.0' in metrics
    assert "gateway_holds_open 1.0" in metrics and "gateway_engine_owned 0.0" in metrics
