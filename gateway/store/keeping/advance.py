"""After a restore: what we counted goes on behind numbers that may have been used since the backup, so that none is ever used twice."""

from sqlalchemy import Connection
from sqlalchemy import select
from sqlalchemy import update

from gateway.store import tables


def advance(connection: Connection, gap: int) -> dict[str, str]:
    """Move every numbering on by `gap`; says for each where it was and where it goes on."""
    told: dict[str, str] = {}
    control, series = tables.control, tables.series
    for row in connection.execute(select(control).order_by(*control.primary_key.columns)):
        told[f"control numbers {row.partner} {row.our_id} {row.level}"] = f"{row.last} -> {row.last + gap}"
    for row in connection.execute(select(series).order_by(*series.primary_key.columns)):
        told[f"series {row.entity} {row.name}"] = f"{row.last} -> {row.last + gap}"
    connection.execute(update(control).values(last=control.c.last + gap))
    connection.execute(update(series).values(last=series.c.last + gap))
    return told
