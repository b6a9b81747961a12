"""XML bytes <-> one Transaction with its lxml root: UBL, Cross Industry Invoice and camt, told apart by the namespace of the root.

It must not know what the elements mean. Its rule: nothing in a file may make us open, fetch or expand anything. A DOCTYPE is
refused before the body is parsed, so that there are no entities at all; comments and processing instructions are left
out, so that they cannot cut a value in two. Where a value lies in the file is found by codecs/xml_places, and only when asked for.
"""

import re
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from lxml import etree

from gateway.codecs import xml_places
from gateway.codecs.node import Event
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Span
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.kinds import file as file_kinds
from gateway.kinds import xml as kinds
from gateway.problem import Place
from gateway.problem import Problem

#: a whole document is held in memory, at about ten times its size
MAX_BYTES = 96 * 1024 * 1024
#: UBL and camt nest about 15 deep
MAX_DEPTH = 64

_UBL = re.compile(r"urn:oasis:names:specification:ubl:schema:xsd:[A-Za-z]+-2")
_CII = re.compile(r"urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:(?P<version>\d+)")
_CAMT = re.compile(r"(?:.*[:$])?(?P<type>camt\.\d{3})\.(?P<version>\d{3}\.\d{2})")
_SBDH = re.compile(
    r"http://www\.unece\.org/cefact/namespaces/StandardBusinessDocumentHeader.*|urn:un:unece:uncefact:.*StandardBusinessDocumentHeader.*"
)
_UBL_VERSION = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}UBLVersionID"
_TOO_DEEP = etree.XPath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")")
_START = re.compile(rb"\s*<[?!A-Za-z_:\x80-\xff]")


def looks_like(head: bytes) -> bool:
    """Whether a file that starts with these bytes is meant to be XML."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")):
        codec = "utf-16-le" if head[:2] in (b"\xff\xfe", b"<\0") else "utf-16-be"
        head = head[: len(head) // 2 * 2].decode(codec, "replace").lstrip("\ufeff").encode()
    return _START.match(head.removeprefix(b"\xef\xbb\xbf")) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlLayout:
    """A document of somebody's own: its root, and where several documents stand in one file."""

    spec: str
    #: {namespace}name
    root: str
    #: elements from the root down to one document, as {namespace}name; empty: the root is the document
    documents: tuple[str, ...] = ()
    #: the way down from the document to the value that says who sends
    sender: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class XmlForm:
    """Such a document as a form that a file may have."""

    layout: XmlLayout
    said: bool = False
    owner: str = ""

    @property
    def spec(self) -> str:
        return self.layout.spec

    def fits(self, head: bytes) -> bool:
        """Whether the root element begins like ours."""
        if not looks_like(head):
            return False
        namespace, _, local = self.layout.root.rpartition("}")
        start = _ROOT.search(head.replace(b"\0", b""))
        return start is not None and start[1].rpartition(b":")[2] == local.encode() and namespace[1:].encode() in head.replace(b"\0", b"")

    def read(self, chunks: Iterable[bytes]) -> Iterator[Event]:
        """`read` with this form."""
        return read(chunks, form=self)


#: the first start tag of a document
_ROOT = re.compile(rb"<([A-Za-z_:\x80-\xff][^\s>/]*)")


def read(chunks: Iterable[bytes], *, max_bytes: int = MAX_BYTES, form: XmlForm | None = None) -> Iterator[Event]:
    """The file as one interchange, or the one Problem why it is none. A UBL or CII file is one transaction; a camt file has
    one for each statement, whose `root` is the statement's element within its Document."""
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > max_bytes:
            yield kinds.TOO_LARGE.at(Place(offset=max_bytes), f"the XML file is larger than {max_bytes} bytes", expected=f"at most {max_bytes} bytes")
            return
    root = parse(bytes(data))
    if isinstance(root, Problem):
        yield root
        return
    known = _known(root) if form is None else _own(root, form.layout)
    if isinstance(known, Problem):
        yield known
        return
    syntax, kind, version = known
    start = InterchangeStart(syntax=syntax)
    yield start
    raw = data.decode("latin-1")
    parts = _statements(root) if syntax is Syntax.CAMT else [root]
    if form is not None:
        parts = root.findall("/".join(form.layout.documents)) if form.layout.documents else [root]
        if not parts:
            yield file_kinds.EMPTY.at(Place(line=root.sourceline), "the file holds no document", expected="/".join(form.layout.documents))
    for part in parts:
        yield Transaction(
            syntax=syntax,
            type=kind,
            version=version,
            control_number=_statement_number(part) if part is not root and form is None else "",
            sender=(part.findtext("/".join(form.layout.sender)) or "").strip() if form is not None and form.layout.sender else "",
            owner=form.owner if form is not None else "",
            segments=[],
            raw=raw,
            offset=0,
            line=part.sourceline or 1,
            root=part,
        )
    yield InterchangeEnd(offset=len(data), segment=[], control_number="", declared=None, counted=len(parts))


