"""The schema's share of reading orders: bare split (floor), reading, checking; interleaved, medians of five.

    python benchmarks/schema_check.py [--orders 5000]

5,000 orders of ten lines, X12 850 004010 and EDIFACT ORDERS D.96A, made by ../shared/bench/gen_orders.py. Floor: the file split into
segments and elements, all kept. Ours: codec alone, then codec and schema check, one transaction at a time.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from gateway.codecs import edifact
from gateway.codecs import x12
from gateway.codecs.node import Transaction
from gateway.config import default_resolver
from gateway.schema.apply import check
from gateway.schema.compile import compile_schema
from gateway.schema.load import load_schema

GENERATOR = Path(__file__).parent.parent / "../shared/bench/gen_orders.py"
ROUNDS = 5


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    kept = work()
    end = time.perf_counter()
    del kept
    return end - start


def measure(standard: str, orders: int, folder: Path) -> None:
    path = folder / standard
    subprocess.run([sys.executable, GENERATOR, standard, path, "--orders", str(orders)], check=True)
    data = path.read_bytes()
    spec, codec = ("x12/004010/850", x12) if standard == "x12" else ("edifact/d96a/orders", edifact)
    start = time.perf_counter()
    plan = load_schema(spec, default_resolver())
    loaded = time.perf_counter()
    schema = compile_schema(plan)
    compiled = time.perf_counter()

    def floor() -> object:
        if standard == "x12":
            return [segment.split("*") for segment in data.decode().split("~")]
        return [[element.split(":") for element in segment.split("+")] for segment in data.decode("latin-1").split("'")]

    def read() -> None:
        for _ in codec.read([data]):
            pass

    def read_and_check() -> None:
        for event in codec.read([data]):
            if isinstance(event, Transaction):
                checked = check(event, schema)
                assert checked.accepted, checked.problems[:1]

    rounds = [(timed(floor), timed(read), timed(read_and_check)) for _ in range(ROUNDS)]
    split, reading, both = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"{spec}: load {1000 * (loaded - start):.0f} ms, compile {1000 * (compiled - loaded):.1f} ms")
    print(
        f"  floor {split:.3f} s   read {reading:.3f} s   read and check {both:.3f} s   check alone {both - reading:.3f} s = "
        f"{(both - reading) / split:.2f} of the floor   together {both / split:.2f}   {orders / both:,.0f} orders/s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=5000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for standard in ("x12", "edifact"):
            measure(standard, arguments.orders, Path(folder))


if __name__ == "__main__":
    main()
