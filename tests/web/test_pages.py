"""What pages show, and that nothing which somebody sent us becomes part of a page's code."""

import json
import re
import time
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.pipeline.answers.deadlines import watch
from gateway.store.incoming import holds
from gateway.store.records import documents
from gateway.store.records import references
from gateway.store.watching import troubles
from gateway.store.watching.troubles import Trouble
from tests.machine import is_quick
from tests.pipeline.test_answers import FOUR_HOURS
from tests.pipeline.test_answers import Talk
from tests.pipeline.test_batches import partner as batched
from tests.pipeline.world import World
from tests.pipeline.world import x12_order
from tests.web.conftest import XSS
from tests.web.conftest import Seeded
from tests.web.conftest import load_masterdata
from tests.web.world import Reply
from tests.web.world import serving

PAGES = [
    "/",
    "/documents",
    "/holds",
    "/deliveries",
    "/webhooks",
    "/receivables",
    "/trail",
    "/trail?q=PO-CLEAN",
    "/partners",
    "/partners/acme",
    "/partners/euroco",
]


def rows(reply: Reply) -> list[str]:
    """The documents of a list, as the page names them."""
    return re.findall(r"<strong>(.*?)</strong></a>", reply.text)


def named(seeded: Seeded, file: str) -> str:
    """The document that came in a file."""
    with seeded.world.station.database.read() as connection:
        return references.find(connection, file, kinds=["file"], whole=True)[0].document


@pytest.mark.parametrize("path", PAGES)
def test_every_page_answers_and_holds_no_code_of_its_own(seeded: Seeded, path: str) -> None:
    reply = seeded.site.get(path)
    assert reply.status == 200
    assert not re.search(r"<script(?! src=\"/static/)", reply.text)
    assert not re.search(r"\sstyle=|<style|javascript:|\son[a-z]+=\"", reply.text)
    assert '<html lang="en">' in reply.text


def test_what_partners_send_is_never_code(seeded: Seeded) -> None:
    with seeded.world.station.database.read() as connection:
        ids = [row.id for row in documents.search(connection, documents.Filters())]
    for path in [*PAGES, *(f"/documents/{id}" for id in ids), *(f"/documents/{id}?explain=1" for id in ids)]:
        text = seeded.site.get(path).text
        assert "<script>alert" not in text and "<img src=x" not in text and "<b>ACME</b>" not in text, path
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in seeded.site.get("/partners").text
    assert "&lt;b&gt;ACME&lt;/b&gt;" in seeded.site.get(f"/documents/{seeded.document('PO-XSS').id}").text


@pytest.mark.parametrize(
    "path",
    [f"/documents?q={XSS}", f"/trail?q={XSS}", f"/documents?partner={XSS}", f"/holds?done={XSS}", f"/documents/{XSS}", f"/documents?after={XSS}"],
)
def test_what_stands_in_the_address_is_never_code(seeded: Seeded, path: str) -> None:
    assert "<script>alert" not in seeded.site.get(path.replace("<", "%3C").replace(">", "%3E")).text


def test_invisible_characters_are_shown(seeded: Seeded) -> None:
    text = seeded.site.get(f"/documents/{named(seeded, 'odd.edi')}").text
    assert '<span class="invisible" title="not printable, U+0001">␁</span>' in text


def test_filters_are_in_the_address_and_hold_together(seeded: Seeded) -> None:
    assert rows(seeded.site.get("/documents?kind=order&state=held")) == ["PO-HELD"]
    assert rows(seeded.site.get("/documents?kind=order&test=yes")) == ["PO-TEST"]
    assert rows(seeded.site.get("/documents?kind=invoice&direction=out")) == ["INV-000001"]
    assert set(rows(seeded.site.get("/documents?kind=order&state=held&state=accepted&test=no"))) == {"PO-HELD", "PO-CLEAN", "PO-XSS"}
    assert rows(seeded.site.get("/documents?kind=order&partner=euroco")) == []
    assert "Nothing fits" in seeded.site.get("/documents?partner=euroco").text


@pytest.mark.parametrize("query", ["direction=sideways", "test=perhaps", "after=yesterday~x", "after=2026-01-01~x", "after=2026-01-01T00:00:00"])
def test_an_address_that_means_nothing_says_so(seeded: Seeded, query: str) -> None:
    reply = seeded.site.get(f"/documents?{query}")
    assert reply.status == 400 and "cannot be understood" in reply.text
    assert seeded.site.get(f"/documents.json?{query}").status == 400


