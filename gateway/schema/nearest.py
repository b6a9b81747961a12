"""Which of the versions that we have is nearest to one that we lack. Knows how X12 and EDIFACT number their versions, no files.

Versions are put on a line in the order in which they came out; the nearest on it wins, of two that are as near the older one.
Where a great change lies between, the side counts more than the distance.
"""

import re
from collections.abc import Iterable

#: how many releases each version of X12 had: 003010 to 003070, 004010 to 004060, ...
_X12_RELEASES = {2: 5, 3: 7, 4: 6, 5: 5, 6: 5, 7: 6, 8: 6}
_X12 = re.compile(r"0{0,2}([1-9])0([0-9])")
_EDIFACT = re.compile(r"[ds]\.?([0-9]{2})([a-z]?)")
#: directories from before they had letters: 881, 901, 911, 912, 921, also with the controlling version before them (1911, 2912)
_OLD_EDIFACT = re.compile(r"[12sd]?\.?(?:8[89]|9[0-2])[0-9.]*")
_PYT = 2002.5
#: what a version that cannot be read is taken for: the one that most send
_USUAL = {"x12": "004010", "edifact": "d96a"}


def nearest_version(spec: str, known: Iterable[str]) -> str | None:
    """`spec` itself where it is known, else the known one of the same type with the nearest version; None where there is none.

    `x12/004020/850` is `x12/004010/850` where that is known and 004030 is not.
    """
    syntax, _, rest = spec.partition("/")
    version, _, kind = rest.partition("/")
    there: dict[str, float] = {}
    for name in known:
        if name == spec:
            return spec
        parts = name.split("/")
        if kind and len(parts) == 3 and parts[0] == syntax and parts[2] == kind:
            place = _place(syntax, parts[1])
            if place is not None:
                there[name] = place
    if not there:
        return None
    wanted = _place(syntax, version)
    if wanted is None:
        wanted = _place(syntax, _USUAL.get(syntax, "")) or 0
    return min(there, key=lambda name: (_across(syntax, there[name], wanted), abs(there[name] - wanted), there[name], name))


def _across(syntax: str, one: float, other: float) -> bool:
    """Whether a change lies between two directories that matters more than years: from D.02B on payment terms are PYT, before they were PAT."""
    return syntax == "edifact" and (one < _PYT) != (other < _PYT)


def _place(syntax: str, version: str) -> float | None:
    """Where a version stands on the line of its syntax; None where it cannot be read."""
    return _x12_place(version) if syntax == "x12" else _edifact_place(version.lower())


def _x12_place(version: str) -> float | None:
    """004010, also as senders shorten it: 4010, 00401."""
    match = _X12.match(version)
    if match is None:
        return None
    major, release = int(match[1]), int(match[2])
    first = sum(count for number, count in _X12_RELEASES.items() if number < major)
    # 003010 is the first release of 3, as 004010 of 4; of 2 the first is 002000
    return first + max(0, release - (major > 2))


def _edifact_place(version: str) -> float | None:
    """D96A, two directories a year. What came before the letters stands before all."""
    match = _EDIFACT.fullmatch(version)
    if match is None:
        return 1990 if _OLD_EDIFACT.fullmatch(version) else None
    year = int(match[1])
    return (1900 if year > 80 else 2000) + year + (ord(match[2] or "a") - ord("a")) / 2
