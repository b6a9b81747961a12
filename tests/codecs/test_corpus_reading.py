"""Every X12 and EDIFACT sample of the corpus beside the checkout: no exception, no hang, every place inside of the file."""

import time
from pathlib import Path

import pytest

from gateway.codecs import choose
from gateway.codecs import edifact
from gateway.codecs import x12
from gateway.codecs.node import Syntax
from tests.codecs.edi import chopped
from tests.codecs.edi import problems
from tests.codecs.edi import transactions
from tests.machine import is_quick

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus"
FILES = [path for folder in ("x12", "edifact") for path in sorted((CORPUS / folder).glob("*")) if path.is_file() and path.suffix != ".XXX"]

pytestmark = pytest.mark.skipif(not FILES, reason=f"the corpus of samples is not at {CORPUS}")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[:60])
def test_a_sample_is_read(path: Path) -> None:
    data = path.read_bytes()
    begun = time.process_time()
    syntax, found = choose.read([data])
    events = list(found)
    assert syntax.value == path.parent.name
    codec = x12 if syntax is Syntax.X12 else edifact
    assert repr(list(codec.read(chopped(data)))) == repr(events)
    for problem in problems(events):
        assert problem.message
        assert problem.place.offset is None or 0 <= problem.place.offset <= len(data)
    for transaction in transactions(events):
        assert data[transaction.offset : transaction.offset + len(transaction.raw)].decode("latin-1") == transaction.raw
        for index, segment in enumerate(transaction.segments, 1):
            span = codec.locate(transaction, index)
            if segment[0][:1].isalpha() and segment[0].isascii() and transaction.delimiters is not None and not transaction.delimiters.wrapped:
                assert data[span.offset : span.offset + span.length].decode("latin-1").startswith(segment[0][:1])
    assert is_quick(time.process_time() - begun, 20)
