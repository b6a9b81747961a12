"""Every number and every span of time in config.yaml and in partners' files has a least and a most; whatever is beyond is refused at its place."""

import typing
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from decimal import Decimal
from typing import Any

import pydantic
import pytest
import yaml

from gateway.config.settings import Settings
from gateway.exchange.bounds import Span
from gateway.exchange.bounds import Within
from gateway.exchange.checked import checked
from gateway.exchange.partner import Partner
from gateway.exchange.retention import Period
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import Scalar
from gateway.yaml_source import parse

HOOK = {"url": "https://erp.example/", "secret": "env:A"}
#: a file with every number and every span that there is: one that is new in a model is missing here, and the test says so
WHOLE: dict[type[pydantic.BaseModel], dict[str, Any]] = {
    Settings: {
        "us": {"tax_rate": "19"},
        "retention": {"payloads": "10y", "types": {"order": "18m"}, "refused": "2y", "strangers": "3m"},
        "reading": {"processes": "1"},
        "cluster": {"heartbeat": "5", "silence": "20", "threads": "2"},
        "web": {"port": "8080", "partner_requests": "60"},
        "mail": {"smtp": "smtps://smtp.example", "from": "edi@us.example", "timeout": "10"},
        "webhooks": [{**HOOK, "timeout": "10"}],
        "alerts": {
            "webhook": {**HOOK, "timeout": "10"},
            "digest": "15m",
            "most_an_hour": "6",
            "patience": "10m",
            "holds_older_than": "1d",
            "queue_older_than": "15m",
            "disk_free_percent": "5",
        },
        "poll": "0.2",
        "poll_remote": "5",
    },
    Partner: {
        "id": "acme",
        "name": "ACME",
        "identifiers": {"x12": "ZZ:ACME"},
        "endpoints": {
            "box": {"folder": "in", "poll": "1", "settle": "1", "connections": "1", "receipt_within": "30m", "largest": "10", "timeout": "60"},
        },
        "agreements": [{"send": "x12/004010/810", "undo": "600", "expect_acknowledgment": {"within": "4h"}}],
        "credit": {"limit": "50000 USD", "hold_days_overdue": "15"},
        "terms": {"net_days": "30", "discount_percent": "2", "discount_days": "10"},
        "control_numbers": {level: {"start": "1", "maximum": "99999"} for level in ("interchange", "group", "transaction")},
        "retention": {"payloads": "10y", "types": {"order": "18m"}, "refused": "2y"},
    },
}
#: keys of a shared model that are refused where they stand
ELSEWHERE = {(Partner, ("retention", "strangers"))}
NEVER = ("inf", "-inf", "nan", "-1", "1e30", "99999999999", "")
NUMBERS = (int, float, Decimal)
Path = tuple[str, ...]


