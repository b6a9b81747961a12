"""Whole walks as plain files: what a partner sends, what we make of it, what we answer. One folder a case, readable by an EDI analyst.

    in.edi, in.2.edi or in.xml   files as the partner sends them, in their order; one segment a line
    case.yaml                    title; `partner`: which of the partners below sends; `then`: what happens afterwards: a person decides (release,
                                 reject), goods leave (`ship: order,line,quantity ...`), another file of the folder comes (receive)
    items.csv prices.csv stock.csv     master data, where the case needs it
    partner.yaml                 the partner's file, where the case needs another one; `config` in case.yaml: a line more of config.yaml
    expected.json                states, problems with their places, canonical documents, what was sent
    expected.ack.edi             our acknowledgment (expected.ack.2.edi: the second one)
    expected.out.855.edi         what else we sent, by its type

`pytest tests/golden --golden-update` writes the expected files anew; a person reads the difference. The clock stands still.
"""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.pipeline.outbox.resending import find_document
from gateway.pipeline.outbox.resending import resend
from gateway.pipeline.trading import holding
from gateway.problem import Problem
from gateway.store.incoming import holds
from gateway.store.outgoing import outbox
from gateway.store.records import documents
from gateway.store.trading import masterdata
from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG
from tests.pipeline.world import EUROCO
from tests.pipeline.world import World

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/case.yaml"))
UBELIX = """\
id: ubelix
name: Ubelix BV
identifiers: {peppol: "0088:8712345000011", gln: "8712345000011"}
endpoints:
  box: {folder: boxes/ubelix/out, send_to: boxes/ubelix/in}
agreements:
  - {receive: ubl/order, from: box}
  - {send: peppol/order-response, to: box}
currency: EUR
country: NL
credit: none
"""
MILLISECONDS = re.compile(r"(\d\d:\d\d:\d\d)\.\d{6}Z")
#: identifiers follow from a transmission's, which is drawn anew each time
#: what is behind a number that is not ours, in the name of a file
OF_THE_DOCUMENT = re.compile(r"-[0-9a-f]{8}(?=\.\w+\Z)")
RANDOM = re.compile(r"\b([DIH])-[0-9a-f]{16}(?:-\d{5}(?:-[a-z]{1,2}\d*)?)?\b")
PARTNERS = {"acme": ACME, "euroco": EUROCO, "ubelix": UBELIX}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden(case: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    made = walk(case, tmp_path)
    if request.config.getoption("--golden-update"):
        for path in case.glob("expected.*"):
            path.unlink()
        for name, text in made.items():
            (case / name).write_text(text)
        return
    assert sorted(made) == sorted(path.name for path in case.glob("expected.*"))
    for name, text in made.items():
        assert text == (case / name).read_text(), f"{case.name}/{name} differs: read the difference, then pytest tests/golden --golden-update"


def walk(case: Path, folder: Path) -> dict[str, str]:
    """The case's expected files as they come out now, by name."""
    told = yaml.safe_load((case / "case.yaml").read_text())
    partner = told["partner"]
    own = case / "partner.yaml"
    world = World(
        folder,
        config=CONFIG.replace("web:", "# web:") + told.get("config", "") + "\n",
        partners={partner: own.read_text() if own.exists() else PARTNERS[partner]},
    )
    try:
        _load(world, case)
        files = []
        for path in sorted(case.glob("in*.*"), key=lambda path: path.name.split(".")[1:-1]):
            result = world.receive(path.read_bytes(), path.name, f"folder:boxes/{partner}/out")
            files.append({"file": path.name, "state": result.transmission.state, "problems": [_problem(one) for one in result.transmission.problems]})
        steps = [_state(world, "when the files are through")]
        for step in told.get("then", []):
            _act(world, step, case, partner)
            steps.append(_state(world, " ".join(step.values())))
        return _files(world, partner, {"files": files, "steps": steps, "documents": _documents(world)})
    finally:
        world.close()


def _load(world: World, case: Path) -> None:
    with world.station.database.begin() as connection:
        for kind in ("items", "prices", "stock"):
            file = case / f"{kind}.csv"
            if file.exists():
                _, wrong = masterdata.import_rows(connection, kind, csv.DictReader(file.read_text().splitlines()), world.clock())
                assert not wrong, wrong


def _act(world: World, step: dict[str, str], case: Path, partner: str) -> None:
    if "resend" in step:
        resend(world.station, find_document(world.station, step["resend"]).id, "clerk", step["reason"])
        world.settle()
        return
    if "ship" in step:
        hand_in_shipments(world.station, "\n".join(["order,line,quantity", *step["ship"].split()]).encode(), "shipment.csv", "warehouse")
        world.settle()
        return
    if "receive" in step:
        path = case / step["receive"]
        world.receive(path.read_bytes(), path.name, f"folder:boxes/{partner}/out")
        return
    decide = {"release": holding.release, "reject": holding.reject}
    [(word, number)] = [(word, step[word]) for word in decide if word in step]
    decide[word](world.station, number, "clerk", step["reason"])
    world.settle()


def _state(world: World, when: str) -> dict[str, Any]:
    with world.station.database.read() as connection:
        rows = documents.search(connection, documents.Filters(direction="in"), limit=100)
        waiting = holds.list_open(connection)
    return {
        "when": when,
        "documents": [f"{row.kind or row.transaction_type} {row.number}: {row.state}" for row in reversed(rows)],
        "waiting": [problem.code for hold in waiting for problem in hold.reasons],
    }


def _documents(world: World) -> list[dict[str, Any]]:
    """Everything that was received and made, in its order, with its history, problems and canonical form."""
    with world.station.database.read() as connection:
        rows = documents.get_many(connection, [row.id for row in documents.search(connection, documents.Filters(), limit=100)])
        answer = []
        for row in sorted(rows.values(), key=lambda row: (row.created_at, row.seq or 0, row.kind)):
            shown: dict[str, Any] = {
                "kind": row.kind or None,
                "number": row.number or None,
                "direction": row.direction,
                "type": row.transaction_type,
                "test": row.test,
                "history": [f"{step.state}: {step.reason}" for step in documents.history(connection, row.id)],
                "problems": [_problem(problem) for problem in row.problems],
                "document": json.loads(row.body) if row.body else None,
            }
            answer.append(shown)
        return answer


def _problem(problem: Problem) -> str:
    where = f" at {problem.place.words()}" if problem.place.words() != "the file" else ""
    return f"{problem.severity.value} {problem.code}{where}: {problem.message}"


def _files(world: World, partner: str, expected: dict[str, Any]) -> dict[str, str]:
    """What lies at the partner's, in the order in which it left."""
    with world.station.database.read() as connection:
        rows = [row for row in outbox.search(connection, limit=100) if row.identity]
    made: dict[str, str] = {}
    sent = []
    for row in sorted(rows, key=lambda row: (row.created_at, row.seq or 0)):
        path = world.folder / "boxes" / partner / "in" / str(row.identity)
        stem = "expected.ack" if row.kind == "acknowledgment" else f"expected.out.{row.spec.rsplit('/', 1)[1]}"
        name, number = f"{stem}{path.suffix}", 2
        while name in made:
            name, number = f"{stem}.{number}{path.suffix}", number + 1
        made[name] = RANDOM.sub(r"\1-...", _lines(path.read_text("utf-8" if path.suffix == ".xml" else "latin-1")))
        sent.append(f"{OF_THE_DOCUMENT.sub('-...', path.name)} ({row.spec}): {name}")
    text = json.dumps({**expected, "sent": sent}, indent=1, ensure_ascii=False)
    # the clock goes on by a millisecond whenever somebody asks
    return {"expected.json": MILLISECONDS.sub(r"\1Z", RANDOM.sub(r"\1-...", text)) + "\n", **made}


def _lines(text: str) -> str:
    """One segment a line; a released terminator ends none."""
    if text.startswith("<"):
        return text if text.endswith("\n") else f"{text}\n"
    if text.startswith("ISA"):
        return text.replace("\n", "").replace("~", "~\n")
    return re.sub(r"((?:[^?']|\?.)*')", r"\1\n", text.replace("\n", ""))
