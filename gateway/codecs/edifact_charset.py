"""The character sets of EDIFACT (UNB 0001): which codec reads and writes each, and what to do when the bytes are in another.

It knows no segments. Its rule: reading never fails; where the bytes are not what was declared, the text is right as far as
it can be found out, and a word says what they were taken for.
"""

import re

#: ISO 9735 code list 0001, and what partners use beside it
CODECS = {
    "UNOA": "ascii", "UNOB": "ascii", "UNOC": "latin-1", "UNOD": "iso8859-2", "UNOE": "iso8859-5", "UNOF": "iso8859-7", "UNOG": "iso8859-3",
    "UNOH": "iso8859-4", "UNOI": "iso8859-6", "UNOJ": "iso8859-8", "UNOK": "iso8859-9", "UNOL": "iso8859-15", "UNOW": "utf-8", "UNOX": "utf-8",
    "UNOY": "utf-8", "KECA": "euc_kr",
}  # fmt: skip

#: bytes that no ISO 8859 text holds, but Windows code pages do
_WINDOWS = re.compile(r"[\x80-\x9f]")


def is_known(identifier: str) -> bool:
    """Whether UNB 0001 names a character set that we know. IATA's identifiers stand for ASCII."""
    return identifier.upper() in CODECS or identifier.upper().startswith("IAT")


def decode(raw: str, identifier: str) -> tuple[str, str]:
    """Latin-1 text read in the declared character set; and what it was taken for where that differs, else nothing."""
    if raw.isascii():
        return raw, ""
    codec = CODECS.get(identifier.upper(), "ascii")
    data = raw.encode("latin-1")
    try:
        return data.decode("utf-8"), "" if codec == "utf-8" else "UTF-8"
    except UnicodeDecodeError:
        pass
    if codec in {"ascii", "utf-8"} or (codec == "latin-1" and _WINDOWS.search(raw)):
        try:
            return data.decode("cp1252"), "Windows-1252"
        except UnicodeDecodeError:
            return raw, "ISO 8859-1"
    try:
        return data.decode(codec), ""
    except UnicodeDecodeError:
        return raw, "ISO 8859-1"


def encode(text: str, identifier: str) -> bytes:
    """Text in the character set of UNB 0001; UnicodeEncodeError where it does not hold a character."""
    return text.encode(CODECS.get(identifier.upper(), "ascii"))
