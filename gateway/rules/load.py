"""Rule files to a RulePlan: YAML read with its places, all faults found at once, partner overlays laid over the base set.

Reads through the resolver that is handed in; knows the codes of the checks, not what they do.
"""

import hashlib
from collections.abc import Mapping as Table
from collections.abc import Sequence
from decimal import Decimal

from gateway.kinds import RETIRED
from gateway.model.money import number_words
from gateway.problem import Outcome
from gateway.rules.functions import KINDS
from gateway.rules.functions import TOLERANT
from gateway.rules.plan import EXACT
from gateway.rules.plan import Check
from gateway.rules.plan import RulePlan
from gateway.rules.plan import Tolerance
from gateway.yaml_source import Fault
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Resolver
from gateway.yaml_source import Scalar
from gateway.yaml_source import did_you_mean
from gateway.yaml_source import load
from gateway.yaml_source import plain

_OUTCOMES = tuple(outcome.value for outcome in Outcome)

#: what the decisions may say; trade.acceptance.AcceptancePolicy gives the words their meaning. () is a whole number
DECISIONS: dict[str, tuple[str, ...]] = {
    "stock_short": ("partial", "change", "back_order", "reject", "hold", "accept"),
    "stock_none": ("back_order", "reject", "hold", "accept"),
    "price": ("ordered", "list"),
    "rejected_line": ("line", "order"),
    "credit": ("hold", "warn"),
    "lead_days": (),
    "change_wait": (),
}

_TOP = ("rules", "extends", "checks", "decisions")


