"""Test cases beside mappings and partners: an input, what is expected of it, and a difference that a person can read.

A case is a folder `mappings/<syntax>/<version>/cases/<type>/<name>` or `partners/cases/<partner>/<spec>/<name>` with
  input.*      a payload, or the canonical document (input.json) of a case that writes
  expected.*   expected.json for reading: the document, or a list of them; any other name for writing: what is written
  problems.txt the problems that are expected, a line each: severity, code, place
Nothing of an installation is touched.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

import msgspec

from gateway.codecs.choose import read as read_events
from gateway.codecs.node import Repeated
from gateway.codecs.node import Transaction
from gateway.config import Installation
from gateway.exchange.partner import LoadedPartner
from gateway.insight.differences import Difference
from gateway.insight.differences import differences
from gateway.model.document import decode
from gateway.model.document import encode_plainly
from gateway.pipeline.plans import Plans
from gateway.pipeline.reading.explaining import provenance_of
from gateway.pipeline.reading.forms import forms_for
from gateway.pipeline.reading.payload import Read
from gateway.pipeline.reading.payload import read_payload
from gateway.pipeline.reading.payload import stateless
from gateway.pipeline.stateless.writing import Explained
from gateway.pipeline.stateless.writing import Unwritable
from gateway.pipeline.stateless.writing import explain_writing
from gateway.pipeline.stateless.writing import write_document
from gateway.problem import Problem
from gateway.user_files import FolderResolver
from gateway.yaml_source import Faults

PROBLEMS = "problems.txt"
#: a segment with its terminator, where `'` and `?` are what they usually are
_EDIFACT_SEGMENT = re.compile(rb"((?:[^'?]|\?.)*')", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Case:
    """A folder with an input and what is expected of it."""

    folder: Path
    #: as shown: mappings/x12/004010/cases/850/plain
    name: str
    spec: str
    #: the partner whose differences count, if it is one's
    partner: str | None

    @property
    def input(self) -> Path | None:
        return next(iter(sorted(self.folder.glob("input.*"))), None)

    @property
    def expected(self) -> Path | None:
        return next(iter(sorted(self.folder.glob("expected.*"))), None)

    @property
    def writes(self) -> bool:
        """Whether it goes outward: its input is a canonical document, and what is expected is none."""
        named = self.expected
        document = self.input is not None and self.input.suffix == ".json" and b'"kind"' in self.input.read_bytes()
        return named.suffix != ".json" if named is not None else document


@dataclass(slots=True)
class Outcome:
    """What became of a case. `files` is what its expectations would be, were they made anew."""

    case: Case
    differences: list[Difference] = field(default_factory=list)
    #: why it could not run at all
    trouble: str = ""
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return not self.differences and not self.trouble


def find_cases(resolver: FolderResolver, partner: str | None = None) -> list[Case]:
    """All cases beside mappings and partners, those of an earlier place instead of a later one of the same name; or one partner's."""
    found: dict[str, Case] = {}
    for place in resolver.places:
        for top in ("mappings", "partners") if partner is None else ("partners",):
            for case in _cases_in(place[top], top) if top in place else ():
                if partner is None or case.partner == partner:
                    found.setdefault(case.name, case)
    return [found[name] for name in sorted(found)]


def _cases_in(folder: Path, top: str) -> Iterator[Case]:
    for file in sorted(folder.rglob("input.*")):
        parts = file.parent.relative_to(folder).parts
        name = f"{top}/{'/'.join(parts)}"
        if top == "mappings" and parts.count("cases") == 1 and len(parts) > 2 and parts[-3] == "cases":
            yield Case(file.parent, name, "/".join((*parts[:-3], parts[-2])), None)
        elif top == "partners" and parts[0] == "cases" and len(parts) > 3:
            yield Case(file.parent, name, "/".join(parts[2:-1]), parts[1])


def run_case(case: Case, plans: Plans, installation: Installation | None) -> Outcome:
    """Read or write the input, and compare."""
    outcome = Outcome(case)
    loaded = None
    if case.partner is not None:
        loaded = installation.directory.partners.get(case.partner) if installation is not None else None
        if loaded is None:
            outcome.trouble = f"there is no partner '{case.partner}'"
            return outcome
    try:
        if case.writes:
            _run_writing(case, plans, loaded, installation, outcome)
        else:
            _run_reading(case, plans, loaded, outcome)
    except (Faults, msgspec.MsgspecError, UnicodeDecodeError, json.JSONDecodeError) as error:
        outcome.trouble = str(error)
    return outcome


