"""JSON Schemas for editors, made from what the program itself checks: the models of config.yaml and partners, the words of the mapping
language and the fields of the canonical documents, the keys of descriptions. `python -m gateway.publish.editor` writes docs/editor/.

An editor offers and underlines what it can know of one file; what needs another file (paths, tables, codes) is `gateway lint`'s.
Its rule: whatever the program takes, no schema here may call wrong.
"""

import json
import sys
from pathlib import Path
from typing import Any

from gateway.config import Settings
from gateway.exchange.partner import Partner
from gateway.mapping.load_modifiers import ROUNDINGS
from gateway.mapping.shapes import MAPPED
from gateway.mapping.shapes import is_keyed
from gateway.mapping.shapes import shapes_of
from gateway.mapping.texts import ARGUMENTS
from gateway.mapping.texts import TEXT_FUNCTIONS
from gateway.mapping.words import BLOCK_WORDS
from gateway.mapping.words import KEYED_WORDS
from gateway.mapping.words import MODIFIERS
from gateway.mapping.words import PAIR_WORDS
from gateway.mapping.words import SOURCES
from gateway.schema.load import KEYS as TRANSACTION_KEYS
from gateway.schema.rows import KEYS as ROW_KEYS
from gateway.schema.rows import RECORD_KEYS
from gateway.schema.tables import KEYS as TABLE_KEYS
from gateway.schema.trees import FIELD_KEYS
from gateway.schema.trees import JSON_KEYS
from gateway.schema.trees import XML_KEYS

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: a text; YAML makes a number of digits and true of yes, all of which we read as text
TEXT: Schema = {"type": ["string", "number", "boolean"]}
FLAG: Schema = {"enum": ["yes", "no", True, False, "true", "false"]}
_ANY: Schema = {}
#: what a person reads who rests on a word
_SAYS = {
    "from": "A path, or partner.x, source.x, position.",
    "first": "The first of these that has a value.",
    "all": "All values, as a list.",
    "join": "All values in one text, with `with:` between them.",
    "constant": "The value itself.",
    "count": "How many there are.",
    "counter": "One more each time that it is asked for, by its name.",
    "sum": "The sum of all values at a path.",
    "compute": "An expression in CEL; a path stands behind a dollar.",
    "as": "The form of a date, like CCYYMMDD or 102.",
    "period": "Of a period, a week or a month: begin or end.",
    "add_days": "Days added to a date; backward where negative.",
    "table": "A code table by its name, or written on the spot; codes/NAME for one that is shared.",
    "else": "For a code that the table lacks: skip, keep, problem, or a text.",
    "keep": "The field beside it that keeps the code as sent.",
    "default": "The value where nothing was sent.",
    "when": "Only where something holds.",
    "make": "Text functions.",
    "divide": "Divided by a number, or by one that stands in the document.",
    "multiply": "Multiplied by a number, or by one that stands in the document.",
    "round": "Digits behind the point: 2, or {digits: 2, mode: half_even}.",
    "rounding": "half_up, half_even, down, up.",
    "zone": "Time zone of a time, like Europe/Berlin.",
    "with": "What stands between the values of `join:`.",
    "cut": "How many characters stay, or which: 3..7.",
    "pad": "Filled up with zeros from the left.",
    "split": "Writing: a long text goes on after so many characters.",
    "each": "One item for each of these.",
    "in": "Into the first of these.",
    "group_by": "Those with these values in common are one item.",
    "matching": "Only those that name a value of ours.",
    "use": "A part by its name, or several.",
    "key": "Where the kind of an identifier stands.",
    "value": "Where the identifier stands.",
    "pairs": "Qualifiers and values by turns: 06..25.",
}


def schemas() -> dict[str, Schema]:
    """Every schema by the name of its file."""
    return {
        "config.schema.json": _of_model(Settings, "config.yaml: us, database, engine, web, clocks, rules"),
        "partner.schema.json": _partner(),
        "mapping.schema.json": _mapping(),
        "schema.schema.json": _descriptions(),
    }


