"""Where the demo lives: the folders of our installation, and beside them those of the outside world. Made afresh each time.

Rule: a folder that is there already is deleted only when it carries our own marker.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

MARKER = ".gateway-demo"
_MARKED = "This folder belongs to `gateway demo`, which deletes it and makes it anew each time.\n"


class NotOurs(Exception):
    """The folder holds something that the demo did not make: one sentence says so."""


@dataclass(frozen=True, slots=True)
class Home:
    """What one partner has on its own machine: what its system wants sent, and what has arrived."""

    folder: Path

    @property
    def to_send(self) -> Path:
        return self.folder / "to_send"

    @property
    def received(self) -> Path:
        return self.folder / "received"

    @property
    def receipts(self) -> Path:
        """What became of what it sent, where its transport says so (AS2)."""
        return self.folder / "receipts"

    @property
    def box(self) -> Path:
        """Its mailbox: `out` is for us to fetch, `in` for us to fill."""
        return self.folder / "mailbox"


@dataclass(frozen=True, slots=True)
class Premises:
    """All folders of the demo."""

    top: Path

    @property
    def config(self) -> Path:
        return self.top / "config.yaml"

    @property
    def partners(self) -> Path:
        return self.top / "partners"

    @property
    def masterdata(self) -> Path:
        return self.top / "masterdata"

    @property
    def keys(self) -> Path:
        return self.top / "keys"

    @property
    def shipments(self) -> Path:
        return self.top / "inbox" / "shipments"

    @property
    def bank(self) -> Path:
        return self.top / "inbox" / "bank"

    @property
    def erp(self) -> Path:
        return self.top / "erp"

    @property
    def log(self) -> Path:
        return self.top / "gateway.log"

    def home(self, name: str) -> Home:
        return Home(self.top / "outside" / name)

    def box(self, name: str) -> Path:
        """The folder that we share with a partner who comes by folder."""
        return self.top / "boxes" / name


def make_afresh(top: Path, homes: tuple[str, ...], boxes: tuple[str, ...]) -> Premises:
    """Empty folders under `top`; raises NotOurs where something else lies there."""
    if top.exists():
        if not top.is_dir() or (any(top.iterdir()) and not (top / MARKER).is_file()):
            raise NotOurs(f"{top} holds something that the demo did not make: name another folder with --data")
        shutil.rmtree(top)
    premises = Premises(top.resolve())
    premises.top.mkdir(parents=True, mode=0o700)
    (premises.top / MARKER).write_text(_MARKED)
    folders = [premises.partners, premises.masterdata, premises.keys, premises.shipments, premises.bank, premises.erp]
    for name in homes:
        home = premises.home(name)
        folders += [home.to_send, home.received, home.receipts, home.box / "out", home.box / "in"]
    folders += [premises.box(name) / way for name in boxes for way in ("out", "in")]
    for folder in folders:
        folder.mkdir(parents=True)
    return premises
