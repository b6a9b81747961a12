"""What was set aside for a person since a step of ours failed over it again and again, as a thing that does not work: it stands as long as it
waits, whatever process tells troubles anew."""

from sqlalchemy import Connection
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import select

from gateway.store import tables
from gateway.store.watching.troubles import Trouble

#: kinds of the holds of what our own step failed over, and those of what was to be handed to the ERP
FAILURE = "failure"
HANDOVER = "handover"
_HANDING_OVER = "erp:handover"
CURE = (
    "What came behind it goes on. gateway hold list shows the error: report it; then gateway hold release tries again, gateway hold reject ends it."
)


def set_aside(connection: Connection) -> list[Trouble]:
    """What waits so, by stream, longest first."""
    hold, document, transmission = tables.hold, tables.document, tables.transmission
    stream = case((hold.c.kind == HANDOVER, _HANDING_OVER), else_=func.coalesce(document.c.stream, transmission.c.stream))
    query = (
        select(
            stream.label("stream"),
            func.max(func.coalesce(document.c.partner, transmission.c.partner)).label("partner"),
            func.count().label("number"),
            func.min(hold.c.opened_at).label("since"),
            func.min(hold.c.id).label("one"),
        )
        .select_from(hold.outerjoin(document, document.c.id == hold.c.document).outerjoin(transmission, transmission.c.id == hold.c.transmission))
        .where(hold.c.resolved_at.is_(None), hold.c.kind.in_((FAILURE, HANDOVER)))
        .group_by(stream)
        .order_by(func.min(hold.c.opened_at), stream)
    )
    return [
        Trouble(
            name=f"set aside {row.stream}",
            kind="step",
            partner=row.partner or None,
            state="stopped",
            error=f"{'1 is' if row.number == 1 else f'{row.number:,} are'} set aside, since a step of ours failed over it again and again: {row.one}",
            cure=CURE,
            since=row.since,
        )
        for row in connection.execute(query)
    ]
