"""The unit for systemd and the recipe of the image say what they should, and fit the program; test_image.py follows them."""

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.cli import operating
from gateway.pipeline.service import heart

PACKAGING = Path(__file__).parent.parent / "packaging"
UNIT = PACKAGING / "gateway.service"
RECIPE = PACKAGING / "Containerfile"
SYSTEMD = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze: apt-get install systemd")


class _Unit(configparser.RawConfigParser):
    """A unit's keys keep their capitals."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def unit() -> configparser.SectionProxy:
    parser = _Unit(strict=False)
    parser.read_string(UNIT.read_text())
    return parser["Service"]


def instructions() -> list[tuple[str, str]]:
    """(word, rest) of each instruction of the recipe."""
    text = re.sub(r"\\\n", " ", RECIPE.read_text())
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in text.splitlines() if line and not line.startswith("#")]


def test_the_unit_starts_a_command_that_exists_and_gives_it_time() -> None:
    service = unit()
    command = shlex.split(service["ExecStart"])
    assert command[1] == operating.run.__name__
    assert service["Type"] == "notify" and service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    # the heart beats much more often than the watchdog asks, and it stops well before it is killed
    assert int(service["WatchdogSec"]) >= 10 * heart.EVERY and int(service["TimeoutStopSec"]) > 10
    assert service["Restart"] == "always" and service["KillMode"] == "mixed" and service["UMask"] == "0077"


def test_the_unit_is_hardened() -> None:
    service = unit()
    for key in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectKernelModules", "RestrictNamespaces", "LockPersonality"):
        assert service[key] == "yes", key
    assert service["ProtectSystem"] == "strict" and service["ReadWritePaths"] == "/srv/gateway" and service["CapabilityBoundingSet"] == ""
    assert service["User"] == "gateway"


@SYSTEMD
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / "gateway.service"
    copy.write_text(UNIT.read_text().replace("/opt/gateway/bin/gateway", "/bin/true"))
    told = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, timeout=300)
    ours = [line for line in (told.stdout + told.stderr).splitlines() if "gateway.service" in line]
    assert told.returncode == 0 and not ours, told.stderr


@SYSTEMD
def test_systemd_finds_little_that_the_service_could_do(tmp_path: Path) -> None:
    told = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", UNIT], capture_output=True, text=True, timeout=300)
    level = re.search(r"exposure level for gateway.service: ([0-9.]+)", told.stdout)
    assert level is not None, told.stderr
    assert float(level[1]) <= 2.0


def test_the_image_is_made_of_plain_names_and_runs_as_nobody_special() -> None:
    found = instructions()
    assert {word for word, _ in found} <= set("FROM COPY RUN ENV USER WORKDIR VOLUME EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD".split())
    for rest in [rest for word, rest in found if word == "FROM"]:
        image = rest.split()[0]
        assert "/" not in image and "." not in image.partition(":")[0], f"{image} names a registry"
    words = [word for word, _ in found]
    last = dict(found)
    assert last["USER"] != "0" and words.index("USER") > words.index("RUN") and last["VOLUME"] == '["/srv/gateway"]'
    assert last["STOPSIGNAL"] == "SIGTERM" and "/readyz" in last["HEALTHCHECK"]
    assert last["ENTRYPOINT"] == '["gateway"]' and '"run"' in last["CMD"]
    # nothing of the checkout but the wheel and its pins comes into the image
    assert (PACKAGING.parent / ".containerignore").read_text().split() == ["*", "!dist/", "!constraints.txt"]
    for rest in [rest for word, rest in found if word == "COPY" and not rest.startswith("--from")]:
        assert rest.split()[0] in {"constraints.txt", "dist/"}
