"""Every code of the lists that acknowledgments speak in: what raises it, with a snippet that passes and one that fails, or why nothing can.

One file a list. `pass` stands in the base and `fail` takes its place; `good` and `instead` are further differences of the one and the other;
`partner` differences of the partner's file, `config` of config.yaml; `where: service` walks the whole way of a received file.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.codecs.choose import read
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Segment
from gateway.codecs.node import Transaction
from gateway.exchange.partner import LoadedPartner
from gateway.exchange.partner import load_partner
from gateway.kinds import KINDS
from gateway.pipeline.reading.payload import stateless
from gateway.pipeline.stateless.acknowledging_files import acknowledge_file
from gateway.pipeline.stateless.checking import Report
from gateway.problem import Problem
from tests.codes.sentences import says_what_was_found_and_expected
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World
from tests.ready_made import shipped_plans

HERE = Path(__file__).parent
#: all codes of each list: X12 720, 723, 718, 716, 620, 621, 618, I18; EDIFACT 0085
LISTS = {
    "720": "1 2 3 4 5 6 7 8",
    "723": "1 2 3 4 5 6 7 8 9 10 12 13",
    "718": "1 2 3 4 5 6 7 8 9 10 11 12 13 15 16 17 18 19 23 24 25 26 27",
    "716": "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26",
    "620": "1 2 3 4 5 6 7 8 I4 I6 I7 I8 I9",
    "621": "1 2 3 4 5 6 7 8 9 10 12 13 I6 I9 I10 I11 I12 I13",
    "618": "1 2 3 4 5 6 7 8 9 10 11 12 13 15 16 17 18 19 23 24 25 26 27 I5 I6",
    "I18": " ".join(f"{number:03}" for number in range(32)),
    "0085": "2 7 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 45 46 47 48",
}
ISA = "ISA*00*          *00*          *ZZ*ACMEBUYER      *ZZ*SELLERCO       *260105*1200*U*00401*000000001*1*P*>~"
GS = "GS*PO*ACMEBUYER*SELLERCO*20260105*1200*1*X*004010~"
ORDER = "ST*850*0001~BEG*00*SA*PO1**20260105~N1*BY*ACME CORP*92*0012~PO1*1*2*EA*3.50~CTT*1~SE*#*0001~"
OTHER = ORDER.replace("0001~", "0002~")
FOUR = f"{ISA}{GS}{ORDER}GE*1*1~IEA*1*000000001~"
TWO = f"{ISA}{GS}{ORDER}{OTHER}GE*2*1~IEA*1*000000001~"
UNB = "UNB+UNOC:3+5412345000013:14+4012345500004:14+260105:1200+R1'"
MESSAGE = (
    "UNH+1+ORDERS:D:96A:UN'BGM+220+PO1+9'DTM+137:20260105:102'NAD+BY+5412345000013::9'NAD+SU+4012345500004::9'"
    "LIN+1++4012345500004:EN'QTY+21:12:PCE'UNS+S'UNT+#+1'"
)


def _five(text: str) -> str:
    return text.replace("*U*00401*", "*^*00501*").replace("004010", "005010")


BASES = {
    "x12": FOUR,
    "x12-two": TWO,
    "x12-5": _five(FOUR),
    "x12-5-two": _five(TWO),
    "x12-5-groups": _five(FOUR.replace("IEA*1", f"{GS.replace('*1*X', '*2*X')}{ORDER}GE*1*2~IEA*2")),
    "edifact": f"{UNB}{MESSAGE}UNZ+1+R1'",
    "edifact-groups": f"{UNB}UNG+ORDERS+ACME+SELLER+260105:1200+G1+UN+D:96A'{MESSAGE}UNE+1+G1'UNZ+1+R1'",
}
ENDLESS = 1_100_000


def tables() -> dict[str, dict[str, Any]]:
    return {name: yaml.safe_load((HERE / f"{name}.yaml").read_text()) for name in LISTS}


TABLES = tables()
CASES = [(name, code, case) for name, table in TABLES.items() for code, case in table["codes"].items() if "cannot" not in case]


@pytest.mark.parametrize("name", LISTS)
def test_every_code_of_a_list_is_raised_or_says_why_not(name: str) -> None:
    codes = TABLES[name]["codes"]
    assert list(codes) == LISTS[name].split()
    for code, case in codes.items():
        assert len(case["cannot"]) > 20 if "cannot" in case else case["kind"] in KINDS or not case["kind"], code


def test_every_answer_of_a_kind_is_shown_by_a_snippet() -> None:
    fields = {"720": "ak3", "723": "ak4", "718": "ak5", "716": "ak9", "620": "ik3", "621": "ik4", "618": "ik5", "I18": "ta1", "0085": "contrl"}
    for name, field in fields.items():
        known = {getattr(kind, field) for kind in KINDS.values()} - {""}
        shown = {code for code, case in TABLES[name]["codes"].items() if "cannot" not in case}
        assert known <= shown, (name, known - shown)


@pytest.mark.parametrize(("name", "code", "case"), CASES, ids=[f"{name}-{code}" for name, code, _ in CASES])
def test_a_code_is_raised_by_the_failing_snippet_only(name: str, code: str, case: dict[str, Any], tmp_path: Path) -> None:
    table = TABLES[name]
    base = BASES[case.get("base", table.get("base", "x12"))]
    good = _changed(base, case.get("good", {}))
    bad = _changed(base, case.get("instead", {}))
    for old, new in zip(_listed(case["pass"]), _listed(case["fail"]), strict=True):
        assert not old or old in bad, old
        bad = "".join(bad.rsplit(old, 1)[0] + new + bad.rsplit(old, 1)[1]) if case.get("last") else bad.replace(old, new, 1) if old else bad
    bad = _specially(bad, case)
    walk = _walked if case.get("where") == "service" else _answered
    shown, _ = walk(good, case, table["shown"], tmp_path / "good", again=False)
    assert code not in shown, shown
    shown, problems = walk(bad, case, table["shown"], tmp_path / "bad", again=case.get("twice", False))
    assert code in shown, (shown, [problem.message for problem in problems])
    if case["kind"]:
        raised = [problem for problem in problems if problem.code == case["kind"]]
        assert raised, [problem.code for problem in problems]
        for problem in raised:
            says_what_was_found_and_expected(problem)


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _changed(text: str, differences: dict[str, str]) -> str:
    for old, new in differences.items():
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def _specially(text: str, case: dict[str, Any]) -> str:
    """What a snippet cannot show."""
    if case.get("endless"):
        return text + "X" * ENDLESS
    if case.get("cut"):
        return text.replace("+", "|").replace(":", "*").replace("'", "~")
    if case.get("empty"):
        return f"{UNB}UNZ+0+R1'"
    return text


def _counted(text: str) -> bytes:
    """The text with the right number of segments in SE and UNT where `#` stands."""
    while "#" in text:
        end = text.index("#")
        start = max(text.rfind("ST*", 0, end), text.rfind("UNH", 0, end))
        terminators = text.count("~", start, end) if "~" in text[:end] else text.count("'", start, end)
        text = text[:end] + str(terminators + 1) + text[end + 1 :]
    return text.encode("latin-1")


def _partner(case: dict[str, Any], base: str, kind: str | None = None) -> str:
    """A partner's file with the differences of a case."""
    edifact = base.startswith("UN")
    spec = "edifact/d96a/orders" if edifact else f"x12/{'005010' if '*005010~' in base else '004010'}/850"
    differences = case.get("partner", {})
    agreement = {"receive": spec, "from": "box", **differences.get("agreement", {})}
    if edifact:
        agreement["acknowledge"] = "CONTRL"
    elif kind:
        agreement["acknowledge"] = kind
    file: dict[str, Any] = {
        "id": "acme",
        "name": "ACME",
        "identifiers": {"edifact": "14:5412345000013"} if edifact else {"x12": "ZZ:ACMEBUYER"},
        "endpoints": {"box": {"folder": "boxes/acme/out", "send_to": "boxes/acme/in"}},
        "agreements": [agreement],
        "credit": "none",
    }
    if "schema" in differences:
        file["schema"] = {spec: differences["schema"]}
    return yaml.safe_dump(file, sort_keys=False)


