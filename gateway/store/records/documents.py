"""Documents: the rows of canonical documents, their states and the states' history, and the counts that lists show.

Knows no document's inside: a body is JSON text, a state is a word of the pipeline; only `registered` means something here: waiting for
its trade step, in the order of `seq`, and held back while an earlier document of the same `hold_key` is still registered.
Contents (body, problems, result, plans) lie in a table of their own; lists do not read them.
"""

from collections import Counter
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy import Connection
from sqlalchemy import Insert
from sqlalchemy import Integer
from sqlalchemy import Select
from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from gateway.problem import Problem
from gateway.store import streams
from gateway.store import tables
from gateway.store.many import Many
from gateway.store.many import many_inserts
from gateway.store.many import many_updates
from gateway.store.many import many_upserts
from gateway.store.records.document import Change as Change
from gateway.store.records.document import Count as Count
from gateway.store.records.document import Document as Document
from gateway.store.records.document import Filters as Filters
from gateway.store.records.document import Transition as Transition
from gateway.store.rows import StaleState
from gateway.store.rows import all_of
from gateway.store.rows import insert
from gateway.store.rows import is_one_of
from gateway.store.rows import one_of

REGISTERED = "registered"
#: how many identifiers one IN list takes
_MANY = 500

_TABLE = tables.document
_CONTENT = tables.document_content
_HISTORY = tables.document_state
_COUNT = tables.document_count
_CONTENT_NAMES = ("body", "problems", "result", "plan_digests")
_COUNT_NAMES = ("stream", "partner", "direction", "kind", "state", "test")
_EARLIER = _TABLE.alias("earlier")
_WAITS_FOR_EARLIER = (
    select(_EARLIER.c.id)
    .where(
        _EARLIER.c.hold_key == _TABLE.c.hold_key,
        _EARLIER.c.stream == _TABLE.c.stream,
        _EARLIER.c.seq < _TABLE.c.seq,
        is_one_of(_EARLIER.c.state, REGISTERED),
    )
    .exists()
)
_WHOLE: Select[Any] = select(_TABLE, *(_CONTENT.c[name] for name in _CONTENT_NAMES)).join(_CONTENT, _CONTENT.c.document == _TABLE.c.id)


def insert_many(connection: Connection, documents: Sequence[Document], *, actor: str, reason: str | Sequence[str]) -> list[Document]:
    """Insert documents with the first line of their history (`reason` for all, or one for each); where `seq` is 0 it is drawn, in the
    order given.

    StaleState where one of them (id, or ordinal in its interchange) is there already: a chunk that is repeated cannot double.
    """
    if not documents:
        return []
    documents = _with_sequence(connection, documents)
    try:
        _INSERT.run(connection, map(_ROW_OF, documents))
    except IntegrityError as error:
        raise StaleState("a document of this batch is registered already") from error
    _INSERT_CONTENT.run(connection, map(_CONTENT_OF, documents))
    reasons = [reason] * len(documents) if isinstance(reason, str) else reason
    first = zip(documents, reasons, strict=True)
    _INSERT_HISTORY.run(connection, [(document.id, 1, None, document.state, actor, why, document.created_at) for document, why in first])
    _count(connection, ((_COUNTED_OF(document), 1) for document in documents))
    return documents


_NEXT = (
    _WHOLE.where(
        _TABLE.c.stream == bindparam("in_stream"),
        is_one_of(_TABLE.c.state, REGISTERED),
        or_(_TABLE.c.due_at.is_(None), _TABLE.c.due_at <= bindparam("now", type_=_TABLE.c.due_at.type)),
        ~_WAITS_FOR_EARLIER,
    )
    .order_by(_TABLE.c.seq)
    .limit(bindparam("most", type_=Integer))
)
#: between two bars: a range that both databases find in the index of hold keys
_ANY_WAITING = "SELECT id FROM document{hint} WHERE hold_key >= 'waits|' AND hold_key < 'waits}}' AND state = 'registered' LIMIT 1"
#: left to itself, SQLite goes through everything that is registered
_HINTS = {"sqlite": " INDEXED BY ix_document_hold_key"}


def transition(connection: Connection, changes: Sequence[Change]) -> None:
    """Change states, each only from the state expected; StaleState names the first that is elsewhere, and nothing is written then."""
    for batch in _rounds(changes):
        _transition_each_once(connection, batch)


