"""Keys of an AS2 endpoint: what they say, short and long, and every fault at its line and column."""

from datetime import UTC
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.exchange.checked import checked
from gateway.exchange.endpoint import Endpoint
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import parse

HEAD = "as2: https://as2.acme.example/as2\nname: ACME\n"
BERLIN = ZoneInfo("Europe/Berlin")


def endpoint(text: str) -> Endpoint:
    node = parse(HEAD + text, "partners/acme.yaml")
    assert isinstance(node, Mapping)
    return checked(node, Endpoint)


def faults(text: str) -> list[str]:
    with pytest.raises(Faults) as raised:
        endpoint(text)
    return [f"{fault.line}:{fault.column}: {fault.message}" for fault in raised.value.faults]


def test_short_forms_and_what_they_stand_for() -> None:
    made = endpoint(
        "our_key: file:a.key\nour_certificate: a.pem\ncertificates: them.pem\ncompress: true\naccept_old: true\nreceipt_addresses: http://x.example/m\n"
    )
    assert [(one.key, one.certificate, one.use) for one in made.keys] == [("file:a.key", "a.pem", "both")]
    assert [(one.file, one.use) for one in made.certificates] == [("them.pem", "both")]
    assert made.compress == "before_signing" and made.accept_old == ("sha1", "tripledes", "short_keys")
    assert made.receipt_addresses == ("http://x.example/m",)
    assert [endpoint(f"oaep: {word}\n").oaep for word in ("true", "no", "sha1", "sha512")] == ["sha256", "none", "sha1", "sha512"]
    plain = endpoint("compress: no\naccept_old: false\n")
    assert (plain.compress, plain.accept_old, plain.keys, plain.certificates) == ("none", (), (), ())


def test_long_forms() -> None:
    made = endpoint(
        "our_key: file:a.key\nour_certificate: a.pem\n"
        "our_keys: [{key: env:NEXT, certificate: b.pem, from: 2027-01-15, use: signature, password: env:PASSWORD}]\n"
        "certificates: [old.pem, {file: new.pem, use: encryption, from: 2027-01-15T08:00+01:00, until: 2027-12-31}]\n"
        "compress: after_signing\naccept_old: [sha1]\nsign: sha512\nsign_padding: pss\nencrypt: aes256_gcm\n"
    )
    assert [one.certificate for one in made.keys] == ["a.pem", "b.pem"] and made.keys[1].use == "signature"
    first, second = made.certificates
    assert (first.file, first.from_, first.until) == ("old.pem", None, None)
    assert second.since(UTC) == datetime(2027, 1, 15, 7, tzinfo=UTC)
    assert made.accept_old == ("sha1",)


def test_days_begin_and_end_at_midnight_of_the_partners_zone_and_the_last_one_counts_whole() -> None:
    [one] = endpoint("certificates: {file: a.pem, from: 2027-01-15, until: 2027-01-31}\n").certificates
    assert one.since(BERLIN) == datetime(2027, 1, 14, 23, tzinfo=UTC)
    assert one.ends(BERLIN) == datetime(2027, 1, 31, 23, tzinfo=UTC)
    [day] = endpoint("certificates: {file: a.pem, from: 2027-01-15, until: 2027-01-15}\n").certificates
    assert day.ends(UTC) == datetime(2027, 1, 16, tzinfo=UTC)


LONG = "our_keys:\n  - {key: file:a.key, certificate: a.pem, "


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sign: md5\n", "3:7: 'md5' is not one of 'sha256', 'sha384', 'sha512' or 'none'"),
        ("sign: sha1\n", "3:7: 'sha1' is not one of"),
        ("encrypt: tripledes\n", "3:10: 'tripledes' is not one of 'aes128_cbc'"),
        ("oaep: md5\n", "3:7: 'md5' is not one of 'none', 'sha1', 'sha256', 'sha384' or 'sha512'"),
        ("sign_padding: oaep\n", "3:15: 'oaep' is not one of 'pkcs1' or 'pss'"),
        ("compress: maybe\n", "3:11: 'maybe' is not one of 'none', 'before_signing' or 'after_signing'"),
        ("accept_old: [rc4]\n", "3:14: 'rc4' is not one of 'sha1', 'tripledes' or 'short_keys'"),
        ("receipt_delivery: later\n", "3:19: 'later' is not one of 'sync' or 'async'"),
        ("receipt: none\nreceipt_delivery: async\n", "4:19: receipt_delivery: async has nothing to deliver"),
        ("receipt_within: soon\n", "3:17: 'soon' is no span of time from 1m to 30d"),
        ("our_receipt_url: seller.example\n", "3:18: 'seller.example' is no address"),
        ("receipt_addresses: [https://a.example/x, 'file:///etc/passwd']\n", "3:20: 'file:///etc/passwd' is no address"),
        ("receipt_addresses: 'http://[x'\n", "3:20: 'http://[x' is no address"),
        ("our_key: file:a.key\n", "1:1: our_key: needs our_certificate: beside it"),
        ("our_certificate: a.pem\n", "3:18: our_certificate: needs our_key: beside it"),
        ("our_key: secret words\nour_certificate: a.pem\n", "3:10: a secret is named, not written"),
        ("client_key: file:a.key\n", "1:1: client_key: needs client_certificate: beside it"),
        ("client_certificate: a.pem\n", "3:21: client_certificate: needs client_key: beside it"),
        (LONG + "from: 2027-02-01, until: 2027-01-31}\n", "4:68: until: 2027-01-31 is not after from: 2027-02-01"),
        (LONG + "from: 15.01.2027}\n", "4:49: '15.01.2027' is no day and no moment"),
        (LONG + "from: 2027-01-15T08:00}\n", "4:49: '2027-01-15T08:00' is no day and no moment"),
        (LONG + "use: sign}\n", "4:48: 'sign' is not one of 'signature', 'encryption' or 'both'"),
        ("our_keys: [{key: file:a.key}]\n", "3:12: 'certificate' is missing"),
        ("certificates: [{use: both}]\n", "3:16: 'file' is missing"),
        ("certificates: [{file: a.pem, form: 2027-01-01}]\n", "3:30: unknown key 'form'"),
        ("largest: 0\n", "3:10: '0' is no number of megabytes from 1 to 4096"),
    ],
)
def test_what_cannot_work_is_a_fault_at_its_place(text: str, told: str) -> None:
    assert any(one.startswith(told) for one in faults(text)), faults(text)


def test_a_client_certificate_over_http_is_a_fault() -> None:
    node: Any = parse("as2: http://as2.acme.example/as2\nname: ACME\nclient_key: file:a.key\nclient_certificate: a.pem\n", "x.yaml")
    with pytest.raises(Faults, match="over https only"):
        checked(node, Endpoint)
