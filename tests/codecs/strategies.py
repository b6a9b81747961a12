"""What hypothesis makes of EDI: good files, parts that look like EDI, and segments to be written."""

from hypothesis import strategies as st

from gateway.codecs.node import Delimiters
from gateway.codecs.node import Repeated
from tests.codecs.edi import EDIFACT
from tests.codecs.edi import GS
from tests.codecs.edi import ISA
from tests.codecs.edi import MESSAGE
from tests.codecs.edi import ORDER
from tests.codecs.edi import UNB
from tests.codecs.edi import X12

UNG = "UNG+ORDERS+GROUPER:ZZ+GROUPEE:ZZ+260105:1200+G1+UN+D:96A:EAN008'"
BINARY = ORDER.replace("CTT*1~", "BIN*9*~SE*6*00*~BDS*ASC*3*~~~~CTT*1~").replace("SE*6*0001~", "SE*8*0001~")
PACKAGE = "UNO+P1+1:Doc+13:application/pdf+10''UNT+5+1'.UNP+10+P1'"

#: good files of many sorts, and some that are not quite good
FILES = {
    "x12": X12,
    "x12 with lines": X12.replace("~", "~\r\n"),
    "x12 of lines": X12.replace("~", "\n"),
    "x12 wrapped": "\n".join(X12[index : index + 80] for index in range(0, len(X12), 80)),
    "x12 twice": X12 + "\r\n" + X12.replace("000000001", "000000002").replace("*", "|").replace("~", "!"),
    "x12 with advice": X12.replace(GS, "TA1*000000009*260105*1200*A*000~" + GS),
    "x12 binary": f"{ISA}{GS}{BINARY}GE*1*1~IEA*1*000000001~",
    "x12 repeats": X12.replace("*U*00401*", "*^*00501*").replace("ACME CORP", "A^B>C"),
    "x12 bare": ORDER,
    "x12 broken": X12.replace("SE*6*0001~", "").replace("N1*", "~n1*") + "junk" + X12[:200],
    "edifact": EDIFACT,
    "edifact with una": "UNA:+.? '\r\n" + EDIFACT.replace("'", "'\r\n").replace("?'\r\n", "?'"),
    "edifact 4": "UNA|!,#*~" + EDIFACT.replace("UNOC:3", "UNOY:4").translate(str.maketrans({"+": "!", ":": "|", "'": "~", "?": "#"})),
    "edifact groups": f"{UNB}{UNG}{MESSAGE}UNE+1+G1'{UNG.replace('G1', 'G2')}{MESSAGE}UNE+1+G2'UNZ+2+R1'",
    "edifact wrapped": "\n".join(EDIFACT.replace("UNOC", "UNOA")[index : index + 35] for index in range(0, len(EDIFACT), 35)),
    "edifact packages": f"{UNB}{PACKAGE}{MESSAGE.replace('UNS+S', PACKAGE + 'UNS+S')}UNZ+1+R1'",
    "edifact charset": EDIFACT.replace("Dock", "M\xc3\xbcller \x80 \xfc"),
    "edifact bare": MESSAGE,
    "edifact broken": EDIFACT.replace("UNT+5+1'", "") + "'junk" + EDIFACT[:150],
}

_PARTS = [
    ISA,
    GS,
    ORDER,
    UNB,
    UNG,
    MESSAGE,
    PACKAGE,
    "GE*1*1~",
    "IEA*1*000000001~",
    "UNE+1+G1'",
    "UNZ+1+R1'",
    "UNA:+.? '",
    "UNA",
    "UNB",
    "ISA",
    "isa*",
]
_PARTS += [
    "ST*",
    "SE*6*0001~",
    "TA1*",
    "UNH+",
    "UNT+",
    "UIB+",
    "BIN*9*",
    "BDS*ASC*2*",
    "UNO+1+1+1+5'",
    "~",
    "'",
    "?",
    "*",
    "+",
    ":",
    ">",
    "^",
    "\n",
    "\r\n",
    " ",
]
_PARTS += [
    "\xef\xbb\xbf",
    "\0",
    "\x1a",
    "<",
    "<?xml version='1.0'?>",
    "<Order xmlns='urn:oasis:names:specification:ubl:schema:xsd:Order-2'>",
    "\x85",
    "\xc3",
]

