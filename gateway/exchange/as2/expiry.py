"""Certificates of a relation that come to their end with nothing after them: told 60, 30 and 7 days ahead, and when it is too late.

One that has a successor here, which may be used by then, needs nobody: that is how a change of certificates looks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from gateway.exchange.as2.values import As2Relation
from gateway.exchange.cms.keys import Pinned
from gateway.exchange.cms.keys import fingerprint
from gateway.exchange.cms.keys import title

#: Days ahead on which an end is told; each is more urgent than the one before.
STAGES = (60, 30, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """A certificate that will be missed."""

    #: "ours" or "theirs".
    whose: str
    #: "signature", "encryption" or "both"; "line" of one that is shown to an HTTPS server.
    use: str
    title: str
    fingerprint: str
    until: datetime
    #: Whole days that are left; negative when it is over.
    days: int
    #: 60, 30 or 7: the last of these that was reached; 0 when it is over.
    stage: int

    @property
    def sentence(self) -> str:
        """What to tell people."""
        when = "has ended" if self.stage == 0 else f"ends in {self.days} days" if self.days != 1 else "ends tomorrow"
        return f"{self.subject} {when} ({self.until.date().isoformat()}), and there is none after it"

    @property
    def subject(self) -> str:
        """Whose certificate for what, to begin a sentence with."""
        owner = "our certificate" if self.whose == "ours" else "the partner's certificate"
        use = {"both": "signature and encryption", "line": "the partner's HTTPS server"}.get(self.use, self.use)
        return f"{owner} {self.title} for {use}"


def expiries(relation: As2Relation, now: datetime) -> list[Expiry]:
    """What of this relation ends within the first stage, or has ended, without a successor; the most urgent first."""
    found: dict[tuple[str, str, datetime], tuple[Pinned, set[str]]] = {}
    for whose, use, held in (
        ("ours", "signature", tuple(one for one in relation.identities if one.signs)),
        ("ours", "encryption", tuple(one for one in relation.identities if one.decrypts)),
        ("theirs", "signature", relation.verification),
        ("theirs", "encryption", relation.encryption),
    ):
        for one in _missed(held, now):
            found.setdefault((whose, fingerprint(one.certificate), one.ends), (one, set()))[1].add(use)
    ends = [_expiry(whose, uses, one, now) for (whose, _, _), (one, uses) in found.items()]
    return sorted(ends, key=lambda expiry: (expiry.until, expiry.whose, expiry.fingerprint))


def expiry_of_line(certificate: x509.Certificate, now: datetime) -> Expiry | None:
    """What the certificate that we show to an HTTPS server comes to; None while there is time. It has no successor: its file is replaced."""
    until = certificate.not_valid_after_utc
    stage = _stage(until - now)
    if stage is None:
        return None
    digest = f"sha256:{certificate.fingerprint(hashes.SHA256()).hex()}"
    name = certificate.subject.rfc4514_string()[:200]
    return Expiry(whose="ours", use="line", title=name, fingerprint=digest, until=until, days=(until - now).days, stage=stage)


def _stage(left: timedelta) -> int | None:
    """The last of the stages that was reached; 0 when it is over."""
    return 0 if left <= timedelta() else min((stage for stage in STAGES if left <= timedelta(days=stage)), default=None)


def _missed(held: Sequence[Pinned], now: datetime) -> list[Pinned]:
    """Those that end soon and leave a gap behind them; of several that have ended the last one only."""
    soon = [one for one in held if one.ends <= now + timedelta(days=STAGES[0])]
    missed = [one for one in soon if not any(_follows(other, one) for other in held)]
    return list({fingerprint(one.certificate): one for one in missed}.values())


def _follows(later: Pinned, one: Pinned) -> bool:
    """Whether `later` may be used when `one` ends, and longer."""
    begins = max(later.certificate.not_valid_before_utc, later.since or later.certificate.not_valid_before_utc)
    return later.ends > one.ends and begins <= one.ends


def _expiry(whose: str, uses: set[str], one: Pinned, now: datetime) -> Expiry:
    left = one.ends - now
    return Expiry(
        whose=whose,
        use="both" if len(uses) == 2 else next(iter(uses)),
        title=title(one.certificate),
        fingerprint=fingerprint(one.certificate),
        until=one.ends,
        days=left.days,
        stage=_stage(left) or 0,
    )
