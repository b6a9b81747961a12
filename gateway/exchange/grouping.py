"""A transaction against the group that it stands in: the type that the group names, and the guide. Pure."""

from collections.abc import Iterator

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


def misgrouped(transaction: Transaction, group: GroupStart | None, place: Place) -> Iterator[Problem]:
    """What is odd about the place of a transaction; `place` is that of its header."""
    if group is None:
        return
    if transaction.syntax is Syntax.X12:
        wanted = GROUPS.get(transaction.type)
        if wanted is not None and group.type != wanted:
            yield x12.ST_NOT_IN_GROUP.at(
                place, f"{transaction.type} stands in a group {group.type or 'without type'}, {wanted} is expected", found=group.type, expected=wanted
            )
        guide = group.version if len(group.version) > _RELEASE else group.version[:_RELEASE]
        named = transaction.association
        if named and not (named == guide if len(guide) > _RELEASE else named.startswith(guide)):
            yield x12.ST_CONVENTION.at(
                msgspec.structs.replace(place, element=3), f"ST03 names {named}, the group (GS08) {group.version}", found=named, expected=guide
            )
    elif group.type and group.type != transaction.type:
        yield edifact.GROUP_TYPES.at(place, f"{transaction.type} stands in a group of {group.type}", found=transaction.type, expected=group.type)
