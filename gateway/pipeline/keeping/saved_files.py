"""Which files belong to an installation beside its data: what the user edits and the certificates that it names, in plain words, and secrets,
which are only saved sealed.

Secrets are the keys in the data folder, every file that `file:...` names, and whatever holds a private key. Files are looked for by what stands
in config.yaml and in the partners' files, also where a key there is wrong: whoever has a typo in one of them wants a backup all the same.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.config import Installation
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Scalar
from gateway.yaml_source import parse

ROLES = ("partners", "mappings", "schemas")
_NAMED = re.compile(r"""\bfile:(?!///)([^\s"',}\]]+)""")
_PRIVATE = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
#: a longer text is no name of a file
_LONGEST_NAME = 400


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A file under the name that it has in a backup."""

    name: str
    path: Path
    secret: bool = False


def saved_files(installation: Installation) -> tuple[list[SavedFile], list[str]]:
    """The files of an installation, and those that belong to it but lie outside of its folder."""
    found: dict[Path, SavedFile] = {}
    outside: list[str] = []
    keys = installation.data / "keys"
    for path in sorted(keys.glob("*")) if keys.is_dir() else ():
        if path.is_file():
            found[path.resolve()] = SavedFile(f"secrets/keys/{path.name}", path, secret=True)
    for text in sorted(_secrets_named(installation)):
        path = installation.path(text)
        if not path.is_file() or path in found:
            continue
        if path.is_relative_to(installation.folder):
            found[path] = SavedFile(f"secrets/files/{path.relative_to(installation.folder).as_posix()}", path, secret=True)
        else:
            outside.append(str(path))
    edited = list(_edited(installation))
    known = {path.resolve() for _, path in edited}
    for path in sorted(_files_named(installation) - known - set(found)):
        if not path.is_relative_to(installation.folder):
            outside.append(str(path))
        elif not path.is_relative_to(installation.data):
            secret = bool(_PRIVATE.search(path.read_bytes()))
            relative = path.relative_to(installation.folder).as_posix()
            found[path] = SavedFile(f"secrets/files/{relative}" if secret else f"files/{relative}", path, secret)
    for name, path in edited:
        if path.resolve() in found:
            continue
        if _PRIVATE.search(path.read_bytes()):
            inside = path.resolve().is_relative_to(installation.folder)
            if inside:
                relative = path.resolve().relative_to(installation.folder).as_posix()
                found[path.resolve()] = SavedFile(f"secrets/files/{relative}", path, secret=True)
            else:
                outside.append(str(path))
            continue
        found[path.resolve()] = SavedFile(f"config/{name}", path)
    return sorted(found.values(), key=lambda file: file.name), outside


def _edited(installation: Installation) -> Iterator[tuple[str, Path]]:
    yield "config.yaml", installation.file
    for role in ROLES:
        folder = installation.path(getattr(installation.settings, role))
        if folder.is_dir():
            for path in sorted(folder.rglob("*")):
                relative = path.relative_to(folder)
                if path.is_file() and not any(part.startswith(".") for part in relative.parts):
                    yield f"{role}/{relative.as_posix()}", path


def _secrets_named(installation: Installation) -> set[str]:
    """What `file:` names in everything that is edited, as written."""
    texts = [path.read_text(encoding="utf-8-sig", errors="replace") for name, path in _edited(installation) if path.suffix in {".yaml", ".yml"}]
    return {match.group(1) for text in texts for match in _NAMED.finditer(text)}


def _files_named(installation: Installation) -> set[Path]:
    """The files that config.yaml and the partners' files name without a word before: certificates, authorities, host keys."""
    found: set[Path] = set()
    for name, path in _edited(installation):
        if name != "config.yaml" and not (name.startswith("partners/") and path.suffix in {".yaml", ".yml"}):
            continue
        try:
            node = parse(path.read_text(encoding="utf-8-sig", errors="replace"), name)
        except Faults:
            continue  # lint and the service say what is wrong there; its secrets are found by their word
        for text in _texts(node):
            # a name has an ending or lies in a folder: `all` and `acme` are words
            if len(text) <= _LONGEST_NAME and ("/" in text or "." in text) and "\n" not in text and "\0" not in text:
                named = installation.path(text)
                if named.is_file():
                    found.add(named)
    return found


def _texts(node: Node) -> Iterator[str]:
    match node:
        case Scalar(text=text):
            yield text
        case Mapping(items=items):
            for one in items.values():
                yield from _texts(one)
        case _:
            for one in node:
                yield from _texts(one)
