"""Which files belong to an installation beside its data: what the user edits, in plain words, and secrets, which are only saved sealed.

Secrets are the keys in the data folder, every file that `file:...` names, and whatever holds a private key.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.config import Installation

ROLES = ("partners", "mappings", "schemas")
_NAMED = re.compile(r"""\bfile:(?!///)([^\s"',}\]]+)""")
_PRIVATE = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")


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
    for text in sorted(_named_by(installation)):
        path = installation.path(text)
        if not path.is_file() or path in found:
            continue
        if path.is_relative_to(installation.folder):
            found[path] = SavedFile(f"secrets/files/{path.relative_to(installation.folder).as_posix()}", path, secret=True)
        else:
            outside.append(str(path))
    for name, path in _edited(installation):
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


def _named_by(installation: Installation) -> set[str]:
    """What `file:` names in config.yaml and in the partners' files, as written."""
    texts = [path.read_text(encoding="utf-8-sig", errors="replace") for name, path in _edited(installation) if path.suffix in {".yaml", ".yml"}]
    return {match.group(1) for text in texts for match in _NAMED.finditer(text)}
