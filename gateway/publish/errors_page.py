"""docs/errors.md: every kind of problem with its code, what it means, what a partner is answered, and the cure. Made from gateway/kinds,
so that the page cannot say anything else than the program does: `python -m gateway.publish.errors_page` writes it anew.
"""

import sys
from pathlib import Path

from gateway.kinds import FAMILIES
from gateway.problem import Kind

#: a kind's answers as the page names them
ANSWERS = {
    "ak3": "AK304",
    "ak4": "AK403",
    "ak5": "AK502",
    "ak9": "AK905",
    "ik3": "IK304",
    "ik4": "IK403",
    "ik5": "IK502",
    "ta1": "TA105",
    "contrl": "CONTRL 0085",
    "mdn": "MDN",
}

HEAD = """\
# Problems and their codes

Everything that can be wrong with data has a code that keeps its meaning: partners and scripts may build on it. A warning never makes a
document refused. The answer is the code element that the partner reads in our acknowledgment: AK304 and AK403 name the segment and the
element in a 997 (IK304 and IK403 in a 999, where they differ), AK502 and AK905 the transaction and the group, TA105 the interchange, 0085
the same in a CONTRL, MDN the disposition modifier of an AS2 receipt. Kinds without an answer stay in the house.

This page is made from `gateway/kinds/`: change it there, then run `python -m gateway.publish.errors_page`.
"""


def families() -> dict[str, tuple[str, list[Kind]]]:
    """Every module of gateway/kinds by name: the first sentence of its docstring, and its kinds by code."""
    found = {}
    for family in FAMILIES:
        sentence = " ".join((family.__doc__ or "").split("\n\n")[0].split()).rstrip(".")
        own = sorted((value for value in vars(family).values() if isinstance(value, Kind)), key=lambda kind: kind.code)
        found[family.__name__.rpartition(".")[2]] = (sentence.removeprefix("Kinds of problems: "), own)
    return found


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for sentence, own in (family for family in families().values() if family[1]):
        parts.append(f"\n## {sentence[:1].upper()}{sentence[1:]}\n")
        parts += [_entry(kind) for kind in own]
    return "".join(parts)


def _entry(kind: Kind) -> str:
    answers = ", ".join(f"{word} {value}" for name, word in ANSWERS.items() if (value := getattr(kind, name)))
    return f"\n### {kind.code}\n\n{kind.title}. *{kind.severity.value.capitalize()}.*{f' Answer: {answers}.' if answers else ''}\n\n{kind.cure}\n"


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/errors.md")
    target.write_text(page())


if __name__ == "__main__":
    main()
