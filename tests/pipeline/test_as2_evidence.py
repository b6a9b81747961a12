"""Non-repudiation: the trail shows who signed what, and the files that it writes are checked by openssl alone."""

import json
import subprocess
import zipfile
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.exchange import as2
from gateway.pipeline.as2.evidence_files import write_evidence
from gateway.pipeline.as2.keys import Relations
from gateway.pipeline.as2.receiving import receive_as2
from gateway.pipeline.keeping.telling import trail_json
from gateway.pipeline.keeping.telling import trail_words
from gateway.pipeline.keeping.trails import trail_of
from gateway.store import tables
from gateway.store.keeping import due
from gateway.store.outgoing import as2_sendings
from gateway.store.outgoing import outbox
from gateway.store.records import documents
from tests.pipeline.as2_partner import as2_world
from tests.pipeline.as2_partner import identity
from tests.pipeline.as2_partner import partner_station
from tests.pipeline.as2_partner import their_relation
from tests.pipeline.world import World
from tests.pipeline.world import x12_order
from tests.web.world import serving


def traded(folder: Path, more: str = "", **changes: object) -> World:
    """An order came and was answered, all over AS2."""
    with partner_station() as partner:
        world = as2_world(folder / "installation", f"{partner.url}/as2", more, receive_from="as2")
        partner.clock = world.clock
        partner.relation = their_relation(require_encryption=False)
        sent = as2.wrap(x12_order(), their_relation(**changes), "order@buyer", world.clock(), "po 1.edi")
        assert isinstance(sent, as2.As2Request)
        answer = receive_as2(world.station, Relations(world.station), sent.headers, sent.body)
        assert b"processed" in answer.body
        world.settle()
    return world


def unpacked(world: World, folder: Path) -> Path:
    trail = trail_of(world.station, "PO1")
    assert trail is not None
    written = write_evidence(world.station, trail.exchanges, folder / "proof.zip")
    assert written.count == 3, "the order, its 997 and the order response"
    assert not written.missing
    with zipfile.ZipFile(folder / "proof.zip") as file:
        file.extractall(folder / "proof")
    return folder / "proof"


