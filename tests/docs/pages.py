"""Pages of the documentation as the tests see them: sessions of commands, YAML files, links.

The marks are HTML comments, which no reader of the page sees:

    <!-- session: docs/tour -->     what follows is run in a fresh copy of this folder
    <!-- session -->                the same in an empty folder
    <!-- file: config.yaml -->      the next block is written to this file of the session
    <!-- run -->                    the commands of the next block are run; after each stands what it prints
    <!-- run: exit 1 -->            the same where the last command ends with 1

In what is printed `...` stands for anything on its line, and alone on a line for any lines.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

ROOT = Path(__file__).parents[2]
_MARKED = re.compile(
    r"<!-- (?P<word>session|run|file)(?:: (?P<rest>[^>]*?))? -->\n(?:\n*```(?P<kind>[\w-]+)\n(?P<text>.*?)^```$)?", re.DOTALL | re.MULTILINE
)
_BLOCK = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)|!\[[^\]]*\]\((?P<image>[^)\s]+)\)")


def pages() -> list[Path]:
    """README, CHANGELOG and everything under docs/."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _pattern_of(line: str) -> str:
    if line.strip() == "...":
        return r"(?:.*\n)*?"
    return ".*".join(re.escape(part) for part in line.split("...")) + r"[ ]*\n"


@dataclass(frozen=True)
class Command:
    """One command of a page and what it prints."""

    text: str
    printed: str
    exit: int
    line: int

    def matches(self, output: str) -> bool:
        """Whether this is what the page says, loosely."""
        pattern = "".join(_pattern_of(line) for line in self.printed.splitlines())
        clean = "".join(f"{line.rstrip()}\n" for line in output.splitlines())
        return re.fullmatch(pattern, clean) is not None


@dataclass
class Session:
    """What is run in one folder, in order: files to write and commands."""

    page: Path
    number: int
    start: Path | None = None
    steps: list[Command | tuple[str, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT)} {self.number}"


def sessions(page: Path) -> Iterator[Session]:
    """The sessions of a page."""
    text = page.read_text()
    session: Session | None = None
    number = 0
    for mark in _MARKED.finditer(text):
        word, rest, line = mark["word"], mark["rest"] or "", text[: mark.start()].count("\n") + 1
        if word == "session":
            if session is not None and session.steps:
                yield session
            number += 1
            session = Session(page, number, ROOT / rest if rest else None)
            continue
        assert session is not None, f"{page.name}:{line}: there is no session before this mark"
        assert mark["kind"] is not None, f"{page.name}:{line}: no block follows this mark"
        if word == "file":
            session.steps.append((rest, mark["text"]))
        else:
            session.steps += commands(mark["text"], int(rest.removeprefix("exit ")) if rest else 0, line)
    if session is not None and session.steps:
        yield session


def commands(text: str, exit: int, line: int) -> list[Command]:
    """The commands of a block: lines that begin with `$ `, and what stands below each."""
    found: list[tuple[str, list[str]]] = []
    for one in text.splitlines():
        if one.startswith("$ "):
            found.append((one.removeprefix("$ "), []))
        else:
            found[-1][1].append(one)
    last = len(found) - 1
    printed = ["".join(f"{one}\n" for one in lines) for _, lines in found]
    return [Command(words, printed[place], exit if place == last else 0, line) for place, (words, _) in enumerate(found)]


def blocks(page: Path, kind: str) -> list[tuple[int, str]]:
    """(line, text) of each block of a kind."""
    text = page.read_text()
    return [(text[: found.start()].count("\n") + 2, found["text"]) for found in _BLOCK.finditer(text) if found["kind"] == kind]


def links(page: Path) -> list[str]:
    """Where the links and images of a page lead to, code left out."""
    prose = re.sub(r"`[^`\n]*`", "", _BLOCK.sub("", page.read_text()))
    return [found["target"] or found["image"] for found in _LINK.finditer(prose)]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    headings = re.findall(r"^#{1,6} (.*)$", _BLOCK.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def keys_of_table(page: Path, name: str) -> set[str]:
    """The keys in the first column of the table behind `<!-- keys: NAME -->`."""
    found = re.search(rf"<!-- keys: {name} -->\n((?:\|.*\n)+)", page.read_text())
    assert found is not None, f"{page.name} has no table of {name}"
    return {key for row in found[1].splitlines()[2:] for key in re.findall(r"`([^`]+)`", row.split("|")[1])}
