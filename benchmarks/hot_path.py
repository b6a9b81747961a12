"""Where the time of reading goes: CPU seconds by stage (each stage with all before it, medians in turns), then the functions that take most.

benchmarks/hot_path.py [x12|edifact] [--orders 5000] [--lines 10]
"""

import argparse
import cProfile
import pstats
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import orders  # noqa: E402  run as a script
from benchmarks.run import floor  # noqa: E402
from benchmarks.run import ours  # noqa: E402
from benchmarks.run import spent  # noqa: E402
from gateway.codecs.choose import read as read_events  # noqa: E402
from gateway.codecs.node import Transaction  # noqa: E402
from gateway.mapping.apply import run as map_transaction  # noqa: E402
from gateway.mapping.reading import PartnerValues  # noqa: E402
from gateway.model.document import encode_plainly  # noqa: E402
from gateway.model.values import Source  # noqa: E402
from gateway.pipeline.plans import Plans  # noqa: E402
from gateway.schema.apply import check  # noqa: E402
from gateway.user_files import default_resolver  # noqa: E402

SPECS = {"x12": "x12/004010/850", "edifact": "edifact/d96a/orders"}


def stages(data: bytes, plans: Plans, syntax: str) -> dict[str, Callable[[], object]]:
    """Each does what the one before it does, and one thing more."""
    plan = plans.reading(SPECS[syntax])
    header, nobody = Source(syntax=syntax, type="order", test=False), PartnerValues({})
    assert plan.schema is not None and plan.mapping is not None
    schema, mapping = plan.schema, plan.mapping

    def transactions() -> list[Transaction]:
        return [event for event in read_events([data])[1] if isinstance(event, Transaction)]

    def cut() -> int:
        return sum(isinstance(event, Transaction) for event in read_events([data])[1])

    def checked() -> int:
        return sum(bool(check(event, schema).tree) for event in read_events([data])[1] if isinstance(event, Transaction))

    def mapped() -> int:
        made = 0
        for event in read_events([data])[1]:
            if isinstance(event, Transaction):
                document, _ = map_transaction(event, check(event, schema).tree, mapping, header, nobody)
                made += document is not None
        return made

    assert len(transactions()) == mapped()
    return {
        "floor: split, all kept": lambda: floor(data),
        "codec: envelopes and segments": cut,
        "  and schema: checked, tree built": checked,
        "  and mapping: canonical orders": mapped,
        "all of it, orders kept": lambda: ours(data, plans),
        "  and JSON": lambda: [encode_plainly(document) for document in ours(data, plans)],  # type: ignore[arg-type]
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("syntax", nargs="?", default="x12", choices=SPECS)
    parser.add_argument("--orders", type=int, default=5000)
    parser.add_argument("--lines", type=int, default=10)
    arguments = parser.parse_args()
    plans = Plans(default_resolver())
    data: bytes = getattr(orders, arguments.syntax)(arguments.orders, arguments.lines)
    works = stages(data, plans, arguments.syntax)
    taken = [[spent(work) for work in works.values()] for _ in range(5)]
    for name, column in zip(works, zip(*taken, strict=True), strict=True):
        seconds = statistics.median(column)
        print(f"{name:<36} {seconds:6.3f} s {seconds / arguments.orders * 1e6:7.1f} us an order")
    profile = cProfile.Profile()
    profile.enable()
    kept = ours(data, plans)
    profile.disable()
    print(f"\nfunctions by their own time, {len(kept)} orders (the profiler itself makes small functions look dearer than they are)")
    pstats.Stats(profile).sort_stats("tottime").print_stats(14)


if __name__ == "__main__":
    main()