def verified(folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["sh", str(folder / "verify.sh")], capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize(
    ("more", "changes"),
    [
        ("", {}),
        (
            "compress: true\nsign: sha512\nsign_padding: pss\nencrypt: aes256_gcm\noaep: true\n",
            {"compress": True, "sign": "sha512", "sign_padding": "pss"},
        ),
        ("compress: after_signing\nencrypt: none\nrequire_encryption: false\n", {"compress": True, "compress_signed": True, "encrypt": None}),
    ],
    ids=["as a rule", "compressed, PSS, GCM", "compressed after signing, in the clear"],
)
def test_openssl_verifies_what_is_kept(tmp_path: Path, more: str, changes: dict[str, object]) -> None:
    world = traded(tmp_path, more, **changes)
    folder = unpacked(world, tmp_path)
    done = verified(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    # the order's own signature, and for each of the three messages the receipt's signature and the digest in it
    assert done.stdout.count("holds") == 7, done.stdout
    order = next(path for path in folder.iterdir() if "received" in path.name)
    facts = json.loads((order / "facts.json").read_text())
    assert facts["message_id"] == "order@buyer" and facts["signed_by"] == printed(identity("them").certificate)
    if not changes:
        assert (order / "content").read_bytes().endswith(x12_order())
    world.close()


@pytest.mark.parametrize("file", ["content", "receipt.signed", "receipt.pem", "message.p7s"])
def test_anything_changed_does_not_hold(tmp_path: Path, file: str) -> None:
    world = traded(tmp_path)
    folder = unpacked(world, tmp_path)
    order = next(path for path in folder.iterdir() if "received" in path.name)
    if file == "receipt.pem":
        (order / file).write_bytes((order / "message.pem").read_bytes())
    else:
        data = (order / file).read_bytes()
        (order / file).write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    done = verified(folder)
    assert done.returncode == 1 and "DOES NOT HOLD" in done.stdout
    world.close()


@pytest.mark.parametrize("pattern", ["*/*.p7s", "*/digest", "*/content", "*/receipt.pem", "*/expected"])
def test_what_was_taken_out_is_missed(tmp_path: Path, pattern: str) -> None:
    world = traded(tmp_path)
    folder = unpacked(world, tmp_path)
    gone = sorted(folder.glob(pattern))
    for path in gone:
        path.unlink()
    done = verified(folder)
    assert done.returncode == 1 and done.stdout.count("IS MISSING") + done.stdout.count("NOTHING SAYS") == len(gone) > 0, done.stdout
    world.close()


def test_a_payload_that_was_altered_is_named_and_the_rest_of_its_message_written_out(tmp_path: Path) -> None:
    world = traded(tmp_path)
    trail = trail_of(world.station, "PO1")
    assert trail is not None
    order = next(one for one in trail.exchanges if one.direction == "received")
    [path] = (world.folder / "data/archive").rglob(order.payload)
    path.write_bytes(path.read_bytes().replace(b"PO1", b"PO2"))
    done = world.command("trail", "PO1", "--evidence", str(tmp_path / "proof.zip"))
    assert done.returncode == 1 and f"{order.message_id} is proven only in part: content is missing, the payload {order.payload}" in done.stderr
    with zipfile.ZipFile(tmp_path / "proof.zip") as file:
        file.extractall(tmp_path / "proof")
    [folder] = (tmp_path / "proof").glob("*received*")
    assert {"message.p7s", "receipt.p7s", "message.pem", "receipt.pem", "MISSING.txt"} <= {path.name for path in folder.iterdir()}
    checked = verified(tmp_path / "proof")
    assert checked.returncode == 1 and "content: IS MISSING" in checked.stdout and "receipt signature: holds" in checked.stdout
    world.close()


def printed(certificate: x509.Certificate) -> str:
    """As `openssl x509 -fingerprint -sha256` prints it, behind the name of the digest."""
    pem = certificate.public_bytes(Encoding.PEM)
    told = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256"], input=pem, capture_output=True, check=True)
    return f"SHA256:{told.stdout.decode().partition('=')[2].strip()}"


def test_evidence_outlives_the_keys_that_it_was_made_with(tmp_path: Path) -> None:
    world = traded(tmp_path)
    for name in ("us.key", "us.pem", "them.pem"):
        (world.folder / "keys" / name).unlink()
    assert verified(unpacked(world, tmp_path)).returncode == 0
    world.close()


def test_the_trail_says_who_signed_and_how_to_check_it(tmp_path: Path) -> None:
    world = traded(tmp_path)
    trail = trail_of(world.station, "PO1")
    assert trail is not None
    words = trail_words(trail)
    ours, theirs = (printed(identity(name).certificate) for name in ("us", "them"))
    for told in (
        "order@buyer",
        ours,
        theirs,
        "CN=them",
        "sha-256",
        "--evidence proof.zip",
        "receipt automatic-action/MDN-sent-automatically; processed",
    ):
        assert told in words, told
    found = trail_json(trail)["as2"]
    assert [(one["direction"], one["as2_from"]) for one in found] == [("received", "big buyer"), ("sent", "SELLER"), ("sent", "SELLER")]
    assert all(world.station.archive.has(one["message"]) and world.station.archive.has(one["receipt"]) for one in found)
    world.close()


def test_what_is_erased_with_a_message_are_its_bytes_and_nobody_elses_certificate(tmp_path: Path) -> None:
    world = traded(tmp_path)
    station = world.station
    trail = trail_of(station, "PO1")
    assert trail is not None
    with station.database.read() as connection:
        [unit] = due.candidates(connection, "transmission", world.clock(), None, 10)
        payloads = due.payloads_of(connection, unit)
    order = next(one for one in trail.exchanges if one.direction == "received")
    assert {order.message, order.receipt, order.signature, order.payload} <= set(payloads)
    assert not {order.signed_by.partition(":")[2], order.receipt_signed_by.partition(":")[2]} & set(payloads)
    station.archive.remove(order.message)
    assert [missing[:2] for missing in write_evidence(station, trail.exchanges, tmp_path / "proof.zip").missing] == [("order@buyer", "message.http")]
    with zipfile.ZipFile(tmp_path / "proof.zip") as file:
        assert [name for name in file.namelist() if name.endswith("MISSING.txt")] == ["001-received-order@buyer/MISSING.txt"]
    world.close()


def test_the_pages_show_it(tmp_path: Path) -> None:
    world = traded(tmp_path)
    with world.station.database.read() as connection:
        [order] = documents.search(connection, documents.Filters(kind="order"))
    with serving(world.station) as site:
        for page in (f"/documents/{order.id}", "/trail?q=PO1"):
            text = site.get(page).text
            assert "Signed on both sides" in text and "order@buyer" in text and printed(identity("them").certificate) in text, page
    world.close()


def test_the_command_writes_the_files_or_says_that_there_are_none(tmp_path: Path) -> None:
    world = traded(tmp_path)
    world.close()
    done = world.command("trail", "PO1", "--evidence", str(tmp_path / "proof.zip"))
    assert done.returncode == 0 and "3 messages" in done.stderr and (tmp_path / "proof.zip").is_file()
    world.receive(x12_order("PO7", control=7), address="folder:boxes/acme/out")
    world.close()
    none = world.command("trail", "po.edi", "--evidence", str(tmp_path / "none.zip"))
    assert none.returncode == 1 and "Nothing of 'po.edi' went over AS2" in none.stderr and not (tmp_path / "none.zip").exists()


BETA = """\
id: beta
name: Beta Stores
identifiers: {x12: "ZZ:BETASTORES"}
endpoints:
  box: {folder: boxes/beta/out, send_to: boxes/beta/in}
agreements:
  - {receive: x12/004010/850, from: box, acknowledge: "997"}
  - {send: x12/004010/855, to: box}
currency: USD
tax: none
credit: none
"""


def two_partners(folder: Path) -> World:
    """What acme ordered over AS2 is answered; then beta's order PO1 over a folder. The names of what leaves to either are the same."""
    with partner_station() as partner:
        world = as2_world(folder / "installation", f"{partner.url}/as2", receive_from="as2")
        (world.folder / "partners" / "beta.yaml").write_text(BETA)
        for box in ("out", "in"):
            (world.folder / "boxes" / "beta" / box).mkdir(parents=True)
        partner.clock, partner.relation = world.clock, their_relation(require_encryption=False)
        sent = as2.wrap(x12_order(), their_relation(), "order@buyer", world.clock(), "po 1.edi")
        assert isinstance(sent, as2.As2Request)
        receive_as2(world.station, Relations(world.station), sent.headers, sent.body)
        world.settle()
    world.receive(x12_order("PO1", sender="BETASTORES"), "beta.edi", "folder:boxes/beta/out")
    world.receive(x12_order("PO2", sender="BETASTORES", control=2), "beta2.edi", "folder:boxes/beta/out")
    return world


def test_files_of_other_partners_that_are_named_alike_prove_nothing(tmp_path: Path) -> None:
    world = two_partners(tmp_path)
    found = trail_of(world.station, "PO2")
    assert found is not None and found.partners == ("beta",) and found.exchanges == []
    ours = trail_of(world.station, "PO1", "acme")
    assert ours is not None and len(ours.exchanges) == 3 and {one.partner for one in ours.exchanges} == {"acme"}
    names = {one.identity for one in ours.outgoing}
    theirs = trail_of(world.station, "PO1", "beta")
    assert theirs is not None and theirs.exchanges == [] and {one.identity for one in theirs.outgoing} == names, "or nothing is tried here"
    both = trail_of(world.station, "PO1")
    assert both is not None and both.partners == ("acme", "beta") and "--partner" in trail_words(both)
    with world.station.database.read() as connection:
        [order] = [one for one in documents.search(connection, documents.Filters(number="PO2")) if one.kind == "order"]
    with serving(world.station) as site:
        assert "Signed on both sides" not in site.get(f"/documents/{order.id}").text
        assert "partner=beta" in site.get("/trail?q=PO1").text and "order@buyer" not in site.get("/trail?q=PO1&partner=beta").text
    world.close()


def test_a_proof_holds_one_partners_messages(tmp_path: Path) -> None:
    world = two_partners(tmp_path)
    with world.station.database.begin() as connection:
        sending = as2_sendings.of_rows(connection, [one.id for one in outbox.search(connection, partner="acme")])[-1]
        connection.execute(tables.as2_sending.update().values(partner="beta").where(tables.as2_sending.c.message_id == sending.message_id))
    world.close()
    refused = world.command("trail", "PO1", "--evidence", str(tmp_path / "both.zip"))
    assert refused.returncode == 1 and "messages of acme and beta" in refused.stderr and not (tmp_path / "both.zip").exists()
    done = world.command("trail", "PO1", "--partner", "acme", "--evidence", str(tmp_path / "one.zip"))
    assert done.returncode == 0 and "2 messages" in done.stderr


def test_the_message_that_brought_the_partners_answer_is_part_of_the_proof(tmp_path: Path) -> None:
    world = traded(tmp_path)
    answered = (
        "ISA*00*          *00*          *ZZ*ACMEBUYER      *ZZ*SELLERCO       *260106*1200*U*00401*000000077*0*P*>~"
        "GS*FA*ACMEBUYER*SELLERCO*20260106*1200*77*X*004010~ST*997*0001~AK1*PR*2~AK2*855*0001~AK5*A~AK9*A*1*1*1~SE*6*0001~GE*1*77~IEA*1*000000077~"
    )
    sent = as2.wrap(answered.encode(), their_relation(), "answer@buyer", world.clock(), "997.edi")
    assert isinstance(sent, as2.As2Request)
    receive_as2(world.station, Relations(world.station), sent.headers, sent.body)
    world.settle()
    trail = trail_of(world.station, "PO1")
    assert trail is not None
    assert "answered by 997: accepted (file 997.edi)" in trail_words(trail)
    assert [one.message_id for one in trail.exchanges if one.direction == "received"] == ["order@buyer", "answer@buyer"]
    assert write_evidence(world.station, trail.exchanges, tmp_path / "proof.zip").count == 4
    with world.station.database.read() as connection:
        [order] = documents.search(connection, documents.Filters(kind="order"))
    with serving(world.station) as site:
        assert "answer@buyer" in site.get(f"/documents/{order.id}").text
    world.close()