def test_search_finds_by_number_control_number_and_file(seeded: Seeded) -> None:
    assert "PO-CLEAN" in rows(seeded.site.get("/documents?q=po-cle")) and "PO-HELD" not in rows(seeded.site.get("/documents?q=po-cle"))
    assert "found by file" in seeded.site.get("/documents?q=xss.edi").text
    assert rows(seeded.site.get("/documents?q=000000002")) == ["PO-HELD"]
    assert rows(seeded.site.get(f"/documents?q={seeded.document('PO-CLEAN').id}")) == ["PO-CLEAN"]
    assert "Nothing fits" in seeded.site.get("/documents?q=NOBODY").text


def test_pages_of_a_list_hang_together(fresh: Seeded) -> None:
    many = x12_order("PO-0").decode()
    first, last = many.index("ST*"), many.index("GE*")
    body = "".join(
        many[first:last].replace("PO-0", f"PO-{number}").replace("*0001~", f"*{number + 1:04d}~").replace("ST*850*0001", f"ST*850*{number + 1:04d}")
        for number in range(120)
    )
    fresh.world.receive((many[:first] + body + f"GE*120*1~{many[many.index('IEA') :]}").encode())
    path, seen = "/documents?kind=order&direction=in", []
    while path:
        reply = fresh.site.get(path)
        seen += rows(reply)
        found = re.search(r'rel="next" href="([^"]+)"', reply.text)
        path = found.group(1).replace("&amp;", "&") if found else ""
    assert len(seen) == 120 and len(set(seen)) == 120
    answer = json.loads(fresh.site.get("/documents.json?kind=order").body)
    assert len(answer["documents"]) == 50 and "kind=order" in answer["next"]
    assert len(json.loads(fresh.site.get(answer["next"]).body)["documents"]) == 50


def test_a_wrong_element_is_marked_where_it_stands(seeded: Seeded) -> None:
    text = seeded.site.get(f"/documents/{named(seeded, f'{XSS}.edi')}").text
    assert "PID-05 is 90 characters long" in text and 'href="#s10e5"' in text
    assert re.search(r'<li id="s10" class="raw-line faulty">.*?<mark id="s10e5">W{90}</mark>', text, re.DOTALL)
    assert text.count("<mark") == 2  # in the bytes, and in words


def test_a_price_that_differs_is_marked_in_the_bytes_and_in_the_canonical_order(seeded: Seeded) -> None:
    text = seeded.site.get(f"/documents/{seeded.document('PO-HELD').id}").text
    assert '<mark id="s9e4">8.10</mark>' in text
    assert '<li class="leaf faulty waits" id="f-lines-0--price">' in text
    assert "It waits for your decision" in text


def test_each_field_says_where_it_came_from_when_asked(seeded: Seeded) -> None:
    id = seeded.document("PO-CLEAN").id
    assert "mappings/x12/004010/850.yaml" not in seeded.site.get(f"/documents/{id}").text
    text = seeded.site.get(f"/documents/{id}?explain=1").text
    assert '<a class="mono" href="#s2e3">BEG/03</a> copied' in text
    assert '<a class="mono" href="#s11e4">PO1/04</a>' in text


def test_elements_have_their_names_and_codes_their_meaning(seeded: Seeded) -> None:
    text = seeded.site.get(f"/documents/{seeded.document('PO-CLEAN').id}").text
    assert "Order number" in text and 'BY <span class="meaning">buyer</span>' in text and '20260120 <span class="meaning">2026-01-20</span>' in text


def test_what_left_is_shown_with_its_bytes(seeded: Seeded) -> None:
    text = seeded.site.get(f"/documents/{seeded.document('INV-000001', kind='invoice', direction='out').id}").text
    assert "As it left" in text and "BIG" in text and "sent" in text


def test_the_archived_bytes_are_given_out_exactly_and_never_opened(seeded: Seeded) -> None:
    reply = seeded.site.get(f"/documents/{seeded.document('PO-CLEAN').id}/payload")
    assert reply.body == x12_order("PO-CLEAN", lines=(("1", "10", "9.25", "SKU1"), ("2", "4", "14.00", "SKU2")))
    assert (reply.headers["content-type"], reply.headers["content-disposition"]) == ("application/octet-stream", 'attachment; filename="po.edi"')
    with seeded.world.station.database.read() as connection:
        names = [hold.transmission for hold in holds.list_open(connection) if hold.transmission]
    for id in names:
        given = seeded.site.get(f"/files/{id}/payload").headers["content-disposition"]
        assert re.fullmatch(r'attachment; filename="[\w.+=@ -]+"', given) and ".." not in given


