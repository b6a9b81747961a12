"""The outline of an XSD: which ways through a document there are, told from the schema and kept for the next time."""

from pathlib import Path

import pytest

from gateway.conformance.outline import Outline
from gateway.conformance.outline import outline_of

XSD = """\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:shop" xmlns="urn:shop" elementFormDefault="qualified">
  <xs:element name="Order" type="Order"/>
  <xs:complexType name="Order">
    <xs:sequence>
      <xs:element name="No" type="xs:string"/>
      <xs:element name="Line" maxOccurs="unbounded">
        <xs:complexType>
          <xs:sequence><xs:element name="Sku" type="xs:string"/><xs:element name="Part" type="Order" minOccurs="0"/></xs:sequence>
          <xs:attribute name="no" type="xs:string"/>
        </xs:complexType>
      </xs:element>
      <xs:element name="More" minOccurs="0"><xs:complexType><xs:sequence><xs:any/></xs:sequence></xs:complexType></xs:element>
    </xs:sequence>
  </xs:complexType>
</xs:schema>
"""
N = "{urn:shop}"


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    path = tmp_path / "shop.xsd"
    path.write_text(XSD)
    return path


def test_ways_that_there_are_and_ways_that_there_are_not(schema: Path) -> None:
    outline = outline_of(schema, "d", None)
    root = f"{N}Order"
    assert outline.fault(root, [f"{N}No"], None) is None
    assert outline.fault(root, [f"{N}Line", f"{N}Sku"], None) is None
    assert outline.fault(root, [f"{N}Line", f"{N}Part", f"{N}Line"], "no") is None
    assert outline.fault(root, [f"{N}More", f"{N}Whatever", f"{N}Else"], None) is None
    assert outline.fault(root, [f"{N}Line", f"{N}Skuu"], None) == (f"{N}Skuu", [f"{N}Sku", f"{N}Part"])
    assert outline.fault(root, [f"{N}Line"], "number") == ("@number", ["@no"])
    assert outline.fault(f"{N}Invoice", [], None) == (f"{N}Invoice", [root])


def test_an_outline_is_kept_and_a_damaged_one_is_made_anew(schema: Path, tmp_path: Path) -> None:
    cache = tmp_path / "outlines"
    first = outline_of(schema, "d", cache)
    schema.unlink()
    assert outline_of(schema, "d", cache) == first
    (cache / "d.json").write_text("{")
    schema.write_text(XSD)
    assert outline_of(schema, "d", cache) == first


def test_what_is_no_schema_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.xsd"
    path.write_text("<no")
    with pytest.raises(ValueError, match=r"x\.xsd is no XML schema"):
        outline_of(path, "d", None)
    assert isinstance(Outline({}, {}), Outline)