def _partner() -> Schema:
    schema = _of_model(Partner, "A partner: who it is, where files go, what is exchanged, where it differs")
    # its own rooms check them
    for name in ("mapping", "schema", "tables", "rules"):
        schema["properties"][name] = {"type": ["object", "array"], "description": f"Differences to {name}, see docs/partners.md."}
    return schema


# Models -----------------------------------------------------------------------------------------------------------------


def _of_model(model: Any, title: str) -> Schema:
    made: Schema = _loosened(model.model_json_schema(by_alias=True))
    return {"$schema": _DIALECT, **made, "title": title}


def _loosened(node: Any) -> Any:
    """What YAML makes of our texts is allowed: numbers, yes and no; one value for a list of texts."""
    if isinstance(node, list):
        return [_loosened(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "anyOf" in node:
        # a key that is not there is left out in YAML, never null
        node = {**node, "anyOf": [one for one in node["anyOf"] if one != {"type": "null"}]}
    if "enum" in node:
        return {**{key: value for key, value in node.items() if key in ("description", "default")}, "enum": _both(node["enum"])}
    if "const" in node:
        return {"enum": _both([node["const"]])}
    kind = node.get("type")
    kept = {key: _loosened(value) for key, value in node.items() if key not in ("title", "type", "pattern", "format")}
    if kind == "boolean":
        return {**kept, **FLAG}
    if kind in ("string", "number", "integer"):
        # a text of digits where we take a number, and the other way round
        return {**{key: value for key, value in kept.items() if key in ("description", "default")}, **TEXT}
    if kind == "array":
        inner = kept.get("items", kept.get("prefixItems", [_ANY])[0] if kept.get("prefixItems") else _ANY)
        return {"anyOf": [{"type": "array", "items": inner}, TEXT]} if inner == TEXT else {**kept, "type": "array"}
    if "properties" in kept:
        # a name of a field may be one of the words above
        kept["properties"] = {name: _loosened(value) for name, value in node["properties"].items()}
    return {**kept, "type": kind} if kind is not None else kept


def _both(values: list[Any]) -> list[Any]:
    return [*values, *(int(value) for value in values if isinstance(value, str) and value.isdecimal() and value[:1] != "0")]


# Mappings ---------------------------------------------------------------------------------------------------------------


def _mapping() -> Schema:
    definitions: dict[str, Schema] = {"value": _value(), "condition": {"type": ["object", "array", "string"]}}
    kinds = {kind: _block(struct, definitions) for kind, struct in MAPPED.items()}
    head = {
        "document": {"anyOf": [{"enum": list(MAPPED)}, {"type": "array", "items": {"enum": list(MAPPED)}}]},
        "from": {"type": "string", "description": "What it reads, like x12/004010/850."},
        "to": {"type": "string", "description": "What it writes, like x12/004010/856."},
        "extends": {"type": "string", "description": "Another mapping, of which this file states the differences."},
        "tables": {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": TEXT}},
        "parts": {"type": "object", "additionalProperties": {"type": ["object", "array"]}},
        "namespaces": {"type": "object", "additionalProperties": {"type": "string"}},
        "segments": {"type": ["array", "object"], "description": "Writing: what stands in the transaction, in its order."},
        "root": {"type": "string", "description": "Writing XML: the root element."},
        "elements": {"type": "object", "description": "Writing XML and JSON: what stands in the document, in its order."},
        "source": {"type": "object"},
    }
    # a file that extends another one may also take away what only that one has
    reading = [
        {
            "if": {"properties": {"document": {"const": kind}}, "required": ["document", "from"], "not": {"required": ["extends"]}},
            "then": {"properties": {**block["properties"], **head}, "patternProperties": _DOTTED, "additionalProperties": False},
        }
        for kind, block in kinds.items()
    ]
    writing = {"if": {"required": ["to"]}, "then": {"propertyNames": {"anyOf": [{"enum": list(head)}, {"pattern": r"\."}]}}}
    return {
        "$schema": _DIALECT,
        "title": "A mapping: docs/mapping.md explains every word",
        "type": "object",
        "properties": head,
        "allOf": [*reading, writing],
        "$defs": definitions,
    }


#: `price.divide: 100`, in differences
_DOTTED: Schema = {r"^[a-z_]+\..+": _ANY}


def _value() -> Schema:
    told: dict[str, Schema] = {name: {"description": _SAYS[name]} for name in (*SOURCES, *MODIFIERS)}
    told["rounding"] |= {"enum": list(ROUNDINGS)}
    told["period"] |= {"enum": ["begin", "end"]}
    functions = [*TEXT_FUNCTIONS, *({"type": "object"} for _ in ("with a text",))]
    one = {"anyOf": [{"enum": [name for name in functions if isinstance(name, str)]}, {"type": "object", "propertyNames": {"enum": list(ARGUMENTS)}}]}
    told["make"] |= {"anyOf": [*one["anyOf"], {"type": "array", "items": one}]}
    told["when"] |= {"$ref": "#/$defs/condition"}
    block = {"type": "object", "properties": told, "additionalProperties": False}
    return {"anyOf": [{"type": ["string", "number", "boolean"]}, block]}


def _block(struct: Any, definitions: dict[str, Schema]) -> Schema:
    """The fields of a part, with the words that a block may have."""
    properties: dict[str, Schema] = {}
    for shape in shapes_of(struct).values():
        if shape.kind in ("object", "objects"):
            name = shape.struct.__name__
            if name not in definitions:
                definitions[name] = {}
                definitions[name] = _block(shape.struct, definitions)
            one = {"$ref": f"#/$defs/{name}"}
            properties[shape.name] = {"anyOf": [one, {"type": "array", "items": one}, {"const": "none"}]}
        else:
            properties[shape.name] = {"$ref": "#/$defs/value"}
    words = (*BLOCK_WORDS, *PAIR_WORDS, *(KEYED_WORDS if is_keyed(struct) else ()))
    properties |= {word: {"description": _SAYS.get(word, "")} for word in words if word not in properties}
    return {"type": "object", "properties": properties, "patternProperties": _DOTTED, "additionalProperties": False}


# Descriptions -----------------------------------------------------------------------------------------------------------


def _descriptions() -> Schema:
    """One schema for all files in schemas/, told apart by what `schema:` says; rules and tables of codes by their own keys."""
    record = {"type": "object", "propertyNames": {"enum": list(RECORD_KEYS)}}
    fields = {"type": "object", "additionalProperties": {"$ref": "#/$defs/field"}}
    field = {
        "anyOf": [
            {"type": "string"},
            {"type": "object", "propertyNames": {"enum": list(FIELD_KEYS)}, "properties": {"fields": fields, "each": fields}},
        ]
    }
    choices = [
        ("^(csv|fixed)/", _keys(ROW_KEYS, records={"type": "object", "additionalProperties": record})),
        ("^json/", _keys(JSON_KEYS, fields=fields)),
        ("^xml/", _keys(XML_KEYS)),
        (r"^(x12|edifact)/[^/]+/(?!elements$|composites$|segments$)", _keys(tuple(sorted(TRANSACTION_KEYS)))),
    ]
    return {
        "$schema": _DIALECT,
        "title": "A description in schemas/: docs/files.md and docs/schemas.md explain every key",
        "type": "object",
        "allOf": [
            *(
                {"if": {"properties": {"schema": {"pattern": pattern}}, "required": ["schema"]}, "then": {"additionalProperties": False, **keys}}
                for pattern, keys in choices
            ),
            {"if": {"required": ["words"]}, "then": {"additionalProperties": False, **_keys(TABLE_KEYS)}},
        ],
        "$defs": {"field": field},
    }


def _keys(names: tuple[str, ...], **more: Schema) -> Schema:
    return {"properties": {name: more.get(name, _ANY) for name in names}}


def main() -> None:
    """Write them all into the folder that is named, or docs/editor."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/editor")
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (folder / name).write_text(text_of(schema))


def text_of(schema: Schema) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
