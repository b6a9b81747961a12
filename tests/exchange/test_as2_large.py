"""A message of 50 MB: signed, encrypted, opened and its receipt read in one process, within 500 MB of memory."""

import subprocess
import sys

import pytest

CHILD = """
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from gateway.exchange import as2

now = datetime.now(UTC)
one, other = (as2.read_identity(*as2.make_key_and_certificate(name, 10, now - timedelta(days=1))) for name in ("a", "b"))
changes = eval(sys.argv[1])
sender = as2.As2Relation(us="A", partner="B", identities=(one,), verification=(other,), encryption=(other,), **changes)
receiver = as2.As2Relation(us="B", partner="A", identities=(other,), verification=(one,), encryption=(one,))
payload = os.urandom(1 << 20) * 50
sent = as2.wrap(payload, sender, "1@large", now)
got = as2.receive(sent.headers, sent.body, lambda *_: receiver, lambda *_: None, now)
receipt = as2.read_mdn(got.answer.headers, got.answer.body, sent.expected, sender, now)
assert got.is_new and got.unwrapped.payload == payload and receipt.delivered, got.unwrapped.problems
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the memory is read from /proc")
@pytest.mark.parametrize("changes", [{}, {"encrypt": "aes256_gcm"}, {"compress": True}, {"compress": True, "compress_signed": True}], ids=str)
def test_fifty_megabytes_go_through_in_less_than_500(changes: dict[str, object]) -> None:
    child = subprocess.run([sys.executable, "-c", CHILD, repr(changes)], capture_output=True, text=True, check=True)
    assert int(child.stdout) < 500_000, f"{int(child.stdout) // 1000} MB"
