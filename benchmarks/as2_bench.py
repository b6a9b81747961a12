"""AS2 round trips a second in memory: wrap (sign, encrypt), receive (decrypt, verify, signed receipt), read the receipt; one core.

.venv/bin/python benchmarks/as2_bench.py [KILOBYTES ...]
"""

import resource
import sys
import time
from datetime import UTC
from datetime import datetime
from datetime import timedelta

from gateway.exchange import as2


def main(sizes: list[int]) -> None:
    """Print round trips and megabytes a second for each size."""
    now = datetime.now(UTC)
    identities = [as2.read_identity(*as2.make_key_and_certificate(name, 10, now - timedelta(days=1))) for name in ("a", "b")]
    sender, receiver = (
        as2.As2Relation(us=us, partner=partner, identities=(mine,), verification=(theirs,), encryption=(theirs,))
        for us, partner, mine, theirs in (("A", "B", *identities), ("B", "A", *reversed(identities)))
    )
    for size in sizes:
        payload = (b"LIN+1++5410738000152:SRV'\r\n" * (size * 1024 // 27 + 1))[: size * 1024]
        count = 0
        start = time.perf_counter()
        while time.perf_counter() - start < 3:
            sent = as2.wrap(payload, sender, f"{count}@bench", now)
            assert isinstance(sent, as2.As2Request)
            got = as2.receive(sent.headers, sent.body, lambda *_: receiver, lambda *_: None, now)
            receipt = as2.read_mdn(got.answer.headers, got.answer.body, sent.expected, sender, now)
            assert got.is_new and receipt.delivered
            count += 1
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{size:>8} kB  {count / seconds:8.1f} round trips/s  {count * size / 1024 / seconds:8.1f} MB/s  peak {peak} MB")


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [10, 1024, 51200])
