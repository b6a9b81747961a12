"""Any text as a user's YAML: a tree or Faults with a place, nothing else."""

import sys

import atheris

with atheris.instrument_imports(include=["gateway"]):
    from gateway.yaml_source import Faults
    from gateway.yaml_source import parse
    from gateway.yaml_source import plain


def one_input(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    try:
        plain(parse(text, "fuzzed.yaml"))
    except Faults as faults:
        assert faults.faults
        for fault in faults.faults:
            assert fault.line >= 1
            assert fault.column >= 1
            assert fault.message


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
