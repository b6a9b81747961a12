"""`gateway lint`: everything that a user edits, loaded and compiled, all faults at once."""

from pathlib import Path

from gateway.config import FolderResolver
from gateway.config import Installation
from gateway.config import default_resolver
from gateway.config import find_config
from gateway.config import load_installation
from gateway.exchange.partner import LoadedPartner
from gateway.exchange.partner import build_directory
from gateway.exchange.partner import load_partner
from gateway.mapping.files import known_specs as mapping_specs
from gateway.pipeline.plans import Plans
from gateway.schema.load import known_specs as schema_specs
from gateway.yaml_source import Fault
from gateway.yaml_source import Faults


def lint_everything(config: Path | None, files: list[Path] | None) -> tuple[list[Fault], int]:
    """All faults (of these files, where some are named) and how many files were looked at."""
    faults: list[Fault] = []
    file = config or find_config(Path.cwd())
    installation: Installation | None = None
    resolver = default_resolver()
    if file is not None:
        try:
            installation = load_installation(file)
            resolver = installation.resolver
        except Faults as error:
            faults += error.faults
    partners = _partners(installation, faults) if installation else []
    _plans(Plans(resolver), resolver, partners, faults)
    if installation is not None and not faults:
        try:
            build_directory(partners, installation.settings.us.identifiers)
        except Faults as error:
            faults += error.faults
    names = [name for top in ("partners/", "mappings/", "schemas/") for name in resolver.names(top)]
    wanted = {part for path in files or () for part in (path.as_posix(), path.resolve().as_posix())}
    unique = list(dict.fromkeys(faults))
    if files:
        unique = [fault for fault in unique if any(one == fault.file or one.endswith(f"/{fault.file}") for one in wanted)]
    return unique, len(files) if files else len(names) + (file is not None)


def _partners(installation: Installation, faults: list[Fault]) -> list[LoadedPartner]:
    loaded = []
    for name in installation.resolver.names("partners/"):
        try:
            loaded.append(load_partner(name, installation.resolver))
        except Faults as error:
            faults += error.faults
    return loaded


def _plans(plans: Plans, resolver: FolderResolver, partners: list[LoadedPartner], faults: list[Fault]) -> None:
    """Compile every base plan in both directions, and every partner's differences."""
    reading, writing = set(mapping_specs(resolver, "read")), set(mapping_specs(resolver, "write"))

    def attempt(spec: str, partner: LoadedPartner | None, read: bool) -> None:
        try:
            if read:
                plans.reading(spec, partner)
            else:
                plans.writing(spec, partner)
        except Faults as error:
            faults.extend(error.faults)

    for spec in sorted(set(schema_specs(resolver)) | reading):
        attempt(spec, None, read=True)
    for spec in sorted(writing):
        attempt(spec, None, read=False)
    try:
        plans.rules(None)
    except Faults as error:
        faults.extend(error.faults)
    for partner in partners:
        for agreement in partner.partner.agreements:
            spec = agreement.spec
            if agreement.receive and (spec in reading or resolver.text_of(f"schemas/{spec}.yaml")):
                attempt(spec, partner, read=True)
            elif agreement.send and spec in writing:
                attempt(spec, partner, read=False)
            else:
                faults.append(Fault(partner.file, 1, 1, f"there is no {'schema or ' if agreement.receive else ''}mapping {spec} for an agreement"))
        try:
            plans.rules(partner)
        except Faults as error:
            faults.extend(error.faults)
