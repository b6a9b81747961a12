"""Large files and files that are kept by their partner: killed on their way, each is taken in once, and kept once."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config import load_installation
from gateway.pipeline.station import open_station
from gateway.store.incoming import transmissions
from tests.crash.house import ForkServer
from tests.crash.house import build
from tests.crash.house import journal_faults
from tests.crash.walk import put
from tests.pipeline.world import ACME
from tests.pipeline.world import x12_order
from tests.transport.openssh import OpenSsh
from tests.transport.openssh import running_openssh

LARGE = b"no EDI at all " * (10 << 20 >> 4)
FILES = {"a.edi": x12_order("PO1"), "large.bin": LARGE, "z.edi": x12_order("PO2", control=2)}
KEPT = ", settle: 0, after: archive, archive_to: "
FOLDER = ACME.replace("send_to: boxes/acme/in}", f"send_to: boxes/acme/in{KEPT}boxes/acme/old}}")


@pytest.fixture(scope="module")
def server() -> Iterator[OpenSsh]:
    with running_openssh() as running:
        yield running


def over_sftp(server: OpenSsh, folder: Path) -> str:
    """The partner at the server; its key lies beside its file."""
    (folder / "client").write_bytes((server.home / "client").read_bytes())
    endpoint = (
        f'sftp: "sftp://127.0.0.1:{server.port}{server.data}/out", user: {server.user}, key: "file:client", '
        f'host_keys: ["{server.fingerprint("ed25519")}"], send_to: "{server.data}/in"{KEPT}"{server.data}/old"'
    )
    return ACME.replace("folder: boxes/acme/out, send_to: boxes/acme/in", endpoint)


@pytest.mark.parametrize(
    ("over", "point"),
    # a large file of a folder needs no spool
    [
        *(("sftp", point) for point in ("62", "63", "66", "67", "68", "68:2", "69", "69:3", "145", "146")),
        *(("folder", point) for point in ("62", "68:2", "69", "69:3", "147", "147:2")),
    ],
)
def test_killed_at_a_point_each_file_is_taken_in_and_kept_once(
    over: str, point: str, tmp_path: Path, database_url: str, server: OpenSsh, forks: ForkServer
) -> None:
    folder = tmp_path / "installation"
    out, old = lay_files(folder, database_url, server if over == "sftp" else None)
    assert forks.run("mailbox", folder, point) == -signal.SIGKILL
    assert forks.run("mailbox", folder) == 0
    assert forks.run("mailbox", folder) == 0, "nothing is left to do"
    demand_taken_and_kept_once(folder, out, old)


def lay_files(folder: Path, database_url: str, server: OpenSsh | None) -> tuple[Path, Path]:
    """The installation with its files at the partner: where they lie, and where they are kept. Without a server it is a folder."""
    if server is None:
        build(folder, database_url, FOLDER)
        out, old = folder / "boxes/acme/out", folder / "boxes/acme/old"
    else:
        build(folder, database_url)
        (folder / "partners/acme.yaml").write_text(over_sftp(server, folder))
        out, old = server.data / "out", server.data / "old"
        for place in (old, server.data / "in"):
            place.mkdir(exist_ok=True)
            place.chmod(0o777)
            for path in place.iterdir():
                path.unlink()
    for name, data in FILES.items():
        put(out, name, data.decode())
    return out, old


def demand_taken_and_kept_once(folder: Path, out: Path, old: Path) -> None:
    assert {path.name: path.read_bytes() == FILES[path.name] for path in old.iterdir()} == dict.fromkeys(FILES, True)
    assert list(out.iterdir()) == [] and list((folder / "data").glob("spool/*")) == []
    station = open_station(load_installation(folder / "config.yaml"))
    try:
        with station.database.read() as connection:
            came = transmissions.search(connection)
        assert sorted((one.name, one.state) for one in came) == [("a.edi", "done"), ("large.bin", "unreadable"), ("z.edi", "done")]
        assert journal_faults(station) == []
    finally:
        station.close()
