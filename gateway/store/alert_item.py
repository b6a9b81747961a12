"""What a message says of one alert."""

from datetime import datetime

import msgspec


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a message."""

    name: str
    kind: str
    partner: str | None = None
    #: begins, worse, over
    change: str
    severity: str
    what: str
    cure: str
    since: datetime
    at: datetime
