"""Who really sent a mail, as our own mail server wrote it into the head (Authentication-Results, RFC 8601).

Only the topmost line of a named server counts: our server writes above whatever the sender wrote. A pass must be for the domain
of the From address: somebody else's signature proves somebody else.
"""

import re
from collections.abc import Collection
from collections.abc import Sequence

_COMMENT = re.compile(r"\([^()]*\)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_RESULT = re.compile(r"\s*(dmarc|dkim|spf)(?:/\d+)?\s*=\s*(\w+)\b(.*)", re.IGNORECASE | re.DOTALL)
_PROPERTY = re.compile(r"\b(header\.from|header\.d|header\.i|smtp\.mailfrom)\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
#: which property says for whom a method passed
_FOR = {"dmarc": ("header.from",), "dkim": ("header.d", "header.i"), "spf": ("smtp.mailfrom",)}


def is_authentic(sender: str, results: Sequence[str], servers: Collection[str]) -> bool:
    """Whether one of our servers says that the mail is from the domain of this address. `results`: the header's lines, topmost first."""
    domain = sender.rpartition("@")[2].lower()
    wanted = {server.lower() for server in servers}
    for line in results:
        parts = _without_comments(_QUOTED.sub(_harmless, line)).split(";")
        if parts[0].split()[:1] and parts[0].split()[0].lower() in wanted:
            return any(_passes(part, domain) for part in parts[1:])
    return False


def _passes(result: str, domain: str) -> bool:
    found = _RESULT.match(result)
    if found is None or found.group(2).lower() != "pass":
        return False
    method = found.group(1).lower()
    named = [value for name, value in _PROPERTY.findall(found.group(3)) if name.lower() in _FOR[method]]
    return any(_fits(value.rpartition("@")[2].lower(), domain) for value in named)


def _fits(named: str, domain: str) -> bool:
    """The same domain, or the one above it (a company signs for its departments)."""
    return named == domain or ("." in named and domain.endswith(f".{named}"))


def _harmless(quoted: "re.Match[str]") -> str:
    """What stands in quotes is one value, whatever its letters: a sender's domain may not end a result and begin another."""
    return re.sub(r"[^\w.@+-]", "_", quoted.group(1))


def _without_comments(text: str) -> str:
    for _ in range(20):
        shorter = _COMMENT.sub(" ", text)
        if shorter == text:
            return text
        text = shorter
    return ""
