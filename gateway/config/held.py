"""The texts of an installation's files as they were at one moment: config.yaml, and what lies in its partners/, mappings/ and schemas/."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.user_files import SUFFIXES
from gateway.yaml_source import Fault


@dataclass(frozen=True, slots=True)
class Held:
    """Everything that a user wrote, by name: `partners/acme.yaml`; config.yaml apart."""

    config: str
    texts: Mapping[str, str]

    def of(self, name: str, config_name: str) -> str | None:
        """The text of a file, None where there is none."""
        return self.config if name == config_name else self.texts.get(name)


def files_in(folders: Mapping[str, Path]) -> dict[str, Path]:
    """Every file of these folders that plans are made of, by name; hidden ones and those in hidden folders are somebody's drafts."""
    found: dict[str, Path] = {}
    for top, folder in folders.items():
        if not folder.is_dir():
            continue
        for path in folder.rglob("*"):
            name = path.relative_to(folder)
            if path.suffix in SUFFIXES and not any(part.startswith(".") for part in name.parts) and path.is_file():
                found[f"{top}/{name.as_posix()}"] = path
    return found


def read_texts(files: Mapping[str, Path]) -> tuple[dict[str, str], list[Fault]]:
    """The texts of these files, and what cannot be read of them; a file that has gone meanwhile is not there."""
    texts: dict[str, str] = {}
    faults: list[Fault] = []
    for name, path in sorted(files.items()):
        try:
            texts[name] = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            faults.append(Fault(name, 1, 1, f"not UTF-8 at byte {error.start}"))
        except FileNotFoundError:
            continue
        except OSError as error:
            faults.append(Fault(name, 1, 1, f"cannot be read: {error.strerror}"))
    return texts, faults