class OnePage:
    """A resolver that knows one text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def text_of(self, name: str) -> tuple[str, str]:
        return name, self._text

    def names(self, prefix: str) -> list[str]:
        return []


PLANS = shipped_plans()


def _answered(text: str, case: dict[str, Any], shown: dict[str, list[int]], folder: Path, again: bool) -> tuple[set[str], list[Problem]]:
    """Codes and problems of a file, without state."""
    base = BASES[case.get("base", "edifact" if text.startswith("UN") else "x12-5" if "005010~" in text else "x12")]
    loaded: LoadedPartner = load_partner("partners/acme.yaml", OnePage(_partner(case, base, case.get("type"))))
    data = _counted(text)
    answer = acknowledge_file([data], PLANS, stateless(PLANS, None, loaded), case.get("type"), None, loaded)
    report = Report("x")
    report.feed([data], PLANS, stateless(PLANS, None, loaded), None)
    return set(_codes([answer.data], shown)) if answer else set(), report.problems


def _walked(text: str, case: dict[str, Any], shown: dict[str, list[int]], folder: Path, again: bool) -> tuple[set[str], list[Problem]]:
    """The same on the way of a received file; `again`: after it was received once."""
    base = BASES["edifact" if text.startswith("UN") else case.get("base", "x12-5" if "00501*" in text else "x12")]
    config = CONFIG + yaml.safe_dump(case["config"]) if "config" in case else CONFIG
    folder.mkdir()
    world = World(folder, config=config, partners={"acme": _partner(case, base)})
    try:
        if again:
            world.receive(_counted(text), "first.edi")
            for path in (folder / "boxes/acme/in").iterdir():
                path.unlink()
        result = world.receive(_counted(text))
        return set(_codes([one.encode("latin-1") for one in world.sent()], shown)), list(result.problems)
    finally:
        world.close()


def _codes(files: list[bytes], shown: dict[str, list[int]]) -> Iterator[str]:
    """The codes in the named elements of answers."""
    for data in files:
        for event in read([data])[1]:
            segments: list[Segment] = []
            if isinstance(event, InterchangeStart):
                segments = list(event.advice)
            elif isinstance(event, Transaction):
                segments = event.segments
            for segment in segments:
                for element in shown.get(segment[0], []):
                    if len(segment) > element and segment[element]:
                        value = segment[element]
                        yield re.sub(r"\s", "", value if isinstance(value, str) else value[0])