def write(root: Any) -> bytes:
    """The document as UTF-8 with its declaration, indented."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def locate(transaction: Transaction, target: Any, attribute: str | None = None) -> Span:
    """Where a value lies: the text of an element (given itself, or by its path), or its attribute. An element with
    children lies from its start tag to its end tag. Raises LookupError where there is no such thing."""
    if isinstance(target, str):
        target, attribute = xml_places.element_at(transaction.root.getroottree().getroot(), target, attribute)
    return _spots(transaction).span_of(target, attribute)


def path_in(transaction: Transaction, element: Any, attribute: str | None = None) -> str:
    """The path of an element or attribute, quick where many are asked for: `/Order/cac:OrderLine[2]/cac:LineItem/cbc:ID`."""
    return xml_places.path_of(element, attribute, _spots(transaction).positions)


def _spots(transaction: Transaction) -> xml_places.Spots:
    spots: xml_places.Spots | None = transaction.spots
    if spots is None:
        spots = transaction.spots = xml_places.Spots(transaction.raw.encode("latin-1"), transaction.root.getroottree().getroot())
    return spots


def place_of(element: Any, attribute: str | None = None, *, span: Span | None = None) -> Place:
    """The place of an element or attribute for a Problem: path and line, and bytes where `span` is given."""
    return Place(
        path=xml_places.path_of(element, attribute),
        line=span.line if span else element.sourceline,
        offset=span.offset if span else None,
        length=span.length if span else None,
    )


def parse(data: bytes) -> Any:
    """The lxml root of untrusted bytes, or the Problem why there is none."""
    refused = _refuse_prolog(data)
    if refused is not None:
        return refused
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        if any(entry.type == etree.ErrorTypes.ERR_NO_MEMORY for entry in parser.error_log):
            raise MemoryError from error  # no fault of the file's
        return _not_well_formed(data, error)
    if root.getroottree().docinfo.internalDTD is not None:
        return kinds.DOCTYPE.at(Place(line=1), "the file declares a document type")
    if _is_too_deep(root):
        return kinds.TOO_DEEP.at(Place(line=1), f"elements are nested more than {MAX_DEPTH} levels deep", expected=f"at most {MAX_DEPTH} levels")
    return root


def _is_too_deep(root: etree._Element) -> bool:
    try:
        return bool(_TOO_DEEP(root))
    except etree.XPathError as error:
        # the question is a constant: what can go wrong is that there is no room to ask it
        raise MemoryError from error


class _Stop(Exception):
    """The prolog is over: the root element begins."""


def _refuse_prolog(data: bytes) -> Problem | None:
    # expat reads only up to the root element or the DOCTYPE, whichever comes first, and opens nothing
    scanner = expat.ParserCreate()
    doctypes: list[int] = []

    def doctype(*_: object) -> None:
        doctypes.append(scanner.CurrentByteIndex)
        raise _Stop

    def element(*_: object) -> None:
        raise _Stop

    scanner.StartDoctypeDeclHandler = doctype
    scanner.StartElementHandler = element
    try:
        scanner.Parse(data, True)
    except _Stop:
        pass
    except expat.ExpatError as error:
        return _expat_problem(scanner, error.code)
    except (LookupError, ValueError):
        return kinds.ENCODING.at(Place(offset=0, line=1), "the encoding that the file declares is not one that we read", expected="UTF-8")
    if doctypes:
        # expat tells it where the declaration ends or its subset begins
        codec = xml_places.codec_of(data)
        offset = max(data.rfind("<!DOCTYPE".encode(codec), 0, doctypes[0]), 0)
        line = data.count("\n".encode(codec), 0, offset) + 1
        return kinds.DOCTYPE.at(
            Place(offset=offset, line=line), "the file declares a document type (DOCTYPE), which is refused", expected="no DOCTYPE"
        )
    return None


_EXPAT_ENCODING = (expat.errors.codes[expat.errors.XML_ERROR_UNKNOWN_ENCODING], expat.errors.codes[expat.errors.XML_ERROR_INCORRECT_ENCODING])


_EXPAT_MEMORY = expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]


def _expat_problem(parser: Any, code: int) -> Problem:
    if code == _EXPAT_MEMORY:
        raise MemoryError
    line, column, offset = parser.ErrorLineNumber, parser.ErrorColumnNumber + 1, parser.ErrorByteIndex
    place = Place(line=line, offset=max(offset, 0))
    words = f"{expat.errors.messages[code]} at line {line}, column {column}"
    if code in _EXPAT_ENCODING:
        return kinds.ENCODING.at(place, f"{words}: the bytes do not fit the encoding that the file declares")
    return kinds.NOT_WELL_FORMED.at(place, f"the XML is not well-formed: {words}")


def _not_well_formed(data: bytes, error: etree.XMLSyntaxError) -> Problem:
    """expat's word with its byte where it sees the fault too, else lxml's (limits, undeclared prefixes, bad characters)."""
    line, column = error.position
    text = (error.msg or "").split(", line ")[0]
    if "depth" in text:
        return kinds.TOO_DEEP.at(Place(line=line), f"elements are nested too deep at line {line}", expected=f"at most {MAX_DEPTH} levels")
    if "too long" in text or "too big" in text or "XML_PARSE_HUGE" in text:
        return kinds.TOO_LARGE.at(Place(line=line), f"a text or name is too long at line {line}: {text}")
    parser = expat.ParserCreate(namespace_separator=" ")
    try:
        parser.Parse(data, True)
    except expat.ExpatError as fault:
        return _expat_problem(parser, fault.code)
    except (LookupError, ValueError):
        return kinds.ENCODING.at(Place(offset=0, line=1), "the encoding that the file declares is not one that we read", expected="UTF-8")
    return kinds.NOT_WELL_FORMED.at(Place(line=line), f"the XML is not well-formed: {text} at line {line}, column {column}")


def _statements(root: Any) -> list[Any]:
    """Stmt of camt.053, Rpt of camt.052, Ntfctn of camt.054: each is of one account and a transaction of its own."""
    found = [child for message in root for child in message if xml_places.name_of(child)[1] in ("Stmt", "Rpt", "Ntfctn")]
    return found or [root]


def _statement_number(statement: Any) -> str:
    return (statement.findtext("{*}Id") or "").strip()


def _own(root: Any, layout: XmlLayout) -> tuple[Syntax, str, str] | Problem:
    """The type of a document of somebody's own, or the Problem that it is another one."""
    if root.tag == layout.root:
        return Syntax.XML, layout.spec.partition("/")[2], ""
    place = Place(path=xml_places.path_of(root), line=root.sourceline)
    return kinds.UNKNOWN_ROOT.at(place, f"the root element is not the one of {layout.spec}", found=str(root.tag), expected=layout.root)


