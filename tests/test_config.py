"""config.yaml and partners/: found, loaded, and every fault told with file, line and column."""

import re
from collections import Counter
from pathlib import Path

import pytest

from gateway.config import ConfigTrouble
from gateway.config import find_config
from gateway.config import load_installation
from gateway.exchange.endpoint import Endpoint
from gateway.exchange.keys import Keys
from gateway.store.payloads.archive import ArchivePlace
from gateway.yaml_source import Faults
from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG

CONTRACT_PARTNER = """\
id: acme
name: ACME Corporation
identifiers: {x12: "ZZ:ACMEBUYER", gln: "1234567890128"}
endpoints:
  mailbox: {sftp: "sftp://acme.example/out", user: seller, key: "file:keys/acme", host_keys: ["SHA256:..."], send_to: "/in"}
agreements:
  - {receive: x12/004010/850, from: mailbox, acknowledge: "997"}
  - {send: x12/004010/855, to: mailbox}
  - {send: x12/004010/856, to: mailbox}
  - {send: x12/004010/810, to: mailbox}
credit: {limit: "50000 USD", hold_days_overdue: 15}     # or: credit: none, then no credit rule applies
"""


def installation(folder: Path, config: str = CONFIG, **partners: str):
    (folder / "partners").mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(config)
    for name, text in partners.items():
        (folder / "partners" / f"{name}.yaml").write_text(text)
    return load_installation(folder / "config.yaml")


def faults_of(folder: Path, **partners: str) -> str:
    with pytest.raises(Faults) as raised:
        _ = installation(folder, **partners).directory
    return str(raised.value)


def test_the_small_partner_of_the_contract_loads(tmp_path: Path) -> None:
    directory = installation(tmp_path, acme=CONTRACT_PARTNER).directory
    partner = directory.partners["acme"].partner
    assert partner.endpoints["mailbox"].transport == "sftp"
    assert directory.find("x12", "ZZ:ACMEBUYER") is directory.partners["acme"]
    assert directory.find("edifact", "14:1234567890128") is directory.partners["acme"]
    assert directory.find("ubl", "0088:1234567890128") is directory.partners["acme"]
    assert directory.find("x12", "ZZ:OTHER") is None


def test_the_config_is_found_here_and_upward(tmp_path: Path) -> None:
    installation(tmp_path)
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert find_config(deep) == tmp_path / "config.yaml"


def test_paths_are_relative_to_the_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert installation(tmp_path).data == tmp_path / "data"


def test_all_faults_of_all_partners_are_told_at_once(tmp_path: Path) -> None:
    told = faults_of(
        tmp_path,
        acme=ACME.replace("from: box", "from: bx", 1).replace("currency: USD", "curency: USD"),
        other=ACME.replace("id: acme", "id: Other!").replace('acknowledge: "997"', "acknowledge: 99"),
    )
    assert "partners/acme.yaml:12:1: unknown key 'curency'" in told
    assert "partners/other.yaml:1:5: 'Other!' is no id" in told
    assert "partners/other.yaml:7:55: '99' is not one of" in told


def test_an_endpoint_that_an_agreement_names_must_exist(tmp_path: Path) -> None:
    assert "there is no endpoint 'bx' (did you mean 'box'?)" in faults_of(tmp_path, acme=ACME.replace("from: box", "from: bx", 1))


def test_a_secret_is_named_and_never_written(tmp_path: Path) -> None:
    assert "a secret is named, not written" in faults_of(tmp_path, acme=CONTRACT_PARTNER.replace('"file:keys/acme"', "hunter2"))


def test_an_sftp_endpoint_pins_its_host_keys(tmp_path: Path) -> None:
    assert "pins its host keys" in faults_of(tmp_path, acme=CONTRACT_PARTNER.replace(', host_keys: ["SHA256:..."]', ""))


