"""A new partner's file from a template: partners/templates/*.yaml, shipped, and the operator's own beside them.

A template is a partner file in which `$id`, `$name`, `$identifiers`, `$version` and `$acknowledge` stand for what is not known yet. Its first
line is a comment that says in one sentence what it is for, with `version: 004010` where it has one. Pure: text in, text out.
"""

import json
import re
from dataclasses import dataclass
from string import Template

from gateway.yaml_source import Resolver

FOLDER = "partners/templates/"
_VERSION = re.compile(r"\bversion: (\w+)")
_NEEDLESS_COMMENT = re.compile(r" +(#.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerTemplate:
    """A template by its name (x12-850) with what it is for and the version that it takes unless another is asked for."""

    name: str
    purpose: str
    version: str
    text: str

    @property
    def syntax(self) -> str:
        """x12, edifact or ubl: whose identity the partner has."""
        first = self.name.split("-")[0]
        return {"peppol": "ubl"}.get(first, first)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPartner:
    """What is known of a partner before it has a file. `identity` is qualifier:id as in CONTRACT, for UBL scheme:id or vat:number."""

    id: str
    name: str
    identity: str
    version: str


def known_templates(resolver: Resolver) -> list[PartnerTemplate]:
    """All templates in the order of their names."""
    found = []
    for file in resolver.names(FOLDER):
        text = resolver.text_of(file)
        if text is not None:
            head = text[1].splitlines()[0].removeprefix("#").strip() if text[1].startswith("#") else ""
            version = _VERSION.search(head)
            purpose = _VERSION.sub("", head).strip().rstrip(".")
            name = file.removeprefix(FOLDER).removesuffix(".yaml")
            found.append(PartnerTemplate(name=name, purpose=purpose, version=version[1] if version else "", text=text[1]))
    return found


def fill(template: PartnerTemplate, partner: NewPartner) -> str:
    """The partner's file; raises ValueError where the template asks for something that there is not."""
    values = {
        "id": partner.id,
        "name": json.dumps(partner.name, ensure_ascii=False),
        "identifiers": _identifiers(template.syntax, partner.identity),
        "version": partner.version,
        # a 999 answers what the implementation guides of 005010 and later describe, a 997 what was there before
        "acknowledge": "999" if partner.version >= "005010" else "997",
    }
    try:
        text = Template(template.text).substitute(values)
    except KeyError as error:
        raise ValueError(f"the template {template.name} asks for ${error.args[0]}, which there is not: {', '.join(sorted(values))} are") from None
    head, _, rest = text.partition("\n")
    return f"{_VERSION.sub('', head).rstrip()}\n" + _aligned(rest)


def _identifiers(syntax: str, identity: str) -> str:
    scheme, _, value = identity.partition(":")
    if syntax == "ubl" and scheme.lower() == "vat":
        return f"vat: {json.dumps(value, ensure_ascii=False)}"
    key = {"ubl": "peppol"}.get(syntax, syntax)
    return f"{key}: {json.dumps(identity, ensure_ascii=False)}"


def _aligned(text: str) -> str:
    """Comments behind values at one column, whatever was filled in before them."""
    rows = [_NEEDLESS_COMMENT.split(line, maxsplit=1) if "  #" in line else [line] for line in text.splitlines()]
    width = max((len(row[0]) for row in rows if len(row) > 1), default=0)
    return "".join(f"{row[0].ljust(width)}  {row[1]}\n" if len(row) > 1 else f"{row[0]}\n" for row in rows)