def _known(root: Any) -> tuple[Syntax, str, str] | Problem:
    """Syntax, type and version by the root's namespace."""
    namespace, local = xml_places.name_of(root)
    if _UBL.fullmatch(namespace):
        version = root.find(_UBL_VERSION)
        return Syntax.UBL, local, ("" if version is None else (version.text or "").strip()) or "2.1"
    if found := _CII.fullmatch(namespace):
        return Syntax.CII, local, found["version"]
    if (found := _CAMT.fullmatch(namespace)) and local == "Document":
        return Syntax.CAMT, found["type"], found["version"]
    place = Place(path=xml_places.path_of(root), line=root.sourceline)
    if local == "StandardBusinessDocument" or _SBDH.fullmatch(namespace):
        inside = [xml_places.name_of(child)[1] for child in root if isinstance(child.tag, str)][-1:]
        return kinds.ENVELOPED.at(
            place,
            "the file is a StandardBusinessDocument (SBDH envelope)" + (f" around '{inside[0]}'" if inside else ""),
            found=local,
            expected="the business document itself",
        )
    where = f"in the namespace '{namespace}'" if namespace else "without a namespace"
    return kinds.UNKNOWN_ROOT.at(
        place,
        f"the root element '{local}' {where} is no document that we know",
        found=f"{{{namespace}}}{local}",
        expected="a UBL 2, Cross Industry Invoice or camt document",
    )