@pytest.mark.parametrize(
    "endpoint",
    [
        'sftp: "sftp://seller:hunter2@h/out", host_keys: ["SHA256:x"], user: u',
        'sftp: "sftp://seller:hun@ter2@h:x/out", host_keys: ["SHA256:x"]',
        "https: https://seller:hunter2@h/in",
        "as2: https://seller:hunter2@h/as2, name: THEM",
        "as2: https://h/as2, name: THEM, receipt_addresses: https://seller:hunter2@h/mdn",
        "mail: imaps://seller:hunter2@h/INBOX, user: u, password: env:P, from: a@b.example",
    ],
)
def test_a_password_in_an_address_is_refused_and_not_shown(tmp_path: Path, endpoint: str) -> None:
    told = faults_of(tmp_path, acme=re.sub(r"box: \{.*\}", f"box: {{{endpoint}}}", ACME, count=1))
    assert "an address holds no password" in told and "hun" not in told and "ter2" not in told


def test_endpoints_at_one_place_agree_on_how_it_is_looked_into(tmp_path: Path) -> None:
    north = ACME.replace("id: acme", "id: north").replace("ACMEBUYER", "NORTH").replace("1234567890128", "4012345000009")
    first = 'sftp: "sftp://van.example/out", user: us, password: env:A, host_keys: ["SHA256:x"], send_to: in'
    for endpoint, wrong in (
        (first.replace("env:A", "env:B").replace("van.example/", "VAN.example:22/"), "password"),
        (first + ", only: '*.edi', settle: 9", "settle and only"),
        (first.replace("user: us", "user: them").replace("env:A", "env:B"), ""),
        (first.replace("send_to: in", "send_to: in/north"), ""),
    ):
        partners = [re.sub(r"box: \{.*\}", f"box: {{{one}}}", text, count=1) for text, one in ((ACME, first), (north, endpoint))]
        if wrong:
            told = faults_of(tmp_path, acme=partners[0], north=partners[1])
            assert f"is at the same place as 'box' of partners/acme.yaml, but not with its {wrong}: they must be the same" in told
        else:
            made = installation(tmp_path, acme=partners[0], north=partners[1])
            places = {loaded.partner.endpoints["box"].address for loaded in made.directory.partners.values()}
            assert len(places) == (2 if "them" in endpoint else 1), "what another user sees there is another folder"


def test_a_mailbox_has_one_password_whoever_shares_it(tmp_path: Path) -> None:
    north = ACME.replace("id: acme", "id: north").replace("ACMEBUYER", "NORTH").replace("1234567890128", "4012345000009")
    box = "box: {{mail: {mail}, user: u, password: {password}, from: {sender}@van.example, send_to: in@van.example}}"
    acme = re.sub(r"box: \{.*\}", box.format(mail="imaps://h/INBOX", password="env:A", sender="a"), ACME, count=1)
    north = re.sub(r"box: \{.*\}", box.format(mail="imaps://H:993", password="env:B", sender="b"), north, count=1)
    assert "is at the same place as 'box' of partners/acme.yaml, but not with its password" in faults_of(tmp_path, acme=acme, north=north)


def test_no_two_kinds_of_keys_that_are_mixed_bear_one_name() -> None:
    mixed = [model for model in _models(Keys) if len(model.__bases__) > 1]
    assert Endpoint in mixed
    for model in mixed:
        names = Counter(
            name for base in model.__bases__ for name in {*vars(base), *base.model_fields} if not name.startswith(("__", "model_", "_abc_"))
        )
        of_pydantic = {name for name in vars(type("Empty", (Keys,), {})) if not name.startswith("__")}
        assert not [name for name, count in names.items() if count > 1 and name not in of_pydantic], (
            f"{model.__name__}: one silently replaces the other"
        )


def _models(model: type[Keys]) -> list[type[Keys]]:
    return [model, *(one for below in model.__subclasses__() for one in _models(below))]


def test_two_partners_cannot_share_an_identifier(tmp_path: Path) -> None:
    told = faults_of(tmp_path, acme=ACME, copy=ACME.replace("id: acme", "id: copy"))
    assert "'ZZ:ACMEBUYER' identifies acme as well" in told


