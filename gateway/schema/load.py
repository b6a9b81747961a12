"""YAML to a SchemaPlan: `schemas/<spec>.yaml` with the dictionary beside it, what it extends, and a partner's differences.

All faults of all files are found together and raised as Faults. No file is opened here: the resolver is handed in. Nothing here
knows how a plan is applied.

A transaction's file lists its segments in order: `REF O 5` (requirement, maximum; `>1` for no limit), `loop N1 O 200: [N1 M 1, ...]`.
A file that `extends` another, and a partner's `schema:`, say only what differs, each by its path:

    segments:
      CUR: M 1                          # other requirement or maximum
      N1/PER: none                      # not here
      N9/MSG: MTX O >1                  # another segment in its place
      TAX: {after: REF, use: O 3}       # new; with `segments:` a loop (then the path is `loop NAME`)
      loop LIN/PAC: C 10                # EDIFACT: groups by number (SG25/SG32) or by the segment that opens them
    elements:
      BEG/05: unused                    # in every BEG; also M, O, or {max: 8, min: 2, codes: [...]}
      PO1/N1/N1/04: M                   # in that loop only
      LIN/1082: M                       # EDIFACT: by number; PIA/C212/7143 in each C212
    codes:
      BEG/01: ["00", "05"]              # only these; `any` lifts the list
    notes:
      BEG/05: The day on which we signed # words for a guide; also of a segment (BEG: every BEG) or a loop (loop PO1)
"""

import hashlib
import json
from collections.abc import Callable
from functools import partial

from gateway.schema.dictionary import Dictionary
from gateway.schema.dictionary import check_keys
from gateway.schema.dictionary import load_dictionary
from gateway.schema.dictionary import parse_source
from gateway.schema.plan import SchemaPlan
from gateway.schema.structure import Structure
from gateway.yaml_source import Fault
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import Resolver
from gateway.yaml_source import Scalar
from gateway.yaml_source import Sequence
from gateway.yaml_source import plain

_DICTIONARY_FILES = {"elements", "composites", "segments"}
KEYS = {"schema", "extends", "name", "group", "type", "segments", "elements", "codes", "conditions", "notes"}
_DEPTH = 12
#: files in rows: a description of their own each, without a dictionary
ROWS = ("csv", "fixed")
#: JSON and XML of somebody's own
TREES = ("json", "xml")


def known_specs(resolver: Resolver) -> list[str]:
    """All transactions that there is a schema for: x12/004010/850, edifact/d96a/orders, ..."""
    specs = [
        name.removeprefix("schemas/").removesuffix(".yaml")
        for syntax in (*ROWS, *TREES)
        for name in resolver.names(f"schemas/{syntax}/")
        if name.count("/") == 2 and name.endswith(".yaml")
    ]
    for syntax in ("edifact", "x12"):
        for name in resolver.names(f"schemas/{syntax}/"):
            spec = name.removeprefix("schemas/").removesuffix(".yaml")
            if spec.count("/") == 2 and spec.rpartition("/")[2] not in _DICTIONARY_FILES:
                specs.append(spec)
    return sorted(specs)


def load_schema(spec: str, resolver: Resolver, overlay: Mapping | None = None) -> SchemaPlan:
    """The plan of `spec`, with a partner's differences where there are any; raises Faults with everything that is wrong."""
    if spec.split("/")[0] in TREES:
        from gateway.schema.trees import load_tree

        return load_tree(spec, resolver, overlay)
    if spec.split("/")[0] in ROWS:
        # only where one is asked for: starting costs nothing for it
        from gateway.schema.rows import load_rows

        return load_rows(spec, resolver, overlay)
    faults: list[Fault] = []
    chain, sources = _load_chain(spec, resolver, faults)
    if not chain:
        raise Faults(faults)
    folders = [name.removeprefix("schemas/").rpartition("/")[0] for name, _ in sources]
    dictionary = load_dictionary(folders[0], resolver, faults, folders[1:])
    plan = _build(spec, chain, overlay, dictionary, sources)
    if faults or plan is None:
        raise Faults(_once(faults))
    return plan


def find_faults(resolver: Resolver, load: Callable[[str], SchemaPlan] | None = None) -> list[Fault]:
    """Everything that is wrong in any schema or dictionary, also in entries that no transaction uses; for `gateway lint`. `load` is load_schema
    with this resolver, where somebody keeps what it loads."""
    faults: list[Fault] = []
    for spec in known_specs(resolver):
        try:
            (load or partial(load_schema, resolver=resolver))(spec)
        except Faults as error:
            faults.extend(error.faults)
    names = [name.removeprefix("schemas/") for syntax in ("edifact", "x12") for name in resolver.names(f"schemas/{syntax}/")]
    for folder in sorted(
        folder for folder, _, file in (name.rpartition("/") for name in names) if file == "elements.yaml" and folder.count("/") == 1
    ):
        load_dictionary(folder, resolver, faults).check_all()
    return _once(faults)


