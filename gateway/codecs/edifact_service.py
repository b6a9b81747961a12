"""Service segments of EDIFACT once they are cut: their values, who sends to whom, and what is odd about UNB and about packages (ISO 9735).

It knows no file and no position in one. Nothing that it tells keeps anything from being read.
"""

from collections.abc import Iterator

from gateway.codecs import edifact_charset
from gateway.codecs.node import Repeated
from gateway.codecs.node import Segment
from gateway.codecs.trailers import replace_place
from gateway.kinds import edifact as kinds
from gateway.problem import Kind
from gateway.problem import Place
from gateway.problem import Problem


def value(segment: Segment, element: int, component: int = 1) -> str:
    """A component of a segment, without blanks around it; empty where it is not there."""
    if len(segment) <= element:
        return ""
    parts = segment[element]
    if isinstance(parts, Repeated):
        parts = parts[0]
    return str(parts[component - 1]).strip() if len(parts) >= component else ""


def identity(segment: Segment, element: int) -> str:
    """S002, S003, S006 or S007 as qualifier:id."""
    identifier, qualifier = value(segment, element, 1), value(segment, element, 2)
    return f"{qualifier}:{identifier}" if identifier or qualifier else ""


def unb_problems(segment: Segment, place: Place) -> Iterator[Problem]:
    """UNB's syntax version, character set, and whether all is there that must be."""
    charset, version = value(segment, 1, 1), value(segment, 1, 2)
    if version not in {"1", "2", "3", "4"}:
        named = replace_place(place, element=1, component=2)
        yield kinds.SYNTAX_UNSUPPORTED.at(named, f"the syntax version is '{version}'", found=version, expected="1, 2, 3 or 4")
    if not edifact_charset.is_known(charset):
        named = replace_place(place, element=1, component=1)
        message = f"the character set '{charset}' is not known"
        yield kinds.CHARSET_UNKNOWN.at(named, message, found=charset, expected="UNOA to UNOL, UNOW or UNOY")
    if not is_whole_unb(segment):
        message = f"UNB has {len(segment) - 1} elements, at least 5 are expected"
        yield kinds.UNB_MALFORMED.at(place, message, expected="syntax, sender, recipient, date, reference")


def is_whole_unb(segment: Segment) -> bool:
    """Whether UNB goes as far as its reference."""
    return len(segment) > 5


def package_words(segment: Segment, closing: Segment) -> tuple[Kind, str]:
    """What is told about a package with this UNO and UNP."""
    number, length = value(segment, 1), value(segment, 4)
    if closing[:1] != ["UNP"]:
        return kinds.PACKAGE_MALFORMED, f"package {number} says that its object has '{length[:20]}' bytes; UNP does not stand behind them"
    if (value(closing, 1).lstrip("0"), value(closing, 2)) != (length.lstrip("0"), number):
        told = f"{value(closing, 1)} bytes of package {value(closing, 2)}"
        return kinds.PACKAGE_MALFORMED, f"UNO announces {length} bytes of package {number}, UNP ends {told}"
    return kinds.PACKAGE, f"the object of package {number}, {length} bytes, is not read; it stays in the file as sent"
