"""The character sets of EDIFACT (UNB 0001): which codec reads and writes each, and what to do when the bytes are in another.

It knows no segments. Its rule: reading never fails; where the bytes are not what was declared, the text is right as far as
it can be found out, and a word says what they were taken for.
"""

import re
from functools import lru_cache

#: ISO 9735 code list 0001, and what partners use beside it
CODECS = {
    "UNOA": "ascii", "UNOB": "ascii", "UNOC": "latin-1", "UNOD": "iso8859-2", "UNOE": "iso8859-5", "UNOF": "iso8859-7", "UNOG": "iso8859-3",
    "UNOH": "iso8859-4", "UNOI": "iso8859-6", "UNOJ": "iso8859-8", "UNOK": "iso8859-9", "UNOL": "iso8859-15", "UNOW": "utf-8", "UNOX": "ascii",
    "UNOY": "utf-8", "KECA": "euc_kr",
}  # fmt: skip

#: what is sent under the name of an ISO 8859 set by who has Windows
_WINDOWS_SETS = {
    "latin-1": "cp1252", "iso8859-2": "cp1250", "iso8859-3": "cp1252", "iso8859-4": "cp1257", "iso8859-5": "cp1251", "iso8859-6": "cp1256",
    "iso8859-7": "cp1253", "iso8859-8": "cp1255", "iso8859-9": "cp1254", "iso8859-15": "cp1252", "ascii": "cp1252", "utf-8": "cp1252",
}  # fmt: skip

#: bytes that no ISO 8859 text holds, but Windows code pages do
_WINDOWS = re.compile(r"[\x80-\x9f]")

_LEVEL_A = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,-()/=!\"%&*;<>'+:?\r\n"
#: the characters of the levels that are less than ASCII; of UNOX all but the escape, whose sequences are not followed
_LEVELS = {"UNOA": _LEVEL_A, "UNOB": _LEVEL_A + _LEVEL_A.lower(), "UNOX": bytes(one for one in range(128) if one != 0x1B)}


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
    windows = _WINDOWS_SETS.get(codec, "")
    if windows and (codec in {"ascii", "utf-8"} or _WINDOWS.search(raw)):
        try:
            return data.decode(windows), f"Windows-{windows[2:]}"
        except UnicodeDecodeError:
            return raw, "ISO 8859-1"
    try:
        return data.decode(codec), ""
    except UnicodeDecodeError:
        return raw, "ISO 8859-1"


@lru_cache(maxsize=64)
def level(identifier: str, delimiters: str) -> bytes | None:
    """The bytes of a level that is less than ASCII, with the delimiters in use; None where ASCII is right."""
    held = _LEVELS.get(identifier.upper())
    return held + delimiters.encode("latin-1") if held is not None else None


def outside(raw: str, level: bytes) -> str:
    """The characters of a text that its level does not hold, in their order."""
    return raw.encode("latin-1").translate(None, level).decode("latin-1")


def encode(text: str, identifier: str) -> bytes:
    """Text in the character set of UNB 0001; UnicodeEncodeError where it does not hold a character."""
    return text.encode(CODECS.get(identifier.upper(), "ascii"))