def leaves(annotation: Any, path: Path, marks: tuple[Any, ...] = ()) -> Iterator[tuple[Path, Any, tuple[Any, ...]]]:
    """What a key may hold, with where it stands and what is demanded of it. A part of a list, or of keys that users name, is `*`."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        yield from leaves(inner[0], path, (*marks, *inner[1:]))
    elif isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        for name, field in annotation.model_fields.items():
            yield from leaves(field.annotation, (*path, field.alias or name), tuple(field.metadata))
    elif origin is tuple or origin is dict:
        for one in inner:
            yield from leaves(one, (*path, "*"))
    elif origin is not None and origin is not typing.Literal:
        for one in inner:
            yield from leaves(one, path, marks)
    else:
        yield path, annotation, marks


PERIOD = typing.get_args(Period)[1]


def is_span(marks: tuple[Any, ...]) -> bool:
    return any(isinstance(mark, Span) or mark == PERIOD for mark in marks)


def bounds_of(marks: tuple[Any, ...]) -> Within | None:
    return next((mark for mark in marks if isinstance(mark, Within)), None)


def bounded(model: type[pydantic.BaseModel]) -> list[Path]:
    return sorted({path for path, kind, marks in leaves(model, ()) if (kind in NUMBERS or is_span(marks)) and (model, path) not in ELSEWHERE})


def paths_in(node: Any, path: Path = ()) -> Iterator[tuple[Path, tuple[Any, ...]]]:
    """Each value of a sample by its path in the models and by the steps to it."""
    for step, value in node.items() if isinstance(node, dict) else enumerate(node):
        steps = ("*", *path) if isinstance(step, int) else (step, *path)
        if isinstance(value, dict | list):
            for inner, exact in paths_in(value):
                yield (steps[0], *inner), (step, *exact)
        else:
            yield (steps[0],), (step,)


def as_in_model(path: Path) -> Path:
    """The path with what users name themselves as `*`."""
    return tuple("*" if number and path[number - 1] in {"endpoints", "types"} else step for number, step in enumerate(path))


def steps_to(model: type[pydantic.BaseModel]) -> dict[Path, tuple[Any, ...]]:
    return {as_in_model(path): steps for path, steps in paths_in(WHOLE[model])}


CASES = [pytest.param(model, path, id=f"{model.__name__}:{'.'.join(path)}") for model in WHOLE for path in bounded(model)]


@pytest.mark.parametrize("model", WHOLE)
def test_no_number_stands_in_a_model_without_its_bounds(model: type[pydantic.BaseModel]) -> None:
    numbers = [(path, marks) for path, kind, marks in leaves(model, ()) if kind in NUMBERS]
    assert len(numbers) > 10
    assert [".".join(path) for path, marks in numbers if bounds_of(marks) is None] == []


@pytest.mark.parametrize("model", WHOLE)
def test_what_the_samples_hold_is_taken(model: type[pydantic.BaseModel]) -> None:
    checked(typing.cast(Mapping, parse(yaml.safe_dump(WHOLE[model]), "whole.yaml")), model)
    assert [path for path in bounded(model) if path not in steps_to(model)] == []


@pytest.mark.parametrize(("model", "path"), CASES)
def test_what_is_beyond_its_bounds_is_refused_at_its_place(model: type[pydantic.BaseModel], path: Path) -> None:
    *before, last = steps_to(model)[path]
    for value in NEVER:
        text = deepcopy(WHOLE[model])
        holder: Any = text
        for step in before:
            holder = holder[step]
        holder[last] = value
        top = parse(yaml.safe_dump(text), "partners/acme.yaml")
        assert isinstance(top, Mapping)
        node: Any = top
        for step in (*before, last):
            node = node.items[step]
        assert isinstance(node, Scalar)
        with pytest.raises(Faults) as raised:
            checked(top, model)
        [fault] = raised.value.faults
        assert str(fault).startswith(f"partners/acme.yaml:{node.line}:{node.column}: '{value}' is no "), fault
        assert " from " in fault.message or "write it like" in fault.message


@pytest.mark.parametrize("model", WHOLE)
def test_what_holds_when_a_key_is_left_out_is_within_its_bounds(model: type[pydantic.BaseModel]) -> None:
    def models(annotation: Any) -> Iterator[type[pydantic.BaseModel]]:
        if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
            yield annotation
            for field in annotation.model_fields.values():
                yield from models(field.annotation)
        for one in typing.get_args(annotation):
            yield from models(one)

    seen = [(one, name, field) for one in models(model) for name, field in one.model_fields.items() if bounds_of(tuple(field.metadata))]
    assert seen
    for one, name, field in seen:
        bounds = bounds_of(tuple(field.metadata))
        assert bounds is not None and bounds.least <= field.default <= bounds.most, (one, name)


def faults(model: type[pydantic.BaseModel], text: str) -> list[str]:
    with pytest.raises(Faults) as raised:
        checked(typing.cast(Mapping, parse(text, "x.yaml")), model)
    return [str(fault).splitlines()[0] for fault in raised.value.faults]


ACME = "id: acme\nname: ACME\nidentifiers: {x12: 'ZZ:ACME'}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("agreements: [{send: ubl/invoice, undo: inf}]\n", "4:40: 'inf' is no number of seconds from 0 to 2592000"),
        ("agreements: [{send: ubl/invoice, undo: soon}]\n", "4:40: 'soon' is no number of seconds from 0 to 2592000"),
        ("endpoints: {box: {folder: in, poll: 0}}\n", "4:37: '0' is no number of seconds from 0.05 to 86400"),
        ("endpoints: {box: {folder: in, connections: 5}}\n", "4:44: '5' is no number of connections from 1 to 4"),
        ("terms: {discount_percent: 0.0000001}\n", "4:27: '0.0000001' is no percentage from 0 to 100"),
        ("credit: {limit: -5 USD}\n", "4:17: '-5 USD' is no limit"),
        ("credit: {limit: 1000000000000000 USD}\n", "4:17: '1000000000000000 USD' is no limit"),
        ("credit: {limit: 1e30 USD}\n", "4:17: '1e30' is not an amount: write digits, and a point before USD's fractions, like '50000 USD'"),
        ("credit: {limit: '50,000 USD'}\n", "4:17: '50,000' is not an amount"),
        (
            "credit: {limit: 50.000 USD}\n",
            "4:17: '50.000' has more digits behind the point than USD has (2): is it 50000 USD? Thousands are not parted",
        ),
        ("credit: {limit: 50.5 JPY}\n", "4:17: '50.5' has more digits behind the point than JPY has (0)"),
        ("credit: {limit: 50000 USX}\n", "4:17: 'USX' is no currency"),
        ("currency: US\n", "4:11: 'US' is no currency: write three capital letters of ISO 4217"),
        ("currency: usd\n", "4:11: 'usd' is no currency"),
        ("control_numbers: {interchange: 0}\n", "4:32: '0' is no number from 1 to 999999999"),
        ("endpoints: {line: {as2: 'https://a.example', receipt_within: 0m}}\n", "4:62: '0m' is no span of time from 1m to 30d: write it like 30m"),
        ("agreements: [{send: ubl/invoice, expect_acknowledgment: {within: 9999d}}]\n", "4:66: '9999d' is no span of time from 0m to 180d"),
        ("holidays: [9999-12-31]\n", "4:12: '9999-12-31' is not between 1970-01-01 and 2999-12-31"),
        (
            "endpoints: {line: {as2: 'https://a.example', certificates: {file: a.pem, until: 9999-12-31}}}\n",
            "4:81: '9999-12-31' is not between 1970-01-01 and 2999-12-31: leave the key out",
        ),
        (
            "endpoints: {line: {as2: 'https://a.example', certificates: {file: a.pem, from: '0001-01-01T00:00+14:00'}}}\n",
            "4:80: '0001-01-01 00:00:00+14:00' is not between",
        ),
    ],
)
def test_a_fault_says_what_is_expected(text: str, told: str) -> None:
    [fault] = faults(Partner, ACME + text)
    assert fault.startswith(f"x.yaml:{told}")


@pytest.mark.parametrize("series", ["INV-{number:9999999999d}", "INV-{number:{number}}", "INV-{number.real}", "INV-{other}", "INV-{", "INV"])
def test_a_series_has_its_number_and_no_width_that_nobody_can_hold(series: str) -> None:
    [fault] = faults(Settings, f"invoices: {{series: '{series}'}}\n")
    assert fault.startswith(f"x.yaml:1:20: '{series}' must hold {{number}}")


def test_a_day_that_is_far_away_but_in_reach_has_one_after_it() -> None:
    made = checked(typing.cast(Mapping, parse(ACME + "holidays: [2999-12-31]\n", "x.yaml")), Partner)
    assert made.holidays == (date(2999, 12, 31),)
