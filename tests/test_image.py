"""The recipe of the image and the unit for systemd, followed as far as a machine with neither a container runtime nor a running systemd can.

The recipe's steps make an environment out of the wheel and the package index, and what the image starts serves, says that it is well, works, and
stops. Under walls like the unit's (nothing but its folder may be written, no capabilities, its umask) the service works all the same. Not shown:
the base image, its user and volume; the unit's filters of system calls and address families.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.house import House
from tests.integration.house import answered
from tests.integration.house import put
from tests.integration.house import until
from tests.machine import PATIENCE
from tests.machine import free_port
from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG
from tests.pipeline.world import x12_order
from tests.test_packaging import instructions
from tests.test_packaging import unit
from tests.test_wheel import ROOT
from tests.test_wheel import wheel as wheel  # a fixture

pytestmark = pytest.mark.storm


def test_the_steps_of_the_image_make_a_gateway_that_serves(wheel: Path, tmp_path: Path) -> None:
    port = str(free_port())

    def here(words: str) -> str:
        """The image's places as folders of ours."""
        for place in ("/build", "/opt/gateway", "/srv/gateway"):
            words = words.replace(place, f"{tmp_path}{place}")
        return words.replace("8080", port)

    found = instructions()
    [_, second] = [at for at, (word, _) in enumerate(found) if word == "FROM"]
    clean = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path)}
    clean |= {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.lower().endswith("_proxy")}
    for word, rest in found[1:second]:
        if word == "COPY":
            source, target = rest.split()
            Path(here(target)).parent.mkdir(parents=True, exist_ok=True)
            if source == "dist/":
                shutil.copytree(wheel.parent, here(target))
            else:
                shutil.copy(ROOT / source, here(target))
        else:
            done = subprocess.run(["sh", "-ec", here(rest)], cwd=tmp_path, env=clean, capture_output=True, text=True, timeout=20 * PATIENCE)
            if "Retrying (Retry(" in done.stderr:
                pytest.skip("the package index cannot be reached")
            assert done.returncode == 0, done.stderr[-3000:]
    said = dict(found[second:])
    variables = dict(pair.split("=", 1) for pair in here(said["ENV"]).replace("$PATH", "/usr/bin:/bin").split())
    folder = Path(here(said["WORKDIR"]))
    (folder / "partners").mkdir(parents=True)
    for box in ("in", "out"):
        (folder / "boxes/acme" / box).mkdir(parents=True)
    (folder / "partners/acme.yaml").write_text(ACME)
    (folder / "config.yaml").write_text(CONFIG.replace("18999", port) + "poll: 0.1\n")
    health = json.loads(here(said["HEALTHCHECK"]).partition(" CMD ")[2])
    with (tmp_path / "log").open("wb") as log:
        command = [*json.loads(said["ENTRYPOINT"]), *json.loads(here(said["CMD"]))]
        program = shutil.which(command[0], path=variables["PATH"])
        assert program is not None and program.startswith(str(tmp_path))
        process = subprocess.Popen([program, *command[1:]], cwd=folder, env=variables, stdout=log, stderr=log)
    try:

        def is_well() -> bool:
            assert process.poll() is None, (tmp_path / "log").read_text()[-3000:]
            return subprocess.run(health, env=variables, capture_output=True, timeout=PATIENCE).returncode == 0

        until(is_well, "its health")
        put(folder / "boxes/acme/out", "po.edi", x12_order("PO1"))
        until(lambda: answered(folder / "boxes/acme/in", "PO1"), "the order to be answered")
        process.send_signal(getattr(signal, said["STOPSIGNAL"]))
        assert process.wait(PATIENCE) == 0
        assert subprocess.run(health, env=variables, capture_output=True, timeout=PATIENCE).returncode != 0
    finally:
        process.kill()
        process.wait()
    listed = subprocess.run([f"{tmp_path}/opt/gateway/bin/python", "-c", "import procrastinate, s3fs"], env=variables, capture_output=True)
    assert listed.returncode == 0, "a cluster and S3 need nothing more"


_WALLS = """
mount --bind "$1" /mnt
for place in /tmp /var/tmp; do mount -t tmpfs tmpfs $place; done
mount -t tmpfs -o ro tmpfs /home
findmnt -rno TARGET | while read -r place; do
  case "$place" in /mnt|/tmp|/var/tmp|/proc*|/sys*|/dev*) ;; *) mount -o remount,bind,ro "$place" 2>/dev/null || true;; esac
done
cd /mnt
umask "$3"
! touch /etc/written 2>/dev/null || exit 99
! touch "$4" 2>/dev/null || exit 98
exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all "$2" -m gateway run --config /mnt/config.yaml
"""


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="walls are built by root, with unshare and setpriv")
@pytest.mark.skipif(ROOT.is_relative_to("/tmp") or sys.executable.startswith("/tmp"), reason="a checkout in /tmp is not seen behind them")
def test_the_service_works_behind_walls_like_the_units(tmp_path: Path) -> None:
    service = unit()
    assert (service["ProtectSystem"], service["PrivateTmp"], service["ProtectHome"], service["CapabilityBoundingSet"]) == ("strict", "yes", "yes", "")
    house = House(tmp_path / "srv", {"acme": ACME})
    # what /tmp hides is not read there: the installation comes in as its own place
    outside = str(ROOT / "written")
    walls = [
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-ec",
        _WALLS,
        "sh",
        str(house.folder),
        sys.executable,
        service["UMask"],
        outside,
    ]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(walls, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"})
    try:
        put(house.box("acme", "out"), "po.edi", x12_order("PO1"))

        def done() -> bool:
            assert process.poll() is None, (tmp_path / "log").read_text()[-3000:]
            return answered(house.box("acme"), "PO1")

        until(done, "the order to be answered")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
    said = (tmp_path / "log").read_text()
    assert '"level": "error"' not in said and '"level": "warning"' not in said, said