def next_registered(connection: Connection, stream: str, limit: int, now: datetime) -> list[Document]:
    """The next documents of a stream for their trade step, in order, with their contents.

    Passed over: one whose retry is not due yet, and one whose hold_key an earlier registered document of the stream has
    (also within one batch: it comes with the next).
    """
    return all_of(connection.execute(_NEXT, {"in_stream": stream, "now": now, "most": limit}), Document)


def waiting_key(key: str) -> str:
    """The hold key of a document that waits for another one of this key: it holds nobody up."""
    return f"waits|{key}"


def waits(document: Document) -> bool:
    """Whether a document waits for another one, or did until its time was over."""
    return document.hold_key is not None and document.hold_key.startswith(waiting_key(""))


def wake(connection: Connection, keys: Collection[str]) -> int:
    """Documents that wait for one of these keys walk on in their order; how many there are."""
    if connection.exec_driver_sql(_ANY_WAITING.format(hint=_HINTS.get(connection.dialect.name, ""))).first() is None:
        return 0
    wanted = sorted(waiting_key(key) for key in set(keys))
    count = 0
    for start in range(0, len(wanted), _MANY):
        query = select(_TABLE.c.id, _TABLE.c.hold_key).where(
            _TABLE.c.hold_key.in_(wanted[start : start + _MANY]), is_one_of(_TABLE.c.state, REGISTERED)
        )
        for id, key in connection.execute(query.order_by(_TABLE.c.id)).all():
            connection.execute(update(_TABLE).where(_TABLE.c.id == id).values(due_at=None, hold_key=key.removeprefix(waiting_key(""))))
            count += 1
    return count


def streams_registered(connection: Connection, now: datetime) -> list[str]:
    """The streams in which a registered document is due: what a sweep pokes."""
    due = or_(_TABLE.c.due_at.is_(None), _TABLE.c.due_at <= now)
    return list(
        connection.execute(select(_TABLE.c.stream).where(is_one_of(_TABLE.c.state, REGISTERED), due).distinct().order_by(_TABLE.c.stream)).scalars()
    )


def get(connection: Connection, id: str) -> Document | None:
    """A document with its contents."""
    return one_of(connection.execute(_WHOLE.where(_TABLE.c.id == id)), Document)


def get_many(connection: Connection, ids: Collection[str]) -> dict[str, Document]:
    """Documents with their contents, by id; those that do not exist are left out."""
    wanted = sorted(set(ids))
    found: list[Document] = []
    for start in range(0, len(wanted), _MANY):
        found += all_of(connection.execute(_WHOLE.where(_TABLE.c.id.in_(wanted[start : start + _MANY]))), Document)
    return {document.id: document for document in found}


def of_interchange(connection: Connection, interchange: str, *, after_ordinal: int = -1, limit: int = 1000) -> list[Document]:
    """Documents of an interchange in their order, with their contents, page by page (`after_ordinal` is the last one's of the page before)."""
    query = _WHOLE.where(_TABLE.c.interchange == interchange, _TABLE.c.ordinal > after_ordinal).order_by(_TABLE.c.ordinal).limit(limit)
    return all_of(connection.execute(query), Document)


def results_of_interchange(connection: Connection, interchange: str, *, after_ordinal: int = -1, limit: int = 1000) -> list[tuple[int, str | None]]:
    """Ordinal and result of an interchange's documents in their order, page by page."""
    query = select(_TABLE.c.ordinal, _CONTENT.c.result).join(_CONTENT, _CONTENT.c.document == _TABLE.c.id)
    query = query.where(_TABLE.c.interchange == interchange, _TABLE.c.ordinal > after_ordinal).order_by(_TABLE.c.ordinal).limit(limit)
    return [(ordinal, result) for ordinal, result in connection.execute(query)]


def of_transmission(connection: Connection, transmission: str, *, limit: int = 1000) -> list[Document]:
    """Documents of a transmission (without contents) in the order in which they stood in it."""
    query = select(_TABLE).where(_TABLE.c.transmission == transmission).order_by(_TABLE.c.created_at, _TABLE.c.ordinal, _TABLE.c.id).limit(limit)
    return all_of(connection.execute(query), Document)


def received(connection: Connection, since: datetime, *, after: tuple[datetime, str] | None = None, limit: int = 1000) -> list[Document]:
    """Documents that came in since then, with their contents, oldest first; `after` is (created_at, id) of the last one of the page before."""
    query = _WHOLE.where(_TABLE.c.direction == "in", _TABLE.c.created_at >= since).order_by(_TABLE.c.created_at, _TABLE.c.id).limit(limit)
    if after is not None:
        query = query.where(_TABLE.c.created_at >= after[0], or_(_TABLE.c.created_at > after[0], _TABLE.c.id > after[1]))
    return all_of(connection.execute(query), Document)


