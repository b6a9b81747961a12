"""Reading CMS structures that others wrote: what asn1crypto raises on rubbish, and the one way into a ContentInfo."""

from typing import Any

from asn1crypto import cms

#: What asn1crypto and cryptography raise on bytes that are not what they claim to be.
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError)


def type_of(data: bytes) -> str:
    """The content type (`enveloped_data`, ...), or "" where the bytes are no CMS."""
    try:
        return str(cms.ContentInfo.load(data)["content_type"].native)
    except UNREADABLE:
        return ""


def content_of(data: bytes, kind: str) -> Any:
    """The structure within a ContentInfo of this kind; raises one of UNREADABLE. Bytes after it are left alone (a CRLF often)."""
    info = cms.ContentInfo.load(data)
    found = info["content_type"].native
    if found != kind:
        raise ValueError(f"found {found}, expected {kind}")
    return info["content"]
