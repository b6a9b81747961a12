"""What is said of a delivery that is being sent: since when it is in hand, and when a try is cut off."""

from datetime import timedelta
from pathlib import Path

from gateway.pipeline.outbox.under_way import in_hand
from gateway.store.identity import claimed_at
from gateway.store.identity import lease_token
from gateway.store.outgoing import outbox
from gateway.store.outgoing import tries
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

LEASE = timedelta(seconds=24)


def test_a_row_in_hand_says_since_when_and_for_how_long(tmp_path: Path) -> None:
    posted = ACME.replace("{folder: boxes/acme/out, send_to: boxes/acme/in}", '{https: "http://127.0.0.1:9/in"}').replace(", from: box", "")
    world = World(tmp_path, partners={"acme": posted})
    world.receive(x12_order(), address="command")
    installation = world.station.installation
    token = lease_token()
    with world.station.database.begin() as connection:
        waiting = outbox.search(connection)[0]
        now = world.station.clock() + timedelta(minutes=1)
        assert in_hand(installation, waiting, now) == ""
        [entry, *_] = tries.claim(connection, stream=waiting.stream, now=now, lease=LEASE, limit=1, token=token)
    since = claimed_at(token)
    assert since is not None
    words = f"in hand since {since:%Y-%m-%d %H:%M:%S} UTC, a try is cut off after 600 seconds"
    assert in_hand(installation, entry, now) == words
    assert in_hand(installation, entry, now + LEASE) == "", "whoever had it is dead"
    assert claimed_at("node.0123") is None and claimed_at("") is None
    world.close()
