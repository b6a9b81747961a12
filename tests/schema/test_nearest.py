"""A version that we lack is taken for the nearest that we have."""

import pytest

from gateway.schema.nearest import nearest_version

X12 = [f"x12/{version}/850" for version in ("003060", "004010", "004030", "005010", "006020", "007030")]
EDIFACT = [f"edifact/{version}/orders" for version in ("d93a", "d96a", "d97a", "d99b", "d01b", "d04a", "d07a")]
KNOWN = [*X12, *EDIFACT, "x12/005010/999", "edifact/service/contrl-3", "edifact/service/contrl-4"]


@pytest.mark.parametrize(
    ("version", "nearest"),
    [
        ("004010", "004010"),
        ("002002", "003060"),
        ("003040", "003060"),
        ("003070", "003060"),
        ("004020", "004010"),
        ("004040", "004030"),
        ("004050", "004030"),
        ("004060", "005010"),
        ("005020", "005010"),
        ("005040", "005010"),
        ("005050", "006020"),
        ("006040", "006020"),
        ("007060", "007030"),
        ("008010", "007030"),
        ("4010", "004010"),
        ("00501", "005010"),
        ("", "004010"),
        ("VICS", "004010"),
    ],
)
def test_nearest_version_of_x12(version: str, nearest: str) -> None:
    assert nearest_version(f"x12/{version}/850", KNOWN) == f"x12/{nearest}/850"


@pytest.mark.parametrize(
    ("version", "nearest"),
    [
        ("d96a", "d96a"),
        ("d95b", "d96a"),
        ("d98b", "d99b"),
        ("d98a", "d97a"),
        ("d00a", "d99b"),
        ("d00b", "d99b"),
        ("d02a", "d01b"),
        ("d02b", "d04a"),  # its payment terms are PYT
        ("d03a", "d04a"),
        ("d05b", "d04a"),
        ("d21b", "d07a"),
        ("s93a", "d93a"),
        ("912", "d93a"),
        ("1911", "d93a"),
        ("d94", "d93a"),
        ("", "d96a"),
        ("un", "d96a"),
    ],
)
def test_nearest_directory_of_edifact(version: str, nearest: str) -> None:
    assert nearest_version(f"edifact/{version}/orders", KNOWN) == f"edifact/{nearest}/orders"


def test_only_the_same_type_is_near() -> None:
    assert nearest_version("x12/004010/999", KNOWN) == "x12/005010/999"
    assert nearest_version("x12/004010/204", KNOWN) is None
    assert nearest_version("edifact/d96a/contrl", KNOWN) is None
    assert nearest_version("ubl/order", KNOWN) is None
    assert nearest_version("ubl/order", ["ubl/order"]) == "ubl/order"
