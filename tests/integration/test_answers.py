"""The running service hears what partners answer, misses what they do not, and people act on it by commands beside it."""

import json
import re
from pathlib import Path

import pytest

from tests.integration.house import House
from tests.integration.house import answered
from tests.integration.house import names
from tests.integration.house import put
from tests.integration.house import texts
from tests.integration.house import until
from tests.pipeline.test_answers import FOOT
from tests.pipeline.test_answers import HEAD
from tests.pipeline.world import ACME
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order

#: an answer is overdue as soon as somebody looks
AT_ONCE = ACME.replace("{send: x12/004010/855, to: box}", "{send: x12/004010/855, to: box, expect_acknowledgment: {within: 0m}}")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path, {"acme": AT_ONCE})


def answer(house: House, control: int, mark: str, middle: str = "") -> None:
    """The partner's 997 about the latest 855 that lies in its box."""
    [*_, text] = [text for text in texts(house.box()) if "ST*855*" in text]
    group = tags(text, "GS")[0][6]
    body = f"AK1*PR*{group}~AK2*855*0001~{middle}AK5*{mark}~AK9*{mark}*1*1*{'1' if mark == 'A' else '0'}~"
    segments = f"ST*997*0001~{body}SE*{body.count('~') + 2}*0001~"
    put(house.box("acme", "out"), f"answer{control}.edi", (HEAD.format(control, "", "FA") + segments + FOOT.format(control)).encode())


def held(house: House) -> list[str]:
    lines = house.command("hold", "list", "--json").stdout.splitlines()
    return [problem["code"] for line in lines for problem in json.loads(line)["reasons"]]


def test_from_overdue_to_rejected_to_accepted(house: House) -> None:
    with house.service() as service:
        put(house.box("acme", "out"), "po1.edi", x12_order("PO1", control=1))
        until(lambda: answered(house.box(), "PO1"), "the response")
        late = until(lambda: service.said("answer overdue", partner="acme"), "the log to say that the answer is overdue")
        assert late["level"] == "error" and late["name"] == "855-000000002.edi"
        assert held(house) == ["ANSWER-OVERDUE"]
        assert "1 overdue" in house.command("status").stdout
        answer(house, 11, "R", "AK3*ACK*10**8~AK4*2*380*6*10~")
        until(lambda: service.said("rejected by the partner", partner="acme"), "the log to say that it is rejected")
        until(lambda: held(house) == ["ANSWER-REJECTED", "ANSWER-FAULT"], "both, and that it is overdue no more: the answer came")
        trail = house.command("trail", "PO1").stdout
        assert re.search(r"ACK\*IA\*10\*EA\*067\*\d{8}\n             \^\^\n", trail), trail
        done = house.command("resend", "OR-PO1", "--reason", "they corrected their table")
        assert done.returncode == 0 and "x12/004010/855 sent as 855-000000003.edi to box" in done.stdout, done.stderr
        assert held(house) in ([], ["ANSWER-OVERDUE"])
        answer(house, 12, "A")
        until(lambda: names(house.box("acme", "out")) == [] and held(house) == [], "the acceptance")
        assert "855-000000003.edi answered by 997: accepted" in house.command("trail", "855-000000003.edi").stdout
        assert "  interchange      1 to 3; next 4 of 999999999; no gap" in house.command("controls", "acme").stdout
    refused = house.command("resend", "OR-PO9", "--reason", "x")
    assert refused.returncode == 1 and "We sent nothing that is called 'OR-PO9'" in refused.stderr
