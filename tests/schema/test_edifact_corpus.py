"""Every message of the corpus that is of a version we know: what is said of it, and of nothing else. Each complaint was judged by hand."""

import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from gateway.codecs import edifact
from gateway.codecs.node import Transaction
from gateway.config import default_resolver
from gateway.schema.apply import check
from gateway.schema.compile import CompiledSchema
from gateway.schema.compile import compile_schema
from gateway.schema.load import known_specs
from gateway.schema.load import load_schema

SHARED = Path(__file__).resolve().parents[3] / "shared"
CORPUS = SHARED / "corpus" / "edifact"
KNOWN = frozenset(known_specs(default_resolver()))

#: what each file that is not right is told, by code, and why
COMPLAINTS = {
    "01b0_ORDERS__bots-plugins__orders02.edi": {"EDIFACT-ELEMENT-DATE": 2},  # times where the format is a date
    "CONTRL__edifact_converter__CTL01_1.edi": {"EDIFACT-SEGMENT-UNKNOWN": 1},  # a national CONTRL with FTX
    "CONTRL__edifact_converter__CTL02_1.edi": {"EDIFACT-SEGMENT-UNKNOWN": 1},
    "CONTRL__edifact_converter__edifact_test.rb_literal_283": {"EDIFACT-SEGMENT-UNKNOWN": 1},
    "CONTRL__edifact_converter__edifact_test.rb_literal_4742": {"EDIFACT-SEGMENT-UNKNOWN": 1, "EDIFACT-SEGMENT-MISSING": 1},
    "CONTRL__edifact_mapper__contrl.edi": {"EDIFACT-ELEMENT-CHARACTER": 8},  # X where numbers belong
    "DELFOR__EDI.Net__edifact.Issue196.edi": {"EDIFACT-ELEMENT-DATE": 1},  # seconds where the format has none
    # levels that name themselves as their parent
    "DESADV__bots-plugins__desadv1.edi": {"EDIFACT-CPS-PARENT-UNKNOWN": 3, "EDIFACT-CPS-NUMBER-TWICE": 1},
    "DESADV__bots-plugins__desadv4.edi": {"EDIFACT-CPS-PARENT-UNKNOWN": 1},
    "IFTMIN__EDI.Net__edifact.Issue188.edi": {"EDIFACT-SEGMENT-MISSING": 6},  # INVOIC without date, UNS and totals
    "IFTSTA__EDIFACT.NET__TransportStatus.txt": {"EDIFACT-ELEMENT-DATE": 3},  # 48 January
    "INVOIC__EDI.Net__edifact.Issue203.edi": {"EDIFACT-SEGMENT-MISSING": 1, "EDIFACT-ELEMENT-DATE": 1, "EDIFACT-ELEMENT-CHARACTER": 1},
    "INVOIC__edifact-rs__d01b_invoic_conforming.edi": {"EDIFACT-SEGMENT-MISSING": 2},  # no UNS, no totals
    "INVOIC__edifact-rs__d01b_invoic_malformed.edi": {"EDIFACT-SEGMENT-MISSING": 3},
    "INVOIC__pydifact__invoice1.edi": {"EDIFACT-ELEMENT-DATE": 2},  # times where the format is a date
    "INVOIC__pydifact__invoice_with_colon_at_end.edi": {"EDIFACT-ELEMENT-DATE": 2},
    "ORDERS__EDIFACT.NET__PurchaseOrderCustom1.txt": {"EDIFACT-ELEMENTS-TOO-MANY": 1},  # elements of a partner's own
    "ORDERS__EDIFACT.NET__PurchaseOrderCustom2.txt": {
        "EDIFACT-ELEMENTS-TOO-MANY": 2,
        "EDIFACT-ELEMENT-TOO-LONG": 1,
        "EDIFACT-SEGMENT-OUT-OF-ORDER": 1,
    },
    "ORDERS__OBOE__orders.missingMandatoryElements": {"EDIFACT-ELEMENT-MISSING": 1},
    "ORDERS__OBOE__orders.missingMandatorySegments": {"EDIFACT-SEGMENT-MISSING": 2},
    "ORDERS__OBOE__orders.newdelimiters": {"EDIFACT-ELEMENT-TOO-LONG": 1},  # a blank before the release in UNH
    "ORDERS__OBOE__orders.withbadunbsegment": {"EDIFACT-ELEMENT-TOO-LONG": 1},
    "ORDERS__XML-Edifact__editeur.edi": {"EDIFACT-SEGMENT-OVER-MAXIMUM": 4, "EDIFACT-SEGMENT-UNKNOWN": 1},  # more than 10 IMD a line, and PRQ
    "ORDERS__XML-Edifact__teleord.edi": {"EDIFACT-ELEMENT-DATE": 26},  # 000000 as a date
    "ORDERS__edi-tools__message.edi": {"EDIFACT-ELEMENT-TOO-LONG": 1},  # postal code of ten characters
    "ORDERS__edifact-rs__d01b_orders_conforming.edi": {"EDIFACT-SEGMENT-MISSING": 1},  # no UNS
    "ORDERS__edifact-rs__d01b_orders_malformed.edi": {"EDIFACT-SEGMENT-MISSING": 2},
    "ORDERS__edifact-rs__d96a_orders_conforming.edi": {"EDIFACT-SEGMENT-MISSING": 1},
    "ORDERS__edifact-rs__d96a_orders_malformed.edi": {"EDIFACT-SEGMENT-MISSING": 2},
    # units of four characters
    "ORDERS__edifact__example_order_error.edi": {"EDIFACT-ELEMENT-TOO-LONG": 99, "EDIFACT-COMPONENTS-TOO-MANY": 1, "EDIFACT-PROBLEMS-TOO-MANY": 1},
    "ORDERS__edifact__example_order_ok.edi": {"EDIFACT-ELEMENT-TOO-LONG": 100, "EDIFACT-PROBLEMS-TOO-MANY": 1},
    # COM without a number, a region of 19 characters, level 001
    "ORDERS__edifactconverter__ORDERNoName.txt": {"EDIFACT-ELEMENT-TOO-LONG": 23, "EDIFACT-ELEMENT-MISSING": 2},
    # every segment of the message once, filled with words: only dates and the section code are wrong
    "ORDERS__edireader__ORDERS-D01B-UNOE.edi": {"EDIFACT-ELEMENT-DATE": 52, "EDIFACT-ELEMENT-CODE": 1},
    "ORDRSP__edireader__ORDERS-D01B-UNOC.edi": {"EDIFACT-ELEMENT-DATE": 51, "EDIFACT-ELEMENT-CODE": 1},
    "RECADV__smooks-edi-cartridge__recadv.txt": {"EDIFACT-ELEMENT-TOO-LONG": 1},  # a name of 38 characters
}