@pytest.mark.parametrize(
    "path",
    ["/documents/D-none", "/documents/D-none/payload", "/files/none/payload", "/sent/none/payload", "/documents/..%2f..%2fetc%2fpasswd", "/nothing"],
)
def test_what_is_not_there_is_not_found(seeded: Seeded, path: str) -> None:
    reply = seeded.site.get(path)
    assert reply.status == 404 and "root:" not in reply.text


def test_the_trail_tells_the_story_from_the_order_to_the_invoice(seeded: Seeded) -> None:
    text = seeded.site.get("/trail?q=INV-000001").text
    told = [text.index(words) for words in ("File received", "Order accepted", "Order response sent", "Despatch advice sent", "Invoice sent")]
    assert told == sorted(told)
    assert "technical step" in text and "journal entry" in text and "148.50" in text
    waits = seeded.site.get("/trail?q=000000005").text
    assert "File held, until a person decides" in waits and "PARTNER-UNKNOWN-SENDER" in waits and "waits for a person" in waits
    # the proof of an interchange keeps the case of who sent it
    assert "from ZZ:STRANGER" in waits
    assert "Nothing is known" in seeded.site.get("/trail?q=NOBODY").text


def test_the_dashboard_counts_what_its_links_show(seeded: Seeded) -> None:
    text = seeded.site.get("/").text
    for link, number in re.findall(r'class="number-card \w+" href="([^"]+)">.*?<span class="number-value">(\d+)</span>', text, re.DOTALL):
        page = seeded.site.get(link.replace("&amp;", "&").split("#")[0]).text
        if "payments" not in link:
            assert page.count("data-row") == int(number), link


def test_amounts_stand_with_their_currency(seeded: Seeded) -> None:
    text = seeded.site.get("/receivables").text
    assert '<span class="amount">148.50</span> <span class="currency">USD</span>' in text and "due in" in text
    assert 'href="/trail?q=PO-CLEAN&amp;partner=acme"' in text, "others may have an order of this number"


def test_partners_show_agreements_and_no_secret(seeded: Seeded) -> None:
    text = seeded.site.get("/partners").text
    assert "x12/004010/850" in text and "edifact/d96a/orders" in text and "folder: boxes/acme/out" in text


def test_empty_pages_say_why_and_what_to_do(fresh: Seeded) -> None:
    for path, words in {
        "/": "gateway receive FILE",
        "/documents": "No documents yet",
        "/holds": "Nothing waits",
        "/deliveries": "Nothing here",
        "/receivables": "All money has its place",
        "/trail": "Type a number",
    }.items():
        assert words in fresh.site.get(path).text, path


def test_a_large_transaction_is_shown_in_parts(fresh: Seeded) -> None:
    lines = tuple((str(number), "1", "9.25", "SKU1") for number in range(1, 1001))
    result = fresh.world.receive(wrong_last(x12_order("PO-LARGE", lines=lines)))
    id = result.documents[0].id
    begun = time.process_time()  # the server is in this process
    first = fresh.site.get(f"/documents/{id}").text
    assert is_quick(time.process_time() - begun, 5)
    assert first.count('class="raw-line') == 500 and "Segments 1 to 500 of 2,0" in first
    link = re.search(r'href="(\?from=\d+#s\d+e\d+)"', first)
    assert link is not None and "<mark" not in first
    assert "<mark id=" in fresh.site.get(f"/documents/{id}{link.group(1).split('#')[0]}").text


def wrong_last(order: bytes) -> bytes:
    """The last item description of an order is too long."""
    head, _, tail = order.rpartition(b"PID*F****WIDGET")
    return head + b"PID*F****" + b"W" * 90 + tail


