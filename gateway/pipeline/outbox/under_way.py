"""What is being sent at this moment: since when a process has it in hand, and when a try is cut off whatever the other side does."""

from datetime import datetime

from gateway.config import Installation
from gateway.exchange.endpoint import Endpoint
from gateway.store.identity import claimed_at
from gateway.store.outgoing.outbox import LONGEST_LEASE
from gateway.store.outgoing.outbox import OPEN
from gateway.store.outgoing.outbox import Entry
from gateway.transport.as2_http import LONGEST as LONGEST_POST
from gateway.transport.sftp_settings import LONGEST_STEP


def in_hand(installation: Installation, entry: Entry, now: datetime) -> str:
    """Since when and how long at most, in words; nothing for a row that nobody has in hand."""
    if entry.state not in OPEN or entry.lease_token is None or entry.lease_until is None or not now < entry.lease_until <= now + LONGEST_LEASE:
        return ""
    since = claimed_at(entry.lease_token)
    loaded = installation.directory.partners.get(entry.partner)
    endpoint = loaded.partner.endpoint(entry.endpoint) if loaded is not None else None
    longest = longest_try(installation, endpoint) if endpoint is not None else None
    words = [f"in hand since {since:%Y-%m-%d %H:%M:%S} UTC" if since is not None else "in hand"]
    if longest is not None:
        words.append(f"a try is cut off after {longest:.0f} seconds")
    return ", ".join(words)


def longest_try(installation: Installation, endpoint: Endpoint) -> float | None:
    """Seconds after which a file that does not get through is given back to wait for its next try; None where nothing is waited for."""
    if endpoint.as2 is not None or (endpoint.https is not None and endpoint.posts):
        return LONGEST_POST
    if endpoint.sftp is not None:
        return LONGEST_STEP
    if endpoint.mail is not None and installation.settings.mail is not None:
        return 10 * installation.settings.mail.timeout
    return None
