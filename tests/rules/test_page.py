"""docs/rules.md says what the base rules say: its tables are made from them. `python -m tests.rules.test_page` writes them anew."""

import re
from pathlib import Path

from gateway.kinds import rule
from gateway.problem import Kind
from gateway.rules.functions import KINDS
from gateway.rules.functions import TOLERANT
from gateway.rules.load import DECISIONS
from tests.rules.world import base_plan

PAGE = Path(__file__).parent.parent.parent / "docs" / "rules.md"

#: what each word of a decision means
MEANING = {
    "stock_short": "there is less in stock than ordered: `partial` (what is there now, the rest later), `change` (what is there, no more), "
    "`back_order` (the whole line later), `reject` (the line), `hold`, `accept` (stock is not asked)",
    "stock_none": "there is nothing in stock: `back_order`, `reject`, `hold`, `accept`",
    "price": "a price that differs and was let pass: `ordered` (at the ordered price) or `list` (answered with the list price)",
    "rejected_line": "a rejected line rejects `line` (that line alone) or `order` (all of it)",
    "credit": "a problem of credit leads to `hold` or `warn`",
    "lead_days": "the earliest day that we promise, in days from today",
    "change_wait": "minutes that a change waits for its order, or for the change before it, which may still come",
}


def checks_table() -> str:
    plan = base_plan()
    rows = ["| code | what it finds | by default | what to do |", "|---|---|---|---|"]
    for code in plan.checks:
        check = plan.checks[code]
        tolerance = f", tolerance {check.tolerance.words()}" if code in TOLERANT else ""
        rows.append(f"| `{code}` | {KINDS[code].title} | {check.outcome.value}{tolerance} | {KINDS[code].cure} |")
    return "\n".join(rows)


def decisions_table() -> str:
    plan = base_plan()
    return "\n".join(
        ["| word | by default | meaning |", "|---|---|---|", *(f"| `{word}` | `{plan.decisions[word]}` | {MEANING[word]} |" for word in DECISIONS)]
    )


def outcomes_table() -> str:
    kinds = [kind for kind in vars(rule).values() if isinstance(kind, Kind) and kind.code.split("-")[0] in ("STOCK", "CREDIT")]
    return "\n".join(
        ["| code | what it finds | what to do |", "|---|---|---|", *(f"| `{kind.code}` | {kind.title} | {kind.cure} |" for kind in kinds)]
    )


def page() -> str:
    text = PAGE.read_text(encoding="utf-8")
    for name, table in (("checks", checks_table()), ("decisions", decisions_table()), ("outcomes", outcomes_table())):
        text = re.sub(rf"(<!-- table: {name} -->\n)(?:\|.*\n)*", lambda match, table=table: f"{match[1]}{table}\n", text)  # type: ignore[misc]  # bound as a default
    return text


def test_the_page_says_what_the_rules_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.rules.test_page"


def test_the_page_names_every_check() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"`{code}`" in text for code in KINDS)
    assert set(MEANING) == set(DECISIONS)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
