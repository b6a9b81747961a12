"""A remittance advice that is written as 820 or REMADV and read again is the same."""

import json
from typing import Any

import pytest

from gateway.model.document import decode
from gateway.model.document import encode
from tests.mapping.mapping_world import checked
from tests.mapping.mapping_world import edifact_file
from tests.mapping.mapping_world import read
from tests.mapping.mapping_world import shipped
from tests.mapping.mapping_world import transaction_of
from tests.mapping.mapping_world import write
from tests.mapping.mapping_world import x12_file

ADVICE: dict[str, Any] = {
    "kind": "remittance_advice",
    "number": "T1",
    "issued_on": "2026-01-10",
    "paid_on": "2026-01-11",
    "currency": "EUR",
    "amount": "88.00",
    "trace": "T1",
    "payer": {"name": "ACME", "identifiers": {"gln": "1234567890128"}},
    "payee": {"name": "SELLER"},
    "lines": [
        {"type": "invoice", "number": "INV-1", "issued_on": "2026-01-01", "paid": "90.00", "gross": "100.00", "discount": "2.00", "deduction": "8.00",
         "deduction_code": "01", "reason": "broken"},
        {"type": "credit_note", "number": "CN-1", "paid": "-2.00"},
    ],
}  # fmt: skip


@pytest.mark.parametrize("spec", ["x12/004010/820", "x12/005010/820", "edifact/d96a/remadv", "edifact/d01b/remadv"])
def test_what_is_written_is_read_as_it_was(spec: str) -> None:
    body, problems = write(shipped(spec, "write"), decode(json.dumps(ADVICE)))
    assert not problems
    version = spec.split("/")[1]
    if spec.startswith("x12"):
        data = x12_file("".join("*".join(segment) + "~" for segment in body), "820", version, "RA")
    else:
        segments = ("+".join([segment[0], *(":".join(element) for element in segment[1:])]) + "'" for segment in body)
        data = edifact_file("".join(segments), "REMADV", f"D:{version[1:].upper()}")
    assert not checked(transaction_of(data), spec).problems
    document, problems = read(shipped(spec, "read"), data)
    assert not problems
    told = json.loads(encode(document))
    del told["source"]
    assert told.pop("method", None) in (None, "none")
    assert told == ADVICE
