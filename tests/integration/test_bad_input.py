"""Whatever partners put into a mailbox: nothing is lost, nothing stops the service, and it says what is wrong."""

import io
import os
import re
import resource
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.incoming import holds
from gateway.store.incoming import transmissions
from gateway.store.incoming.transmissions import Transmission
from gateway.store.records import documents
from gateway.visible import visible_name
from tests.integration.house import House
from tests.integration.house import Service
from tests.integration.house import acknowledged
from tests.integration.house import answered
from tests.integration.house import names
from tests.integration.house import put
from tests.integration.house import until
from tests.pipeline.world import ACME
from tests.pipeline.world import x12_order


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("bad"), {"acme": ACME})


@pytest.fixture(scope="module")
def service(house: House) -> Iterator[Service]:
    with house.service() as running:
        yield running


def taken(house: House, name: str) -> Transmission | None:
    """The transmission of this name when its work is done."""
    with house.station() as station, station.database.read() as connection:
        found = [row for row in transmissions.named(connection, name) if row.state not in {"received", "opening"}]
    return found[0] if found else None


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("po.edi", data)
    return out.getvalue()


DOCTYPE = b"""<?xml version="1.0"?><!DOCTYPE Order [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2">&x;</Order>"""


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("junk.edi", b"hello, this is no order\n" * 20, ""),
        ("bytes.bin", bytes(range(256)) * 200, ""),
        ("zipped.zip", zipped(x12_order("ZIP")), ""),
        ("doctype.xml", DOCTYPE, "DOCTYPE"),
        ("huge.edi", x12_order("HUGE", control=901)[:106] + b"REF*" + b"A" * 5_000_000, "no segment terminator"),
    ],
    ids=["junk", "every octet", "zip", "DOCTYPE", "huge segment"],
)
def test_what_cannot_be_read_is_kept_and_shown_with_its_reason(house: House, service: Service, name: str, data: bytes, words: str) -> None:
    put(house.box("acme", "out"), name, data)
    row = until(lambda: taken(house, name), "the file to be looked at")
    with house.station() as station, station.database.read() as connection:
        assert station.archive.read(row.sha256) == data, "it is kept as it came"
        documents_of = documents.of_transmission(connection, row.id)
        reasons = [problem for hold in holds.list_open(connection) if hold.transmission == row.id for problem in hold.reasons]
    assert [one for one in documents_of if one.kind == "order"] == []
    assert row.state in {"unreadable", "done"}, row
    told = [*row.problems, *reasons]
    assert told, "it says why"
    assert words in " ".join(problem.message for problem in told)
    # it is taken away behind the commit, by who looked into the box
    until(lambda: names(house.box("acme", "out")) == [], "the file to be taken away")


def test_an_empty_file_is_kept_and_shown(house: House, service: Service) -> None:
    put(house.box("acme", "out"), "empty.edi", b"")
    row = until(lambda: taken(house, "empty.edi"), "the empty file")
    assert row.state == "unreadable" and row.problems


def test_a_truncated_file_says_where_it_ends(house: House, service: Service) -> None:
    whole = x12_order("CUT", control=902)
    cut = whole[: whole.index(b"PO1*") + 10]
    put(house.box("acme", "out"), "cut.edi", cut)
    until(lambda: taken(house, "cut.edi"), "the truncated file")
    said = house.command("trail", "cut.edi")
    row = taken(house, "cut.edi")
    with house.station() as station, station.database.read() as connection:
        rows = documents.get_many(connection, [one.id for one in documents.of_transmission(connection, row.id)])
    assert said.returncode == 0
    messages = [problem.message for one in rows.values() for problem in one.problems]
    assert any(f"the file ends at byte {len(cut)}" in message and "PO1" in message for message in messages), messages
    assert not answered(house.box(), "CUT")


