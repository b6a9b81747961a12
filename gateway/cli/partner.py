"""Commands about partners: new, list."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.app import ConfigOption
from gateway.cli.app import JsonOption
from gateway.cli.app import app
from gateway.cli.app import installation_now
from gateway.cli.app import json_line
from gateway.cli.app import load_installation
from gateway.cli.app import say
from gateway.cli.documents import InputTrouble
from gateway.cli.documents import chunks_of
from gateway.cli.failures import INSTALLATION
from gateway.cli.failures import UNKNOWN_INPUT
from gateway.cli.failures import WRONG_DATA
from gateway.cli.failures import WRONG_USAGE
from gateway.cli.failures import Refused
from gateway.user_files import find_config

partner_app = typer.Typer(no_args_is_help=True, help="Partner files: start one, list them.")
app.add_typer(partner_app, name="partner")

_FIRST_CONFIG = """There is no config.yaml here or in a folder above. Make one that says who you are, for example:

us: {name: "Seller Co", identifiers: {x12: "ZZ:SELLERCO"}}
data: data
"""


@partner_app.command("new")
def new(
    id: Annotated[str, typer.Argument(help="The partner's short name: lower-case letters, digits, - and _.", metavar="ID")],
    template: Annotated[
        str,
        typer.Option("--from", help="A template (x12-850, edifact-orders, ...), or a file that the partner sent.", metavar="TEMPLATE|FILE"),
    ],
    name: Annotated[str | None, typer.Option("--name", help="The name for people.", metavar="NAME")] = None,
    identity: Annotated[str | None, typer.Option("--identity", help="Sender in the partner's files, like ZZ:ACME.", metavar="QUALIFIER:ID")] = None,
    version: Annotated[str | None, typer.Option("--version", help="Version, like 005010 or d01b (default: the template's).")] = None,
    config: ConfigOption = None,
) -> None:
    """Start a partner: write its file, make its folders, and say what to do next.

    Example: gateway partner new acme --from x12-850
    """
    from gateway.exchange.partner_template import NewPartner
    from gateway.exchange.partner_template import known_templates
    from gateway.pipeline.plans import Plans
    from gateway.pipeline.stateless.partner_setup import NotMade
    from gateway.pipeline.stateless.partner_setup import look_at_sample
    from gateway.pipeline.stateless.partner_setup import make_partner

    if config is None and find_config(Path.cwd()) is None:
        raise Refused(_FIRST_CONFIG, INSTALLATION)
    installation = load_installation(config)
    templates = {one.name: one for one in known_templates(installation.resolver)}
    sample, remarks = None, []
    try:
        if template not in templates and Path(template).is_file():
            sample = look_at_sample(chunks_of(Path(template)), Plans(installation.resolver))
        chosen = templates.get(sample.template if sample else template)
        if chosen is None:
            listed = "\n".join(f"  {one.name:16}{one.purpose}" for one in templates.values())
            raise Refused(f"'{template}' is neither a template nor a file. The templates:\n{listed}", WRONG_USAGE)
        if identity is None:
            identity = sample.sender if sample else _guessed(chosen.syntax, id)
            if sample is None:
                remarks.append(f"{identity} is a guess at the sender in their files: ask the partner, or start from a file of theirs (--from FILE)")
        wanted = NewPartner(
            id=id,
            name=name or (sample.name if sample else "") or id.replace("-", " ").replace("_", " ").title(),
            identity=identity,
            version=(version or (sample.version if sample else "") or chosen.version).lower(),
        )
        made = make_partner(installation, chosen, wanted, sample)
    except InputTrouble as error:
        raise Refused(f"{template} cannot be read: {error}", UNKNOWN_INPUT) from None
    except NotMade as error:
        raise Refused(str(error), WRONG_DATA) from None
    folder = installation.folder
    say(made.text, nl=False)
    say(f"\n{_shown(made.file, folder)} is written.")
    for path, what in zip(made.folders, ("Their files are taken from", "Ours appear in"), strict=False):
        say(f"{what} {_shown(path, folder)}")
    for remark in (*remarks, *made.remarks):
        say(f"Look at this: {remark}")
    example = template if sample else "FILE"
    say(f"Next: gateway lint; gateway read {example} --partner {id}; gateway receive {example} --partner {id}; gateway run")


def _shown(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _guessed(syntax: str, id: str) -> str:
    """A likely identity where nobody said one; there is none to guess where the number is issued by somebody."""
    if syntax not in {"x12", "edifact"}:
        raise Refused("Say who sends: --identity 0088:GLN or --identity vat:DE123456789, or start from a file of theirs (--from FILE)", WRONG_USAGE)
    return f"{'ZZ' if syntax == 'x12' else 'ZZZ'}:{id.upper().replace('-', '').replace('_', '')[:15]}"


@app.command()
def guide(
    partner: Annotated[str, typer.Argument(help="The partner.", metavar="PARTNER")],
    out: Annotated[Path, typer.Option("--out", help="The page to write; `-` is standard output.", metavar="FILE")],
    config: ConfigOption = None,
) -> None:
    """Write the partner's implementation guide: one HTML page from the mapping and schema that run.

    Example: gateway guide acme --out guide.html
    """
    from datetime import UTC
    from datetime import datetime

    from gateway.pipeline.plans import Plans
    from gateway.publish.guide.build import build_guide
    from gateway.publish.guide.page import page

    installation = load_installation(config)
    loaded = installation.directory.partners.get(partner)
    if loaded is None:
        raise Refused(f"There is no partner '{partner}': we know {', '.join(sorted(installation.directory.partners)) or 'none'}", WRONG_USAGE)
    made = build_guide(installation, Plans(installation.resolver), loaded, datetime.now(UTC))
    text = page(made)
    if str(out) == "-":
        say(text)
        return
    out.write_text(text, encoding="utf-8")
    say(f"{out}: the guide for {loaded.partner.name}, version {made.stamp}")


@partner_app.command("list")
def list_partners(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List the partners with what is exchanged with them.

    Example: gateway partner list
    """
    directory = installation_now(config).directory
    for id, loaded in sorted(directory.partners.items()):
        partner = loaded.partner
        receive = [agreement.receive for agreement in partner.agreements if agreement.receive]
        send = [agreement.send for agreement in partner.agreements if agreement.send]
        if as_json:
            say(json_line({"id": id, "name": partner.name, "file": loaded.file, "receive": receive, "send": send}))
        else:
            say(f"{id}: {partner.name}; takes {', '.join(receive) or 'nothing'}; sends {', '.join(send) or 'nothing'}")


@partner_app.command("retry")
def retry(
    id: Annotated[str, typer.Argument(help="The partner's short name.", metavar="ID")],
    config: ConfigOption = None,
) -> None:
    """Go on with a partner whose server was left alone: say so when a login, a host key or a server was mended.

    Example: gateway partner retry acme
    """
    from gateway.pipeline.outbox.circuits import try_again
    from gateway.pipeline.station import open_station

    station = open_station(installation_now(config))
    try:
        loaded = station.installation.directory.partners.get(id)
        if loaded is None:
            raise Refused(f"There is no partner '{id}': gateway partner list names them", WRONG_USAGE)
        waiting = try_again(station, loaded.partner)
    finally:
        station.close()
    say(f"{id}: its mailboxes are looked into again; {waiting} waiting deliver{'y is' if waiting == 1 else 'ies are'} tried now")
