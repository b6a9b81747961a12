"""`gateway lint`: everything that a user edits, loaded and compiled, all faults at once."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from functools import partial
from pathlib import Path

from gateway.config import FolderResolver
from gateway.config import Installation
from gateway.config import default_resolver
from gateway.config import find_config
from gateway.config import load_installation
from gateway.exchange.directory import build_directory
from gateway.exchange.partner import LoadedPartner
from gateway.exchange.partner import load_partner
from gateway.mapping.files import file_for
from gateway.mapping.files import known_specs as mapping_specs
from gateway.pipeline.as2.linting import lint_as2
from gateway.pipeline.plans import Plans
from gateway.pipeline.plans import needs_schema
from gateway.schema.load import find_faults
from gateway.schema.load import known_specs as schema_specs
from gateway.schema.tables import known_tables
from gateway.schema.tables import load_table
from gateway.yaml_source import Document
from gateway.yaml_source import Fault
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import Scalar
from gateway.yaml_source import did_you_mean


def lint_everything(
    config: Path | None, files: list[Path] | None, progress: Callable[[int, int], None] = lambda done, total: None
) -> tuple[list[Fault], int, list[str]]:
    """All faults (of these files, where some are named), how many files of the user's own were looked at, and what of them could not be
    checked. What comes with the gateway is looked at, too: an own file may stand in the way of it."""
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
    plans = Plans(resolver)
    narrow = _partners_alone(files, installation)
    if narrow:
        # all that a partner's file can break, without every mapping and schema that there is
        faults += agreement_faults(plans, partners)
    else:
        _plans(plans, resolver, partners, faults, progress)
        faults += _shared_tables(resolver)
    for partner in partners:
        faults += _differences_to_nothing(partner)
    notes = _xml_paths(plans, resolver, partners, faults, base=not narrow)
    if installation is None:
        notes.clear()
        if file is None and not files:
            notes.append("config.yaml and partners/: there is no config.yaml here or in a folder above; only what comes with us was looked at")
    else:
        key_faults, key_notes = lint_as2(installation, partners, datetime.now(UTC))
        faults += key_faults
        notes += key_notes
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
    own = sum(not resolver.shipped(name) for name in names) if installation is not None else 0
    return unique, len(files) if files else own + (file is not None), notes


def _shared_tables(resolver: FolderResolver) -> list[Fault]:
    """Tables in schemas/codes, also those that nothing names yet."""
    faults: list[Fault] = []
    for name in known_tables(resolver):
        place = Scalar(name, Document(f"schemas/{name}.yaml", ()), 1, 1)
        load_table(name, place, resolver, {}, faults)
    return faults


def _partners_alone(files: list[Path] | None, installation: Installation | None) -> bool:
    """Whether nothing but files of partners is asked for."""
    if not files or installation is None:
        return False
    folder = installation.path(installation.settings.partners)
    return all(path.resolve().is_relative_to(folder) for path in files)


def _xml_paths(plans: Plans, resolver: FolderResolver, partners: list[LoadedPartner], faults: list[Fault], *, base: bool = True) -> list[str]:
    """Paths of the XML mappings against their schemas; what could not be checked."""
    from gateway.pipeline.stateless.linting_xml import XmlLint

    lint = XmlLint(plans)
    if base:
        lint.look(filter(_is_tree, mapping_specs(resolver)))
    for partner in partners:
        lint.look(filter(_is_tree, partner.mappings), partner)
    faults += lint.faults
    own = {spec for spec in lint.not_checked if any(spec in loaded.mappings for loaded in partners) or _is_own(spec, resolver)}
    return [f"paths of {spec} against a schema: {lint.not_checked[spec]}" for spec in sorted(own)]


def _is_own(spec: str, resolver: FolderResolver) -> bool:
    """Whether a mapping is the user's own: those that come with the gateway were checked where they were made."""
    files = [file for direction in ("read", "write") if (file := file_for(spec, direction, resolver)) is not None]
    return any(not resolver.shipped(file) for file in files)


def _is_tree(spec: str) -> bool:
    return spec.split("/")[0] not in ("x12", "edifact", "csv", "fixed")


