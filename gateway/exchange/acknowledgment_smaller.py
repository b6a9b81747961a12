"""What is left of an answer when its details cannot be sent: first without notes, then its heads and trailers alone.

By these a partner still learns what was taken and what was not. Pure: answers in, answers out.
"""

from collections.abc import Iterator

import msgspec

from gateway.codecs.node import Segment
from gateway.exchange.acknowledgment_result import Answer

#: segments that only explain
_NOTES = frozenset({"AK3", "AK4", "IK3", "IK4", "CTX", "UCS", "UCD", "TED", "NTE", "FTX"})
#: what an answer cannot do without, and how many of its elements stand without any of the partner's values
_HEADS = {"AK1": 2, "AK9": 4, "UCI": 4, "TA1": 5, "BGN": 4, "OTI": 3, "BGM": 3, "DTM": 1}


def smaller_answers(made: Answer) -> Iterator[Answer]:
    """The answer without notes; then its heads alone, in our own delimiters and between our own identities."""
    yield msgspec.structs.replace(made, bodies=tuple(tuple(one for one in body if one[0] not in _NOTES) for body in made.bodies))
    yield msgspec.structs.replace(
        made,
        bodies=tuple(tuple(_head(one) for one in body if one[0] in _HEADS) for body in made.bodies),
        sender="",
        receiver="",
        group_sender="",
        group_receiver="",
        interchange_version="",
        delimiters=None,
    )


def _head(segment: Segment) -> Segment:
    """The segment without what may be left out of it; a 999 keeps the version in its AK1, which it must have."""
    most = _HEADS[segment[0]] + (segment[0] == "AK1" and len(segment) > 3)
    return list(segment[: most + 1])
