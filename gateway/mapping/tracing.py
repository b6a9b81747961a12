"""What the explaining variant of generated reading code calls: origins of values, and traces of parts becoming those of the whole."""

from typing import Any

import msgspec


def told(origins: Any, how: str) -> list[tuple[Any, ...]]:
    """The origins of a value that was looked up, joined, ...; what is constant stays so."""
    return [origin if origin[4] == "constant" else (*origin[:4], how, *origin[5:]) for origin in origins]


def adopt(trace: dict[str, Any], prefix: str, inner: dict[str, Any]) -> None:
    """The trace of a part as a part of the whole."""
    for name, origins in inner.items():
        trace[prefix + name] = origins


def adopt_merged(trace: dict[str, Any], role: str, inner: dict[str, Any]) -> None:
    """The trace of a party that found its place by role, over what is told about this role already."""
    told_already = {name: trace.pop(name) for name in list(trace) if name.startswith(role + ".")}
    contacts = {name.partition("]")[0] for name in inner if name.startswith("contacts[")}
    for name, origins in told_already.items():
        if name.startswith(f"{role}.contacts["):
            number, _, rest = name[len(role) + 10 :].partition("]")
            trace[f"{role}.contacts[{int(number) + len(contacts)}]{rest}"] = origins
        else:
            trace[name] = origins
    adopt(trace, role + ".", inner)


def merged(placed: Any, own: Any) -> Any:
    """A party that found its place by role, with what the mapping says about this role besides; its contacts come first."""
    if placed is None or own is None:
        return placed if own is None else own
    more = {name: held for name in own.__struct_fields__ if (held := getattr(own, name)) and not getattr(placed, name)}
    if placed.contacts and own.contacts:
        more["contacts"] = (*placed.contacts, *own.contacts)
    return msgspec.structs.replace(placed, **more) if more else placed
