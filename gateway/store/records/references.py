"""References: every number by which somebody may look for a document, and the links between documents that make a trail.

Searching compares a normalised form (letters and digits, upper case), from its beginning; no extension of the database is needed.
"""

import re
import unicodedata
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter

from sqlalchemy import Connection
from sqlalchemy import or_
from sqlalchemy import select

from gateway.store import tables
from gateway.store.many import many_inserts
from gateway.store.rows import Row
from gateway.store.rows import all_of

_TABLE = tables.reference
_LINK = tables.link
_LONGEST = 80
#: characters of a value that are kept: an index of PostgreSQL takes no more than 2,700 bytes
_KEPT = 500
#: kinds of documents that speak of many partners at once
_OF_MANY = ("bank_statement",)


class Reference(Row, frozen=True, kw_only=True):
    """A value under which a document can be found. `kind`: number, control_number, file_name, gtin, sscc, trace, ..."""

    document: str
    kind: str
    value: str


class Found(Row, frozen=True, kw_only=True):
    """A document that a search came upon, and by what."""

    document: str
    kind: str
    value: str
    created_at: datetime


class Link(Row, frozen=True, kw_only=True):
    """`from_document` led to `to_document`. `relation`: answers, changes, ships, invoices, credits, pays, takes_back, named_by,
    acknowledges, replays."""

    from_document: str
    to_document: str
    relation: str


_LINK_OF = attrgetter(*Link.__struct_fields__)
_INSERT = many_inserts(_TABLE, ("document", "kind", "value", "normalised"), ignore=())
_INSERT_LINK = many_inserts(_LINK, Link.__struct_fields__, ignore=())
_NOT_ALNUM = re.compile(r"[^0-9A-Za-z]+")


def normalise(value: str) -> str:
    """Letters and digits in upper case, of any script; leading zeros stay."""
    if value.isascii():
        return value.upper()[:_LONGEST] if value.isalnum() else _NOT_ALNUM.sub("", value).upper()[:_LONGEST]
    text = unicodedata.normalize("NFKC", value).upper()
    return "".join(character for character in text if character.isalnum())[:_LONGEST]


def add(connection: Connection, references: Iterable[Reference]) -> None:
    """Make documents findable; the same reference again is harmless. Values without letter or digit are left out, endless ones are cut."""
    rows = ((one.document, one.kind, one.value[:_KEPT], normalised) for one in references if (normalised := normalise(one.value)))
    _INSERT.run(connection, rows)


def find(
    connection: Connection,
    text: str,
    *,
    kinds: Collection[str] | None = None,
    partner: str | None = None,
    limit: int = 50,
    whole: bool = False,
) -> list[Found]:
    """Documents (of a partner) with a reference that begins with the text (`whole`: that is the text), whole ones first, then the newest.
    Partners count for themselves: without `partner` the same number may be that of several."""
    wanted = normalise(text)
    if not wanted:
        return []
    documents = tables.document
    columns = select(_TABLE.c.document, _TABLE.c.kind, _TABLE.c.value, documents.c.created_at).join(documents, documents.c.id == _TABLE.c.document)
    if kinds is not None:
        columns = columns.where(_TABLE.c.kind.in_(sorted(kinds)))
    if partner is not None:
        columns = columns.where(documents.c.partner == partner)
    newest = (documents.c.created_at.desc(), _TABLE.c.document, _TABLE.c.kind)
    found = all_of(connection.execute(columns.where(_TABLE.c.normalised == wanted).order_by(*newest).limit(limit)), Found)
    if not whole and len(found) < limit:
        # a range, not LIKE: both databases walk the key for it. The first rows in key order; a short prefix may have a million
        longer = columns.where(_TABLE.c.normalised > wanted, _TABLE.c.normalised < wanted + "\U0010ffff")
        found += all_of(connection.execute(longer.order_by(_TABLE.c.normalised, _TABLE.c.kind, _TABLE.c.document).limit(limit - len(found))), Found)
    return found


def with_numbers(connection: Connection, numbers: Iterable[str], kinds: Collection[str]) -> set[str]:
    """The documents that bear or name one of these numbers, of these kinds of references."""
    wanted = sorted({normalised for one in numbers if (normalised := normalise(one))})
    found: set[str] = set()
    for start in range(0, len(wanted), 400):
        query = select(_TABLE.c.document).where(_TABLE.c.normalised.in_(wanted[start : start + 400]), _TABLE.c.kind.in_(sorted(kinds)))
        found.update(connection.execute(query).scalars())
    return found


def of_document(connection: Connection, document: str) -> list[Reference]:
    """All references of a document."""
    query = select(_TABLE.c.document, _TABLE.c.kind, _TABLE.c.value).where(_TABLE.c.document == document).order_by(_TABLE.c.kind, _TABLE.c.value)
    return all_of(connection.execute(query), Reference)


def link(connection: Connection, links: Iterable[Link]) -> None:
    """Connect documents; the same link again is harmless."""
    _INSERT_LINK.run(connection, map(_LINK_OF, links))


def links_of(connection: Connection, document: str) -> list[Link]:
    """The links from and to a document."""
    query = select(_LINK).where(or_(_LINK.c.from_document == document, _LINK.c.to_document == document))
    return all_of(connection.execute(query.order_by(_LINK.c.from_document, _LINK.c.to_document, _LINK.c.relation)), Link)


def trail(connection: Connection, document: str, limit: int = 500) -> list[Link]:
    """All links that can be walked to from a document, in either direction, nearest first. What speaks of many partners at once is an end:
    through a bank statement everybody's orders would hang together with everybody else's."""
    links: dict[Link, None] = {}
    seen = {document}
    edge = [document]
    while edge and len(seen) <= limit:
        found: list[Link] = []
        for start in range(0, len(edge), 400):
            part = edge[start : start + 400]
            query = select(_LINK).where(or_(_LINK.c.from_document.in_(part), _LINK.c.to_document.in_(part)))
            found += all_of(connection.execute(query.order_by(_LINK.c.from_document, _LINK.c.to_document, _LINK.c.relation)), Link)
        links.update(dict.fromkeys(found))
        edge = sorted({end for one in found for end in (one.from_document, one.to_document)} - seen)
        seen.update(edge)
        edge = leading_on(connection, edge)
    return list(links)


def is_of_many(kind: str) -> bool:
    """Whether documents of a kind speak of many partners at once."""
    return kind in _OF_MANY


def leading_on(connection: Connection, edge: Sequence[str]) -> list[str]:
    """Those of these documents that a trail leads through, and that keep what they are linked with."""
    documents = tables.document
    ends: set[str] = set()
    for start in range(0, len(edge), 400):
        query = select(documents.c.id).where(documents.c.id.in_(edge[start : start + 400]), documents.c.kind.in_(_OF_MANY))
        ends.update(connection.execute(query).scalars())
    return [one for one in edge if one not in ends]
