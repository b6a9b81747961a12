"""The words of the mapping language, in one table: docs/mapping.md and every fault's "did you mean" come from here."""

from gateway.yaml_source import Mapping

#: one of these says where a value comes from
SOURCES = ("from", "first", "all", "join", "constant", "count", "counter", "sum", "compute")
#: these say what is done with it
MODIFIERS = (
    "as",
    "period",
    "add_days",
    "table",
    "else",
    "keep",
    "default",
    "when",
    "make",
    "divide",
    "multiply",
    "round",
    "rounding",
    "zone",
    "with",
    "cut",
    "pad",
    "split",
)
#: words of a block when reading
BLOCK_WORDS = ("each", "in", "group_by", "matching", "when", "use")
#: beside `each:` of a list: one item for each pair of elements
PAIR_WORDS = ("pairs",)
#: words of identifiers by their kind
KEYED_WORDS = ("key", "value", "pairs", "table", "else")
#: words of a segment when writing
SEGMENT_WORDS = ("each", "in", "group_by", "when", "use", "pairs", "level", "always")
#: words of an XML element when writing
ELEMENT_WORDS = ("each", "in", "group_by", "when", "use", "always")
#: what `group_by:` puts together, as the first step of a path
GROUP = "group"
#: top of a file
HEAD_WORDS = ("document", "from", "to", "extends", "tables", "parts", "namespaces", "segments", "elements", "root", "source")
#: what `else:` may say besides a text
ELSE_WORDS = ("skip", "keep", "problem")
#: what a mapping may ask of a partner
PARTNER_NAMES = frozenset(
    {
        "id",
        "name",
        "currency",
        "country",
        "language",
        "time_zone",
        "gln",
        "duns",
        "vat",
        "our_name",
        "our_gln",
        "our_duns",
        "our_vat",
        "our_country",
        "vendor_number",
    }
)
#: what a mapping may ask of the envelope
SOURCE_NAMES = frozenset(
    {
        "syntax",
        "type",
        "version",
        "association",
        "sender",
        "receiver",
        "interchange_control_number",
        "group_control_number",
        "transaction_control_number",
    }
)


def is_value(node: Mapping) -> bool:
    """Whether a mapping node says one value, not a block of fields."""
    if any(key in node for key in SOURCES):
        return True
    return bool(node.items) and all(key in MODIFIERS for key in node) and not any(key in node for key in ("key", "pairs"))