def _once(faults: list[Fault]) -> list[Fault]:
    """Each fault once, in the order of files and lines."""
    return sorted(set(faults), key=lambda fault: (fault.file, fault.line, fault.column, fault.message))


def _load_chain(spec: str, resolver: Resolver, faults: list[Fault]) -> tuple[list[Mapping], list[tuple[str, str]]]:
    """The transaction's file and those that it extends, the first ancestor first; empty with faults."""
    chain: list[Mapping] = []
    sources: list[tuple[str, str]] = []
    asked_by: Scalar | None = None
    for _ in range(_DEPTH):
        node = parse_source(f"schemas/{spec}.yaml", resolver, faults, sources, asked_by)
        if node is None:
            return [], sources
        chain.insert(0, node)
        check_keys(node, KEYS, faults)
        _check_spec(node, spec, faults)
        extends = node.get("extends")
        if extends is None:
            return chain, sources
        if not isinstance(extends, Scalar):
            faults.append(extends.fault("`extends` names one schema, like x12/004010/850"))
            return [], sources
        spec, asked_by = extends.text, extends
    faults.append(chain[0].fault(f"`extends` goes on for more than {_DEPTH} files, or in a circle"))
    return [], sources


def _check_spec(node: Mapping, spec: str, faults: list[Fault]) -> None:
    own = node.get("schema")
    if not isinstance(own, Scalar):
        faults.append((own or node).fault(f"`schema: {spec}` is missing"))
    elif own.text != spec:
        faults.append(own.fault(f"this file is {spec}, not '{own.text}'"))


def _build(spec: str, chain: list[Mapping], overlay: Mapping | None, dictionary: Dictionary, sources: list[tuple[str, str]]) -> SchemaPlan | None:
    faults = dictionary.faults
    segments = chain[0].get("segments")
    if not isinstance(segments, Sequence):
        faults.append((segments or chain[0]).fault("`segments` is the list of segments and loops, in their order"))
        return None
    words = {key: _word(chain, key, faults) for key in ("name", "group", "type")}
    _, version, last = spec.split("/") if spec.count("/") == 2 else ("", "", spec)
    type_ = words["type"] or last.upper()
    structure = Structure(dictionary)
    structure.read(segments, type_)
    if overlay is not None:
        check_keys(overlay, {"extends", "segments", "elements", "codes", "conditions", "notes"}, faults)
    for node in [*chain, *([overlay] if overlay is not None else [])]:
        whole = node.get("segments")
        if isinstance(whole, Sequence) and node is not chain[0]:
            structure.read(whole, type_)
        elif whole is not None and node is not chain[0]:
            structure.change_segments(whole)
        if node is not overlay:  # a partner's differences leave the directory's numbers as they are
            structure.number_groups()
        if "elements" in node:
            structure.change_elements(node.items["elements"])
        if "codes" in node:
            structure.change_codes(node.items["codes"])
        if "conditions" in node:
            structure.add_conditions(node.items["conditions"])
        if "notes" in node:
            structure.add_notes(node.items["notes"])
    structure.check()
    if not words["name"]:
        faults.append(chain[0].fault("`name` is missing"))
    if faults or structure.root is None:
        return None
    made_of = [*sources, *dictionary.sources]
    if overlay is not None:
        made_of.append((f"{overlay.document.file}: schema", json.dumps(plain(overlay), ensure_ascii=False)))
    digest = hashlib.sha256(json.dumps([spec, made_of], ensure_ascii=False).encode()).hexdigest()
    return SchemaPlan(
        spec=spec,
        syntax=dictionary.syntax,
        type=type_,
        version=version.upper(),
        name=words["name"],
        group=words["group"],
        root=structure.root.freeze(),
        known_tags=frozenset(dictionary.segments.entries) | dictionary.segments.others,
        digest=digest,
        sources=tuple(made_of),
    )


def _word(chain: list[Mapping], key: str, faults: list[Fault]) -> str:
    """What the youngest file says for `key`; empty where none does."""
    for node in reversed(chain):
        value = node.get(key)
        if isinstance(value, Scalar):
            return value.text
        if value is not None:
            faults.append(value.fault(f"`{key}` is one word"))
    return ""
