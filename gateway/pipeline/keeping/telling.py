"""A trail told: to people as one plain sentence a line (sentences.py) with what is wrong and what to do about it, and as JSON."""

import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from gateway.kinds import KINDS
from gateway.model.money import from_minor
from gateway.model.money import money_words
from gateway.pipeline.as2.evidence import Exchange
from gateway.pipeline.as2.refusing import REFUSED
from gateway.pipeline.keeping.sentences import told
from gateway.pipeline.keeping.trails import Trail
from gateway.pipeline.keeping.trails import name_of
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.problem import problem_json
from gateway.store.incoming.as2_refusals import Refusal
from gateway.store.incoming.as2_unopened import Unopened
from gateway.store.incoming.holds import Hold
from gateway.store.incoming.transmissions import Transmission


def trail_words(trail: Trail) -> str:
    """The trail for people: what it leads over, one line an event in time, and what is wrong with what to do about it."""
    several = len(trail.partners) > 1
    chain = "; ".join(_chains(trail, several))
    brought = {row.transmission for row in trail.documents}
    empty = [file for file in trail.files if file.id in trail.asked and file.id not in brought]
    nothing = [f"file {file.name}, {_state(file)}: no document came of it" for file in empty]
    waits = ["an AS2 message that waits to be opened"] if trail.unopened else []
    untaken = [_untaken(trail)] if (trail.refused or trail.requests) and not (nothing or chain or waits) else []
    lines = [f"{trail.reference}: {'; '.join([*nothing, *([chain] if chain else []), *waits, *untaken])}"]
    if len(trail.partners) > 1:
        lines.append(
            f"  {', '.join(trail.partners)} each have something that is called so: gateway trail {trail.reference} --partner NAME tells of one"
        )
    if trail.more:
        lines.append("  more documents than these have this number: name one of them, or the file that it came in")
    for event in trail.events:
        whose = f"{event.partner}: " if several and event.partner else ""
        lines.append(f"  {event.at:%Y-%m-%d %H:%M:%S}  {whose}{told(event)}")
    lines += [line for refusal in trail.refused for line in _refused_words(refusal)]
    lines += [line for message in trail.unopened for line in _unopened_words(message)]
    lines += _wrong(trail)
    for said in trail.said:
        again = {"repeated": ", as said before", "contradicts": ", against what was said before"}.get(said.answer.relation, "")
        file = next((f" (file {file.name})" for file in trail.files if file.id == said.answer.transmission), "")
        lines.append(f"  {said.entry.identity} answered by {said.answer.kind}: {said.answer.outcome.replace('_', ' ')}{again}{file}")
        for fault in said.faults:
            lines.append(f"    {fault.problem.code}: {fault.problem.message}")
            if fault.segment is not None:
                lines += [f"      {fault.segment.text}", f"      {fault.segment.caret}"]
    for exchange in trail.exchanges:
        lines += _exchange_words(exchange)
    if trail.exchanges:
        lines.append(f"  check signatures and digests without us: gateway trail {trail.reference} --evidence proof.zip, then sh verify.sh in it")
    for item in trail.items:
        settled = money_words(from_minor(item.amount_minor - item.open_minor, item.currency), item.currency)
        amount = money_words(from_minor(item.amount_minor, item.currency), item.currency)
        lines.append(f"  {item.kind.replace('_', ' ')} {item.number}: {settled} of {amount} settled, due {item.due_on}")
    return "\n".join(lines)


def _untaken(trail: Trail) -> str:
    """What came over AS2 and was not taken: a message as a rule, or a receipt that speaks of none of ours."""
    refused = trail.refused or any(event.action == REFUSED for event in trail.events)
    return "an AS2 message that was refused" if refused else "an AS2 request of which nothing was taken"


def _chains(trail: Trail, several: bool) -> list[str]:
    """What leads to what; of each partner by itself, where several have such a number."""
    chains: dict[str, list[str]] = {}
    for row in trail.documents:
        chains.setdefault(row.partner if several else "", []).append(f"{name_of(row)} ({row.state}{', test' if row.test else ''})")
    return [f"{f'of {partner}: ' if partner else ''}{' > '.join(names)}" for partner, names in chains.items()]


