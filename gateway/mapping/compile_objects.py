"""Objects as generated Python, once the code of their fields stands: built where all that is mandatory is there, and put where they belong.

Knows what the fields have set, not how.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from gateway.mapping.code import Function
from gateway.mapping.code import Module
from gateway.mapping.compile_paths import CodeScope
from gateway.mapping.plan import Block
from gateway.mapping.plan import Leaf
from gateway.mapping.reading import Site

#: so many arguments that are mostly empty are worth a second call without them
FEW = 4


@dataclass(slots=True)
class Filled:
    """What the code of an object's fields has set."""

    arguments: list[str] = field(default_factory=list)
    #: conditions that show that something was sent
    sent: list[str] = field(default_factory=list)
    #: mandatory fields: (name, variable, raw text variable, carrier, whether to skip without a word)
    wanted: list[tuple[str, str, str, str, bool]] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    #: arguments that most objects leave empty, with the variable that says so
    rare: list[tuple[str, str]] = field(default_factory=list)
    after: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Objects:
    """Writes the code that builds objects out of the variables of their fields."""

    module: Module

    def construct(self, function: Function, variable: str, struct: Any, filled: Filled) -> None:
        """Sets the variable to the object of these arguments."""
        name = self.module.constant(struct.__name__, struct, struct)
        rare = [(argument, held) for argument, held in filled.rare if argument in filled.arguments]
        if len(rare) < FEW:
            function.line(f"{variable} = {name}({', '.join(filled.arguments)})")
            return
        # msgspec looks for each keyword among all fields: what is mostly empty is not passed at all
        often = [argument for argument in filled.arguments if argument not in {held for held, _ in rare}]
        with function.block(f"if {' or '.join(held for _, held in rare)}:"):
            function.line(f"{variable} = {name}({', '.join(filled.arguments)})")
        with function.block("else:"):
            function.line(f"{variable} = {name}({', '.join(often)})")

    def wanted(
        self, function: Function, block: Block, label: str, filled: Filled, essential: bool, scope: CodeScope, build: Callable[[], None]
    ) -> None:
        """Builds where every mandatory field is there; else a problem, unless the mapping skips it or one is told already."""
        words = _words(block.struct)
        opened = 0
        for name, name_variable, raw, _, skips in filled.wanted:
            site = self.module.constant("site", Site(field=f"{label}.{name}", where=block.where, mandatory=essential, expected=words))
            with function.block(f"if {name_variable} is None:"):
                if not skips:
                    function.line(f"if not {raw or repr('')}: x.missing({site}, {scope.segment or scope.element or 'None'})")
            function.open("else:")
            opened += 1
        build()
        function.close(opened)

    def place_by_role(self, body: Function, block: Block, filled: Filled, trace: str, roles: tuple[str, ...], item: str) -> None:
        """The first party in a role of the document stands there, every other one in the list with its role."""
        role = filled.names.get("role", "None")
        known = self.module.constant("roles", frozenset(roles), roles)
        skips = any(shape.name == "role" and isinstance(held, Leaf) and held.otherwise == "skip" for shape, held in block.fields)
        arguments = [argument for argument in filled.arguments if not argument.startswith("role=")]
        struct = self.module.constant(block.struct.__name__, block.struct, block.struct)
        with body.block(f"if {role} is not None:") if skips else nullcontext():
            with body.block(f"if {role} in {known} and {role} not in placed:"):
                if trace:
                    body.line(f"{trace}.pop('role', None)")
                body.line(f"{item} = {struct}({', '.join(arguments)})")
                body.line(f"placed[{role}] = {paired(item, trace)}")
            with body.block("else:"):
                body.line(f"{item} = {struct}({', '.join([f'role={role}', *arguments])})")
                body.line(f"out.append({paired(item, trace)})")


def paired(item: str, trace: str) -> str:
    """An item of a list, in the explaining variant with where its fields came from."""
    return f"({item}, {trace})" if trace else item


def _words(struct: Any) -> str:
    name = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in struct.__name__).strip()
    return f"the {name}"
