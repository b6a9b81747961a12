"""A transaction against the group that it stands in: the type that the group names, and the guide. Pure."""

from collections.abc import Callable

import msgspec

from gateway.codecs.node import GroupStart
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.exchange.envelope import GROUPS
from gateway.kinds import edifact
from gateway.kinds import x12
from gateway.problem import Place
from gateway.problem import Problem

#: GS08 has a guide behind the version and release
_RELEASE = 6
_X12 = Syntax.X12


def misgrouped(transaction: Transaction, group: GroupStart | None, place_of: Callable[[Transaction], Place]) -> list[Problem]:
    """What is odd about the place of a transaction; `place_of` gives that of its header, where it is asked for."""
    if group is None:
        return []
    answer: list[Problem] = []
    if transaction.syntax is _X12:
        wanted = GROUPS.get(transaction.type)
        if wanted is not None and group.type != wanted:
            message = f"{transaction.type} stands in a group {group.type or 'without type'}, {wanted} is expected"
            answer.append(x12.ST_NOT_IN_GROUP.at(place_of(transaction), message, found=group.type, expected=wanted))
        named = transaction.association
        if named:
            guide = group.version if len(group.version) > _RELEASE else group.version[:_RELEASE]
            if not (named == guide if len(guide) > _RELEASE else named.startswith(guide)):
                place = msgspec.structs.replace(place_of(transaction), element=3)
                answer.append(x12.ST_CONVENTION.at(place, f"ST03 names {named}, the group (GS08) {group.version}", found=named, expected=guide))
    elif group.type and group.type != transaction.type:
        message = f"{transaction.type} stands in a group of {group.type}"
        answer.append(edifact.GROUP_TYPES.at(place_of(transaction), message, found=transaction.type, expected=group.type))
    return answer
