"""XML files: what is read, what is refused, and what nothing in a file can make us do."""

import socket
import subprocess
import sys
import textwrap
import time

import pytest
from lxml import etree

from gateway.codecs import xml
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.problem import Problem
from tests.machine import is_quick

ORDER = "urn:oasis:names:specification:ubl:schema:xsd:Order-2"
CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
SMALL = f'<Order xmlns="{ORDER}" xmlns:cbc="{CBC}"><cbc:ID>PO1</cbc:ID></Order>'


def events(data: bytes) -> list[object]:
    return list(xml.read([data]))


def transaction_of(data: bytes) -> Transaction:
    start, transaction, end = events(data)
    assert isinstance(start, InterchangeStart)
    assert isinstance(end, InterchangeEnd)
    assert isinstance(transaction, Transaction)
    return transaction


def problem_of(data: bytes) -> Problem:
    found = events(data)
    assert len(found) == 1
    assert isinstance(found[0], Problem)
    return found[0]


@pytest.mark.parametrize(
    ("namespace", "root", "syntax", "kind", "version"),
    [
        (ORDER, "Order", Syntax.UBL, "Order", "2.1"),
        (ORDER.replace("Order", "Invoice"), "Invoice", Syntax.UBL, "Invoice", "2.1"),
        ("urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100", "CrossIndustryInvoice", Syntax.CII, "CrossIndustryInvoice", "100"),
        ("urn:iso:std:iso:20022:tech:xsd:camt.053.001.08", "Document", Syntax.CAMT, "camt.053", "001.08"),
        ("urn:iso:std:iso:20022:tech:xsd:camt.054.001.13", "Document", Syntax.CAMT, "camt.054", "001.13"),
        ("urn:swift:xsd:$camt.052.001.01", "Document", Syntax.CAMT, "camt.052", "001.01"),
    ],
)
def test_the_namespace_of_the_root_says_what_it_is(namespace: str, root: str, syntax: Syntax, kind: str, version: str) -> None:
    transaction = transaction_of(f'<{root} xmlns="{namespace}"/>'.encode())
    assert (transaction.syntax, transaction.type, transaction.version) == (syntax, kind, version)


def test_the_version_is_taken_from_the_document_where_it_says_one() -> None:
    assert transaction_of(SMALL.replace("<cbc:ID>", "<cbc:UBLVersionID> 2.2 </cbc:UBLVersionID><cbc:ID>").encode()).version == "2.2"


def test_the_interchange_is_the_file_and_has_no_ids() -> None:
    start, transaction, end = events(SMALL.encode())
    assert (start.syntax, start.sender, start.receiver, start.control_number, start.test) == (Syntax.UBL, "", "", "", False)
    assert transaction.raw.encode("latin-1") == SMALL.encode()
    assert (end.offset, end.counted, end.problems) == (len(SMALL), 1, ())


def test_a_file_in_pieces_reads_as_the_whole() -> None:
    data = SMALL.encode()
    whole, pieces = events(data)[1], list(xml.read(data[i : i + 1] for i in range(len(data))))[1]
    assert etree.tostring(whole.root) == etree.tostring(pieces.root)
    assert whole.raw == pieces.raw


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "iso-8859-1", "windows-1252"])
def test_any_honest_encoding_is_read(encoding: str) -> None:
    declared = "utf-8" if encoding == "utf-8-sig" else "utf-16" if encoding.startswith("utf-16") else encoding
    text = f'<?xml version="1.0" encoding="{declared}"?>\n' + SMALL.replace("PO1", "Größe é")
    data = text.encode(encoding)
    assert xml.looks_like(data[:4096])
    transaction = transaction_of(data)
    assert transaction.root[0].text == "Größe é"
    span = xml.locate(transaction, "/Order/cbc:ID")
    assert data[span.offset : span.offset + span.length].decode(encoding.removesuffix("-sig") if encoding != "utf-16" else "utf-16-le") == "Größe é"


@pytest.mark.parametrize("text", ["<a/>", "<?xml version='1.0'?><a/>", "\n  <!-- x --><a/>", "<_a/>"])
def test_what_looks_like_xml(text: str) -> None:
    for codec in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le"):
        assert xml.looks_like(text.lstrip().encode(codec) if codec == "utf-16-le" else text.encode(codec))


