"""Certificates change: which one signs, encrypts, verifies, decrypts on which day; and whose end is told ahead."""

from dataclasses import replace
from datetime import datetime
from datetime import timedelta

import pytest

from gateway.exchange import as2
from gateway.exchange.as2.expiry import expiries
from gateway.exchange.cms.keys import fingerprint
from tests.exchange.as2_world import BUYER
from tests.exchange.as2_world import NOW
from tests.exchange.as2_world import SELLER
from tests.exchange.as2_world import codes
from tests.exchange.as2_world import identity
from tests.exchange.as2_world import ours
from tests.exchange.as2_world import pinned
from tests.exchange.as2_world import theirs

NEXT_SELLER = identity("seller next", start=-1)
NEXT_BUYER = identity("buyer next", start=-1)
CHANGE = NOW + timedelta(days=10)
END = NOW + timedelta(days=20)


def day(days: float) -> datetime:
    return NOW + timedelta(days=days)


def sent(relation: as2.As2Relation, at: datetime) -> as2.As2Request:
    made = as2.wrap(b"x", relation, "1@x", at)
    assert isinstance(made, as2.As2Request)
    return made


def opened(request: as2.As2Request, relation: as2.As2Relation, at: datetime) -> as2.Unwrapped:
    return as2.unwrap(request.headers, request.body, lambda *_: relation, at)


@pytest.mark.parametrize(("at", "signer"), [(day(0), SELLER), (day(9.99), SELLER), (CHANGE, NEXT_SELLER), (day(30), NEXT_SELLER)])
def test_our_next_key_signs_from_its_day_on(at: datetime, signer: as2.Identity) -> None:
    relation = ours(identities=(SELLER, replace(NEXT_SELLER, since=CHANGE)))
    got = opened(sent(relation, at), theirs(verification=(pinned(SELLER), pinned(NEXT_SELLER))), at)
    assert got.signed_by == fingerprint(signer.certificate)


def test_without_days_the_first_key_that_holds_signs() -> None:
    expired = identity("expired", start=-30, days=10)
    relation = ours(identities=(expired, NEXT_SELLER, SELLER))
    got = opened(sent(relation, NOW), theirs(verification=(pinned(SELLER), pinned(NEXT_SELLER))), NOW)
    assert got.signed_by == fingerprint(NEXT_SELLER.certificate)


@pytest.mark.parametrize("at", [day(0), CHANGE, day(19.99)])
def test_both_of_our_keys_decrypt_until_the_old_ones_end(at: datetime) -> None:
    relation = ours(identities=(replace(SELLER, until=END), replace(NEXT_SELLER, since=CHANGE)))
    for certificate in (SELLER, NEXT_SELLER):
        assert opened(sent(theirs(encryption=(pinned(certificate),)), at), relation, at).accepted, "the partner may change early or late"


def test_our_old_key_no_longer_decrypts_after_its_end_and_the_answer_says_why() -> None:
    relation = ours(identities=(replace(SELLER, until=END), replace(NEXT_SELLER, since=CHANGE)))
    got = opened(sent(theirs(), END), relation, END)
    assert codes(got.problems) == ["AS2-DECRYPTION-FAILED"] and "does not hold today" in got.problems[0].message
    assert got.problems[0].expected is not None and END.date().isoformat() in got.problems[0].expected


@pytest.mark.parametrize(("at", "reader"), [(day(9), SELLER), (CHANGE, NEXT_SELLER)])
def test_we_encrypt_for_the_partners_next_certificate_from_its_day_on(at: datetime, reader: as2.Identity) -> None:
    relation = theirs(encryption=(pinned(SELLER), replace(pinned(NEXT_SELLER), since=CHANGE)))
    assert opened(sent(relation, at), ours(identities=(reader,)), at).accepted


@pytest.mark.parametrize(("at", "good"), [(day(0), True), (day(19.99), True), (END, False)])
def test_what_the_partner_signs_with_either_certificate_is_taken_until_the_old_ones_end(at: datetime, good: bool) -> None:
    relation = ours(verification=(replace(pinned(BUYER), until=END), replace(pinned(NEXT_BUYER), since=CHANGE)))
    assert opened(sent(theirs(identities=(NEXT_BUYER,)), at), relation, at).accepted
    got = opened(sent(theirs(), at), relation, at)
    assert got.accepted is good and (good or codes(got.problems) == ["AS2-CERTIFICATE-EXPIRED"])


