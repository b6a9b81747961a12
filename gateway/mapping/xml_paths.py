"""Paths into XML: `cbc:ID`, `cac:Party/cbc:ID`, `@currencyID`, `.`, and any XPath that gives elements.

Prefixes are declared by the file's `namespaces:` (cbc, cac and ext are known); a name without prefix is in the default
namespace, which may be `root`: the one of the document's root, so that one mapping reads every version of camt.
`/` begins at the root element, `../` at the scope around. Knows XPath, not documents.
"""

import re
from collections.abc import Mapping

from gateway.mapping.paths import WrongPath
from gateway.mapping.plan import XmlPath
from gateway.mapping.words import GROUP
from gateway.yaml_source import Scalar
from gateway.yaml_source import did_you_mean

UBL = {
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "ext": "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2",
}
#: default namespace: whatever the root has
ROOT = "root"
#: stands for the root's namespace until it is known
ROOT_MARK = "*"
_NAME = r"(?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*"
_STEP = re.compile(_NAME)
_PLAIN = re.compile(rf"(?:(?P<way>{_NAME}(?:/{_NAME})*)(?:/@(?P<attribute>{_NAME}))?|@(?P<own>{_NAME})|\.)")
#: a condition in brackets without brackets in it
_CONDITION = re.compile(r"\[[^\[\]]*\]")
_TAIL = re.compile(rf"/@({_NAME})$")
_TOKEN = re.compile(rf"(?P<string>'[^']*'|\"[^\"]*\")|(?P<attribute>@{_NAME})|(?P<call>{_NAME}\s*\()|(?P<axis>[a-z-]+::)|(?P<name>{_NAME})")


def resolve(scalar: Scalar, namespaces: Mapping[str, str], *, text: str | None = None, grouped: bool = False) -> XmlPath:
    """The path of a scalar; `grouped`: where `group` stands for what was put together. Raises WrongPath."""
    text = scalar.text if text is None else text
    up, rest = 0, text
    if rest.startswith("/"):
        up, rest = -1, rest[1:]
    while rest.startswith("../"):
        up, rest = up + 1, rest[3:]
    group = grouped and not up and rest.split("/")[0] == GROUP
    if group:
        rest = rest.partition("/")[2] or "."
    plain = _PLAIN.fullmatch(rest)
    if plain is not None:
        steps = tuple(tag_of(step, namespaces) for step in plain["way"].split("/")) if plain["way"] else ()
        return XmlPath(text, up, steps, None, plain["attribute"] or plain["own"], scalar.where, group)
    attribute = None
    tail = _TAIL.search(rest)
    if tail:
        attribute, rest = tail.group(1), rest[: tail.start()]
    return XmlPath(text, up, None, _checked(rest, namespaces), attribute, scalar.where, group)


def tag_of(name: str, namespaces: Mapping[str, str]) -> str:
    """A name as lxml writes it: {namespace}local. Raises WrongPath for a prefix that nobody declared."""
    prefix, _, local = name.rpartition(":")
    namespace = namespaces.get(prefix)
    if namespace is None:
        if prefix:
            raise WrongPath(f"the prefix '{prefix}' is not declared under namespaces:{did_you_mean(prefix, [key for key in namespaces if key])}")
        return local
    return f"{{{ROOT_MARK if namespace == ROOT else namespace}}}{local}"


def plain_steps(xpath: str, namespaces: Mapping[str, str]) -> tuple[str, ...] | None:
    """The elements that an XPath goes through, its conditions left out; None where it is more than a way downward."""
    way = _CONDITION.sub("", xpath).replace("default:", "")
    match = _PLAIN.fullmatch(way)
    if match is None or match["way"] is None or match["attribute"]:
        return None
    return tuple(tag_of(step, namespaces) for step in match["way"].split("/"))


def xpath_namespaces(namespaces: Mapping[str, str], root: str = "") -> dict[str, str]:
    """Prefixes for XPath; `default` is the one of names without a prefix."""
    answer = {}
    for prefix, namespace in namespaces.items():
        value = root if namespace == ROOT else namespace
        if value:
            answer[prefix or "default"] = value
    return answer


def _checked(text: str, namespaces: Mapping[str, str]) -> str:
    def named(match: re.Match[str]) -> str:
        name = match["name"]
        if not name or name in ("and", "or", "div", "mod"):
            return match.group()
        if ":" in name:
            tag_of(name, namespaces)
            return name
        return f"default:{name}" if "" in namespaces else name

    from lxml import etree

    answer = _TOKEN.sub(named, text)
    try:
        etree.XPath(answer, namespaces=xpath_namespaces(namespaces, "urn:root"))
    except etree.XPathError as error:
        raise WrongPath(f"'{text}' is not an XPath: {error}") from None
    return answer