def test_a_document_type_that_is_none_is_told(tmp_path: Path) -> None:
    assert "is no document type" in faults_of(tmp_path, acme=ACME.replace("x12/004010/855", "855"))


def test_money_without_a_currency_is_told(tmp_path: Path) -> None:
    assert "write the amount and the currency" in faults_of(tmp_path, acme=ACME.replace("credit: none", 'credit: {limit: "5000"}'))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("nowhere", "expected folder, database, file:///FOLDER or the URL"),
        ("ftp://host/x", "expected folder, database, file:///FOLDER or the URL"),
        ("file://x", "three slashes"),
        ("s3://key:secret@bucket/x", "a secret is named, not written"),
        ('{url: "s3://bucket/x", key: AKIA, secret: "env:S"}', "a secret is named, not written"),
        ('{url: "s3://bucket/x", key: "env:K"}', "stand together"),
        ("{url: database, endpoint: x}", "belong to s3://"),
    ],
)
def test_an_archive_that_cannot_be_is_told(tmp_path: Path, written: str, said: str) -> None:
    with pytest.raises(Faults, match=said):
        installation(tmp_path, f"{CONFIG}archive: {written}\n")


def test_the_archive_lies_where_the_config_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3_KEY", "AKIA")
    monkeypatch.setenv("S3_SECRET", "hidden")
    assert installation(tmp_path).archive_place.folder == tmp_path / "data" / "archive"
    assert installation(tmp_path, f"{CONFIG}archive: file:///mnt/payloads\n").archive_place.folder == Path("/mnt/payloads")
    assert installation(tmp_path, f"{CONFIG}archive: database\n").archive_place == ArchivePlace()
    place = installation(
        tmp_path, f'{CONFIG}archive: {{url: "s3://bucket/x", endpoint: "http://localhost:1", key: "env:S3_KEY", secret: "env:S3_SECRET"}}\n'
    ).archive_place
    assert (place.url, place.options["key"], place.options["secret"]) == ("s3://bucket/x", "AKIA", "hidden")
    assert "hidden" not in repr(place)


def test_the_web_server_stays_on_loopback(tmp_path: Path) -> None:
    with pytest.raises(Faults, match="loopback only"):
        installation(tmp_path, CONFIG.replace("127.0.0.1", "0.0.0.0"))


def test_an_invoice_series_needs_its_number(tmp_path: Path) -> None:
    with pytest.raises(Faults, match="must hold"):
        installation(tmp_path, CONFIG + "invoices: {series: INV}\n")


def test_secrets_come_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = installation(tmp_path)
    monkeypatch.setenv("GATEWAY_TEST_SECRET", "s3cret")
    (tmp_path / "key").write_bytes(b"from file\n")
    assert made.secret("env:GATEWAY_TEST_SECRET") == "s3cret"
    assert made.secret("file:key") == "from file"
    with pytest.raises(ConfigTrouble, match="GATEWAY_NOT_SET is not set"):
        made.secret("env:GATEWAY_NOT_SET")
    with pytest.raises(ConfigTrouble, match="cannot be read"):
        made.secret("file:missing")


