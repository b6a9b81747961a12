"""Checks of dates and places."""

from collections.abc import Iterator
from datetime import date

from gateway.kinds import rule
from gateway.model.catalogue import place_pairs
from gateway.model.order import Delivery
from gateway.model.values import Party
from gateway.rules.view import Finding
from gateway.rules.view import View


def requested_dates(view: View) -> Iterator[Finding]:
    """Wanted days must not lie in the past."""
    today, order = view.facts.today, view.order
    dates: list[tuple[str, date | None]] = []
    if order.delivery is not None:
        dates += [
            ("delivery.requested_on", order.delivery.requested_on),
            ("delivery.deliver_not_after", order.delivery.deliver_not_after),
            ("delivery.ship_not_after", order.delivery.ship_not_after),
        ]
    for line in view.lines:
        dates.append((f"{line.field}.requested_on", line.line.requested_on))
        for index, delivery in enumerate(line.line.deliveries):
            dates += [
                (f"{line.field}.deliveries[{index}].requested_on", delivery.requested_on),
                (f"{line.field}.deliveries[{index}].deliver_not_after", delivery.deliver_not_after),
            ]
    for field, day in dates:
        if day is not None and day < today:
            yield Finding(rule.REQUESTED_DATE_PASSED, field, f"The date {day} has passed, today is {today}", day.isoformat(), f"{today} or later")


def cancel_date(view: View) -> Iterator[Finding]:
    """An order that was to be cancelled by today."""
    day = view.order.delivery.cancel_after if view.order.delivery else None
    if day is not None and day < view.facts.today:
        yield Finding(
            rule.CANCEL_DATE_PASSED,
            "delivery.cancel_after",
            f"The order is to be cancelled after {day}, today is {view.facts.today}",
            day.isoformat(),
            f"{view.facts.today} or later",
        )


def _crossed(field: str, first: date | None, last: date | None) -> Iterator[Finding]:
    if first is not None and last is not None and last < first:
        yield Finding(
            rule.DATES_CROSSED, field, f"The latest date {last} lies before the earliest date {first}", last.isoformat(), f"{first} or later"
        )


def crossed_dates(view: View) -> Iterator[Finding]:
    """A window of days must not end before it begins."""
    delivery = view.order.delivery or Delivery()
    yield from _crossed("delivery.deliver_not_after", delivery.deliver_not_before, delivery.deliver_not_after)
    yield from _crossed("delivery.ship_not_after", delivery.ship_not_before, delivery.ship_not_after)
    for line in view.lines:
        for index, part in enumerate(line.line.deliveries):
            yield from _crossed(f"{line.field}.deliveries[{index}].deliver_not_after", part.deliver_not_before, part.deliver_not_after)


def ship_to(view: View) -> Iterator[Finding]:
    """Each place that is named by a number, once."""
    if not view.facts.places_loaded:
        return
    parties: list[tuple[str, Party | None]] = [("ship_to", view.order.ship_to)]
    for line in view.lines:
        parties.append((f"{line.field}.ship_to", line.line.ship_to))
        parties += [(f"{line.field}.deliveries[{index}].ship_to", delivery.ship_to) for index, delivery in enumerate(line.line.deliveries)]
    seen: set[tuple[tuple[str, str], ...]] = set()
    for field, party in parties:
        pairs = place_pairs(party)
        if not pairs or tuple(pairs) in seen:
            continue
        seen.add(tuple(pairs))
        if not any(pair in view.facts.places for pair in pairs):
            shown = ", ".join(f"{scheme} {value}" for scheme, value in pairs)
            yield Finding(rule.SHIP_TO_UNKNOWN, field, f"The ship-to {shown} is not in the master data", shown, "a place of this partner")