@pytest.mark.parametrize("data", [b"", b"ISA*00*", b"UNA:+.? '", b":20:X", b"< 5", b"\xff\xd8\xff", b"{}", b"a,b\n<x>,1\n"])
def test_what_does_not(data: bytes) -> None:
    assert not xml.looks_like(data)


def test_a_comment_or_instruction_cannot_cut_a_value_in_two() -> None:
    assert transaction_of(SMALL.replace("PO1", "PO<!-- 9 -->1<?x y?>2").encode()).root[0].text == "PO12"


# what is not well-formed


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (SMALL.replace("</cbc:ID>", "</cbc:IDD>").replace("<cbc:ID>", "\n<cbc:ID>"), 2, "column"),
        (SMALL[:60], 1, "column"),
        (SMALL + "\n<more/>", 2, "junk after document element"),
        ("\n" + '<?xml version="1.0"?>' + SMALL, 2, "not at start"),
        (SMALL.replace("PO1", "&nope;"), 1, "undefined entity"),
        (SMALL.replace("PO1", "A & B"), 1, "column"),
        (SMALL.replace("cbc:ID", "nix:ID"), 1, "column"),
        (SMALL.replace("PO1", "\x01"), 1, "column"),
        (SMALL.replace("<cbc:ID>", '<cbc:ID a="1" a="2">'), 1, "duplicate attribute"),
        ("", 1, "no element found"),
    ],
)
def test_what_is_not_well_formed_is_said_with_line_and_column(text: str, line: int, words: str) -> None:
    problem = problem_of(text.encode())
    assert problem.code == "XML-NOT-WELL-FORMED"
    assert problem.place.line == line
    assert words in problem.message
    assert "column" in problem.message


def test_bytes_that_do_not_fit_their_encoding_are_said() -> None:
    problem = problem_of(SMALL.replace("PO1", "Größe").encode("latin-1"))
    assert problem.code in ("XML-ENCODING", "XML-NOT-WELL-FORMED")
    assert "line 1" in problem.message
    assert problem.place.offset == SMALL.index("PO1") + 2
    assert problem_of(b'<?xml version="1.0" encoding="klingon"?>' + SMALL.encode()).code == "XML-ENCODING"


@pytest.mark.parametrize(
    "root", ["<html/>", "<Order/>", '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"/>', f'<x xmlns="{ORDER[:-2]}"/>']
)
def test_other_xml_is_said_with_its_root(root: str) -> None:
    problem = problem_of(root.encode())
    assert problem.code == "XML-UNKNOWN-ROOT"
    assert problem.place.path is not None


def test_an_sbdh_envelope_is_said_clearly() -> None:
    wrapped = (
        '<StandardBusinessDocument xmlns="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader">'
        f"<StandardBusinessDocumentHeader/>{SMALL}</StandardBusinessDocument>"
    )
    problem = problem_of(wrapped.encode())
    assert problem.code == "XML-SBDH"
    assert "'Order'" in problem.message


# attacks

ATTACKS = {
    "external entity": '<!DOCTYPE Order [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
    "external DTD": '<!DOCTYPE Order SYSTEM "http://127.0.0.1:9/evil.dtd">',
    "public DTD": '<!DOCTYPE Order PUBLIC "-//X//Y" "http://127.0.0.1:9/evil.dtd">',
    "parameter entity": '<!DOCTYPE Order [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]>',
    "billion laughs": "<!DOCTYPE Order [<!ENTITY a0 'ha'>" + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12)) + "]>",
    "quadratic blow-up": f"<!DOCTYPE Order [<!ENTITY x '{'A' * 50_000}'>]>",
    "default attribute": '<!DOCTYPE Order [<!ATTLIST Order evil CDATA "1">]>',
    "empty": "<!DOCTYPE Order>",
}


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_doctype_is_refused_unread(name: str, encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("the file made us open a connection")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    text = "<?xml version='1.0'?>\n<!-- a comment first -->\n" + ATTACKS[name] + SMALL.replace("PO1", "&x;&a11;" * 1000)
    began = time.process_time()
    data = text.encode(encoding)
    problem = problem_of(data)
    assert problem.code == "XML-DOCTYPE"
    assert problem.place.line == 3
    assert problem.place.offset == data.index("<!DOCTYPE".encode(encoding.replace("16", "16-le")))
    assert is_quick(time.process_time() - began, 0.5)


def test_an_inclusion_is_data_and_opens_nothing() -> None:
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/hostname" parse="text"/>'
    root = transaction_of(SMALL.replace("PO1", include).encode()).root
    assert root[0].text is None
    assert etree.QName(root[0][0]).localname == "include"


def test_a_schema_location_or_stylesheet_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("opened a connection"))
    text = '<?xml version="1.0"?><?xml-stylesheet href="http://127.0.0.1:9/x.xsl"?>' + SMALL.replace(
        "<Order ", '<Order xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x http://127.0.0.1:9/x.xsd" '
    )
    assert transaction_of(text.encode()).type == "Order"