def test_a_missing_or_unreadable_config_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigTrouble, match="no config.yaml"):
        load_installation(None)
    with pytest.raises(ConfigTrouble, match="cannot be read"):
        load_installation(tmp_path / "nothing.yaml")
    (tmp_path / "config.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigTrouble, match="cannot be read"):
        load_installation(None)


def test_names_of_files_cannot_leave_their_folder(tmp_path: Path) -> None:
    made = installation(tmp_path)
    (tmp_path / "secret.yaml").write_text("a: b")
    assert made.resolver.text_of("mappings/../../secret.yaml") is None
    assert made.resolver.text_of("elsewhere/x.yaml") is None


def test_a_folder_beside_the_config_goes_before_the_shipped_defaults(tmp_path: Path) -> None:
    made = installation(tmp_path)
    shipped = made.resolver.text_of("mappings/x12/004010/850.yaml")
    (tmp_path / "mappings/x12/004010").mkdir(parents=True)
    (tmp_path / "mappings/x12/004010/850.yaml").write_text("document: order\n")
    own = made.resolver.text_of("mappings/x12/004010/850.yaml")
    assert shipped is not None and own is not None
    assert (len(shipped[1]) > 100, own[1]) == (True, "document: order\n")


def test_the_database_may_be_named_by_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_TEST_DATABASE", "postgresql://gateway@127.0.0.1/gateway")
    assert installation(tmp_path, CONFIG + "database: env:GATEWAY_TEST_DATABASE\n").database_url == "postgresql://gateway@127.0.0.1/gateway"
    assert installation(tmp_path, CONFIG + "database: sqlite:///own.db\n").database_url == f"sqlite:///{tmp_path}/own.db"
    assert installation(tmp_path).database_url == f"sqlite:///{tmp_path}/data/gateway.db"


AS2_PARTNER = """\
id: euroco
name: Euroco
identifiers: {edifact: "14:5412345000013"}
endpoints:
  as2: {as2: "http://127.0.0.1:1/as2", our_key: "env:KEY", our_certificate: cert.pem, certificates: [their.pem]}
agreements:
  - {receive: edifact/d96a/orders, from: as2}
"""


def test_an_as2_endpoint_needs_the_name_by_which_its_sender_is_told_apart(tmp_path: Path) -> None:
    assert "partners/euroco.yaml:5:8: an AS2 endpoint needs the partner's AS2 name" in faults_of(tmp_path, euroco=AS2_PARTNER)


def test_the_as2_name_of_the_identifiers_is_the_endpoints_name(tmp_path: Path) -> None:
    directory = installation(
        tmp_path, euroco=AS2_PARTNER.replace('edifact: "14:5412345000013"', 'edifact: "14:5412345000013", as2: EUROCO')
    ).directory
    assert directory.partners["euroco"].partner.endpoints["as2"].address == "as2:EUROCO"


def test_an_agreement_to_send_needs_a_place_to_put_things(tmp_path: Path) -> None:
    assert "'box' does not say where to put what we send" in faults_of(tmp_path, acme=ACME.replace(", send_to: boxes/acme/in", ""))
    told = faults_of(tmp_path, acme=ACME.replace("{folder: boxes/acme/out, send_to: boxes/acme/in}", '{https: "https://acme.example/"}'))
    assert "'box' has no keys with which the partner could push files" in told


def test_a_credit_limit_without_currency_is_one_fault(tmp_path: Path) -> None:
    assert faults_of(tmp_path, acme=ACME.replace("credit: none", "credit: {limit: 50000}")).count("partners/acme.yaml:") == 1


def test_an_engine_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Faults, match="'bus' is no engine"):
        installation(tmp_path, CONFIG + "engine: bus\n")


def test_a_cluster_without_postgresql_is_told(tmp_path: Path) -> None:
    with pytest.raises(Faults, match="engine: cluster needs PostgreSQL"):
        installation(tmp_path, CONFIG + "engine: cluster\n")


def test_a_cluster_that_is_impatient_is_told(tmp_path: Path) -> None:
    with pytest.raises(Faults, match="three times the heartbeat"):
        installation(tmp_path, CONFIG + "cluster: {heartbeat: 5, silence: 6}\n")


MAIL = "us: {{name: S}}\nmail: {mail}\n"


@pytest.mark.parametrize(
    ("mail", "fault"),
    [
        ("{smtp: 'http://x', from: a@b.example}", "is no mail server"),
        ("{smtp: 'smtp://user@x', from: a@b.example}", "is no mail server"),
        ("{smtp: 'smtp://x:99999', from: a@b.example}", "is no mail server"),
        ("{smtp: 'smtp://x', from: 'Us <a@b.example>'}", "is no mail address"),
        ("{smtp: 'smtp://x', from: a@b.example, user: u}", "go together"),
        ("{smtp: 'smtp://x', from: a@b.example, tls: none}", "to a relay on this machine only"),
        ("{smtp: 'smtp://x', from: a@b.example, user: u, password: secret}", "a secret is named, not written"),
    ],
)
def test_a_mail_server_that_cannot_be_is_told(tmp_path: Path, mail: str, fault: str) -> None:
    (tmp_path / "config.yaml").write_text(MAIL.format(mail=mail))
    with pytest.raises(Faults, match=fault):
        load_installation(tmp_path / "config.yaml")


