"""The ledger of control numbers, ours and the partners': which have been used, level by level, so that gaps, repeats and roll-over show.

Numbers that follow each other are kept as one run. A number that jumps far ahead begins a new run and leaves no gap: nobody lost a
million interchanges. Drawing our own numbers is the matter of store/outgoing/controls.py; this page only remembers.
"""

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import Table
from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy import update

from gateway.store import tables
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.rows import insert
from gateway.store.rows import one_of
from gateway.store.rows import values_of

#: more numbers than this that are missing at once are a new beginning, not a gap
FARTHEST = 1000
#: runs of one counting that are kept; the lowest go first
_MOST_RUNS = 500
#: a counting with fewer digits than this is not taken to have rolled over
_SHORTEST = 4
_COUNTING = tables.counting
_RUN = tables.control_run


class Key(Row, frozen=True, kw_only=True):
    """One counting: whose numbers, in which direction (in, out), under which identity, at which level, for which document type (empty:
    all). Test traffic counts for itself."""

    partner: str
    direction: str
    identity: str
    #: interchange, group, transaction
    level: str
    kind: str = ""
    test: bool = False


class Counting(Row, frozen=True, kw_only=True):
    """Where a counting stands. `round` grows with each roll-over."""

    partner: str
    direction: str
    identity: str
    level: str
    kind: str
    test: bool
    round: int = 0
    #: the number that came last, and the highest of this round
    latest: int
    highest: int
    used: int
    repeated: int = 0
    last_repeated: int | None = None
    rolled_at: datetime | None = None
    changed_at: datetime

    @property
    def key(self) -> Key:
        return Key(**{name: getattr(self, name) for name in Key.__struct_fields__})


class Run(Row, frozen=True, kw_only=True):
    """Numbers that were all used, from the first to the last."""

    round: int
    first: int
    last: int
    began_at: datetime
    changed_at: datetime


class Seen(Row, frozen=True, kw_only=True):
    """How a number stands to those before it: first, next, gap (some before it are missing), jump (so many that it is a new beginning),
    late (it fills a gap), repeated, rolled (the counting began anew)."""

    sort: str
    #: the numbers that are missing before it
    missing: tuple[int, int] | None = None


def record(connection: Connection, key: Key, first: int, at: datetime, *, count: int = 1, rolled: bool | None = None) -> Seen:
    """Enter numbers that follow each other. `rolled`: whether the counting began anew; None: as the numbers suggest."""
    last = first + count - 1
    counting = _locked(connection, key, first, last, at)
    if counting is None:
        _put_run(connection, key, Run(round=0, first=first, last=last, began_at=at, changed_at=at))
        return Seen(sort="first")
    if rolled if rolled is not None else rolls(counting, first):
        new = msgspec.structs.replace(counting, round=counting.round + 1, highest=last, rolled_at=at)
        _write(connection, key, new, last, count, at)
        _put_run(connection, key, Run(round=new.round, first=first, last=last, began_at=at, changed_at=at))
        return Seen(sort="rolled", missing=(1, first - 1) if 1 < first <= FARTHEST else None)
    if first <= counting.highest and _is_used(connection, key, counting.round, first):
        new = msgspec.structs.replace(counting, repeated=counting.repeated + count, last_repeated=first)
        _write(connection, key, new, last, 0, at)
        return Seen(sort="repeated")
    seen = _seen(connection, key, counting, first)
    _write(connection, key, msgspec.structs.replace(counting, highest=max(counting.highest, last)), last, count, at)
    _join(connection, key, counting.round, first, last, at)
    return seen


def _seen(connection: Connection, key: Key, counting: Counting, number: int) -> Seen:
    seen = ahead(counting, number)
    if seen.sort == "jump":
        _forget_oldest(connection, key, counting.round)
    return seen


def ahead(counting: Counting, number: int) -> Seen:
    """How a number beyond the highest stands to it: next, gap or jump; late where it is none."""
    absent = number - counting.highest - 1
    if absent < 0:
        return Seen(sort="late")
    if absent == 0:
        return Seen(sort="next")
    return Seen(sort="jump") if absent > FARTHEST else Seen(sort="gap", missing=(counting.highest + 1, number - 1))


def rolls(counting: Counting, number: int) -> bool:
    """Whether a low number after a very high one means that the counting has begun anew: 9999 or 999999999 was near, and it is small."""
    digits = len(str(counting.highest))
    if digits < _SHORTEST:
        return False
    top: int = 10**digits - 1
    return counting.highest >= top - top // 100 and number <= max(1, top // 100)


def get(connection: Connection, key: Key) -> Counting | None:
    """Where a counting stands; None where nothing of it was seen."""
    return one_of(connection.execute(select(_COUNTING).where(*_is(_COUNTING, key))), Counting)


