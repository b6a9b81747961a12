"""Text from outside as it may be shown: what would move a terminal's cursor, clear its screen or turn the reading direction is written out."""

import re

#: controls, and what changes the direction or the line
_HIDDEN = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
_IN_WORDS = re.compile(f"[{_HIDDEN}]")
_IN_A_NAME = re.compile(f"[{_HIDDEN}\t\n]")


def visible(text: str) -> str:
    """Words of several lines with each hidden character as JSON would write it: in JSON it says the same."""
    return text if text.isprintable() else _IN_WORDS.sub(_written, text)


def visible_name(name: str) -> str:
    """The same for what stands in a line: a name begins no line of its own."""
    return name if name.isprintable() else _IN_A_NAME.sub(_written, name)


def _written(found: "re.Match[str]") -> str:
    return f"\\u{ord(found.group()):04x}"
