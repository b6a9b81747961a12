"""Keys of an endpoint that files lie at, a folder here or at a server: which of them are taken, when, and what becomes of them there."""

from typing import Annotated
from typing import Literal

import pydantic

from gateway.exchange.bounds import Within
from gateway.exchange.keys import Keys
from gateway.exchange.keys import Texts
from gateway.exchange.keys import listed

#: the ending of the file that says that another one is complete, where none is named
_SUFFIXES = {"done_file": ".done", "checksum_file": ".sha256"}


class MailboxKeys(Keys):
    """What is taken, when, and what is left behind."""

    send_to: str | None = None
    poll: Annotated[float, Within(0.05, 86_400, "number of seconds")] | None = None
    #: seconds that a file must stand still on our clock
    settle: Annotated[float, Within(0, 86_400, "number of seconds")] = 1.0
    ready: Literal["stable", "done_file", "checksum_file"] = "stable"
    done_suffix: str | None = None
    ignore: Texts = ()
    only: Texts = ()
    empty: Literal["hold", "take", "ignore"] = "hold"
    after: Literal["delete", "archive"] = "delete"
    archive_to: str | None = None

    _patterns_listed = pydantic.field_validator("ignore", "only", mode="before")(listed)

    @pydantic.field_validator("done_suffix")
    @classmethod
    def _is_ending(cls, value: str | None) -> str | None:
        if value is not None and (not value or "/" in value):
            raise ValueError(f"'{value}' is no ending of a file name: write it like .done")
        return value

    @pydantic.model_validator(mode="after")
    def _kept_where(self) -> "MailboxKeys":
        if self.after == "archive" and self.archive_to is None:
            raise ValueError("after: archive needs archive_to: the folder that files are moved to")
        if self.after == "delete" and self.archive_to is not None:
            raise ValueError("archive_to: is for after: archive; with after: delete nothing is moved there")
        if self.done_suffix is not None and self.ready == "stable":
            raise ValueError("done_suffix: is for ready: done_file or ready: checksum_file")
        return self

    @property
    def marker(self) -> str | None:
        """The ending of the file that says that another one is complete."""
        return None if self.ready == "stable" else self.done_suffix or _SUFFIXES[self.ready]