def countings(connection: Connection, partner: str | None = None) -> list[Counting]:
    """All countings (of a partner), what we send first."""
    query = select(_COUNTING).order_by(
        _COUNTING.c.partner,
        _COUNTING.c.direction.desc(),
        _COUNTING.c.test,
        _COUNTING.c.identity,
        _COUNTING.c.level,
        _COUNTING.c.kind,
    )
    return all_of(connection.execute(query if partner is None else query.where(_COUNTING.c.partner == partner)), Counting)


def runs(connection: Connection, key: Key, round: int | None = None) -> list[Run]:
    """The runs of a counting (of one round), lowest first."""
    columns = (_RUN.c.round, _RUN.c.first, _RUN.c.last, _RUN.c.began_at, _RUN.c.changed_at)
    query = select(*columns).where(*_is(_RUN, key)).order_by(_RUN.c.round, _RUN.c.first)
    return all_of(connection.execute(query if round is None else query.where(_RUN.c.round == round)), Run)


def gaps(runs_of_round: list[Run]) -> list[tuple[int, int]]:
    """What is missing between runs that follow each other closely enough."""
    found = []
    for before, after in zip(runs_of_round, runs_of_round[1:], strict=False):
        first, last = before.last + 1, after.first - 1
        if 0 < last - first + 1 <= FARTHEST:
            found.append((first, last))
    return found


# ---------------------------------------------------------------- how


def _is(table: Table, key: Key) -> list[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in values_of(key).items()]


def _locked(connection: Connection, key: Key, first: int, last: int, at: datetime) -> Counting | None:
    """The counting's row, locked; None where it was made just now."""
    fresh = {**values_of(key), "round": 0, "latest": last, "highest": last, "used": last - first + 1, "repeated": 0, "changed_at": at}
    statement = insert(connection, _COUNTING).values(fresh).on_conflict_do_nothing()
    if connection.execute(statement.returning(_COUNTING.c.partner)).first() is not None:
        return None
    return one_of(connection.execute(select(_COUNTING).where(*_is(_COUNTING, key)).with_for_update()), Counting)


def _write(connection: Connection, key: Key, counting: Counting, latest: int, count: int, at: datetime) -> None:
    changes = {
        "round": counting.round,
        "latest": latest,
        "highest": counting.highest,
        "used": counting.used + count,
        "repeated": counting.repeated,
        "last_repeated": counting.last_repeated,
        "rolled_at": counting.rolled_at,
        "changed_at": at,
    }
    connection.execute(update(_COUNTING).where(*_is(_COUNTING, key)).values(changes))


def _is_used(connection: Connection, key: Key, round: int, number: int) -> bool:
    query = select(_RUN.c.first).where(*_is(_RUN, key), _RUN.c.round == round, _RUN.c.first <= number, _RUN.c.last >= number)
    return connection.execute(query.limit(1)).first() is not None


def _join(connection: Connection, key: Key, round: int, first: int, last: int, at: datetime) -> None:
    """Put numbers to the runs that they touch."""
    here = [*_is(_RUN, key), _RUN.c.round == round]
    columns = (_RUN.c.round, _RUN.c.first, _RUN.c.last, _RUN.c.began_at, _RUN.c.changed_at)
    touching = all_of(connection.execute(select(*columns).where(*here, _RUN.c.first <= last + 1, _RUN.c.last >= first - 1)), Run)
    if len(touching) == 1 and touching[0].first <= first:
        changes = {"last": max(last, touching[0].last), "changed_at": at}
        connection.execute(update(_RUN).where(*here, _RUN.c.first == touching[0].first).values(changes))
        return
    for run in touching:
        connection.execute(delete(_RUN).where(*here, _RUN.c.first == run.first))
    _put_run(
        connection,
        key,
        Run(
            round=round,
            first=min([first, *(run.first for run in touching)]),
            last=max([last, *(run.last for run in touching)]),
            began_at=min([at, *(run.began_at for run in touching)]),
            changed_at=at,
        ),
    )


def _put_run(connection: Connection, key: Key, run: Run) -> None:
    connection.execute(_RUN.insert().values(**values_of(key), **values_of(run)))


def _forget_oldest(connection: Connection, key: Key, round: int) -> None:
    """A partner whose numbers are times begins a run with each: only the latest are of use."""
    firsts = [run.first for run in runs(connection, key, round)]
    for first in firsts[: max(0, len(firsts) - _MOST_RUNS)]:
        connection.execute(delete(_RUN).where(*_is(_RUN, key), _RUN.c.round == round, _RUN.c.first == first))
