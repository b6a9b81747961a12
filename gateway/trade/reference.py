"""Structured creditor references (ISO 11649): RF, two check digits, and up to 21 letters and digits, here of the invoice's number."""

_LONGEST = 21


def _remainder(text: str) -> int:
    """Letters as two digits (A = 10), the number modulo 97 (ISO 7064)."""
    return int("".join(str(int(sign, 36)) for sign in text)) % 97


def rf_reference(number: str) -> str:
    """The reference over a document number; of a long one its end. ValueError where it holds no letter or digit."""
    body = "".join(sign for sign in number.upper() if sign.isascii() and sign.isalnum())[-_LONGEST:]
    if not body:
        raise ValueError(f"'{number}' has no letter or digit to make a reference of")
    return f"RF{98 - _remainder(body + 'RF00'):02d}{body}"


def bare_reference(text: str) -> str:
    """A reference as it is compared: capitals, without blanks and signs."""
    return "".join(sign for sign in text.upper() if sign.isascii() and sign.isalnum())


def is_rf_reference(text: str) -> bool:
    """Whether this is an RF reference whose check digits are right."""
    bare = bare_reference(text)
    return 5 <= len(bare) <= 25 and bare.startswith("RF") and bare[2:4].isdigit() and _remainder(bare[4:] + bare[:4]) == 1