def _differences_to_nothing(loaded: LoadedPartner) -> Iterator[Fault]:
    """A difference to a document type that no agreement of the partner exchanges would never be asked for."""
    exchanged = {agreement.spec for agreement in loaded.partner.agreements}
    exchanged |= {spec.replace("peppol/", "ubl/", 1) for spec in exchanged}
    for parts in (loaded.mappings, loaded.schemas):
        for spec, node in parts.items():
            if exchanged and spec not in exchanged:
                yield node.fault(f"no agreement of this partner exchanges '{spec}': this is never used{did_you_mean(spec, sorted(exchanged))}")


def _partners(installation: Installation, faults: list[Fault]) -> list[LoadedPartner]:
    loaded = []
    for name in installation.partner_files:
        try:
            loaded.append(load_partner(name, installation.resolver))
        except Faults as error:
            faults += error.faults
    return loaded


def _plans(plans: Plans, resolver: FolderResolver, partners: list[LoadedPartner], faults: list[Fault], progress: Callable[[int, int], None]) -> None:
    """Load every schema, compile every base mapping in both directions, and every partner's differences."""
    work: list[Callable[[], object]] = [partial(plans.reading, spec) for spec in mapping_specs(resolver, "read")]
    work += [partial(plans.writing, spec) for spec in mapping_specs(resolver, "write")]
    progress(0, len(work))
    faults += find_faults(resolver, plans.loaded)
    for done, one in enumerate(work, 1):
        attempt(faults, one)
        progress(done, len(work))
    attempt(faults, partial(plans.rules, None))
    faults += agreement_faults(plans, partners)


def agreement_faults(plans: Plans, partners: Iterable[LoadedPartner], rules: Mapping | None = None) -> list[Fault]:
    """Everything wrong in the plans that the partners' agreements need; compiles them all, so that the first order finds them ready."""
    faults: list[Fault] = []
    for partner in partners:
        before = len(faults)
        for agreement in partner.partner.agreements:
            spec, resolver = agreement.spec, plans.resolver
            described = resolver.text_of(f"schemas/{spec}.yaml") is not None
            if needs_schema(spec) and not described:
                faults.append(Fault(partner.file, *_place_of(partner, spec), _undescribed(spec, plans)))
            elif agreement.receive and (described or file_for(spec, "read", resolver)):
                attempt(faults, partial(plans.reading, spec, partner))
            elif agreement.send and file_for(spec, "write", resolver):
                attempt(faults, partial(plans.writing, spec, partner))
            else:
                lacking = "no mapping that reads it" if agreement.receive else "no mapping that writes it"
                whose = ", nor another version of it" if needs_schema(spec) else ""
                faults.append(Fault(partner.file, *_place_of(partner, spec), f"an agreement names {spec}, but there is {lacking}{whose}"))
        if partner.tables is not None and len(faults) == before:
            faults += _unused_tables(partner, plans)
        attempt(faults, partial(plans.rules, partner, rules))
    return list(dict.fromkeys(faults))


def _undescribed(spec: str, plans: Plans) -> str:
    """What is said of an agreement whose version has no schema."""
    nearest = plans.nearest(spec)
    if nearest is None:
        known = schema_specs(plans.resolver)
        return f"an agreement names {spec}, but there is no schema of it{did_you_mean(spec, known)}"
    return (
        f"an agreement names {spec}, but there is no schema of that version; the nearest is {nearest}: "
        f"write schemas/{spec}.yaml with `schema: {spec}` and `extends: {nearest}`"
    )


def _unused_tables(partner: LoadedPartner, plans: Plans) -> list[Fault]:
    """Tables of a partner's file that none of its mappings asks: most often a name that is written otherwise in the base."""
    assert partner.tables is not None
    asked: set[str] = set()
    for agreement in partner.partner.agreements:
        mapping = (plans.reading if agreement.receive else plans.writing)(agreement.spec, partner).mapping
        asked |= mapping.plan.tables if mapping is not None else set()
    tables = {name for name in asked if not name.startswith("part ")}
    return [
        place.fault(f"no mapping of this partner asks the table '{name}'{did_you_mean(name, tables)}")
        for name, place in partner.tables.keys.items()
        if name not in tables
    ]


def attempt(faults: list[Fault], work: Callable[[], object]) -> None:
    """Do it, and note what is wrong."""
    try:
        work()
    except Faults as error:
        faults.extend(error.faults)


def _place_of(partner: LoadedPartner, spec: str) -> tuple[int, int]:
    """Line and column of the first mention of a spec in the partner's file."""
    for number, line in enumerate(partner.text.splitlines(), 1):
        if spec in line:
            return number, line.index(spec) + 1
    return 1, 1