def rejected_since(connection: Connection, since: datetime, limit: int = 1000) -> list[tuple[str, str]]:
    """Id and kind of the documents that came since then and were rejected, newest first."""
    query = select(_TABLE.c.id, _TABLE.c.kind).where(is_one_of(_TABLE.c.state, "rejected"), _TABLE.c.created_at >= since, _TABLE.c.direction == "in")
    return [(id, kind) for id, kind in connection.execute(query.order_by(_TABLE.c.created_at.desc(), _TABLE.c.id.desc()).limit(limit))]


def history(connection: Connection, id: str) -> list[Transition]:
    """A document's states from the first to the present one."""
    return all_of(connection.execute(select(_HISTORY).where(_HISTORY.c.document == id).order_by(_HISTORY.c.transition_no)), Transition)


def search(connection: Connection, filters: Filters, *, after: tuple[datetime, str] | None = None, limit: int = 50) -> list[Document]:
    """A page of documents without contents, newest first; `after` is (created_at, id) of the last one of the page before."""
    query = select(_TABLE).order_by(_TABLE.c.created_at.desc(), _TABLE.c.id.desc()).limit(limit)
    if filters.states is not None:
        query = query.where(_TABLE.c.state == filters.states[0] if len(filters.states) == 1 else _TABLE.c.state.in_(filters.states))
    for name in ("kind", "partner", "direction", "number", "test"):
        value = getattr(filters, name)
        if value is not None:
            query = query.where(_TABLE.c[name] == value)
    if filters.since is not None:
        query = query.where(_TABLE.c.created_at >= filters.since)
    if filters.until is not None:
        query = query.where(_TABLE.c.created_at < filters.until)
    if after is not None:
        query = query.where(_TABLE.c.created_at <= after[0], or_(_TABLE.c.created_at < after[0], _TABLE.c.id < after[1]))
    return all_of(connection.execute(query), Document)


def counts(connection: Connection) -> list[Count]:
    """How many documents there are by partner, direction, kind, state and test: from the counters, whatever their number."""
    names = [_COUNT.c[name] for name in _COUNT_NAMES if name != "stream"]
    # PostgreSQL sums integers into a numeric: keep it a whole number
    query = select(*names, func.sum(_COUNT.c["count"]).label("count")).group_by(*names).having(func.sum(_COUNT.c["count"]) != 0).order_by(*names)
    names_of = [column.name for column in names]
    return [Count(**dict(zip(names_of, row[:-1], strict=True)), count=int(row[-1])) for row in connection.execute(query)]


def set_body(connection: Connection, id: str, body: str) -> None:
    """Replace a document's canonical body (its state does not change)."""
    if connection.execute(update(_CONTENT).where(_CONTENT.c.document == id).values(body=body)).rowcount != 1:
        raise StaleState(f"document {id} does not exist")


def add_problems(connection: Connection, id: str, problems: Sequence[Problem]) -> None:
    """Add to what is known to be wrong with a document (its state does not change); what is told already is not told twice."""
    present = connection.execute(select(_CONTENT.c.problems).where(_CONTENT.c.document == id)).scalar_one_or_none()
    if present is None:
        raise StaleState(f"document {id} does not exist")
    together = tuple(dict.fromkeys([*present, *problems]))
    connection.execute(update(_CONTENT).where(_CONTENT.c.document == id).values(problems=together))


# ---------------------------------------------------------------- how

_ROW_NAMES = tuple(column.name for column in _TABLE.columns)
_ROW_OF = attrgetter(*_ROW_NAMES)
_CONTENT_OF = attrgetter("id", *_CONTENT_NAMES)
_COUNTED_OF = attrgetter(*_COUNT_NAMES)
_INSERT = many_inserts(_TABLE, _ROW_NAMES)
_INSERT_CONTENT = many_inserts(_CONTENT, ("document", *_CONTENT_NAMES))
_INSERT_HISTORY = many_inserts(_HISTORY, ("document", "transition_no", "state_before", "state", "actor", "reason", "at"))
_EXTRA_NAMES = ("number", "hold_key", "amount_minor", "currency")


