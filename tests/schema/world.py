"""Transactions and schemas for the tests of this room: real ones, read by the real codecs."""

from functools import cache

from gateway.codecs import edifact
from gateway.codecs import x12
from gateway.codecs.node import Transaction
from gateway.config import default_resolver
from gateway.schema.compile import CompiledSchema
from gateway.schema.compile import compile_schema
from gateway.schema.load import load_schema
from gateway.yaml_source import Mapping
from gateway.yaml_source import parse


@cache
def compiled(spec: str) -> CompiledSchema:
    """The shipped schema, compiled once a run."""
    return compile_schema(load_schema(spec, default_resolver()))


def with_overlay(spec: str, overlay: str) -> CompiledSchema:
    """The shipped schema with a partner's differences."""
    node = parse(overlay, "partners/acme.yaml")
    assert isinstance(node, Mapping)
    return compile_schema(load_schema(spec, default_resolver(), node))


def transaction(spec: str, segments: list[str]) -> Transaction:
    """`segments` between their header and trailer, in an envelope of their own."""
    syntax, version, kind = spec.split("/")
    if syntax == "x12":
        release, repetition = ("00501", "^") if version >= "005010" else ("00401", "U")
        lines = [
            f"ISA*00*          *00*          *ZZ*ACMEBUYER      *ZZ*SELLERCO       *260105*1200*{repetition}*{release}*000000001*0*P*>",
            f"GS*XX*ACMEBUYER*SELLERCO*20260105*1200*1*X*{version}",
            f"ST*{kind}*0001",
            *segments,
            f"SE*{len(segments) + 2}*0001",
            "GE*1*1",
            "IEA*1*000000001",
        ]
        events = x12.read(["~".join([*lines, ""]).encode()])
    else:
        name = f"{version[0].upper()}:{version[1:].upper()}" if version != "service" else "D:3"
        head = "UNA:+.?*'UNB+UNOC:4" if spec.endswith("-4") else "UNB+UNOC:3"
        date = "20260105" if spec.endswith("-4") else "260105"
        lines = [
            f"{head}+ACME:14+SELLER:14+{date}:1200+1",
            f"UNH+1+{kind.partition('-')[0].upper()}:{name}:UN",
            *segments,
            f"UNT+{len(segments) + 2}+1",
            "UNZ+1+1",
        ]
        events = edifact.read(["'".join([*lines, ""]).encode()])
    found = [event for event in events if isinstance(event, Transaction)]
    assert len(found) == 1, found
    return found[0]