def _run_reading(case: Case, plans: Plans, loaded: LoadedPartner | None, outcome: Outcome) -> None:
    assert case.input is not None
    _, items = read_payload([case.input.read_bytes()], plans, stateless(plans, None, loaded, case.spec), forms_for(plans, None, loaded, case.spec))
    documents: list[Any] = []
    origins: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for item in items:
        if isinstance(item, Read):
            problems += item.problems
            if item.document is not None:
                documents.append(json.loads(encode_plainly(item.document)))
                origins.append(provenance_of(item, plans, loaded))
        elif isinstance(item, Problem):
            problems.append(item)
        else:
            problems += getattr(item, "problems", ())
    text = json.dumps(documents[0] if len(documents) == 1 else documents, indent=2, ensure_ascii=False) + "\n"
    outcome.files["expected.json"] = text.encode()
    _tell_problems(case, problems, outcome)
    wanted = _wanted(case, outcome)
    if wanted is None:
        return
    expected = json.loads(wanted)
    expected = expected if isinstance(expected, list) else [expected]
    for number in range(max(len(expected), len(documents))):
        one = expected[number] if number < len(expected) else None
        other = documents[number] if number < len(documents) else None
        lines = origins[number] if number < len(origins) else {}
        prefix = f"[{number}]." if len(expected) > 1 or len(documents) > 1 else ""
        for difference in differences(one, other):
            told = lines.get(difference.field)
            line = told[0].mapping if told else None
            outcome.differences.append(msgspec.structs.replace(difference, field=prefix + difference.field, mapping=line))


def _run_writing(case: Case, plans: Plans, loaded: LoadedPartner | None, installation: Installation | None, outcome: Outcome) -> None:
    assert case.input is not None
    document = decode(case.input.read_bytes())
    written = write_document(document, case.spec, plans, loaded, installation)
    named = case.expected.name if case.expected is not None else _name_of(case.spec)
    problems = list(written.problems) if isinstance(written, Unwritable) else []
    data = b"" if isinstance(written, Unwritable) else _legible(written)
    outcome.files[named] = data
    _tell_problems(case, problems, outcome)
    wanted = _wanted(case, outcome)
    if wanted is None or wanted == data or _legible(wanted.replace(b"\n", b"")) == data:
        return
    explained = explain_writing(document, case.spec, plans, loaded, installation)
    lines = {name: origins[0].mapping for name, origins in explained.provenance.items() if origins} if isinstance(explained, Explained) else {}
    for difference in differences(_elements(wanted), _elements(data)):
        segment = difference.field.partition("/")[0] + "/"
        line = lines.get(difference.field) or next((line for name, line in lines.items() if name.startswith(segment)), None)
        outcome.differences.append(msgspec.structs.replace(difference, mapping=line))
    if not outcome.differences:
        outcome.differences.append(Difference("(bytes)", "the same text", "another arrangement of it"))


def _name_of(spec: str) -> str:
    return "expected.edi" if spec.split("/")[0] in {"x12", "edifact"} else "expected.xml" if spec.startswith(("ubl", "peppol")) else "expected.txt"


def _legible(data: bytes) -> bytes:
    """Segments on lines of their own, as they are kept beside a mapping."""
    if data[:3] == b"ISA":
        return data.replace(data[105:106], data[105:106] + b"\n")
    if data[:3] in (b"UNA", b"UNB"):
        return _EDIFACT_SEGMENT.sub(rb"\1\n", data)
    return data if data.endswith(b"\n") else data + b"\n"


def _elements(data: bytes) -> dict[str, Any]:
    """What is written, by the names that provenance gives to it; XML and other texts line by line."""
    transaction = next((event for event in read_events([data])[1] if isinstance(event, Transaction)), None)
    if transaction is None or transaction.root is not None or transaction.delimiters is None:
        return {f"line {number}": line.strip() for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1)}
    answer: dict[str, Any] = {}
    counts: dict[str, int] = {}
    for segment in transaction.segments[1:-1]:
        tag = str(segment[0])
        counts[tag] = counts.get(tag, 0) + 1
        for number, element in enumerate(segment[1:], 1):
            value = element if isinstance(element, str) else "*".join(map(":".join, element)) if isinstance(element, Repeated) else ":".join(element)
            if value:
                answer[f"{tag}[{counts[tag]}]/{number:02}"] = value
    return answer


def _tell_problems(case: Case, problems: list[Problem], outcome: Outcome) -> None:
    found = [f"{problem.severity.value} {problem.code} at {problem.place.words()}" for problem in problems]
    if found:
        outcome.files[PROBLEMS] = "".join(f"{line}\n" for line in found).encode()
    file = case.folder / PROBLEMS
    expected = file.read_text().splitlines() if file.is_file() else []
    for line in found:
        if line not in expected:
            outcome.differences.append(Difference("problems", None, line))
    outcome.differences += [Difference("problems", line, None) for line in expected if line not in found]


def _wanted(case: Case, outcome: Outcome) -> bytes | None:
    if case.expected is None:
        outcome.trouble = "nothing is expected yet: --accept keeps what is found"
        return None
    return case.expected.read_bytes()


def accept(outcome: Outcome) -> None:
    """Make what was found the expectation."""
    folder = outcome.case.folder
    for name, data in outcome.files.items():
        (folder / name).write_bytes(data)
    if PROBLEMS not in outcome.files:
        (folder / PROBLEMS).unlink(missing_ok=True)
