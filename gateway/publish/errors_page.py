"""docs/errors.md: every kind of problem with its code, what it means, what a partner is answered, and the cure. Made from gateway/kinds,
so that the page cannot say anything else than the program does: `python -m gateway.publish.errors_page` writes it anew.
"""

import sys
from pathlib import Path

from gateway.kinds import FAMILIES
from gateway.kinds import RETIRED
from gateway.problem import Kind

#: a kind's answers as the page names them
ANSWERS = {
    "ak3": "AK304",
    "ak4": "AK403",
    "ak5": "AK502",
    "ak9": "AK905",
    "ak9_newer": "AK905 from 005010 on",
    "ik3": "IK304",
    "ik4": "IK403",
    "ik5": "IK502",
    "ta1": "TA105",
    "guide3": "IK304 by the guide",
    "guide4": "IK403 by the guide",
    "guide_contrl": "CONTRL 0085 by the guide",
    "contrl": "CONTRL 0085",
    "ted": "TED01",
    "mdn": "MDN",
}
#: the same as columns of a table: what may be empty everywhere is left out of it
COLUMNS = {
    "ak3": "AK304",
    "ak4": "AK403",
    "ak5": "AK502",
    "ak9": "AK905",
    "ik3": "IK304",
    "ik4": "IK403",
    "ik5": "IK502",
    "ta1": "TA105",
    "contrl": "0085",
    "ted": "TED01",
    "mdn": "MDN",
}

HEAD = """\
# Problems and their codes

Everything that can be wrong with data has a code that keeps its meaning: partners and scripts may build on it. A warning never makes a
document refused. The answer is the code element that the partner reads in our acknowledgment: AK304 and AK403 name the segment and the
element in a 997 (IK304 and IK403 in a 999, where they differ), AK502 and AK905 the transaction and the group, TA105 the interchange, 0085
the same in a CONTRL, TED01 the application's answer in an 824, MDN the disposition modifier of an AS2 receipt. Kinds without an answer stay
in the house. Where only the partner's own guide (its `schema:` difference) forbids what the standard allows, a 999 says so by a code with
an I: "by the guide" below. "Let through by" is the word by which an agreement lets such errors through (`accept_errors`) or counts such
warnings as errors (`refuse_warnings`), see [partners.md](partners.md#answers).

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
        parts.append(_table(own))
        parts += [_entry(kind) for kind in own]
    parts.append("\n## Retired codes\n\nThey are no longer raised, and never get another meaning.\n\n")
    parts += [f"- `{code}`: {words}.\n" for code, words in sorted(RETIRED.items())]
    return "".join(parts)


def _table(kinds: list[Kind]) -> str:
    """The answers of a family, a column for each list of codes that it uses; nothing where nobody is answered."""
    answered = [kind for kind in kinds if any(getattr(kind, name) for name in COLUMNS)]
    used = [name for name in COLUMNS if any(getattr(kind, name) for kind in answered)]
    if not used:
        return ""
    rows = [["code", *(COLUMNS[name] for name in used)], ["---"] * (len(used) + 1)]
    rows += [[f"[{kind.code}](#{kind.code.lower()})", *(getattr(kind, name) for name in used)] for kind in answered]
    return "\n" + "".join("| " + " | ".join(row) + " |\n" for row in rows)


def _entry(kind: Kind) -> str:
    answers = ", ".join(f"{word} {value}" for name, word in ANSWERS.items() if (value := getattr(kind, name)))
    through = f" Let through by: `{kind.error_class}`." if kind.error_class else ""
    answer = f" Answer: {answers}." if answers else ""
    return f"\n### {kind.code}\n\n{kind.title}. *{kind.severity.value.capitalize()}.*{answer}{through}\n\n{kind.cure}\n"


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/errors.md")
    target.write_text(page())


if __name__ == "__main__":
    main()