UBL = """\
id: ublco
name: UBL GmbH
identifiers: {gln: "1234567890128"}
endpoints: {box: {folder: boxes/ublco/out, send_to: boxes/ublco/in}}
agreements: [{receive: ubl/order, from: box}, {send: ubl/order-response, to: box}]
currency: EUR
credit: none
"""
UBL_ORDER = """\
<?xml version="1.0" encoding="UTF-8"?>
<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"
  xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
  xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:ID>PO-UBL</cbc:ID>
  <cbc:IssueDate>2026-01-05</cbc:IssueDate>
  <cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
  <cac:BuyerCustomerParty><cac:Party><cbc:EndpointID schemeID="0088">1234567890128</cbc:EndpointID>
    <cac:PartyName><cbc:Name>Käufer &amp; Söhne</cbc:Name></cac:PartyName></cac:Party></cac:BuyerCustomerParty>
  <cac:SellerSupplierParty><cac:Party><cbc:EndpointID schemeID="0088">4012345500004</cbc:EndpointID></cac:Party></cac:SellerSupplierParty>
  <cac:OrderLine><cac:LineItem><cbc:ID>1</cbc:ID><cbc:Quantity unitCode="H87">10</cbc:Quantity>
    <cac:Price><cbc:PriceAmount currencyID="EUR">9.25</cbc:PriceAmount></cac:Price>
    <cac:Item><cbc:Name>Widget</cbc:Name><cac:SellersItemIdentification><cbc:ID>UNKNOWN</cbc:ID></cac:SellersItemIdentification></cac:Item>
  </cac:LineItem></cac:OrderLine>
</Order>
"""


def test_an_xml_order_is_shown_line_by_line_and_its_fault_marked(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"ublco": UBL})
    load_masterdata(world)
    [row] = world.receive(UBL_ORDER.encode(), address="folder:boxes/ublco/out", name="order.xml").documents
    with serving(world.station) as site:
        text = site.get(f"/documents/{row.id}?explain=1").text
        one_line = world.receive(UBL_ORDER.replace("\n", "").replace("PO-UBL", "PO-2").encode(), address="folder:boxes/ublco/out", name="long.xml")
        broken = site.get(f"/documents/{one_line.documents[0].id}").text
    world.close()
    assert (row.number, row.state) == ("PO-UBL", "held")
    assert "Käufer &amp;amp; Söhne" in text and "&lt;cbc:IssueDate&gt;" in text
    assert "<mark>UNKNOWN</mark>" in text and "mappings/ubl/order.yaml" in text
    assert broken.count('class="raw-line') > 20


def test_a_document_whose_bytes_are_gone_says_so(fresh: Seeded) -> None:
    row = fresh.world.receive(x12_order("PO-GONE", lines=(("1", "1", "9.25", "SKU1"),))).documents[0]
    assert row.sha256 is not None
    (fresh.world.folder / "data/archive" / row.sha256[:2] / row.sha256).unlink()
    assert "The bytes are not there" in fresh.site.get(f"/documents/{row.id}").text
    assert fresh.site.get(f"/documents/{row.id}/payload").status == 404


def test_the_first_page_shows_what_does_not_work_until_it_works(fresh: Seeded) -> None:
    assert "Not working now" not in fresh.site.get("/").text
    database, now = fresh.world.station.database, fresh.world.clock()
    with database.begin() as connection:
        for state, error in (("retrying", f"no route to {XSS}"), ("stopped", "another host key")):
            name = f"mailbox sftp://{state}.example/out"
            troubles.stands(connection, Trouble(name=name, kind="mailbox", partner="acme", state=state, error=error, cure="Mend it.", since=now))
    text = fresh.site.get("/").text
    assert text.index("sftp://stopped.example/out") < text.index("sftp://retrying.example/out"), "what waits for a person comes first"
    assert "is stopped" in text and "fails" in text and "Mend it." in text and "<script>alert" not in text
    numbers = fresh.site.get("/metrics").text
    assert 'gateway_not_working{kind="mailbox",state="stopped"} 1.0' in numbers
    with database.begin() as connection:
        troubles.forget_all(connection)
    assert "Not working now" not in fresh.site.get("/").text


