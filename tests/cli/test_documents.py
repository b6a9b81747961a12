"""check, read, write, ack and schema: the forms of CONTRACT.md, exit codes, and plain sentences for what goes wrong."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order

ORDERS = (
    "UNA:+.? 'UNB+UNOC:3+ACMEBUYER:ZZZ+SELLERCO:ZZZ+260105:1200+REF1++ORDERS'UNH+1+ORDERS:D:96A:UN:EAN008'BGM+220+PO1+9'DTM+137:20260105:102'"
    "NAD+BY+5412345000013::9'NAD+SU+4012345500004::9'CUX+2:EUR:9'LIN+1++4012345500004:EN'PIA+1+V1:SA'QTY+21:5:PCE'PRI+AAA:9.25'UNS+S'CNT+2:1'UNT+13+1'UNZ+1+REF1'"
)


def put(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode("latin-1"))
    return path


def test_check_tells_the_whole_of_a_file_in_the_form_of_the_contract(command: Command, tmp_path: Path) -> None:
    bad = x12_order("PO2", set_control="0002").decode().replace("PID*F****WIDGET", "PID*F****" + "W" * 90)
    both = x12_order().decode().replace("GE*1*1~", bad[bad.index("ST*850*0002") : bad.index("GE*")] + "GE*2*1~")
    file = put(tmp_path, "po.edi", both)
    said = command("check", "po.edi", "--json")
    assert said.code == 1
    report = json.loads(said.out)
    assert (report["file"], report["syntax"], report["outcome"]) == ("po.edi", "x12", "partially_accepted")
    assert report["counts"] == {"transactions": 2, "accepted": 1, "rejected": 1}
    [interchange] = report["interchanges"]
    assert (interchange["control_number"], interchange["sender"], interchange["receiver"], interchange["test"]) == (
        "000000001",
        "ZZ:ACMEBUYER",
        "ZZ:SELLERCO",
        False,
    )
    [group] = interchange["groups"]
    assert (group["type"], group["control_number"], group["version"], group["outcome"]) == ("PO", "1", "004010", "partially_accepted")
    assert group["transactions"] == [{"type": "850", "control_number": "0002", "outcome": "rejected", "problems": [0]}]
    [problem] = report["problems"]
    assert (problem["code"], problem["severity"], problem["found"], problem["expected"]) == (
        "X12-ELEMENT-TOO-LONG",
        "error",
        "W" * 90,
        "at most 80 characters",
    )
    place = problem["place"]
    assert set(place) == {
        "interchange",
        "group",
        "transaction",
        "segment",
        "index",
        "element",
        "component",
        "repetition",
        "offset",
        "length",
        "line",
        "path",
    }
    assert (place["transaction"], place["segment"], place["index"], place["element"], place["length"]) == ("0002", "PID", 10, 5, 90)
    assert file.read_bytes()[place["offset"] : place["offset"] + place["length"]] == b"W" * 90


def test_warnings_leave_a_file_accepted(command: Command, tmp_path: Path) -> None:
    put(tmp_path, "po.edi", b"\xef\xbb\xbf" + x12_order())
    said = command("check", "po.edi", "--json")
    report = json.loads(said.out)
    assert (said.code, report["outcome"], [problem["severity"] for problem in report["problems"]]) == (0, "accepted", ["warning"])


def test_several_files_are_a_line_each_and_the_highest_code(command: Command, tmp_path: Path) -> None:
    put(tmp_path, "good.edi", x12_order())
    put(tmp_path, "junk.txt", "hello")
    said = command("check", "good.edi", "junk.txt", "missing.edi", "--json")
    assert said.code == 3
    assert [json.loads(line)["outcome"] for line in said.out.splitlines()] == ["accepted", "unreadable", "unreadable"]


def test_check_for_people_names_line_and_byte(command: Command, tmp_path: Path) -> None:
    put(tmp_path, "po.edi", x12_order().replace(b"*EA*", b"*E*"))
    said = command("check", "po.edi")
    assert "PO1-03 is 1 character long, exactly 2 are allowed" in said.out
    assert "byte " in said.out


def test_read_prints_one_canonical_order_a_line(command: Command, tmp_path: Path) -> None:
    put(tmp_path, "po.edi", x12_order())
    put(tmp_path, "orders.edi", ORDERS)
    said = command("read", "po.edi", "orders.edi")
    assert said.code == 0, said.err
    first, second = (json.loads(line) for line in said.out.splitlines())
    assert (first["kind"], first["number"], first["lines"][0]["price"], first["lines"][0]["unit"]) == ("order", "PO1", "9.25", "EA")
    assert (second["source"]["syntax"], second["lines"][0]["unit"], second["lines"][0]["unit_source"]) == ("edifact", "H87", "PCE")
    assert "null" not in said.out


def test_read_leaves_rejected_transactions_out_and_says_so(command: Command, tmp_path: Path) -> None:
    put(tmp_path, "po.edi", x12_order().replace(b"BEG*00", b"BEG*QQ"))
    said = command("read", "po.edi", "--json-problems", "problems.jsonl")
    assert (said.code, said.out) == (1, "")
    assert "X12-ELEMENT-CODE" in said.err
    assert json.loads((tmp_path / "problems.jsonl").read_text())["problems"][0]["code"] == "X12-ELEMENT-CODE"


def test_a_missing_file_is_exit_3_and_the_others_are_done(command: Command, tmp_path: Path) -> None:
    put(tmp_path, "po.edi", x12_order())
    said = command("read", "missing.edi", "po.edi")
    assert said.code == 3
    assert json.loads(said.out)["number"] == "PO1"
    assert "missing.edi cannot be opened" in said.err


@pytest.mark.parametrize(
    ("name", "data", "field", "source"),
    [
        ("po.edi", x12_order(), "lines[0].price", "PO1/04"),
        ("orders.edi", ORDERS.encode(), "lines[0].price", "PRI/C509/5118"),
    ],
)
def test_explain_names_the_bytes_of_each_field(command: Command, tmp_path: Path, name: str, data: bytes, field: str, source: str) -> None:
    put(tmp_path, name, data)
    [origin] = json.loads(command("read", "--explain", name).out)["provenance"][field]
    assert (origin["source"], origin["how"]) == (source, "converted") or (origin["source"], origin["how"]) == (source, "copied")
    assert data[origin["offset"] : origin["offset"] + origin["length"]] == b"9.25"
    path, line = origin["mapping"].rsplit(":", 1)
    assert path.endswith(".yaml")
    assert int(line) > 0


def test_what_is_written_is_read_again(command: Command, tmp_path: Path) -> None:
    put(tmp_path, "po.edi", x12_order())
    order = command("read", "po.edi").out
    put(tmp_path, "order.json", order)
    for spec, name in (("x12/004010/850", "again.edi"), ("edifact/d96a/orders", "again.edifact"), ("ubl/order", "again.xml")):
        said = command("write", "order.json", "--as", spec)
        assert said.code == 0, said.err
        put(tmp_path, name, said.out)
        again, first = json.loads(command("read", name).out), json.loads(order)
        assert (again["number"], again["currency"], again["lines"][0]["quantity"], again["lines"][0]["price"]) == (
            first["number"],
            first["currency"],
            first["lines"][0]["quantity"],
            first["lines"][0]["price"],
        )


def test_a_document_that_is_none_is_a_sentence(command: Command, tmp_path: Path) -> None:
    put(tmp_path, "order.json", '{"kind": "order", "number": 7}')
    said = command("write", "order.json", "--as", "x12/004010/850")
    assert said.code == 3
    assert "is no canonical document" in said.err
    assert "$.number" in said.err


def test_a_spec_that_we_lack_names_those_that_we_have(command: Command, tmp_path: Path) -> None:
    put(tmp_path, "order.json", '{"kind": "order", "number": "7"}')
    said = command("write", "order.json", "--as", "x12/004010/999")
    assert said.code == 2
    assert "x12/004010/850" in said.err


def test_ack_is_the_acknowledgment_that_we_would_send(command: Command, tmp_path: Path) -> None:
    put(tmp_path, "po.edi", x12_order())
    said = command("ack", "po.edi")
    assert said.code == 0
    assert tags(said.out, "AK9") == [["AK9", "A", "1", "1", "1"]]
    assert tags(said.out, "ISA")[0][6].strip() == "SELLERCO"
    assert tags(command("ack", "po.edi", "--type", "999").out, "ST")[0][1] == "999"
    assert tags(command("ack", "po.edi", "--type", "TA1").out, "TA1")[0][4] == "A"
    put(tmp_path, "orders.edi", ORDERS.replace("UNT+13", "UNT+14"))
    refused = command("ack", "orders.edi")
    assert refused.code == 1
    assert "UCM+1+ORDERS:D:96A:UN:EAN008+4" in refused.out


def test_an_unknown_kind_of_acknowledgment_is_wrong_usage(command: Command, tmp_path: Path) -> None:
    put(tmp_path, "po.edi", x12_order())
    assert command("ack", "po.edi", "--type", "998").code == 2


def test_schema_prints_a_json_schema(command: Command) -> None:
    schema = json.loads(command("schema", "order").out)
    assert "$defs" in schema
    assert command("schema", "ordr").code == 2


def test_a_partner_with_differences_is_known_by_its_sender(command: Command, tmp_path: Path) -> None:
    (tmp_path / "partners").mkdir()
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "partners" / "acme.yaml").write_text(
        ACME + "mapping:\n  x12/004010/850:\n    lines:\n      price: {from: PO1/04, as: decimal, divide: 100}\n"
    )
    put(tmp_path, "po.edi", x12_order())
    assert json.loads(command("read", "po.edi").out)["lines"][0]["price"] == "0.0925"
    assert command("read", "po.edi", "--partner", "nobody").code == 2


def test_xml_with_a_doctype_is_refused(command: Command, tmp_path: Path) -> None:
    put(
        tmp_path,
        "evil.xml",
        '<?xml version="1.0"?><!DOCTYPE Order [<!ENTITY x SYSTEM "file:///etc/passwd">]><Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2">&x;</Order>',
    )
    said = command("check", "evil.xml", "--json")
    assert said.code in {1, 3}
    assert "root:" not in said.out


SENDING = (("outbox", ("list", "retry", "cancel")), ("partner", ("pause", "resume")))


def test_help_has_an_example_for_every_command(command: Command) -> None:
    names = ("check", "read", "write", "ack", "schema", "run", "receive", "ship", "invoice", "pay", "trail", "lint", "load")
    for name in names:
        assert "Example: gateway" in command(name, "--help").out, name
    for group, names in (("hold", ("list", "release", "reject")), ("journal", ("verify",)), ("artefacts", ("status", "fetch")), *SENDING):
        for name in names:
            assert "Example: gateway" in command(group, name, "--help").out


def test_the_version_is_printed(command: Command) -> None:
    assert command("--version").out.startswith("gateway ")


def test_what_is_checked_but_not_mapped_is_told(command: Command, tmp_path: Path) -> None:
    text = x12_order().decode()
    acknowledgment = text[: text.index("GS*")] + (
        "GS*FA*ACMEBUYER*SELLERCO*20260105*1200*1*X*004010~ST*997*0001~AK1*PR*1~AK2*855*0001~AK5*A~AK9*A*1*1*1~SE*6*0001~GE*1*1~IEA*1*000000001~"
    )
    put(tmp_path, "ack.edi", acknowledgment)
    said = command("read", "ack.edi")
    assert (said.code, said.out) == (0, "")
    assert "x12/004010/997 was checked, but there is no mapping that reads it" in said.err


ADVICE = {
    "kind": "despatch_advice",
    "number": "S1",
    "issued_at": "2026-01-10T09:30:00Z",
    "despatched_on": "2026-01-10",
    "buyer": {"name": "ACME", "identifiers": {"gln": "1234567890128"}},
    "seller": {"name": "SELLER", "identifiers": {"gln": "4012345500004"}},
    "ship_to": {"name": "STORE", "identifiers": {"buyer_assigned": "0012"}},
    "orders": [
        {
            "number": "PO1",
            "units": [
                {
                    "sscc": "340123450000000015",
                    "lines": [
                        {"number": "1", "order_line": "1", "quantity": "6", "unit": "EA", "identifiers": {"seller": "V1", "gtin": "614141000012"}}
                    ],
                }
            ],
        }
    ],
}


@pytest.mark.parametrize(("spec", "numbered"), [("x12/004010/856", "BSN[1]/02"), ("edifact/d96a/desadv", "BGM[1]/1004"), ("ubl/despatch-advice", "")])
def test_written_elements_are_explained_with_their_bytes(command: Command, tmp_path: Path, spec: str, numbered: str) -> None:
    put(tmp_path, "asn.json", json.dumps(ADVICE))
    said = command("write", "asn.json", "--as", spec, "--explain")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    data, provenance = told["payload"].encode(), told["provenance"]
    assert data == command("write", "asn.json", "--as", spec).out.encode()
    origins = [origin for found in provenance.values() for origin in found]
    assert origins and all(data[origin["offset"] :][: origin["length"]] for origin in origins)
    by_source = {origin["source"]: data[origin["offset"] :][: origin["length"]].decode() for origin in origins if origin["how"] != "constant"}
    assert by_source["number"] == "S1"
    assert by_source["orders[0].number"] == "PO1"
    if "edifact" not in spec:
        assert by_source["orders[0].units[0].sscc"].endswith("340123450000000015")
    if numbered:
        [number] = provenance[numbered]
        assert number["name"]
        assert number["mapping"].startswith("mappings/")


def test_explained_fields_say_what_the_standard_calls_their_element(command: Command, tmp_path: Path) -> None:
    put(tmp_path, "po.edi", x12_order())
    [price] = json.loads(command("read", "--explain", "po.edi").out)["provenance"]["lines[0].price"]
    assert price["name"] == "Unit price"
