"""Kinds of problems: XML, UBL and camt."""

from gateway.problem import Kind

NOT_WELL_FORMED = Kind(
    code="XML-NOT-WELL-FORMED",
    title="The file is not well-formed XML",
    cure="Send XML that an XML reader accepts: one root, every tag closed, nothing before the declaration or after the root.",
)
ENCODING = Kind(
    code="XML-ENCODING",
    title="The bytes are not in the encoding that the file declares",
    cure="Declare the encoding that is really used; UTF-8 is the safe choice.",
)
DOCTYPE = Kind(
    code="XML-DOCTYPE",
    title="The file declares a document type (DTD), which is refused because it can define entities",
    cure="Leave the DOCTYPE out. Business documents do not need one.",
)
TOO_LARGE = Kind(code="XML-TOO-LARGE", title="The XML file, or a text in it, is larger than we read", cure="Send several smaller files.")
TOO_DEEP = Kind(
    code="XML-TOO-DEEP",
    title="Elements are nested deeper than any business document needs",
    cure="Check what made the file; UBL and camt stay far below the limit.",
)
UNKNOWN_ROOT = Kind(
    code="XML-UNKNOWN-ROOT",
    title="The XML is no document that we know",
    cure="Send UBL 2.1, UN/CEFACT Cross Industry Invoice or ISO 20022 camt, with its namespace.",
)
ENVELOPED = Kind(
    code="XML-SBDH",
    title="The document is still wrapped in a StandardBusinessDocument header",
    cure="Take the document out of its envelope and send the document alone.",
)
SCHEMA = Kind(
    code="XML-SCHEMA",
    title="The document does not follow its XML schema (XSD)",
    cure="Compare the element at the path with the schema: name, order, count and kind of value.",
)