def test_a_rejection_by_the_partner_marks_our_bytes_and_can_be_sent_again(fresh: Seeded) -> None:
    fresh.world.receive(x12_order("PO-1"))
    talk = Talk(fresh.world)
    talk.of_response("R", f"AK3*ACK*10**8~AK4*2*380*7*{XSS.replace('*', '')}~", number="OR-PO-1")
    ours = fresh.document("OR-PO-1", direction="out")
    text = fresh.site.get(f"/documents/{ours.id}").text
    assert "Rejected by the partner" in text and "invalid code (AK403 7)" in text and "<script>alert" not in text
    assert re.search(r'<mark id="s10e2">10</mark>', text), "the element is marked in what we sent"
    assert ours.id in fresh.site.get("/holds").text and "It is settled" in fresh.site.get("/holds").text
    assert "gateway_rejections_open 1.0" in fresh.site.get("/metrics").text
    assert fresh.site.post_form(f"/documents/{ours.id}/resend", "reason=&how=anew").status == 422
    assert fresh.site.post_form(f"/documents/{ours.id}/resend", "reason=corrected&how=otherwise").status == 422
    assert fresh.site.post_form(f"/documents/{ours.id}/resend", "reason=x&how=anew", Origin="http://evil.example").status == 403
    done = fresh.site.post_form(f"/documents/{ours.id}/resend", "reason=corrected&how=anew")
    assert done.status == 303 and "It is sent again" in fresh.site.follow(done.headers["location"]).text
    again = fresh.site.post_form(f"/documents/{ours.id}/resend", "reason=corrected&how=anew")
    assert again.status == 409 and "still on its way" in again.text
    fresh.world.settle()
    text = fresh.site.get(f"/documents/{ours.id}").text
    assert "Rejected by the partner" not in text and "<mark" not in text and text.count("OR-PO-1") > 0
    assert fresh.site.get("/holds").text.count(ours.id) == 0


def test_the_answer_shows_what_it_speaks_of_and_one_that_fits_nothing_says_so(fresh: Seeded) -> None:
    fresh.world.receive(x12_order("PO-1"))
    talk = Talk(fresh.world)
    accepted = talk.of_response("A", number="OR-PO-1")
    strange = talk.x12("AK1*IN*4711~AK2*810*0001~AK5*A~AK9*A*1*1*1~")
    assert accepted is not None and strange is not None
    ours = fresh.document("OR-PO-1", direction="out")
    assert f"/documents/{ours.id}" in fresh.site.get(f"/documents/{accepted.id}").text
    assert f"/documents/{accepted.id}" in fresh.site.get(f"/documents/{ours.id}").text
    text = fresh.site.get(f"/documents/{strange.id}").text
    assert "nothing that we sent" in text and "ANSWER-UNMATCHED" in text
    assert "gateway_answers_unmatched 1.0" in fresh.site.get("/metrics").text
    [sent] = json.loads(fresh.site.get(f"/api/v1/documents/{ours.id}").text)["sent"]
    assert [(one["kind"], one["outcome"]) for one in sent["answers"]] == [("997", "accepted")]


def test_overdue_answers_are_counted_and_lead_to_their_rows(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": FOUR_HOURS})
    load_masterdata(world)
    world.receive(x12_order("PO-1"))
    with serving(world.station) as site:
        assert "of 1 that partners owe us" in site.get("/").text
        assert "OR-" not in site.get("/holds").text
        world.clock.now += timedelta(days=3)
        watch(world.station)
        assert 'href="/deliveries?answer=overdue"' in site.get("/").text
        assert "855-000000002.edi" in site.get("/deliveries?answer=overdue").text
        assert site.get("/deliveries?answer=never").status == 400
        assert 'gateway_answers{partner="acme",state="overdue"} 1.0' in site.get("/metrics").text
        assert "ANSWER-OVERDUE" in site.get("/holds?kind=overdue").text
    world.close()


def test_the_partners_page_shows_numbers_answers_and_what_waits_for_its_window(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": batched("{at: hourly, zone: Europe/Berlin}", "zone: Europe/Berlin\n")})
    load_masterdata(world)
    for control in (1, 2, 4):
        world.receive(x12_order(f"PO-{control}", control=control))
    Talk(world, 4).x12("AK1*IN*4711~AK2*810*0001~AK5*A~AK9*A*1*1*1~")
    with serving(world.station) as site:
        text = site.get("/partners/acme").text
        assert "3 documents wait for 11:00 (Europe/Berlin)" in text
        assert "leaves every full hour (Europe/Berlin), in one interchange" in text
        assert re.search(r'data-label="Used" class="mono small">1 to 2, 4 to 5<', text) and ">3</span>" in text
        assert "Answers that fit nothing we sent" in text and "810 transaction 0001 of group 4711" in text
        assert "leaves at 2026-01-06 10:00:00 UTC" in site.get("/deliveries?state=waiting").text
        [row] = json.loads(site.get("/documents.json?kind=order_response&q=PO-4").text)["documents"]
        assert "It leaves at 2026-01-06 10:00:00 UTC" in site.get(f"/documents/{row['id']}").text
        assert site.get("/partners/nobody").status == 404
    world.close()
