"""`gateway lint` of AS2 endpoints, and the change of certificates as docs/partners.md shows it, with real files on real days."""

from datetime import UTC
from datetime import datetime
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from gateway.config import load_installation
from gateway.exchange import as2
from gateway.exchange.cms.keys import fingerprint
from gateway.pipeline.as2.linting import lint_as2
from gateway.pipeline.as2.relations import as2_endpoints
from gateway.pipeline.as2.relations import relation_of_endpoint
from gateway.pipeline.stateless.linting import lint_everything
from tests.pipeline.world import CONFIG

ROOT = Path(__file__).parents[2]
START = datetime(2026, 6, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PARTNER = """\
id: euroco
name: Euroco
identifiers: {{edifact: "14:5412345000013"}}
zone: Europe/Brussels
{endpoints}
agreements:
  - {{receive: edifact/d96a/orders, from: station}}
  - {{send: edifact/d96a/ordrsp, to: station}}
credit: none
currency: EUR
"""


made_once = cache(as2.make_key_and_certificate)


class Desk:
    """A folder with config.yaml, one partner and keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("partners", "keys"):
            (folder / name).mkdir()
        (folder / "config.yaml").write_text(CONFIG)

    def pair(self, name: str, days: int = 1000, began: datetime = START) -> None:
        """keys/NAME.key and keys/NAME.pem"""
        key, certificate = made_once(name, days, began)
        (self.folder / "keys" / f"{name}.key").write_bytes(key)
        (self.folder / "keys" / f"{name}.pem").write_bytes(certificate)

    def fingerprint(self, name: str) -> str:
        return fingerprint(as2.read_certificate((self.folder / "keys" / f"{name}.pem").read_bytes()))

    def write(self, endpoints: str) -> None:
        (self.folder / "partners" / "euroco.yaml").write_text(PARTNER.format(endpoints=endpoints))

    def lint(self, endpoints: str, at: datetime = NOW) -> tuple[list[str], list[str]]:
        self.write(endpoints)
        installation = load_installation(self.folder / "config.yaml")
        faults, notes = lint_as2(installation, installation.directory.partners.values(), at)
        return [str(fault) for fault in faults], notes

    def relation(self) -> as2.As2Relation:
        installation = load_installation(self.folder / "config.yaml")
        [(partner, _, endpoint)] = as2_endpoints(installation)
        return relation_of_endpoint(installation, partner, endpoint)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    for name in ("as2", "euroco"):
        made.pair(name)
    return made


HEAD = "endpoints:\n  station:\n    as2: https://as2.euroco.example/as2\n    name: EUROCO\n    our_name: SELLERCO\n"
OURS = "    our_key: file:keys/as2.key\n    our_certificate: keys/as2.pem\n"
THEIRS = "    certificates: keys/euroco.pem\n"


def test_what_works_has_no_fault(desk: Desk) -> None:
    assert desk.lint(HEAD + OURS + THEIRS) == ([], [])
    assert lint_everything(desk.folder / "config.yaml", [desk.folder / "partners" / "euroco.yaml"])[0] == []


def test_the_command_looks_at_them(desk: Desk) -> None:
    desk.write(HEAD + OURS.replace("as2.pem", "euroco.pem") + THEIRS)
    faults, _, _ = lint_everything(desk.folder / "config.yaml", [desk.folder / "partners" / "euroco.yaml"])
    assert any("the private key is not the certificate's" in fault.message for fault in faults)


def test_files_that_are_not_here_are_notes(desk: Desk) -> None:
    faults, notes = desk.lint(HEAD + OURS.replace("as2.key", "gone.key") + THEIRS.replace("euroco", "gone"))
    assert faults == [] and [note.split(":")[0] for note in notes] == ["partners/euroco.yaml"] * 2
    assert desk.lint(HEAD + OURS.replace("file:keys/as2.key", "env:GATEWAY_NO_SUCH_KEY") + THEIRS)[0] == []
    # where the gateway runs they have to be there; a variable may be the service's alone
    (desk.folder / "data" / "keys").mkdir(parents=True)
    faults, notes = desk.lint(HEAD + OURS.replace("file:keys/as2.key", "env:GATEWAY_NO_SUCH_KEY") + THEIRS.replace("euroco", "gone"))
    assert [fault.splitlines()[0] for fault in faults] == [
        "partners/euroco.yaml:12:19: The file keys/gone.pem cannot be read: No such file or directory: put it there, the service cannot do without it"
    ]
    assert len(notes) == 1 and "GATEWAY_NO_SUCH_KEY" in notes[0]
    [fault], _ = desk.lint(HEAD + OURS.replace("as2.key", "gone.key") + THEIRS)
    assert fault.startswith("partners/euroco.yaml:10:14: The file keys/gone.key cannot be read"), "where the key is named, not its certificate"


@pytest.mark.parametrize(
    ("endpoints", "told"),
    [
        (
            HEAD + OURS.replace("as2.pem", "euroco.pem") + THEIRS,
            "partners/euroco.yaml:11:22: cannot be used: the private key is not the certificate's",
        ),
        (HEAD + OURS + THEIRS.replace(".pem", ".key"), "partners/euroco.yaml:12:19: cannot be used: "),
        (HEAD + OURS + "    certificates: [keys/euroco.pem, {file: keys/as2.key}]\n", "partners/euroco.yaml:12:44: cannot be used: "),
        (HEAD + THEIRS + "    our_keys: [{key: file:keys/as2.pem, certificate: keys/as2.pem}]\n", "partners/euroco.yaml:11:54: cannot be used: "),
        (HEAD + THEIRS, "partners/euroco.yaml:7:5: sign: sha256 needs a key of ours"),
        (HEAD + THEIRS + "    sign: none\n", "partners/euroco.yaml:7:5: what the partner encrypts needs a key of ours"),
        (HEAD + OURS, "partners/euroco.yaml:7:5: encrypt: aes256_cbc needs a certificate of the partner's"),
        (HEAD + OURS, "partners/euroco.yaml:7:5: receipt: signed needs a certificate"),
        (
            HEAD + OURS + "    certificates: {file: keys/euroco.pem, use: encryption}\n",
            "partners/euroco.yaml:7:5: what the partner signs needs its certificate",
        ),
        (
            HEAD + OURS + "    certificates: {file: keys/euroco.pem, until: 2026-11-22}\n",
            "partners/euroco.yaml:7:5: the partner's certificate CN=euroco",
        ),
        (HEAD + OURS + THEIRS + "    receipt_delivery: async\n", "partners/euroco.yaml:7:5: The AS2 endpoint of euroco asks for receipts"),
    ],
)
def test_what_cannot_work_is_a_fault_at_its_place(desk: Desk, endpoints: str, told: str) -> None:
    faults, notes = desk.lint(endpoints)
    assert any(fault.startswith(told) for fault in faults) and notes == [], faults


def test_an_endpoint_that_nothing_uses_may_be_unfinished(desk: Desk) -> None:
    faults, _ = desk.lint(HEAD + OURS + THEIRS + "  other: {as2: https://x.example/as2, name: OTHER, our_name: SELLERCO}\n")
    assert faults == []


# ---- the change as the page shows it


@pytest.fixture
def change(desk: Desk) -> Desk:
    page = (ROOT / "docs" / "partners.md").read_text()
    yaml = page.partition("<!-- tested: as2-change -->\n```yaml\n")[2].partition("```")[0]
    assert yaml.startswith("endpoints:")
    for name in ("as2-2027", "euroco-2027"):
        desk.pair(name, began=START + timedelta(days=100))
    assert desk.lint(yaml) == ([], [])
    return desk


@pytest.mark.parametrize(
    ("at", "signs", "encrypts"),
    [
        (datetime(2026, 12, 1, tzinfo=UTC), "as2", "euroco"),
        (datetime(2027, 1, 14, 22, 59, tzinfo=UTC), "as2", "euroco"),
        (datetime(2027, 1, 14, 23, 0, tzinfo=UTC), "as2-2027", "euroco"),
        (datetime(2027, 2, 28, 22, 59, tzinfo=UTC), "as2-2027", "euroco"),
        (datetime(2027, 2, 28, 23, 0, tzinfo=UTC), "as2-2027", "euroco-2027"),
        (datetime(2027, 4, 1, 0, 0, tzinfo=UTC), "as2-2027", "euroco-2027"),
    ],
)
def test_the_page_on_changing_certificates_does_what_it_says(change: Desk, at: datetime, signs: str, encrypts: str) -> None:
    relation = change.relation()
    sent = as2.wrap(b"UNB", relation, "1@x", at)
    assert isinstance(sent, as2.As2Request)
    keys = {
        name: as2.read_identity((change.folder / f"keys/{name}.key").read_bytes(), (change.folder / f"keys/{name}.pem").read_bytes())
        for name in NAMES
    }
    station = as2.As2Relation(
        us="EUROCO",
        partner="SELLERCO",
        identities=(keys[encrypts],),
        verification=(keys["as2"], keys["as2-2027"]),
        encryption=(keys["as2"],),
    )
    got = as2.unwrap(sent.headers, sent.body, lambda *_: station, at)
    assert got.accepted and got.signed_by == change.fingerprint(signs)


NAMES = ("as2", "as2-2027", "euroco", "euroco-2027")


@pytest.mark.parametrize(
    ("at", "by", "good"),
    [
        (datetime(2026, 12, 1, tzinfo=UTC), "euroco", True),
        (datetime(2026, 12, 1, tzinfo=UTC), "euroco-2027", True),
        (datetime(2027, 3, 31, 21, 59, tzinfo=UTC), "euroco", True),
        (datetime(2027, 3, 31, 22, 0, tzinfo=UTC), "euroco", False),
        (datetime(2027, 3, 31, 22, 0, tzinfo=UTC), "euroco-2027", True),
    ],
)
@pytest.mark.parametrize("towards", ["as2", "as2-2027"])
def test_what_arrives_may_use_either_until_the_old_one_ends(change: Desk, at: datetime, by: str, good: bool, towards: str) -> None:
    signer, reader = (
        as2.read_identity((change.folder / f"keys/{name}.key").read_bytes(), (change.folder / f"keys/{name}.pem").read_bytes())
        for name in (by, towards)
    )
    station = as2.As2Relation(us="EUROCO", partner="SELLERCO", identities=(signer,), verification=(reader,), encryption=(reader,))
    sent = as2.wrap(b"UNB", station, "1@x", at)
    assert isinstance(sent, as2.As2Request)
    relation = change.relation()
    assert as2.unwrap(sent.headers, sent.body, lambda *_: relation, at).accepted is good


LINE = "  line: {https: 'https://files.euroco.example/', client_key: 'file:keys/line.key', client_certificate: keys/line.pem}\n"


def test_the_certificate_that_we_show_to_an_https_server_is_looked_at_too(desk: Desk) -> None:
    good = HEAD + OURS + THEIRS
    for whole in (
        good + LINE,
        good.replace("    name: EUROCO\n", "    name: EUROCO\n    client_key: file:keys/line.key\n    client_certificate: keys/line.pem\n"),
    ):
        for suffix in ("key", "pem"):
            (desk.folder / f"keys/line.{suffix}").unlink(missing_ok=True)
        faults, notes = desk.lint(whole)
        assert faults == [] and len(notes) == 1 and "keys/line" in notes[0], "keys lie on the server alone"
        desk.pair("line")
        assert desk.lint(whole) == ([], [])
        (desk.folder / "keys/line.key").write_bytes((desk.folder / "keys/as2.key").read_bytes())
        [fault] = desk.lint(whole)[0]
        assert "does not belong to the certificate" in fault
        desk.pair("line", days=30)
        [fault] = desk.lint(whole)[0]
        assert "our certificate CN=line for the partner's HTTPS server has ended (2026-07-01)" in fault
