"""A new partner: its file from a template, filled with what a file that the partner sent tells about it, checked before it is written."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Syntax
from gateway.config import Installation
from gateway.exchange.directory import build_directory
from gateway.exchange.partner import LoadedPartner
from gateway.exchange.partner import load_partner
from gateway.exchange.partner_template import NewPartner
from gateway.exchange.partner_template import PartnerTemplate
from gateway.exchange.partner_template import fill
from gateway.model.order import Order
from gateway.pipeline.plans import Plans
from gateway.pipeline.reading.payload import Read
from gateway.pipeline.reading.payload import read_payload
from gateway.pipeline.reading.payload import stateless
from gateway.yaml_source import Faults
from gateway.yaml_source import Resolver

#: documents looked at in a sample: enough to know who sends what
_ENOUGH = 20
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class NotMade(Exception):
    """A partner that cannot be set up like this: one sentence that says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a file of the partner tells: the first order in it decides."""

    syntax: str
    type: str
    version: str
    sender: str
    receiver: str
    name: str
    test: bool

    @property
    def template(self) -> str:
        """The template for partners that send this."""
        return {"x12": "x12-850", "edifact": "edifact-orders"}.get(self.syntax, "ubl-order")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The file that was written, the folders that were made, and what the operator should look at."""

    file: Path
    text: str
    folders: tuple[Path, ...]
    remarks: tuple[str, ...]


def look_at_sample(chunks: Iterable[bytes], plans: Plans) -> Sample:
    """What a file of the partner tells about it; raises NotMade where it holds no order."""
    syntax, items = read_payload(chunks, plans, stateless(plans, None, None, None))
    start: InterchangeStart | None = None
    seen: list[str] = []
    for item in items:
        if isinstance(item, InterchangeStart):
            start = item
        elif isinstance(item, Read):
            if isinstance(item.document, Order) and start is not None:
                order = item.document
                source = order.source
                return Sample(
                    syntax="ubl" if syntax is Syntax.UBL else syntax.value,
                    type=item.transaction.type,
                    version=item.spec.split("/")[1] if item.spec.count("/") == 2 else "",
                    sender=(source.sender if source else "") or start.sender,
                    receiver=(source.receiver if source else "") or start.receiver,
                    name=(order.buyer.name if order.buyer else None) or "",
                    test=start.test,
                )
            seen.append(f"{item.transaction.type} ({item.result.outcome.replace('_', ' ')})")
            if len(seen) == _ENOUGH:
                break
    what = f"it holds {', '.join(dict.fromkeys(seen))}" if seen else "there is no transaction in it"
    raise NotMade(f"No order was found in the sample: {what}. `gateway check` says more; `--from x12-850` needs no sample")


def make_partner(installation: Installation, template: PartnerTemplate, partner: NewPartner, sample: Sample | None) -> Made:
    """Write partners/<id>.yaml, checked together with all partners that there are; raises NotMade and writes nothing where that fails."""
    if not _ID.fullmatch(partner.id):
        raise NotMade(f"'{partner.id}' is no id: lower-case letters, digits, - and _ only")
    folder = installation.folder / installation.settings.partners
    file = folder / f"{partner.id}.yaml"
    if file.exists():
        raise NotMade(f"{_shown(file, installation)} is there already: change it, or choose another id")
    try:
        text = fill(template, partner)
    except ValueError as error:
        raise NotMade(str(error)) from None
    name = f"partners/{partner.id}.yaml"
    ours = installation.settings.us.identifiers
    others = list(installation.directory.partners.values())
    try:
        loaded = load_partner(name, _OneMore(installation.resolver, name, text))
        directory = build_directory([*others, loaded], ours)
    except Faults as error:
        raise NotMade(f"{_shown(file, installation)} was not written:\n{error}") from None
    remarks = []
    if sample is not None and not directory.is_ours(sample.syntax, sample.receiver):
        remarks.append(f"the sample is addressed to {sample.receiver}, which is none of us.identifiers in {installation.file.name}: add it there")
    if sample is not None and sample.test:
        remarks.append("the sample is a test file: what comes as test is answered as test and books nothing")
    missing = "x12" if template.syntax == "x12" and not ours.x12 else "edifact" if template.syntax == "edifact" and not ours.edifact else ""
    if missing:
        remarks.append(f"us.identifiers in {installation.file.name} has no {missing} identity yet: our answers need one")
    if loaded.partner.tax == "vat" and installation.settings.us.tax_rate is None:
        remarks.append(
            f"invoices carry VAT by the rate of each item; items without one need us.tax_rate in {installation.file.name}, or tax: none here"
        )
    folder.mkdir(parents=True, exist_ok=True)
    # exclusive: two hands at once must not overwrite each other
    with file.open("x", encoding="utf-8") as stream:
        stream.write(text)
    folders = folders_of(installation, loaded)
    for path in folders:
        path.mkdir(parents=True, exist_ok=True)
    return Made(file=file, text=text, folders=folders, remarks=tuple(remarks))


def folders_of(installation: Installation, loaded: LoadedPartner) -> tuple[Path, ...]:
    """The folders on this machine over which files go to and from a partner."""
    named = [path for one in loaded.partner.endpoints.values() for path in (one.folder, one.send_to if one.folder else None)]
    return tuple(dict.fromkeys(installation.path(path) for path in named if path is not None))


def _shown(file: Path, installation: Installation) -> str:
    return file.relative_to(installation.folder).as_posix() if file.is_relative_to(installation.folder) else str(file)


@dataclass(frozen=True, slots=True)
class _OneMore:
    """The installation's files and the new one, before it is written."""

    resolver: Resolver
    name: str
    text: str

    def text_of(self, name: str) -> tuple[str, str] | None:
        return (name, self.text) if name == self.name else self.resolver.text_of(name)

    def names(self, prefix: str) -> list[str]:
        return self.resolver.names(prefix)