def test_a_file_beyond_the_limit_is_not_read_further() -> None:
    taken = []

    def endless() -> object:
        while True:
            taken.append(1)
            yield b"<a>" * 1000

    (problem,) = xml.read(endless(), max_bytes=100_000)
    assert problem.code == "XML-TOO-LARGE"
    assert len(taken) < 40


def test_nesting_has_a_limit() -> None:
    for depth in (70, 3_000, 200_000):
        problem = problem_of(f'<Order xmlns="{ORDER}">'.encode() + b"<a>" * depth + b"</a>" * depth + b"</Order>")
        assert problem.code == "XML-TOO-DEEP"
    assert transaction_of(f'<Order xmlns="{ORDER}">'.encode() + b"<a>" * 60 + b"</a>" * 60 + b"</Order>").type == "Order"


def test_a_text_has_a_limit() -> None:
    assert problem_of(SMALL.replace("PO1", "A" * 11_000_000).encode()).code == "XML-TOO-LARGE"


def test_each_statement_of_a_camt_file_is_a_transaction_of_its_own() -> None:
    stmt = "<Stmt><Id>{}</Id><Acct><Id><IBAN>{}</IBAN></Id></Acct></Stmt>"
    data = (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr>'
        f"{stmt.format('S1', 'DE1')}\n{stmt.format('S2', 'DE2')}</BkToCstmrStmt></Document>"
    ).encode()
    start, first, second, end = events(data)
    assert (first.control_number, second.control_number, end.counted) == ("S1", "S2", 2)
    assert (first.line, second.line) == (1, 2)
    span = xml.locate(second, "/Document/BkToCstmrStmt/Stmt[2]/Acct/Id/IBAN")
    assert data[span.offset : span.offset + span.length] == b"DE2"
    assert xml.locate(second, second.root[1][0][0]) == span


# writing


def test_what_is_written_reads_the_same() -> None:
    root = transaction_of(SMALL.replace("PO1", "Größe &lt;1&gt; &amp; 2").encode()).root
    data = xml.write(root)
    assert data.startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n")
    assert transaction_of(data).root[0].text == "Größe <1> & 2"


# places

PLACED = f"""<?xml version="1.0"?>
<!-- größe -->
<Order xmlns="{ORDER}" xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" xmlns:b="{CBC}">
  <b:ID  schemeID = '0088'
     b:name="a>b">
     PO1 <!-- x -->
  </b:ID>
  <cac:OrderLine><b:Note/><b:Note>one &amp; two</b:Note></cac:OrderLine>
  <cac:OrderLine>
    <b:Note><![CDATA[<three>]]></b:Note><b:Note></b:Note></cac:OrderLine>
</Order>""".encode()


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("/Order/cbc:ID/@schemeID", "0088", 4),
        ("/Order/cbc:ID/@name", "a>b", 5),
        ("/Order/cbc:ID", "PO1 <!-- x -->", 6),
        ("/Order/cac:OrderLine[1]/cbc:Note[1]", "", 8),
        ("/Order/cac:OrderLine[1]/cbc:Note[2]", "one &amp; two", 8),
        ("/Order/cac:OrderLine[2]/cbc:Note[1]/text()", "<three>", 10),
        ("/Order/cac:OrderLine[2]/cbc:Note[2]", "", 10),
        ("/Order/cac:OrderLine[1]", "<cac:OrderLine><b:Note/><b:Note>one &amp; two</b:Note></cac:OrderLine>", 8),
    ],
)
def test_a_value_is_found_at_its_bytes_and_line(path: str, text: str, line: int) -> None:
    span = xml.locate(transaction_of(PLACED), path)
    assert PLACED[span.offset : span.offset + span.length].decode() == text
    assert span.line == line


