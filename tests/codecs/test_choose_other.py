"""Files that people send by mistake are named for what they are."""

import pytest

from gateway.codecs.choose import read
from gateway.codecs.node import Syntax
from gateway.problem import Problem


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
