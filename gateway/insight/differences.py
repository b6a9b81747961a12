"""What differs between two canonical documents, field by field. It knows JSON and nothing of mappings."""

from typing import Any

import msgspec


class Difference(msgspec.Struct, frozen=True, omit_defaults=True):
    """A field that is not what it was: nothing stands for what is not there."""

    field: str
    expected: str | None = None
    found: str | None = None
    #: file:line of the mapping that gives it, where that is known
    mapping: str | None = None


#: differences of two documents that are told; more say no more
MOST = 200


def differences(expected: Any, found: Any, field: str = "") -> list[Difference]:
    """Each leaf that differs, in the order of the expected document."""
    answer: list[Difference] = []
    _compare(expected, found, field, answer)
    return answer[:MOST]


def _compare(expected: Any, found: Any, field: str, answer: list[Difference]) -> None:
    if expected == found or len(answer) >= MOST:
        return
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in dict.fromkeys((*expected, *found)):
            _compare(expected.get(name), found.get(name), f"{field}.{name}" if field else name, answer)
    elif isinstance(expected, list) and isinstance(found, list):
        for number in range(max(len(expected), len(found))):
            one = expected[number] if number < len(expected) else None
            other = found[number] if number < len(found) else None
            _compare(one, other, f"{field}[{number}]", answer)
    elif isinstance(expected, dict | list) and found is None or isinstance(found, dict | list) and expected is None:
        # a whole part that is only on one side: its leaves
        empty: Any = {} if isinstance(expected if found is None else found, dict) else []
        _compare(empty if expected is None else expected, empty if found is None else found, field, answer)
    else:
        answer.append(Difference(field, _text(expected), _text(found)))


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