@cache
def schema(spec: str) -> CompiledSchema:
    return compile_schema(load_schema(spec, default_resolver()))


def spec_of(transaction: Transaction) -> str | None:
    if transaction.type == "CONTRL":
        return f"edifact/service/contrl-{'4' if transaction.version.startswith('4') else '3'}"
    spec = f"edifact/{transaction.version.lower()}/{transaction.type.lower()}"
    return spec if spec in KNOWN else None


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of samples is not beside the checkout")
def test_each_file_of_the_corpus_is_told_what_is_wrong_with_it_and_no_more() -> None:
    seen = 0
    told: dict[str, dict[str, int]] = {}
    for path in sorted(CORPUS.iterdir()):
        for event in edifact.read([path.read_bytes()]):
            spec = spec_of(event) if isinstance(event, Transaction) else None
            if spec is None or not isinstance(event, Transaction):
                continue
            seen += 1
            # numbers and names of samples are made up: what is no error says nothing about our tables
            codes = Counter(problem.code for problem in check(event, schema(spec)).problems if not problem.code.startswith("DOC-"))
            if codes:
                told[path.name] = dict(Counter(told.get(path.name, {})) + codes)
    assert {name: codes for name, codes in told.items() if codes != COMPLAINTS.get(name)} == {}
    assert seen > 100


@pytest.mark.skipif(not (SHARED / "bench" / "gen_orders.py").is_file(), reason="the generator of orders is not beside the checkout")
def test_generated_orders_are_accepted_without_a_problem(tmp_path: Path) -> None:
    arguments = ["edifact", str(tmp_path / "orders.edi"), "--orders", "100", "--lines", "10", "--seed", "7"]
    subprocess.run([sys.executable, str(SHARED / "bench" / "gen_orders.py"), *arguments], check=True)
    messages = [event for event in edifact.read([(tmp_path / "orders.edi").read_bytes()]) if isinstance(event, Transaction)]
    assert len(messages) == 100
    for message in messages:
        checked = check(message, schema("edifact/d96a/orders"))
        assert checked.accepted and not checked.problems
