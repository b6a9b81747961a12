"""Partners behind one AS2 name or one SFTP mailbox: each is itself, and nobody sends as somebody who is not behind it. (Folders:
test_entitlement.py; HTTPS: tests/web/test_uploads.py; mail: tests/pipeline/test_mail.py.)"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.pipeline.arriving import fetching
from gateway.pipeline.outbox.boxes import make_box
from gateway.pipeline.service.assembly import mailboxes
from gateway.store.incoming import holds
from gateway.store.records import documents
from tests.integration.sftp_house import Mailbox
from tests.integration.sftp_house import mailbox
from tests.integration.sftp_house import sftp_partner
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World
from tests.pipeline.world import x12_order
from tests.transport.openssh import SSHD
from tests.web.test_as2 import PARTNER as AS2_PARTNER
from tests.web.test_as2 import Buyer
from tests.web.test_as2 import keys
from tests.web.world import serving

#: who sends: two behind the VAN, and one that is not
SENDERS = ("NORTH", "SOUTH", "ACMEBUYER")


def orders(world: World) -> list[tuple[str, str, str]]:
    with world.station.database.read() as connection:
        return sorted((row.partner, row.number, row.state) for row in documents.search(connection, documents.Filters(kind="order")))


def held(world: World) -> list[str]:
    with world.station.database.read() as connection:
        return [problem.code for hold in holds.list_open(connection) for problem in hold.reasons]


def demand_each_is_itself(world: World) -> None:
    assert orders(world) == [("north", "NORTH-1", "accepted"), ("south", "SOUTH-1", "accepted")]
    assert held(world) == ["PARTNER-NOT-ENTITLED"]


def as2_partner(id: str, identity: str, name: str) -> str:
    return AS2_PARTNER.replace("id: acme", f"id: {id}").replace("ACMEBUYER", identity).replace("name: big buyer", f"name: {name}")


def test_partners_behind_one_as2_name(tmp_path: Path) -> None:
    folder = tmp_path / "installation"
    (folder / "keys").mkdir(parents=True)
    for file, data in (("us.key", keys("us")[0]), ("us.pem", keys("us")[1]), ("them.pem", keys("them")[1])):
        (folder / "keys" / file).write_bytes(data)
    partners = {id: as2_partner(id, id.upper(), "big buyer") for id in ("north", "south")} | {"acme": as2_partner("acme", "ACMEBUYER", "ACME")}
    world = World(folder, config=CONFIG, partners=partners)
    with serving(world.station) as site:
        buyer = Buyer(site.port)
        for control, sender in enumerate(SENDERS, 1):
            sent = buyer.message(x12_order(f"{sender}-1", sender=sender, control=control), f"{control}@van")
            assert buyer.receipt(sent, buyer.post(sent)).delivered
    world.settle()
    demand_each_is_itself(world)
    world.close()


@pytest.fixture
def box() -> Iterator[Mailbox]:
    if not SSHD.exists() or shutil.which("ssh-keygen") is None:
        pytest.skip("no SFTP server here: apt-get install openssh-server")
    with mailbox() as made:
        yield made


def test_partners_behind_one_sftp_mailbox(tmp_path: Path, box: Mailbox) -> None:
    folder = tmp_path / "installation"
    partners = {id: sftp_partner(id, id.upper(), box.server) for id in ("north", "south")}
    partners["acme"] = sftp_partner("acme", "ACMEBUYER", box.server, out="other")
    (box.server.data / "other").mkdir()
    (folder / "keys").mkdir(parents=True)
    shutil.copy(box.server.home / "client", folder / "keys" / "client")
    world = World(folder, config=CONFIG, partners=partners)
    looked = mailboxes(world.station)
    assert len(looked) == 2, "a mailbox that two share is looked into once"
    for control, sender in enumerate(SENDERS, 1):
        box.put(f"{sender}.edi", x12_order(f"{sender}-1", sender=sender, control=control))
    for address, (endpoint, _) in looked.items():
        made = make_box(world.station.installation, endpoint.model_copy(update={"settle": 0.0}))
        for _ in range(2):
            fetching.poll(world.station, address, made)
        made.close()
    world.settle()
    demand_each_is_itself(world)
    world.close()