any_bytes = st.binary(max_size=400)
#: pieces of interchanges in any order, with any bytes between them
pieces = st.lists(st.one_of(st.sampled_from(_PARTS).map(lambda text: text.encode("latin-1")), st.binary(max_size=12)), max_size=25).map(b"".join)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A file with some bytes exchanged, taken out, doubled or put in."""
    data = draw(st.sampled_from(sorted(FILES.values()))).encode("latin-1")
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 20))
        what = draw(st.integers(0, 3))
        if what == 0:
            data = data[:start] + data[start + length :]
        elif what == 1:
            data = data[:start] + data[start : start + length] * 2 + data[start + length :]
        elif what == 2:
            data = data[:start] + draw(st.binary(max_size=8)) + data[start:]
        else:
            data = data[:start] + draw(st.sampled_from(_PARTS)).encode("latin-1") + data[start + length :]
    return data


X12_DELIMITERS = [
    Delimiters(element="*", component=">", segment="~", repetition="^"),
    Delimiters(element="|", component=":", segment="\n", repetition="!"),
    Delimiters(element="\x1d", component="\x1f", segment="\x1c", repetition="\x1e"),
    Delimiters(element="+", component=":", segment="'", repetition="*"),
]
EDIFACT_DELIMITERS = [
    Delimiters(element="+", component=":", segment="'", release="?", repetition="*"),
    Delimiters(element="!", component="|", segment="~", release="#", repetition="^"),
    Delimiters(element="\x1d", component="\x1f", segment="\n", release="\\", repetition="*"),
]

_CHARACTERS = [
    *"AZaz09 -.,+:'?*!|~#^\\<>&\"\t\r\n",
    "\0",
    "\x1a",
    "\x1c",
    "\x1d",
    "\x1e",
    "\x1f",
    "\x7f",
    "\x85",
    "\xa0",
    "\xfc",
    "\u0141",
    "\u20ac",
    "\u6771",
    "\U0001f600",
]
_tags = st.from_regex(r"\A[A-Z][A-Z0-9]{1,2}\Z").filter(lambda tag: tag not in {"ISA", "IEA", "GS", "GE", "ST", "SE", "TA1", "BIN", "BDS"})
_edifact_tags = st.from_regex(r"\A[A-Z]{3}\Z").filter(lambda tag: not tag.startswith(("UN", "UI")))


def x12_segments(delimiters: Delimiters) -> st.SearchStrategy[list[list[str]]]:
    """Data segments of X12 as `read` gives them: no element holds a delimiter that cuts segments or elements."""
    forbidden = delimiters.element + delimiters.segment
    text = st.text(st.sampled_from([one for one in _CHARACTERS if one not in forbidden]), max_size=8)
    last = text.filter(bool)
    plain = st.builds(lambda tag, middle, end: [tag, *middle, end], _tags, st.lists(text, max_size=4), last)
    data = st.binary(max_size=30).map(lambda data: data.decode("latin-1"))
    binary = st.one_of(data.map(lambda data: ["BIN", str(len(data)), data]), data.map(lambda data: ["BDS", "ASC", str(len(data)), data]))
    return st.lists(st.one_of(plain, binary), max_size=8)


def edifact_segments(delimiters: Delimiters) -> st.SearchStrategy[list[list[object]]]:
    """Data segments of EDIFACT: any text, delimiters and release characters too."""
    text = st.text(st.sampled_from([*_CHARACTERS, *(delimiters.element, delimiters.segment, delimiters.release) * 3]), max_size=8)
    filled = text.filter(bool)
    components = st.builds(lambda middle, end: [*middle, end], st.lists(text, max_size=2), filled)
    element = st.one_of(components, st.lists(components, min_size=2, max_size=3).map(Repeated))
    return st.lists(
        st.builds(lambda tag, middle, end: [tag, *middle, end], _edifact_tags, st.lists(st.one_of(st.just([""]), element), max_size=3), element),
        max_size=6,
    )