def test_every_element_has_one_path_and_the_path_leads_back() -> None:
    transaction = transaction_of(PLACED)
    paths = [xml.place_of(element).path for element in transaction.root.iter("*")]
    assert len(set(paths)) == len(paths)
    for element, path in zip(transaction.root.iter("*"), paths, strict=True):
        assert xml.path_in(transaction, element) == path
        assert xml.locate(transaction, path) == xml.locate(transaction, element)


@pytest.mark.parametrize("path", ["/Order/cbc:Nix", "/Order/cbc:ID[2]", "/Order/cbc:ID/@nix", "//x", "/Invoice"])
def test_what_is_not_there_is_a_lookup_error(path: str) -> None:
    with pytest.raises(LookupError):
        xml.locate(transaction_of(PLACED), path)


def test_an_element_of_another_document_is_not_found() -> None:
    with pytest.raises(LookupError):
        xml.locate(transaction_of(PLACED), transaction_of(PLACED).root)


def camt(entries: int) -> bytes:
    entry = (
        '<Ntry><Amt Ccy="EUR">12.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-01-05</Dt></BookgDt>'
        "<NtryDtls><TxDtls><Refs><EndToEndId>E2E-0000000001</EndToEndId></Refs><RltdPties><Dbtr><Pty><Nm>ACME GmbH and Partners</Nm></Pty></Dbtr>"
        "<DbtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></DbtrAcct></RltdPties>"
        "<RmtInf><Ustrd>Invoice 4711 of January and a long text to fill up the line, and a little longer, as banks like it</Ustrd></RmtInf>"
        "</TxDtls></NtryDtls><AddtlNtryInf>SEPA CREDIT TRANSFER SEPA CREDIT TRANSFER SEPA CREDIT TRANSFER AND SOME MORE</AddtlNtryInf></Ntry>\n"
    )
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>{entry * entries}</Stmt></BkToCstmrStmt></Document>'
    ).encode()


def test_a_statement_of_ten_thousand_entries_is_quick() -> None:
    data = camt(10_000)
    assert len(data) > 5_000_000
    began = time.process_time()
    transaction = transaction_of(data)
    assert is_quick(time.process_time() - began, 1.5)
    began = time.process_time()
    for amount in transaction.root.iter("{*}Amt"):
        xml.locate(transaction, amount, "Ccy")
        assert xml.path_in(transaction, amount, "Ccy").endswith("/Amt/@Ccy")
    assert is_quick(time.process_time() - began, 5)


@pytest.mark.parametrize(
    "text", ["<:db xmlns='O'/>", "<a:b xmlns='O'/>", "<a><:b/><:b/></a>", "<:Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'/>"]
)
def test_names_that_xml_does_not_have_are_no_exception(text: str) -> None:
    """Found by the fuzzer: the parser lets a name pass that begins with a colon."""
    assert list(xml.read([text.encode()]))


def test_a_comment_in_a_bank_statement_is_no_statement() -> None:
    text = (
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'><BkToCstmrStmt><!-- x --><Stmt><Id>1</Id></Stmt></BkToCstmrStmt></Document>"
    )
    assert [event.type for event in xml.read([text.encode()]) if isinstance(event, Transaction)] == ["camt.053"]


def test_too_little_memory_is_no_fault_of_the_file() -> None:
    """A limit (`reading: {memory: ...}`, a container's) at any moment of parsing: no word about the file, which is sound."""
    script = """
        import resource
        from gateway.codecs import xml
        data = b'<?xml version="1.0"?><a>' + b"<b>some words in a line that goes on</b>" * 60_000 + b"</a>"
        taken = int(open("/proc/self/statm").read().split()[0]) * 4096
        most = resource.getrlimit(resource.RLIMIT_AS)[1]
        for megabytes in range(1, 200):
            resource.setrlimit(resource.RLIMIT_AS, (taken + (megabytes << 20), most))
            try:
                root = xml.parse(data)
            except MemoryError:
                continue
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
            print(megabytes > 2, getattr(root, "tag", root))
            break
    """
    found = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=120)
    assert found.stdout == "True a\n", found.stderr