class _Loading:
    """What one loading gathers: checks, decisions, sources and faults."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        self.checks: dict[str, Check | None] = {}
        self.decisions: dict[str, str] = {}
        self.sources: list[tuple[str, str]] = []
        self.faults: list[Fault] = []
        self.open_files: list[str] = []

    def file(self, name: str, asked_by: Scalar | None = None) -> None:
        """Lay the file schemas/rules/<name>.yaml over what is there."""
        path = f"schemas/rules/{name}.yaml"
        if asked_by is not None and (".." in name.split("/") or name.startswith("/")):
            self.faults.append(asked_by.fault(f"'{name}' is not the name of a rule file"))
            return
        if path in self.open_files:
            self.faults.append(asked_by.fault(f"'{name}' extends itself") if asked_by else Fault(path, 1, 1, "extends itself"))
            return
        self.open_files.append(path)
        try:
            node = load(path, self.resolver, asked_by)
            found = self.resolver.text_of(path)
            if found is not None:
                self.sources.append((path, found[1]))
            self.layer(node)
        except Faults as faults:
            self.faults.extend(faults.faults)
        finally:
            self.open_files.pop()

    def layer(self, node: Node) -> None:
        """Lay one mapping with checks and decisions over what is there."""
        if not isinstance(node, Mapping):
            self.faults.append(node.fault("rules are written as a mapping with the keys checks and decisions"))
            return
        for key in node:
            if key not in _TOP:
                known = did_you_mean(key, _TOP) or (" (checks stand under the key 'checks')" if key in KINDS else "")
                self.faults.append(node.keys[key].fault(f"'{key}' is not known here{known}"))
        extends = node.get("extends")
        if isinstance(extends, Scalar):
            self.file(extends.text, extends)
        elif extends is not None:
            self.faults.append(extends.fault("extends names one rule file, like 'order'"))
        for key, lay in (("checks", self.check), ("decisions", self.decision)):
            entries = node.get(key)
            if isinstance(entries, Mapping):
                for name in entries:
                    lay(entries.keys[name], entries.items[name])
            elif entries is not None:
                self.faults.append(entries.fault(f"{key} are written as a mapping"))

    def check(self, key: Scalar, node: Node) -> None:
        code = key.text
        if code in RETIRED:
            self.faults.append(key.fault(f"the check '{code}' is retired: {RETIRED[code]}; take this line out"))
            return
        if code not in KINDS:
            self.faults.append(key.fault(f"there is no check '{code}'{did_you_mean(code, KINDS)}"))
            return
        before = self.checks.get(code)
        outcome, tolerance = before.outcome if before else None, before.tolerance if before else EXACT
        if isinstance(node, Mapping):
            for name in node:
                if name not in ("outcome", "tolerance"):
                    self.faults.append(
                        node.keys[name].fault(
                            f"'{name}' is not known here{did_you_mean(name, ('outcome', 'tolerance'))}; a check has outcome and tolerance"
                        )
                    )
            tolerance = self.tolerance(code, node.get("tolerance"), tolerance)
            said = node.get("outcome")
        else:
            said = node
        if said is None:
            if outcome is None:
                self.faults.append(node.fault(f"{code} has no outcome: {', '.join(_OUTCOMES)} or off"))
                return
        elif isinstance(said, Scalar) and said.text == "off":
            self.checks[code] = None
            return
        elif isinstance(said, Scalar) and said.text in _OUTCOMES:
            outcome = Outcome(said.text)
        else:
            shown = (
                f"'{said.text}' is no outcome{did_you_mean(said.text, (*_OUTCOMES, 'off'))}" if isinstance(said, Scalar) else "an outcome is one word"
            )
            self.faults.append(said.fault(f"{shown}; expected {', '.join(_OUTCOMES)} or off"))
            return
        if outcome is not None:
            self.checks[code] = Check(code, outcome, tolerance)

    def tolerance(self, code: str, node: Node | None, before: Tolerance) -> Tolerance:
        if node is None:
            return before
        if code not in TOLERANT:
            self.faults.append(node.fault(f"{code} has no tolerance (these have: {', '.join(sorted(TOLERANT))})"))
            return before
        parsed = parse_tolerance(node.text) if isinstance(node, Scalar) else None
        if parsed is None:
            self.faults.append(node.fault('a tolerance is an amount like "0.05" or a percent like "2 %"'))
            return before
        return parsed

    def decision(self, key: Scalar, node: Node) -> None:
        words = DECISIONS.get(key.text)
        if words is None:
            self.faults.append(key.fault(f"there is no decision '{key.text}'{did_you_mean(key.text, DECISIONS)}"))
        elif not isinstance(node, Scalar):
            self.faults.append(node.fault(f"{key.text} is one word"))
        elif words and node.text not in words:
            self.faults.append(node.fault(f"'{node.text}' is not known for {key.text}{did_you_mean(node.text, words)}; expected {', '.join(words)}"))
        elif not words and not (node.text.isascii() and node.text.isdigit() and len(node.text) < 5):
            self.faults.append(node.fault(f"{key.text} is a whole number, found '{node.text}'"))
        else:
            self.decisions[key.text] = node.text


def parse_tolerance(text: str) -> Tolerance | None:
    """`0.05` or `2 %` as a tolerance; None where it is neither."""
    number, percent = text.strip(), False
    if number.endswith("%"):
        number, percent = number[:-1].strip(), True
    if not number.isascii() or not number.replace(".", "", 1).isdigit() or len(number) > 18:
        return None
    return Tolerance(Decimal(number), percent)


def load_rules(resolver: Resolver, overlays: Sequence[Mapping] = (), name: str = "order") -> RulePlan:
    """The rule set schemas/rules/<name>.yaml with the overlays laid over it in their order; raises Faults with all of them."""
    loading = _Loading(resolver)
    loading.file(name)
    for overlay in overlays:
        loading.layer(overlay)
    if loading.faults:
        raise Faults(loading.faults)
    checks = {code: check for code, check in loading.checks.items() if check is not None}
    return RulePlan(
        checks=checks,
        decisions=loading.decisions,
        digest=_digest(checks, loading.decisions),
        sources=(*loading.sources, *((overlay.document.file, _shown(overlay)) for overlay in overlays)),
    )


def _shown(overlay: Mapping) -> str:
    return repr(plain(overlay))


def _digest(checks: Table[str, Check], decisions: Table[str, str]) -> str:
    lines = [
        f"{code} {check.outcome.value} {number_words(check.tolerance.amount)}{'%' if check.tolerance.percent else ''}"
        for code, check in sorted(checks.items())
    ]
    lines += [f"{word} {value}" for word, value in sorted(decisions.items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