NAMES = [
    "with blank.edi",
    "Grüße – été 订单.edi",
    "a;rm -rf $(x) `y`.edi",
    "%2e%2e%2fetc%2fpasswd",
    "-rf",
    "~root",
    "new\nline.edi",
    "up\\..\\..\\up.edi",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_only_a_name(house: House, service: Service, name: str) -> None:
    control = 1000 + sum(name.encode())
    put(house.box("acme", "out"), name, x12_order(f"N{control}", control=control))
    until(lambda: answered(house.box(), f"N{control}"), "the answer")
    # a name that holds a line break is kept so that it begins no line
    shown = visible_name(name)
    assert until(lambda: taken(house, shown), "the file to be done with").name == shown and "\n" not in shown


def test_a_name_that_is_not_utf8_is_taken_and_removed(house: House, service: Service) -> None:
    out = os.fsencode(house.box("acme", "out"))
    with open(out + b"/.x", "wb") as file:
        file.write(x12_order("LATIN", control=903))
    os.rename(out + b"/.x", out + b"/best\xe4tigung.edi")
    until(lambda: answered(house.box(), "LATIN"), "the answer")
    until(lambda: os.listdir(out) == [], "the file to be removed")
    until(lambda: taken(house, "bestätigung.edi"), "the file to be done with")


def test_what_is_no_file_or_not_ready_is_left_alone(house: House, service: Service) -> None:
    out = house.box("acme", "out")
    secret = house.folder / "secret.edi"
    secret.write_bytes(x12_order("SECRET", control=904))
    (out / "folder.edi").mkdir()
    (out / "folder.edi" / "inner.edi").write_bytes(x12_order("INNER", control=905))
    (out / "link.edi").symlink_to(secret)
    os.mkfifo(out / "pipe.edi")
    for name in (".hidden.edi", "half.edi.tmp", "half.edi.part", "half.edi.filepart"):
        (out / name).write_bytes(x12_order("HALF", control=906))
    put(out, "good.edi", x12_order("GOOD", control=907))
    until(lambda: answered(house.box(), "GOOD"), "the good order among them")
    until(lambda: not (out / "good.edi").exists(), "the good order to be taken away")
    assert secret.exists() and sorted(os.listdir(out)) == [
        ".hidden.edi",
        "folder.edi",
        "half.edi.filepart",
        "half.edi.part",
        "half.edi.tmp",
        "link.edi",
        "pipe.edi",
    ]
    for number in ("SECRET", "INNER", "HALF"):
        assert not answered(house.box(), number)


def test_a_large_file_is_worked_off_beside_small_ones(house: House, service: Service) -> None:
    """20 MB; a small order that comes while it is worked on waits for its turn in its own mailbox and is answered after it."""
    lines = tuple((str(line), "1", "1.00", f"SKU{line}") for line in range(1, 1000))
    described = b"".join(b"PID*F****%s~" % (b"%02d " % part + b"W" * 77) for part in range(10))
    one = x12_order("L", control=910, lines=lines).replace(b"PID*F****WIDGET~", described)
    one = re.sub(rb"SE\*\d+\*", b"SE*%d*" % (one[one.index(b"ST*") : one.index(b"GE*1*")].count(b"~")), one)
    start, end = one.index(b"ST*850"), one.index(b"GE*1*")
    body = one[start:end]
    count = 20_000_000 // len(body) + 1
    sets = b"".join(body.replace(b"*0001~", b"*%04d~" % number).replace(b"*L**", b"*LARGE%d**" % number) for number in range(1, count + 1))
    data = one[:start] + sets + one[end:].replace(b"GE*1*", b"GE*%d*" % count)
    assert len(data) > 20_000_000
    put(house.box("acme", "out"), "large.edi", data)
    row = until(lambda: taken(house, "large.edi"), "the large file", 600, 0.2)
    assert row.state == "done" and row.size == len(data)
    until(lambda: acknowledged(house.box(), 910) == ["A"], "its acknowledgment", 600, 0.2)
    until(lambda: answered(house.box(), f"LARGE{count}"), "the answer to its last order", 600, 0.2)


def test_a_disk_that_does_not_take_a_file_loses_nothing_and_stops_nothing(tmp_path: Path) -> None:
    """No file may grow over 6 MB here: as on a full disk, keeping a larger one fails."""
    house = House(tmp_path, {"acme": ACME})
    most = 6_000_000
    large = x12_order("BIG", control=2) + b"\n" * (most + 1)
    with house.service(before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))) as service:
        put(house.box("acme", "out"), "big.edi", large)
        said = until(lambda: service.said("file not taken"), "the log to say it")
        assert said["file"] == "big.edi" and "File too large" in said["error"]
        put(house.box("acme", "out"), "small.edi", x12_order("PO1", control=1))
        until(lambda: answered(house.box(), "PO1"), "the small order meanwhile")
        until(lambda: names(house.box("acme", "out")) == ["big.edi"], "the small order to be taken away, and it alone")
        # between two tries, each of which begins to write
        until(lambda: list((tmp_path / "data" / "archive" / "incoming").iterdir()) == [], "the half to be taken away")
    with house.service():
        until(lambda: answered(house.box(), "BIG"), "the large order when there is room")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything: run by somebody else (SFTP has the same test)")
def test_a_file_that_cannot_be_read_stops_no_other(house: House, service: Service) -> None:
    secret = house.box("acme", "out") / "a.edi"
    put(house.box("acme", "out"), "a.edi", x12_order("SHUT", control=920))
    secret.chmod(0)
    put(house.box("acme", "out"), "b.edi", x12_order("OPEN", control=921))
    until(lambda: answered(house.box(), "OPEN"), "the order behind it")
