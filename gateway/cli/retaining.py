"""Commands about how long things are kept: retention status, run, hold, release, proof; store tidy."""

from pathlib import Path
from typing import Annotated
from typing import Any

import typer

from gateway.cli.app import ConfigOption
from gateway.cli.app import JsonOption
from gateway.cli.app import app
from gateway.cli.app import counted
from gateway.cli.app import json_line
from gateway.cli.app import say
from gateway.cli.failures import WRONG_DATA
from gateway.cli.failures import Refused
from gateway.cli.operating import ReasonOption
from gateway.cli.operating import actor
from gateway.cli.operating import open_here
from gateway.cli.operating import opened
from gateway.cli.storing import store_app

retention_app = typer.Typer(no_args_is_help=True, help="How long payloads are kept, and what a legal hold keeps.")
app.add_typer(retention_app, name="retention")

WhoseOption = Annotated[str | None, typer.Option("--partner", help="Whose it is, where several partners have the same number or name.", metavar="ID")]
ReferenceArgument = Annotated[
    str, typer.Argument(help="A document's number or id, a file's name or id, a Message-ID, partner:ID, or a hold's id.", metavar="REFERENCE")
]


@retention_app.command("status")
def retention_status(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Say what would be erased now, what stays although its time has come, the legal holds, and the latest erasures. Nothing is changed.

    Example: gateway retention status
    """
    from gateway.pipeline.keeping.retaining import run_retention
    from gateway.store.keeping import erasures

    station = open_here(config)
    try:
        outcome = run_retention(station, pretend=True)
        with station.database.read() as connection:
            holds = erasures.standing(connection)
            latest = erasures.recent(connection, 20)
    finally:
        station.close()
    if as_json:
        say(json_line({"due": outcome.erased, "examples": outcome.examples, "kept": dict(outcome.kept), "legal_holds": holds, "erased": latest}))
        return
    say(f"Due to be erased: {_units(outcome.erased)}{_some(outcome.examples)}.")
    for words, count in outcome.kept.most_common():
        say(f"  past their time, and kept: {str(count)}, {words}{_some(outcome.kept_names[words])}")
    say(f"Legal holds: {len(holds)}.")
    for hold in holds:
        say(f"  {hold.id}  {hold.subject_kind} {hold.subject}  since {hold.since:%Y-%m-%d} ({hold.actor}: {hold.reason})")
    say(f"Latest erasures: {len(latest)}.")
    for one in latest:
        there = "" if one.removed_at else ", bytes still there"
        say(f"  {one.erased_at:%Y-%m-%d %H:%M} UTC  {one.subject}  {one.sha256[:16]}  {one.rule}{there}")


@retention_app.command("run")
def retention_run(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Erase now what is due by the rules of config.yaml and the partners' files; the service does so once a day.

    Example: gateway retention run
    """
    from gateway.pipeline.keeping.retaining import run_retention
    from gateway.pipeline.service.assembly import seal

    station = open_here(config)
    try:
        outcome = run_retention(station, actor=actor())
        seal(station)
    finally:
        station.close()
    if as_json:
        say(json_line({"erased": outcome.erased, "payloads": outcome.payloads, "left": outcome.left, "kept": dict(outcome.kept)}))
        return
    say(f"Erased {_units(outcome.erased)}{_some(outcome.examples)} with {counted(outcome.payloads, 'payload')}.")
    if outcome.left < outcome.payloads:
        say(f"  {counted(outcome.left, 'payload')} left the archive; bytes that came lately, or that another file needs, leave with a later run")
    for words, count in outcome.kept.most_common():
        say(f"  kept: {str(count)}, {words}{_some(outcome.kept_names[words])}")


@retention_app.command("hold")
def retention_hold(reference: ReferenceArgument, reason: ReasonOption, partner: WhoseOption = None, config: ConfigOption = None) -> None:
    """Keep something whatever the rules say, until the hold is released: a partner, a document, a file, and all that it is linked with.

    Example: gateway retention hold PO4711 --reason "lawsuit 3 O 12/26"
    """
    _held("hold", reference, reason, partner, config)


@retention_app.command("release")
def retention_release(reference: ReferenceArgument, reason: ReasonOption, partner: WhoseOption = None, config: ConfigOption = None) -> None:
    """End a legal hold; the rules hold again.

    Example: gateway retention release PO4711 --reason "lawsuit settled"
    """
    _held("release", reference, reason, partner, config)


def _held(act: str, reference: str, reason: str, partner: str | None, config: Path | None) -> None:
    from gateway.pipeline.keeping import retaining

    with opened(config, retaining.UnknownReference) as station:
        done = (retaining.hold if act == "hold" else retaining.release)(station, reference, actor(), reason, partner)
    for one in done:
        say(f"{one.id}  {one.subject_kind} {one.subject}: {'held' if act == 'hold' else 'released'}")


@retention_app.command("proof")
def retention_proof(
    reference: Annotated[
        str, typer.Argument(help="A file's name or id, a document's number or id, or the Message-ID of an AS2 message.", metavar="REFERENCE")
    ],
    out: Annotated[Path | None, typer.Option("--out", help="Where to write it (default: stdout).", metavar="OUT.json")] = None,
    partner: WhoseOption = None,
    config: ConfigOption = None,
) -> None:
    """Write the proof that a file was erased: the journal's entry, its way to a signed checkpoint, and the public key.

    Example: gateway retention proof po4711.edi --out proof.json
    """
    from gateway.pipeline.service.assembly import seal
    from gateway.store.keeping.erasures import subjects_of
    from gateway.store.verifying.proofs import proofs_of

    station = open_here(config)
    try:
        seal(station)
        key = station.journal_key().public_key()
        with station.database.read() as connection:
            found = proofs_of(connection, subjects_of(connection, reference, partner), key)
    finally:
        station.close()
    if not found:
        raise Refused(f"No erasure of '{reference}' stands in the journal", WRONG_DATA)
    text = "".join(f"{json_line(proof)}\n" for proof in found)
    if out is None:
        say(text, nl=False)
    else:
        out.write_text(text)
        say(f"{out}: {counted(len(found), 'proof')}")


@store_app.command("tidy")
def store_tidy(
    days: Annotated[int, typer.Option("--days", min=1, help="How old a payload must be that nothing names.", metavar="N")] = 7,
    pretend: Annotated[bool, typer.Option("--pretend", help="Only say what would be removed.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Remove payloads that neither a row nor the journal names: left by a process that died before it could; the service does so once a day.

    Example: gateway store tidy --pretend
    """
    from gateway.cli.progress import counting
    from gateway.store.keeping.tidying import tidy

    station = open_here(config)
    try:
        with counting("Looking") as told:
            tidied = tidy(station.database, station.archive, days=days, pretend=pretend, told=lambda looked: told(looked, looked))
    finally:
        station.close()
    if as_json:
        say(json_line(tidied))
    else:
        done = "would be removed" if pretend else "removed"
        say(f"{counted(tidied.orphans, 'payload')} that nothing names ({tidied.bytes / 1e6:.1f} MB) and {tidied.incoming} half files {done}.")


def _some(examples: list[Any]) -> str:
    return f" ({', '.join(examples[:5])}{', ...' if len(examples) > 5 else ''})" if examples else ""


def _units(number: int) -> str:
    return f"{number} files, deliveries and documents" if number != 1 else "1 file, delivery or document"