def test_the_mail_server_is_read_with_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.pipeline.mail_server import smtp_settings

    monkeypatch.setenv("SMTP_PASSWORD", "s3cret")
    file = tmp_path / "config.yaml"
    file.write_text(
        MAIL.format(mail="{smtp: 'smtps://smtp.x.example', from: a@b.example, user: u, password: 'env:SMTP_PASSWORD', authorities: ca.pem}")
    )
    found = smtp_settings(load_installation(file))
    assert (found.host, found.port, found.implicit_tls, found.password) == ("smtp.x.example", 465, True, "s3cret")
    assert found.ca_file == str(tmp_path / "ca.pem")
    file.write_text(MAIL.format(mail="{smtp: 'smtp://127.0.0.1:25', from: a@b.example, tls: none}"))
    assert smtp_settings(load_installation(file)).no_tls
    file.write_text("us: {name: S}\n")
    with pytest.raises(ConfigTrouble, match="names no mail server"):
        smtp_settings(load_installation(file))


@pytest.mark.parametrize(
    ("endpoint", "fault"),
    [
        ("{https: receive}", "needs the keys with which the partner comes"),
        ("{https: receive, api_keys: [secret]}", "a secret is named, not written"),
        ("{https: 'http://acme.example/'}", "is no address to post to"),
        ("{https: 'https://u:p@acme.example/'}", "an address holds no password"),
        ("{https: 'https://acme.example/', bearer: 'env:A', user: u, password: 'env:B'}", "bearer: goes without user"),
        ("{mail: 'pop3://x'}", "is no mailbox"),
        ("{mail: 'imaps://x/INBOX', user: u, password: 'env:P'}", "a mailbox needs user:, password: and from:"),
        ("{mail: 'imaps://x/INBOX', user: u, password: 'env:P', from: 'A <a@b.example>'}", "is no mail address"),
        ("{mail: send, send_to: nobody}", "is no mail address"),
        ("{mail: send, https: receive, api_keys: ['env:K']}", "exactly one of"),
    ],
)
def test_an_endpoint_over_https_or_mail_that_cannot_be_is_told(tmp_path: Path, endpoint: str, fault: str) -> None:
    assert fault in faults_of(tmp_path, acme=ACME.replace("{folder: boxes/acme/out, send_to: boxes/acme/in}", endpoint))


def test_who_came_is_told_by_account_and_by_mail_address() -> None:
    from gateway.exchange.endpoint import Endpoint

    pushed = Endpoint.model_validate({"https": "receive", "api_keys": "env:K", "account": "van"})
    assert pushed.serves("https:van") and not pushed.serves("https:vans")
    mailbox = {"mail": "imaps://x/INBOX", "user": "u", "password": "env:P", "from": ["Orders@Acme.example", "*@acme.test"]}
    mailed = Endpoint.model_validate(mailbox)
    assert mailed.address == "mail:orders@acme.example" and mailed.serves(mailed.address)
    assert mailed.serves("mail:anybody@acme.test") and mailed.serves("mail:orders@acme.example")
    assert (
        not mailed.serves("mail:other@acme.example") and not mailed.serves("mail:x@sub.acme.test") and not mailed.serves("folder:orders@acme.example")
    )
    assert Endpoint.model_validate({**mailbox, "from": "*@acme.test"}).serves("mail:*@acme.test")


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "edi.seller.example:443", "https://edi.seller.example", "*"])
def test_a_name_for_partners_is_another_name_than_this_machines(tmp_path: Path, name: str) -> None:
    (tmp_path / "config.yaml").write_text(f"web: {{names: ['{name}']}}\n")
    with pytest.raises(Faults, match="names"):
        load_installation(tmp_path / "config.yaml")
