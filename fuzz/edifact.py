"""Any bytes as EDIFACT: nothing is raised, and each part lies where it says."""

import sys

import atheris

with atheris.instrument_imports(include=["gateway"]):
    from gateway.codecs import edifact

from fuzz.sane import assert_sane


def one_input(data: bytes) -> None:
    events = list(edifact.read([data]))
    assert_sane(data, events, edifact.locate)
    half = len(data) // 2
    assert repr(list(edifact.read([data[:half], data[half:]]))) == repr(events)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
