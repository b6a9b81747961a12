"""Serial shipping container codes: 18 digits, the last one the GS1 check digit."""


def check_digit(digits: str) -> str:
    """The GS1 check digit (modulo 10, weights 3 and 1 from the right) of SSCC, GTIN and GLN."""
    total = sum(int(digit) * (3 if position % 2 == 0 else 1) for position, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def make_sscc(gs1_prefix: str, serial: int, extension: int = 0) -> str:
    """An SSCC from our GS1 company prefix (4 to 12 digits), a serial number and the extension digit; ValueError where it does not fit."""
    if not (gs1_prefix.isascii() and gs1_prefix.isdigit() and 4 <= len(gs1_prefix) <= 12):
        raise ValueError(f"'{gs1_prefix}' is no GS1 company prefix: 4 to 12 digits are expected")
    room = 16 - len(gs1_prefix)
    if not 0 <= serial < 10**room or not 0 <= extension <= 9:
        raise ValueError(f"serial {serial} does not fit: prefix {gs1_prefix} leaves {room} digits")
    body = f"{extension}{gs1_prefix}{serial:0{room}d}"
    return body + check_digit(body)


def bare_sscc(text: str) -> str:
    """The SSCC without its application identifier, blanks and brackets: `(00) 3 4012345 ...` and `0034012345...`."""
    digits = "".join(sign for sign in text if sign not in " ()-")
    return digits[2:] if len(digits) == 20 and digits.startswith("00") else digits


def sscc_fault(sscc: str) -> str | None:
    """What is wrong with an SSCC in words, or None."""
    if not (sscc.isascii() and sscc.isdigit()):
        return f"SSCC '{sscc}' has other signs than digits"
    if len(sscc) != 18:
        return f"SSCC '{sscc}' has {len(sscc)} digits, 18 are expected"
    wanted = check_digit(sscc[:-1])
    return None if sscc[-1] == wanted else f"SSCC '{sscc}' ends in {sscc[-1]}, its check digit is {wanted}"
