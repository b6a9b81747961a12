"""A partner pushes to our own OpenSSH server, set up as docs/operations/sftp-server.md says it; the gateway sees a folder."""

import grp
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.pipeline.arriving import fetching
from gateway.pipeline.outbox.boxes import make_box
from gateway.transport.box import TransportError
from gateway.transport.readiness import Rules
from gateway.transport.sftp import SftpBox
from gateway.transport.sftp_settings import SftpSettings
from tests.machine import PATIENCE
from tests.machine import free_port
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import x12_order
from tests.transport.openssh import SSHD
from tests.transport.openssh import SYSTEM_USER
from tests.transport.openssh import _wait_until_it_answers

PAGE = Path(__file__).parents[2] / "docs/operations/sftp-server.md"
#: a group that stands for the gateway's own
OURS = "daemon"


def block() -> str:
    """The configuration on the page."""
    found = re.search(r"<!-- sshd -->\n```text\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


@contextmanager
def running(home: Path) -> Iterator[SftpSettings]:
    """sshd with that block, its group and folders replaced by ones that are here; how the partner reaches it."""
    user = pwd.getpwnam(SYSTEM_USER)
    for name in ("host", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / name], check=True)
    keys, place = home / "partners", home / "edi"
    for folder in (keys, place, place / SYSTEM_USER):
        folder.mkdir(mode=0o755)
    shutil.copy(home / "client.pub", keys / SYSTEM_USER)
    (keys / SYSTEM_USER).chmod(0o644)
    # root stands for the gateway's user
    for name, owner, group in (("out", user.pw_uid, grp.getgrnam(OURS).gr_gid), ("in", 0, user.pw_gid)):
        folder = place / SYSTEM_USER / name
        folder.mkdir()
        os.chown(folder, owner, group)
        folder.chmod(0o2770)
    port = free_port()
    here = block().replace("edi-partners", grp.getgrgid(user.pw_gid).gr_name).replace("/srv/edi", str(place)).replace("/etc/ssh/partners", str(keys))
    (home / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {home}/host\nPidFile none\nUsePAM no\nSubsystem sftp internal-sftp\n{here}"
    )
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    process = subprocess.Popen([SSHD, "-D", "-f", home / "sshd_config", "-E", home / "log"])
    try:
        _wait_until_it_answers(process, port, home / "log")
        print_of = subprocess.run(["ssh-keygen", "-lf", home / "host"], check=True, capture_output=True, text=True).stdout.split()[1]
        yield SftpSettings(
            host="127.0.0.1",
            port=port,
            user=SYSTEM_USER,
            key=(home / "client").read_bytes(),
            host_keys=(print_of,),
            folder="/in",
            send_to="/out",
            rules=Rules(settle_seconds=0),
            timeout_seconds=60.0,
        )
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture
def home() -> Iterator[Path]:
    if os.geteuid() != 0 or not SSHD.exists():
        pytest.skip(f"needs root and {SSHD}: apt-get install openssh-server")
    folder = Path(tempfile.mkdtemp(prefix="gateway-push-", dir="/srv"))  # everything above a cage belongs to root alone
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def umask_of_the_unit() -> Iterator[None]:
    """What packaging/gateway.service sets."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def test_a_partner_in_its_cage_puts_an_order_and_fetches_the_answers(home: Path, tmp_path: Path) -> None:
    with running(home) as settings:
        cage = home / "edi" / SYSTEM_USER
        partner = ACME.replace("folder: boxes/acme/out, send_to: boxes/acme/in", f"folder: {cage}/out, send_to: {cage}/in")
        world = World(tmp_path, partners={"acme": partner})
        theirs = SftpBox(settings)
        theirs.send("po.edi", x12_order("PO1"))
        put = cage / "out/po.edi"
        assert stat.S_IMODE(put.stat().st_mode) & 0o067 == 0o060 and put.stat().st_gid == grp.getgrnam(OURS).gr_gid, "the gateway's group may take it"
        endpoint = world.station.installation.directory.partners["acme"].partner.endpoints["box"]
        assert fetching.poll(world.station, endpoint.address, make_box(world.station.installation, endpoint))
        assert not put.exists()
        with umask_of_the_unit():
            world.settle()
        modes = {stat.S_IMODE(path.stat().st_mode) for path in (cage / "in").iterdir()}
        assert modes == {0o660}, "the partner's group may take them, and nobody else"
        found = theirs.list_ready()
        assert sorted(one.name.split("-")[0] for one in found) == ["855", "997"]
        assert all(isinstance(data, bytes) and data.startswith(b"ISA") for data in theirs.fetch_many(found))
        assert theirs.remove_many(found) == [None, None] and list((cage / "in").iterdir()) == []
        theirs.close()
        world.close()
        outside = SftpBox(replace(settings, folder="/../../etc", send_to="/"))
        with pytest.raises(TransportError, match="No such file"):
            outside.list_ready()
        with pytest.raises(TransportError, match="ermission denied"):
            outside.send("x", b"x")
        outside.close()
