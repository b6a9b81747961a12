"""What a database could not do, in our words: whether the same may pass later, and never a value of the statement."""

import sqlite3

from sqlalchemy.exc import DBAPIError

#: PostgreSQL's classes of errors after which the same transaction may pass: connection, rollback, resources, operator, system, standstill
_RETRY_CLASSES = ("08", "40", "53", "57", "58", "25P03")
#: what was given is too large for it (a number of 5,000 characters in an index)
_TOO_LARGE_CLASS = "54"
_SQLITE_RETRY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


class DatabaseTrouble(Exception):
    """The database could not do its work. `retry` says whether the same may pass later without anybody's help; `refused`, that it takes no fault
    but at the values which it was given: others may pass."""

    def __init__(self, message: str, *, retry: bool, refused: bool = False) -> None:
        super().__init__(message)
        self.retry = retry
        self.refused = refused


def trouble_of(error: DBAPIError) -> DatabaseTrouble:
    """What a driver's error means for us. Values of the statement are never part of it."""
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        return DatabaseTrouble(f"the database cannot work: {cause}", retry=code in _SQLITE_RETRY, refused=code == sqlite3.SQLITE_TOOBIG)
    import psycopg  # here, and not at the start: who works on SQLite does without

    if isinstance(cause, psycopg.Error):
        state = cause.sqlstate or ""
        words = cause.diag.message_primary or (str(cause).splitlines() or ["connection lost"])[0]
        if isinstance(cause, psycopg.DataError):
            words = " ".join(("data was refused:", type(cause).__name__, state)).rstrip()  # the server's own words quote the value
        retry = state.startswith(_RETRY_CLASSES) if state else error.connection_invalidated or isinstance(cause, psycopg.OperationalError)
        refused = isinstance(cause, psycopg.DataError) or state.startswith(_TOO_LARGE_CLASS)
        return DatabaseTrouble(f"the database cannot work: {words}", retry=retry and not refused, refused=refused)
    return DatabaseTrouble(f"the database cannot work: {type(cause).__name__}", retry=error.connection_invalidated)
