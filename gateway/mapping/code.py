"""Generated Python source, line by line: indentation, names, constants. Knows nothing of mappings."""

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Function:
    """One function that is being written. Values looked up once are remembered as long as their block lasts."""

    def __init__(self, module: "Module", name: str, parameters: str) -> None:
        self.module = module
        self.name = name
        self.lines: list[str | Callable[[], list[str]]] = [f"def {name}({parameters}):"]
        self.depth = 1
        self._remembered: list[dict[object, str]] = [{}]

    def line(self, text: str) -> None:
        """One line at the present depth."""
        self.lines.append("    " * self.depth + text)

    def later(self, text: Callable[[], list[str]]) -> None:
        """Lines that are known only when the function is complete."""
        depth = self.depth
        self.lines.append(lambda: ["    " * depth + line for line in text()])

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """`head` and what stands under it."""
        self.line(head)
        self.depth += 1
        self._remembered.append({})
        count = len(self.lines)
        yield
        if len(self.lines) == count:
            self.line("pass")
        self._remembered.pop()
        self.depth -= 1

    def open(self, head: str) -> None:
        """Like `block`, closed by `close`."""
        self.line(head)
        self.depth += 1
        self._remembered.append({})

    def close(self, count: int = 1) -> None:
        """End so many blocks; what was set within is not known behind them."""
        for _ in range(count):
            self._remembered.pop()
            self.depth -= 1

    def known(self, key: object) -> str | None:
        """The variable that holds what `key` stands for, if it is set on every way here."""
        for held in reversed(self._remembered):
            if key in held:
                return held[key]
        return None

    def remember(self, key: object, variable: str) -> str:
        """From here on in this block, the variable holds what `key` stands for."""
        self._remembered[-1][key] = variable
        return variable

    def text(self) -> list[str]:
        """Its lines; one that does nothing returns None."""
        answer: list[str] = []
        for line in self.lines:
            answer += [line] if isinstance(line, str) else line()
        if len(answer) == 1:
            answer.append("    return None")
        return answer


class Module:
    """Functions and the constants that they use."""

    def __init__(self) -> None:
        self.functions: list[Function] = []
        self.constants: dict[str, Any] = {}
        self._numbers: dict[str, int] = {}
        self._shared: dict[object, str] = {}

    def name(self, stem: str) -> str:
        """A name that nothing else has."""
        number = self._numbers.get(stem, 0) + 1
        self._numbers[stem] = number
        return f"{stem}_{number}"

    def constant(self, stem: str, value: Any, key: object = None) -> str:
        """The name of a constant; the same `key` gives the same one."""
        if key is not None and (stem, key) in self._shared:
            return self._shared[stem, key]
        name = self.name(stem)
        self.constants[name] = value
        if key is not None:
            self._shared[stem, key] = name
        return name

    def shared(self, key: object) -> str | None:
        """The name under which something stands in the module already."""
        return self._shared.get(key)

    def share(self, key: object, name: str) -> str:
        """Have a name stand for something in the whole module."""
        self._shared[key] = name
        return name

    def function(self, name: str, parameters: str) -> Function:
        """A new function, still empty."""
        answer = Function(self, name, parameters)
        self.functions.append(answer)
        return answer

    def source(self) -> str:
        """All of it as Python source."""
        return "\n\n\n".join("\n".join(function.text()) for function in self.functions) + "\n"

    def run(self, title: str, entry: str) -> Callable[..., Any]:
        """The function `entry`; the source is our own, made of checked plans and quoted texts.

        Most functions are of parts that are hardly ever sent: each but the entry is compiled when it is called first.
        """
        namespace = dict(self.constants)
        for function in self.functions:
            namespace[function.name] = _compiled_when_called(function, namespace, title)
        return _compiled(next(function for function in self.functions if function.name == entry), namespace, title)


def _compiled(function: Function, namespace: dict[str, Any], title: str) -> Callable[..., Any]:
    exec(compile("\n".join(function.text()), f"{title[:-1]} {function.name}>", "exec"), namespace)  # noqa: S102
    compiled: Callable[..., Any] = namespace[function.name]
    return compiled


def _compiled_when_called(function: Function, namespace: dict[str, Any], title: str) -> Callable[..., Any]:
    def first(*arguments: Any) -> Any:
        # callers look the name up in the namespace: from now on they find the function itself
        return _compiled(function, namespace, title)(*arguments)

    return first
