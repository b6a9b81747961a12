"""Any bytes as XML: nothing is raised, no entity grows."""

import sys

import atheris

with atheris.instrument_imports(include=["gateway"]):
    from gateway.codecs import xml

from fuzz.sane import assert_sane


def one_input(data: bytes) -> None:
    assert_sane(data, list(xml.read([data])), None)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
