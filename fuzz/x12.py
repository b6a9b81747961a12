"""Any bytes as X12: nothing is raised, and each part lies where it says."""

import sys

import atheris

with atheris.instrument_imports(include=["gateway"]):
    from gateway.codecs import x12

from fuzz.sane import assert_sane


def one_input(data: bytes) -> None:
    events = list(x12.read([data]))
    assert_sane(data, events, x12.locate)
    half = len(data) // 2
    assert repr(list(x12.read([data[:half], data[half:]]))) == repr(events)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