def _with_sequence(connection: Connection, documents: Sequence[Document]) -> list[Document]:
    missing = Counter(document.stream for document in documents if document.seq == 0)
    if not missing:
        return list(documents)
    following = streams.draw_many(connection, missing)
    numbered = []
    for document in documents:
        if document.seq == 0:
            numbered.append(msgspec.structs.replace(document, seq=following[document.stream]))
            following[document.stream] += 1
        else:
            numbered.append(document)
    return numbered


def _rounds(changes: Sequence[Change]) -> Iterable[list[Change]]:
    """The changes so that a document is in a round at most once, later changes of it in later rounds."""
    rounds: list[list[Change]] = []
    seen: Counter[str] = Counter()
    for change in changes:
        if seen[change.document] == len(rounds):
            rounds.append([])
        rounds[seen[change.document]].append(change)
        seen[change.document] += 1
    return rounds


def _transition_each_once(connection: Connection, changes: Sequence[Change]) -> None:
    present = _present(connection, [change.document for change in changes])
    for change in changes:
        there = present.get(change.document)
        if there is None:
            raise StaleState(f"document {change.document} does not exist")
        if there.state != change.expected:
            raise StaleState(f"document {change.document} is {there.state}, expected {change.expected}")
    _update_rows(connection, changes, present)
    _update_contents(connection, changes)
    _INSERT_HISTORY.run(
        connection,
        [
            (change.document, present[change.document].transition_no + 1, change.expected, change.state, change.actor, change.reason, change.at)
            for change in changes
        ],
    )
    _count(connection, _moved(changes, present))


def _present(connection: Connection, ids: list[str]) -> dict[str, Any]:
    """Where documents stand, their rows locked until the transaction ends."""
    columns = [_TABLE.c.id, _TABLE.c.transition_no, *(_TABLE.c[name] for name in _COUNT_NAMES)]
    present: dict[str, Any] = {}
    ids = sorted(ids)
    for start in range(0, len(ids), _MANY):
        query = select(*columns).where(_TABLE.c.id.in_(ids[start : start + _MANY])).order_by(_TABLE.c.id).with_for_update()
        present.update({row.id: row for row in connection.execute(query)})
    return present


def _update_rows(connection: Connection, changes: Sequence[Change], present: Mapping[str, Any]) -> None:
    groups: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for change in changes:
        extra = tuple(name for name in _EXTRA_NAMES if getattr(change, name) is not UNSET)
        row = (change.document, change.state, present[change.document].transition_no + 1, change.due_at, change.attempts)
        groups.setdefault(extra, []).append((*row, *(getattr(change, name) for name in extra)))
    for extra, rows in groups.items():
        _updates(_TABLE, "id", ("state", "transition_no", "due_at", "attempts", *extra)).run(connection, rows)


def _update_contents(connection: Connection, changes: Sequence[Change]) -> None:
    groups: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for change in changes:
        names = tuple(name for name in _CONTENT_NAMES if getattr(change, name) is not UNSET)
        if names:
            groups.setdefault(names, []).append((change.document, *(getattr(change, name) for name in names)))
    for names, rows in groups.items():
        _updates(_CONTENT, "document", names).run(connection, rows)


@lru_cache(maxsize=64)
def _updates(table: Table, key: str, names: tuple[str, ...]) -> Many:
    """UPDATE of these columns in many rows, found by `key`."""
    return many_updates(table, key, names)


def _moved(changes: Sequence[Change], present: Mapping[str, Any]) -> Iterable[tuple[tuple[Any, ...], int]]:
    for change in changes:
        there = present[change.document]
        for state, difference in ((there.state, -1), (change.state, 1)):
            yield (there.stream, there.partner, there.direction, there.kind, state, there.test), difference


def _count(connection: Connection, differences: Iterable[tuple[tuple[Any, ...], int]]) -> None:
    sums: Counter[tuple[Any, ...]] = Counter()
    for key, difference in differences:
        sums[key] += difference
    # sorted: two transactions that count in the same rows lock them in the same order
    _ADD_COUNT.run(connection, [(*key, sums[key]) for key in sorted(sums) if sums[key]])


def _added(connection: Connection) -> Insert:
    statement = insert(connection, _COUNT)
    return statement.on_conflict_do_update(index_elements=list(_COUNT_NAMES), set_={"count": _COUNT.c["count"] + statement.excluded["count"]})


_ADD_COUNT = many_upserts(_added, (*_COUNT_NAMES, "count"))
