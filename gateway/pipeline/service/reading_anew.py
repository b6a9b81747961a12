"""The user's files read and checked again beside what is in force. Files that are wrong keep the text that they had; where that does not
mend it, everything stays as it was. What comes out is ready to be put in force; nothing is changed here.
"""

import hashlib
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from functools import partial
from pathlib import Path

from gateway.config import ConfigTrouble
from gateway.config import Installation
from gateway.config import load_installation
from gateway.config.held import Held
from gateway.config.held import files_in
from gateway.config.held import read_texts
from gateway.config.installation import config_text
from gateway.config.installation import state_of
from gateway.config.settings import NEEDS_RESTART
from gateway.config.settings import Settings
from gateway.exchange.partner import LoadedPartner
from gateway.mapping.files import file_for
from gateway.mapping.files import known_specs as mapping_specs
from gateway.pipeline.as2.relations import relation_of_endpoint
from gateway.pipeline.plans import Plans
from gateway.pipeline.stateless.linting import agreement_faults
from gateway.pipeline.stateless.linting import attempt
from gateway.pipeline.station import Loaded
from gateway.schema.load import known_specs as schema_specs
from gateway.yaml_source import Fault
from gateway.yaml_source import Faults


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of reading everything anew."""

    held: Held
    loaded: Loaded
    #: what is wrong in the files as they are now; what they said before goes on
    faults: tuple[Fault, ...] = ()
    #: files that are in force now otherwise than before: name -> digest, or `removed`
    changed: tuple[tuple[str, str], ...] = ()
    #: changes that a running service cannot follow, in words
    restart: tuple[str, ...] = ()


def hold(file: Path, before: Held | None = None) -> tuple[Held, list[Fault]]:
    """Everything that a user wrote, as it is now, and what cannot be read of it: that keeps its text of before. Raises Faults or ConfigTrouble
    where nothing was before and config.yaml does not say where things are."""
    faults: list[Fault] = []
    try:
        config = config_text(file)
        places = load_installation(file, Held(config, {})).resolver.places
    except (Faults, ConfigTrouble) as error:
        if before is None:
            raise
        faults += error.faults if isinstance(error, Faults) else [Fault(file.name, 1, 1, str(error))]
        config = before.config
        places = load_installation(file, before).resolver.places
    texts, unreadable = read_texts(files_in(places[0]))
    for fault in unreadable:
        if before is not None and fault.file in before.texts:
            texts[fault.file] = before.texts[fault.file]
    return Held(config, texts), faults + unreadable


def load_held(file: Path, held: Held, running: Settings | None = None) -> Installation:
    """The installation that these texts describe; what cannot change while a service runs stays as in `running`."""
    installation = load_installation(file, held)
    if running is None:
        return installation
    return replace(installation, settings=installation.settings.model_copy(update={key: getattr(running, key) for key in NEEDS_RESTART}))


def load_checked(
    file: Path, held: Held, running: Settings | None = None, before: Loaded | None = None, changed: frozenset[str] = frozenset()
) -> Loaded:
    """Everything loaded and compiled that the agreements need; raises Faults with all that is wrong."""
    installation = load_held(file, held, running)
    partners = list(installation.directory.partners.values())
    plans = Plans(installation.resolver)
    if before is not None and file.name not in changed:
        plans = before.plans.renewed(installation.resolver, changed, {one.digest for one in partners})
    faults = agreement_faults(plans, partners, installation.rules)
    faults += _own_files(plans, installation)
    faults += _keys(installation, partners)
    if faults:
        raise Faults(dict.fromkeys(faults))
    return Loaded(installation, plans)


def read_anew(now: Loaded, held: Held, running: Settings) -> Attempt:
    """Read everything again and check it; `now` and `held` are what is in force, `running` the settings that the service began with."""
    file = now.installation.file
    try:
        fresh, faults = hold(file, held)
    except (Faults, ConfigTrouble) as error:
        return Attempt(held, now, _faults_of(error, file))
    told = list(faults)
    for _ in range(len(fresh.texts) + 1):
        changed = dict(changes(held, fresh, file.name))
        try:
            loaded = load_checked(file, fresh, running, now, frozenset(changed))
        except (Faults, ConfigTrouble) as error:
            found = _faults_of(error, file)
            told += found
            wrong = {fault.file for fault in found} & changed.keys()
            if not wrong:
                break
            fresh = _with_old(fresh, held, wrong, file.name)
        else:
            return Attempt(fresh, loaded, tuple(dict.fromkeys(told)), tuple(changed.items()), tuple(_restart(loaded, fresh, running)))
    return Attempt(held, now, tuple(dict.fromkeys(told)))


def changes(old: Held, new: Held, config_name: str) -> Iterator[tuple[str, str]]:
    """What differs: name -> digest of the text, or `removed`."""
    if old.config != new.config:
        yield config_name, digest_of(new.config)
    for name in sorted(old.texts.keys() | new.texts.keys()):
        text = new.texts.get(name)
        if text != old.texts.get(name):
            yield name, "removed" if text is None else digest_of(text)


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def glance(installation: Installation, config: Path) -> dict[str, str]:
    """The state of every file that tells how the installation works, without reading any: also of keys and certificates that it names."""
    found = {name: state_of(path) for name, path in files_in(installation.resolver.places[0]).items()}
    found[config.name] = state_of(config)
    return found | {str(path): state_of(path) for path in installation.named_files}


def _keys(installation: Installation, partners: Iterable[LoadedPartner]) -> Iterator[Fault]:
    """Keys and certificates of AS2 endpoints that cannot be used."""
    for loaded in partners:
        for endpoint in loaded.partner.endpoints.values():
            if endpoint.as2 is not None:
                try:
                    relation_of_endpoint(installation, loaded.partner, endpoint)
                except ConfigTrouble as error:
                    yield Fault(loaded.file, 1, 1, str(error))


def _own_files(plans: Plans, installation: Installation) -> list[Fault]:
    """What is wrong in files of ours that no agreement needs yet."""
    ours, faults = installation.resolver.ours(), list[Fault]()
    for spec in schema_specs(ours):
        attempt(faults, partial(plans.schema, spec))
    for direction, load in (("read", plans.reading), ("write", plans.writing)):
        for spec in mapping_specs(ours, direction):
            if file_for(spec, direction, installation.resolver) is not None:
                attempt(faults, partial(load, spec))
    return faults


def _with_old(fresh: Held, held: Held, names: Iterable[str], config_name: str) -> Held:
    """The new texts, but those of these files as they were before."""
    config, texts = fresh.config, dict(fresh.texts)
    for name in names:
        before = held.of(name, config_name)
        if name == config_name:
            config = held.config
        elif before is None:
            texts.pop(name, None)
        else:
            texts[name] = before
    return Held(config, texts)


def _restart(loaded: Loaded, held: Held, running: Settings) -> Iterator[str]:
    wanted = load_installation(loaded.installation.file, held).settings
    for key in NEEDS_RESTART:
        if getattr(wanted, key) != getattr(running, key):
            yield f"{key} in {loaded.installation.file.name} changed"


def _faults_of(error: Faults | ConfigTrouble, file: Path) -> tuple[Fault, ...]:
    return tuple(error.faults) if isinstance(error, Faults) else (Fault(file.name, 1, 1, str(error)),)
