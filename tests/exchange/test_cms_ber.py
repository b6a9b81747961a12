"""The reader of BER: the same tree in every encoding, the same answers as another library, and rubbish always as a ValueError."""

import pytest
from asn1crypto import cms
from asn1crypto import core
from asn1crypto import parser
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gateway.exchange.cms import ber
from gateway.exchange.cms import der
from gateway.exchange.cms.algorithms import CIPHERS
from gateway.exchange.cms.algorithms import DIGESTS
from gateway.exchange.cms.decryption import Decrypted
from gateway.exchange.cms.decryption import decrypt
from gateway.exchange.cms.encryption import encrypt
from gateway.exchange.cms.signature import Verified
from gateway.exchange.cms.signature import sign
from gateway.exchange.cms.signature import verify
from gateway.exchange.cms.span import Span
from gateway.problem import Problem
from tests.exchange.as2_world import BUYER
from tests.exchange.as2_world import NOW
from tests.exchange.as2_world import SELLER
from tests.exchange.as2_world import pinned

#: trees: octets, or lists of trees
TREES = st.recursive(st.binary(max_size=300), lambda inner: st.lists(inner, max_size=6), max_leaves=20)
SIGNED = sign(b"x" * 100, BUYER, DIGESTS["sha256"], NOW)
SEALED = encrypt(b"x" * 5000, SELLER.certificate, CIPHERS["aes256_cbc"])


def written(tree: object, draw: st.DataObject) -> bytes:
    """The tree in BER: each length in a form that was drawn, each string whole or in pieces within pieces."""
    if isinstance(tree, list):
        parts = b"".join(written(one, draw) for one in tree)
        return enclosed(0x30, parts, draw)
    assert isinstance(tree, bytes)
    if len(tree) > 1 and draw.draw(st.booleans()):
        middle = draw.draw(st.integers(0, len(tree)))
        return enclosed(0x24, written(tree[:middle], draw) + written(tree[middle:], draw), draw)
    return long_form(0x04, tree, draw)


def enclosed(tag: int, parts: bytes, draw: st.DataObject) -> bytes:
    return bytes((tag, 0x80)) + parts + b"\0\0" if draw.draw(st.booleans()) else long_form(tag, parts, draw)


def long_form(tag: int, value: bytes, draw: st.DataObject) -> bytes:
    """The length with more octets than it needs, which BER allows."""
    octets = draw.draw(st.integers(0, 6))
    if octets == 0:
        return der.compose(tag, value)
    length = len(value).to_bytes(max(octets, (len(value).bit_length() + 7) // 8), "big")
    return bytes((tag, 0x80 | len(length))) + length + value


def read(element: ber.Element) -> object:
    return [read(child) for child in element.children()] if element.tag == 0x30 else element.octets().to_bytes()


def plain(tree: object) -> bytes:
    if isinstance(tree, list):
        return der.sequence(*map(plain, tree))
    assert isinstance(tree, bytes)
    return der.octets(tree)


@settings(max_examples=100, deadline=None)
@given(TREES, st.data(), st.binary(max_size=5))
def test_a_tree_is_the_same_in_every_encoding(tree: object, draw: st.DataObject, rest: bytes) -> None:
    data = written(tree, draw)
    element = ber.read(data + rest)
    assert read(element) == tree and element.after == len(data)
    assert ber.to_der(element) == plain(tree)
    assert read(ber.read(bytearray(data))) == read(ber.read(memoryview(data))) == tree
    assert ber.read_span(Span(b"!" + data + rest, 1, 1 + len(data))).raw == data


@settings(max_examples=100, deadline=None)
@given(TREES)
def test_another_library_sees_the_same(tree: object) -> None:
    data = plain(tree)
    info = parser.parse(data)
    element = ber.read(data)
    assert (element.tag, element.contents) == (info[0] << 6 | info[1] << 5 | info[2], info[4])
    if isinstance(tree, list):
        assert [child.raw for child in element.children()] == [one.dump() for one in core.SequenceOf.load(data, spec=core.Any)]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_rubbish_is_a_value_error_or_a_tree(data: bytes) -> None:
    try:
        ber.to_der(ber.read(data))
    except (ValueError, IndexError) as error:
        assert isinstance(error, ber.UNREADABLE)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from([SIGNED, SEALED]))
def test_changed_structures_are_problems_and_never_exceptions(draw: st.DataObject, whole: bytes) -> None:
    data = bytearray(whole)
    for _ in range(draw.draw(st.integers(1, 4))):
        place = draw.draw(st.integers(0, min(len(data), 1500) - 1))
        match draw.draw(st.sampled_from(["change", "cut", "add", "drop"])):
            case "change":
                data[place] = draw.draw(st.integers(0, 255))
            case "cut":
                del data[place + 1 :]
            case "add":
                data[place:place] = draw.draw(st.binary(min_size=1, max_size=4))
            case _:
                del data[place : place + 3]
        if not data:
            return
    assert isinstance(decrypt(bytes(data), (SELLER,), NOW), (Problem, Decrypted))
    verdict = verify(b"x" * 100, bytes(data), (pinned(BUYER),), NOW)
    assert isinstance(verdict, (Problem, Verified))
    assert isinstance(verify(b"y" * 100, bytes(data), (pinned(BUYER),), NOW), Problem)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\x30\x03\x04\x02x", "cut off"),
        (b"\x30\x80\x04\x01x", "does not end"),
        (b"\x30\x03\x04\x05x", "cut off"),
        (b"\x1f\x81\x01\x00", "long tag"),
        (b"\x04\x80x\0\0", "cannot be"),
        (b"\x04\x89" + b"\0" * 9, "cannot be"),
    ],
)
def test_what_is_broken_is_told(data: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ber.to_der(ber.read(data))


def test_elements_are_what_they_are_asked_to_be() -> None:
    number = ber.read(der.integer(-129))
    assert number.integer() == -129 and ber.read(der.integer(1 << 70)).integer() == 1 << 70
    for wrong in (lambda: number.oid(), lambda: number.octets(), lambda: list(number.children()), lambda: number.parts()):
        with pytest.raises(ValueError, match="found an element 0x02|has no parts"):
            wrong()
    with pytest.raises(ValueError, match="is empty"):
        ber.read(der.sequence()).inner()
    with pytest.raises(ValueError, match="too long"):
        ber.read(der.compose(0x02, b"\x01" * 200)).integer()


@pytest.mark.parametrize("text", ["1.2.840.113549.1.7.2", "2.16.840.1.101.3.4.1.42", "1.3.132.1.11.1", "2.999.1", "0.9.2342.19200300.100.1.25"])
def test_identifiers_are_shown_as_people_write_them(text: str) -> None:
    assert ber.dotted(core.ObjectIdentifier(text).contents) == text


def test_our_structures_are_those_of_the_grammar() -> None:
    """What we compose by hand is read whole by a library that has the grammar, and written back the same."""
    for data in (SIGNED, SEALED, encrypt(b"x", SELLER.certificate, CIPHERS["aes128_gcm"], oaep="sha256")):
        info = cms.ContentInfo.load(data, strict=True)
        assert info.native and info.dump(force=True) == data