def test_a_whole_change_on_both_sides_leaves_no_day_without_a_message() -> None:
    us = ours(
        identities=(replace(SELLER, until=END), replace(NEXT_SELLER, since=CHANGE)),
        verification=(replace(pinned(BUYER), until=END), replace(pinned(NEXT_BUYER), since=CHANGE)),
        encryption=(replace(pinned(BUYER), until=END), replace(pinned(NEXT_BUYER), since=CHANGE)),
    )
    them = theirs(
        identities=(replace(BUYER, until=END), replace(NEXT_BUYER, since=day(11))),
        verification=(pinned(SELLER), pinned(NEXT_SELLER)),
        encryption=(pinned(SELLER), replace(pinned(NEXT_SELLER), since=day(12))),
    )
    for hours in range(0, 24 * 25, 8):
        at = NOW + timedelta(hours=hours)
        assert opened(sent(them, at), us, at).accepted and opened(sent(us, at), them, at).accepted, at


def test_a_key_for_one_use_is_not_used_for_the_other() -> None:
    signing, opening = replace(SELLER, decrypts=False), replace(NEXT_SELLER, signs=False)
    relation = ours(identities=(opening, signing))
    got = opened(sent(relation, NOW), theirs(verification=(pinned(SELLER), pinned(NEXT_SELLER))), NOW)
    assert got.signed_by == fingerprint(SELLER.certificate)
    assert opened(sent(theirs(encryption=(pinned(NEXT_SELLER),)), NOW), relation, NOW).accepted
    assert not opened(sent(theirs(), NOW), relation, NOW).accepted


def test_a_certificate_renewed_for_the_same_key_verifies_when_the_old_one_has_ended() -> None:
    old = replace(pinned(BUYER), until=day(-1))
    renewed = pinned(BUYER)
    assert opened(sent(theirs(), NOW), ours(verification=(old, renewed)), NOW).accepted


# ---- ends that are told ahead


def ends(relation: as2.As2Relation, at: datetime = NOW) -> list[tuple[str, str, int, int]]:
    return [(one.whose, one.use, one.days, one.stage) for one in expiries(relation, at)]


@pytest.mark.parametrize(
    ("left", "told"),
    [(61, []), (60, [("theirs", "both", 60, 60)]), (31, [("theirs", "both", 31, 60)]), (30, [("theirs", "both", 30, 30)])]
    + [(8, [("theirs", "both", 8, 30)]), (7, [("theirs", "both", 7, 7)]), (1, [("theirs", "both", 1, 7)])]
    + [(0, [("theirs", "both", 0, 0)]), (-3, [("theirs", "both", -3, 0)])],
)
def test_an_end_is_told_60_30_and_7_days_ahead_and_when_it_is_over(left: int, told: list[tuple[str, str, int, int]]) -> None:
    buyer = replace(pinned(BUYER), until=day(left))
    assert ends(ours(verification=(buyer,), encryption=(buyer,))) == told


def test_ours_and_theirs_by_use_the_most_urgent_first() -> None:
    relation = ours(
        identities=(replace(SELLER, until=day(5), decrypts=False), replace(NEXT_SELLER, until=day(50), signs=False)),
        verification=(replace(pinned(BUYER), until=day(20)),),
    )
    assert ends(relation) == [("ours", "signature", 5, 7), ("theirs", "signature", 20, 30), ("ours", "encryption", 50, 60)]
    [first, *_] = expiries(relation, NOW)
    assert first.fingerprint == fingerprint(SELLER.certificate) and first.until == day(5)
    assert first.sentence == f"our certificate {first.title} for signature ends in 5 days (2026-03-07), and there is none after it"


def test_a_certificate_with_a_successor_needs_nobody() -> None:
    old = replace(pinned(BUYER), until=day(5))
    assert ends(ours(verification=(old, pinned(NEXT_BUYER)), encryption=(old, replace(pinned(NEXT_BUYER), since=day(4))))) == []
    late = replace(pinned(NEXT_BUYER), since=day(6))
    assert ends(ours(encryption=(old, late))) == [("theirs", "encryption", 5, 7)], "a day without any"
    assert ends(ours(verification=(old, replace(pinned(NEXT_BUYER), until=day(40))))) == [("theirs", "signature", 40, 60)]


def test_its_own_end_counts_as_well() -> None:
    short = identity("short", start=-10, days=25)
    assert ends(ours(identities=(short,))) == [("ours", "both", 15, 30)]
    assert "ends tomorrow" in expiries(ours(identities=(short,)), day(14))[0].sentence
    assert "has ended" in expiries(ours(identities=(short,)), day(16))[0].sentence
