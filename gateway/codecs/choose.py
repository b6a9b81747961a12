"""Which syntax a file is in, from its head; and its events from the codec that reads it.

It knows the codecs' `looks_like` and nothing else of them. A bare ST or UNH without envelope is still X12 or EDIFACT.
"""

import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from itertools import chain

from gateway.codecs import edifact
from gateway.codecs import x12
from gateway.codecs.layout import Form
from gateway.codecs.node import Event
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Syntax
from gateway.kinds import file as kinds
from gateway.problem import Place

#: bytes of a file that decide
HEAD = 4096

_NAMESPACES = (
    (Syntax.CAMT, re.compile(rb"urn:(?:iso:std:iso:20022:tech:xsd:|swift:xsd:\$?)camt\.|[\"':]camt\.05\d\.")),
    (Syntax.CII, re.compile(rb"urn:un:unece:uncefact:data:standard:CrossIndustry")),
    (Syntax.UBL, re.compile(rb"urn:oasis:names:specification:ubl:")),
)


def syntax_of(head: bytes) -> Syntax:
    """The syntax of a file that starts with these bytes (its first 4 kB)."""
    if _is_marked_up(head):
        return _xml_syntax(head)
    if x12.looks_like(head):
        return Syntax.X12
    if edifact.looks_like(head):
        return Syntax.EDIFACT
    return Syntax.UNKNOWN


def _is_marked_up(head: bytes) -> bool:
    bare = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not (bare.startswith(b"<") or head.startswith((b"\xff\xfe", b"\xfe\xff", b"\0<"))):
        return False
    from gateway.codecs import xml  # heavy (lxml), and only needed for XML

    return xml.looks_like(head)


def _xml_syntax(head: bytes) -> Syntax:
    text = head.replace(b"\0", b"")
    for syntax, namespace in _NAMESPACES:
        if namespace.search(text):
            return syntax
    return Syntax.UNKNOWN


def head_of(chunks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes of a file, and all of it once more."""
    iterator = iter(chunks)
    head = b""
    for chunk in iterator:
        head += chunk
        if len(head) >= HEAD:
            break
    return head, chain([head], iterator)


def form_of(head: bytes, forms: Sequence[Form]) -> Form | None:
    """The first form that a file may have, where it is in none of the syntaxes that say themselves what they are; the form that was said
    in any case."""
    said = next((form for form in forms if form.said), None)
    if said is not None or not forms:
        return next((form for form in forms if form.fits(head)), said)
    if syntax_of(head[:HEAD]) is not Syntax.UNKNOWN:
        return None
    return next((form for form in forms if form.fits(head)), None)


def read(chunks: Iterable[bytes], form: Form | None = None) -> tuple[Syntax, Iterator[Event]]:
    """The syntax of a file and everything in it; with a `form`, read as that. What is in no syntax that we know is one Problem."""
    if form is not None:
        return Syntax(form.spec.partition("/")[0]), form.read(chunks)
    head, whole = head_of(chunks)
    syntax = syntax_of(head[:HEAD])
    if syntax is Syntax.X12:
        return syntax, x12.read(whole)
    if syntax is Syntax.EDIFACT:
        return syntax, edifact.read(whole)
    if _is_marked_up(head):
        from gateway.codecs import xml  # see below

        events = xml.read(whole)
        first = next(events)
        return (first.syntax if isinstance(first, InterchangeStart) else syntax), chain([first], events)
    return syntax, _unreadable(head)


#: first bytes of files that people send by mistake
_OTHER_FILES = (
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"\x1f\x8b", "a gzip file"),
    (b"%PDF", "a PDF"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)

#: interchanges in encodings that no standard has
_ENCODINGS = (
    (re.compile(rb"(?:\xff\xfe\0\0)?(?:I\0{3}S\0{3}A|U\0{3}N\0{3}[AB])|(?:\0\0\xfe\xff)?\0{3}(?:I\0{3}S|U\0{3}N)"), "text in UTF-32"),
    (re.compile(rb"(?:\xff\xfe)?(?:[IU]\0[SN]\0[AB]\0)|(?:\xfe\xff)?\0[IU]\0[SN]\0[AB]|\xff\xfe|\xfe\xff"), "text in UTF-16 (or UCS-2)"),
    (re.compile(rb"\xc9\xe2\xc1|\xe4\xd5[\xc1\xc2]"), "text in EBCDIC"),
    (re.compile(rb"(?:SVNB|VU5[BC])[A-Za-z0-9+/\r\n]{40}"), "still encoded in base64"),
)


def _unreadable(head: bytes) -> Iterator[Event]:
    if not head.strip():
        yield kinds.EMPTY.at(Place(offset=0), "the file is empty", expected="an interchange or a document")
        return
    encoding = next((words for start, words in _ENCODINGS if start.match(head)), None)
    if encoding is not None:
        message = f"the file is {encoding}; EDI is sent with one byte a character, or as UTF-8"
        found = head[:12].hex(" ")
        yield kinds.ENCODING.at(Place(offset=0, line=1), message, found=found, expected="ISA, UNA or UNB in ASCII, ISO 8859 or UTF-8")
        return
    what = next((words for start, words in _OTHER_FILES if head.startswith(start)), None)
    message = f"the file is {what}; it is not opened" if what else "the file is in no syntax that we know"
    found = head[:40].decode("latin-1")
    yield kinds.UNREADABLE.at(Place(offset=0, line=1), message, found=found, expected="ISA, UNA, UNB or an XML document")