def _state(file: Transmission) -> str:
    """What became of a file that brought no document."""
    if any(problem.code == "FILE-DUPLICATE-INTERCHANGE" for problem in file.problems):
        return "a duplicate"
    return {"held": "held for a person", "unreadable": "unreadable, held for a person", "done": "worked through"}.get(file.state, file.state)


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something wrong with a file or a document of a trail, and what to do about it."""

    about: str
    problem: Problem
    cure: str


def faults(trail: Trail) -> list[Wrong]:
    """What is wrong with the files and documents of a trail, each with its code and cure."""
    found: dict[tuple[str, Problem], None] = {}
    names = _names(trail)
    for file in trail.files:
        found.update({(names[file.id], problem): None for problem in file.problems})
    for row in trail.documents:
        found.update({(names[row.id], problem): None for problem in row.problems if problem.severity is Severity.ERROR})
    for hold in trail.holds:
        found.update({(names.get(held_by(hold), ""), problem): None for problem in hold.reasons})
    return [Wrong(about, problem, KINDS[problem.code].cure if problem.code in KINDS else "") for about, problem in found]


def held_by(hold: Hold) -> str:
    """The file or document that waits."""
    return hold.transmission or hold.document or ""


def _names(trail: Trail) -> dict[str, str]:
    return {file.id: f"file {file.name}" for file in trail.files} | {row.id: name_of(row) for row in trail.documents}


def _wrong(trail: Trail) -> list[str]:
    """What is wrong, with what to do about it, and what waits for a person."""
    lines = []
    for one in faults(trail):
        lines.append(f"  {one.about}: {one.problem.code}: {one.problem.message}")
        if one.cure:
            lines.append(f"    what to do: {one.cure}")
    names = _names(trail)
    for hold in trail.holds:
        decide = f"gateway hold release {hold.id}, or gateway hold reject {hold.id}, with --reason"
        lines.append(f"  {names.get(held_by(hold), '')} waits for a person since {hold.opened_at:%Y-%m-%d %H:%M}: {decide}")
    return lines


def _refused_words(one: Refusal) -> list[str]:
    """An AS2 message that was refused: whose, why, what to do, and where its bytes are."""
    whose = one.partner or "nobody that we know"
    often = f"{one.number} times since {one.first_at:%Y-%m-%d %H:%M:%S}, last " if one.number > 1 else ""
    file = f", file {one.file}" if one.file else ""
    lines = [f"  AS2 message {one.message_id} of {whose} (from '{one.as2_from}' to '{one.as2_to}'{file}) refused {often}{one.at:%Y-%m-%d %H:%M:%S}"]
    lines.append(f"    {one.codes}: {one.sentence}")
    if one.code in KINDS:
        lines.append(f"    what to do: {KINDS[one.code].cure}")
    get = f"gateway trail {shlex.quote(one.message_id)} --evidence message.zip writes it out"
    lines.append(f"    message kept as {one.request_sha256}: {get}" if one.request_sha256 else "    nothing of it was kept")
    if one.mdn_sha256:
        lines.append(f"    our receipt kept as {one.mdn_sha256}")
    return lines


def _unopened_words(one: Unopened) -> list[str]:
    """An AS2 message that waits to be opened: what the partner was told, and where to look."""
    way, at = one.stream.partition(":")[2], f"{one.came_at:%Y-%m-%d %H:%M:%S}"
    return [
        f"  AS2 message {one.message_id} over {way} was answered {at} and waits to be opened; its receipt is posted then",
        "    what to do: gateway status says whether the service works, and what is missing where it cannot be opened",
        f"    message kept as {one.request_sha256}",
    ]


def _exchange_words(exchange: Exchange) -> list[str]:
    """What proves one message, for people."""
    lines = [f"  AS2 message {exchange.message_id} {exchange.direction} {exchange.at:%Y-%m-%d %H:%M:%S}, digest {exchange.mic or 'none'}"]
    if exchange.signed_by:
        lines.append(f"    signed by {exchange.signer or 'a certificate that is not kept'} ({exchange.fingerprint})")
    lines.append(f"    message kept as {exchange.message}")
    if exchange.receipt:
        signer = f", signed by {exchange.receipt_signer or 'a certificate that is not kept'}" if exchange.receipt_signed_by else ", not signed"
        by = f"{signer} ({exchange.receipt_fingerprint})" if exchange.receipt_signed_by else signer
        lines.append(f"    receipt {exchange.disposition}{by}")
        lines.append(f"    receipt kept as {exchange.receipt}")
    return lines


def trail_json(trail: Trail) -> dict[str, Any]:
    """The trail as `gateway trail --json` prints it."""
    return {
        "reference": trail.reference,
        "documents": [
            {
                "id": row.id,
                "kind": row.kind,
                "number": row.number,
                "direction": row.direction,
                "partner": row.partner,
                "state": row.state,
                "test": row.test,
                "type": row.transaction_type,
                "control_number": row.transaction_control,
                "at": row.created_at,
                "amount_minor": row.amount_minor,
                "currency": row.currency,
                "plans": dict(row.plan_digests),
            }
            for row in trail.documents
        ],
        "events": [
            {
                "at": event.at,
                "actor": event.actor,
                "action": event.action,
                "told": told(event),
                "about": event.words,
                "partner": event.partner or None,
                "subject": event.subject,
                "reason": event.reason,
                "facts": event.facts,
                "hash": event.hash,
                "archive": list(event.references),
            }
            for event in trail.events
        ],
        "sent": [
            {
                "id": entry.id,
                "spec": entry.spec,
                "state": entry.state,
                "identity": entry.identity,
                "sent_at": entry.sent_at,
                "acknowledgment": entry.ack_state,
                "application": entry.application_state,
                "sha256": entry.sha256,
            }
            for entry in trail.outgoing
        ],
        "answers": [
            {
                "to": said.entry.id,
                "kind": said.answer.kind,
                "layer": said.answer.layer,
                "outcome": said.answer.outcome,
                "relation": said.answer.relation,
                "at": said.answer.at,
                "document": said.answer.document,
                "transmission": said.answer.transmission,
                "faults": [
                    {
                        "problem": problem_json(fault.problem),
                        "our_segment": fault.segment.text if fault.segment is not None else None,
                        "mark": [fault.segment.start, fault.segment.length] if fault.segment is not None else None,
                    }
                    for fault in said.faults
                ],
            }
            for said in trail.said
        ],
        "as2": [msgspec.to_builtins(exchange, builtin_types=(datetime,)) for exchange in trail.exchanges],
        "files": [
            {
                "id": file.id,
                "name": file.name,
                "state": file.state,
                "partner": file.partner,
                "received_at": file.received_at,
                "sha256": file.sha256,
                "problems": [problem_json(problem) for problem in file.problems],
            }
            for file in trail.files
        ],
        "refused": [msgspec.to_builtins(one, builtin_types=(datetime,)) for one in trail.refused],
        "requests": [msgspec.to_builtins(one, builtin_types=(datetime,)) for one in trail.requests],
        "unopened": [msgspec.to_builtins(one, builtin_types=(datetime,)) for one in trail.unopened],
        "waits": [{"hold": hold.id, "kind": hold.kind, "problems": [problem_json(problem) for problem in hold.reasons]} for hold in trail.holds],
        "open_items": [
            {
                "number": item.number,
                "kind": item.kind,
                "currency": item.currency,
                "amount_minor": item.amount_minor,
                "open_minor": item.open_minor,
                "due_on": item.due_on,
            }
            for item in trail.items
        ],
        "allocations": [
            {
                "id": one.id,
                "open_item": one.open_item,
                "payment": one.payment,
                "kind": one.kind,
                "amount_minor": one.amount_minor,
                "currency": one.currency,
                "at": one.at,
                "reason": one.reason,
            }
            for one in trail.allocations
        ],
    }
