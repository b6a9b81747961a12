"""Where the files lie that users edit, and who finds them: config.yaml, mappings, schemas, partners; those that are shipped stand behind.

It knows nothing of what is in them, so that a command without any installation need not load what reads a config.yaml.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.yaml_source import Fault
from gateway.yaml_source import Faults


def shipped_defaults() -> Path:
    """The folder that holds the shipped mappings/ and schemas/: in the wheel, or the top of the checkout."""
    inside = Path(__file__).parent / "defaults"
    return inside if inside.is_dir() else Path(__file__).parent.parent


#: files that users write beside their config.yaml and that plans are made of
SUFFIXES = (".yaml", ".xsd")


@dataclass(frozen=True, slots=True)
class FolderResolver:
    """Finds user-edited files in a list of places; each place says which folder stands for which first part of a name.

    `held` are the texts of the first place's files as they were at one moment: then that place itself is not asked any more, so that what
    is loaded later fits what was checked.
    """

    places: tuple[dict[str, Path], ...]
    held: Mapping[str, str] | None = None

    def ours(self) -> "FolderResolver":
        """The first place alone: what is not shipped."""
        return FolderResolver(self.places[:1], self.held)

    def shipped(self, name: str) -> bool:
        """Whether this file comes with the gateway, and nobody has put one of that name in its place."""
        if self.held is not None and name in self.held:
            return False
        first, *others = self.places
        own = self._path(first, name)
        return bool(others) and not (own is not None and own.is_file())

    def _path(self, place: dict[str, Path], name: str) -> Path | None:
        top, _, rest = name.partition("/")
        return place[top] / rest if top in place and ".." not in rest.split("/") else None

    def text_of(self, name: str) -> tuple[str, str] | None:
        if self.held is not None and name in self.held:
            return name, self.held[name]
        for place in self.places if self.held is None else self.places[1:]:
            path = self._path(place, name)
            if path is not None and path.is_file():
                try:
                    return name, path.read_text(encoding="utf-8-sig")
                except UnicodeDecodeError as error:
                    raise Faults([Fault(name, 1, 1, f"not UTF-8 at byte {error.start}")]) from None
        return None

    def names(self, prefix: str) -> list[str]:
        found = {name for name in self.held or () if name.endswith(".yaml")}
        top = prefix.partition("/")[0]
        for place in self.places if self.held is None else self.places[1:]:
            if top in place and place[top].is_dir():
                found.update(
                    f"{top}/{path.relative_to(place[top]).as_posix()}" for path in place[top].rglob("*.yaml") if not path.name.startswith(".")
                )
        return sorted(name for name in found if name.startswith(prefix))


def default_resolver() -> FolderResolver:
    """The shipped mappings, schemas and partner templates alone, without any installation."""
    top = shipped_defaults()
    return FolderResolver(({"mappings": top / "mappings", "schemas": top / "schemas", "partners": top / "partners"},))


def find_config(start: Path) -> Path | None:
    """config.yaml here, then upward."""
    for folder in (start, *start.parents):
        if (folder / "config.yaml").is_file():
            return folder / "config.yaml"
    return None
