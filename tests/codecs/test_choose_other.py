"""Files that people send by mistake are named for what they are."""

import base64

import pytest

from gateway.codecs.choose import read
from gateway.codecs.node import Syntax
from gateway.problem import Problem
from tests.codecs.edi import EDIFACT
from tests.codecs.edi import X12


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"PK\x03\x04rest", "a ZIP archive"),
        (b"\x1f\x8brest", "a gzip file"),
        (b"%PDF-1.7", "a PDF"),
        (b"\x89PNG\r\n", "a picture"),
        (b"hello", "no syntax that we know"),
    ],
)
def test_a_file_of_another_kind_is_named(head: bytes, words: str) -> None:
    syntax, events = read([head])
    [problem] = events
    assert syntax is Syntax.UNKNOWN
    assert isinstance(problem, Problem)
    assert words in problem.message


@pytest.mark.parametrize("text", [X12, EDIFACT, "UNA:+.? '" + EDIFACT])
@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"),
        ("utf-32-be", "UTF-32"),
        ("cp037", "EBCDIC"),
        ("cp500", "EBCDIC"),
        ("base64", "base64"),
    ],
)
def test_an_interchange_in_another_encoding_is_named(text: str, encoding: str, words: str) -> None:
    data = base64.encodebytes(text.encode()) if encoding == "base64" else text.encode(encoding)
    syntax, events = read([data])
    [problem] = events
    assert syntax is Syntax.UNKNOWN
    assert isinstance(problem, Problem)
    assert problem.code == "FILE-ENCODING"
    assert words in problem.message
