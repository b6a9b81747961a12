"""Currencies as files of ours name them."""

from typing import Annotated

import pydantic

from gateway.schema.known_codes import CURRENCIES
from gateway.yaml_source import did_you_mean


def known_currency(code: str) -> str:
    """A currency of ISO 4217, as it stands on documents; ValueError with what is expected."""
    if code not in CURRENCIES:
        raise ValueError(f"'{code}' is no currency: write three capital letters of ISO 4217, like 'EUR'{did_you_mean(code, sorted(CURRENCIES))}")
    return code


Currency = Annotated[str, pydantic.AfterValidator(known_currency)]
