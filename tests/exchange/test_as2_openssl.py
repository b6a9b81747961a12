"""OpenSSL's command as a second opinion on every structure that we write and read, DER and BER."""

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from gateway.exchange.as2 import Identity
from gateway.exchange.as2 import Pinned
from gateway.exchange.as2 import read_certificate
from gateway.exchange.cms.algorithms import CIPHERS
from gateway.exchange.cms.algorithms import DIGESTS
from gateway.exchange.cms.algorithms import Old
from gateway.exchange.cms.decryption import Decrypted
from gateway.exchange.cms.decryption import decrypt
from gateway.exchange.cms.encryption import encrypt
from gateway.exchange.cms.signature import Verified
from gateway.exchange.cms.signature import sign
from gateway.exchange.cms.signature import verify
from tests.exchange.as2_world import BUYER
from tests.exchange.as2_world import NOW
from tests.exchange.as2_world import SELLER
from tests.exchange.as2_world import STRANGER
from tests.exchange.as2_world import curve_identity
from tests.exchange.as2_world import opened
from tests.exchange.as2_world import ours
from tests.exchange.as2_world import pinned
from tests.pipeline.test_as2_keys_lint import HEAD
from tests.pipeline.test_as2_keys_lint import NOW as DAY
from tests.pipeline.test_as2_keys_lint import OURS
from tests.pipeline.test_as2_keys_lint import THEIRS
from tests.pipeline.test_as2_keys_lint import Desk

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command")

CURVES = ("SECP256R1", "SECP384R1", "SECP521R1")
CONTENT = b"Content-Type: application/edi-x12\r\n\r\n" + bytes(range(256)) * 400
MOMENT = str(int(NOW.timestamp()))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the content and everybody's keys."""
    folder = tmp_path_factory.mktemp("openssl")
    curves = tuple((curve.lower(), curve_identity(curve, curve)) for curve in CURVES)
    for name, identity in (("buyer", BUYER), ("seller", SELLER), ("stranger", STRANGER), *curves):
        put_identity(folder, name, identity)
    (folder / "content").write_bytes(CONTENT)
    return folder


def put_identity(folder: Path, name: str, identity: Identity) -> None:
    (folder / f"{name}.crt").write_bytes(identity.certificate.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        identity.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def openssl(desk: Path, *words: str) -> bytes:
    """What `openssl cms ...` writes to `out`."""
    subprocess.run(["openssl", "cms", "-binary", *words, "-out", "out"], cwd=desk, check=True, capture_output=True)
    return (desk / "out").read_bytes()


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_openssl_verifies_our_signature(desk: Path, digest: str) -> None:
    (desk / "in").write_bytes(sign(CONTENT, SELLER, DIGESTS[digest], NOW))
    assert openssl(desk, *VERIFY, "-CAfile", "seller.crt") == CONTENT


@pytest.mark.parametrize("cipher", [name for name, cipher in CIPHERS.items() if not cipher.old])
@pytest.mark.parametrize("oaep", [None, "sha1", "sha256", "sha384", "sha512"])
def test_openssl_decrypts_what_we_encrypt(desk: Path, cipher: str, oaep: str | None) -> None:
    (desk / "in").write_bytes(encrypt(CONTENT, SELLER.certificate, CIPHERS[cipher], oaep=oaep))
    assert openssl(desk, "-decrypt", "-inform", "DER", "-in", "in", "-recip", "seller.crt", "-inkey", "seller.key") == CONTENT


VERIFY = ("-verify", "-inform", "DER", "-in", "in", "-content", "content", "-purpose", "any", "-attime", MOMENT)


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_openssl_verifies_our_pss_signature(desk: Path, digest: str) -> None:
    (desk / "in").write_bytes(sign(CONTENT, SELLER, DIGESTS[digest], NOW, pss=True))
    assert openssl(desk, *VERIFY, "-CAfile", "seller.crt") == CONTENT
    assert b"RSASSA-PSS" in subprocess.run(
        ["openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", "in"], cwd=desk, check=True, capture_output=True
    ).stdout.replace(b"rsassaPss", b"RSASSA-PSS")


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_openssl_verifies_our_signature_with_a_curve(desk: Path, curve: str, digest: str) -> None:
    (desk / "in").write_bytes(sign(CONTENT, curve_identity(curve, curve), DIGESTS[digest], NOW))
    assert openssl(desk, *VERIFY, "-CAfile", f"{curve.lower()}.crt") == CONTENT


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("cipher", ["aes128_cbc", "aes192_cbc", "aes256_cbc", "aes128_gcm", "aes256_gcm"])
def test_openssl_decrypts_what_we_encrypt_for_a_curve(desk: Path, curve: str, cipher: str) -> None:
    (desk / "in").write_bytes(encrypt(CONTENT, curve_identity(curve, curve).certificate, CIPHERS[cipher]))
    name = curve.lower()
    assert openssl(desk, "-decrypt", "-inform", "DER", "-in", "in", "-recip", f"{name}.crt", "-inkey", f"{name}.key") == CONTENT


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize(
    "words",
    [("-aes-256-cbc",), ("-aes-128-gcm",), ("-aes-256-cbc", "-keyid"), ("-aes-192-cbc", "-stream")],
    ids=["CBC", "GCM", "key identifier", "BER"],
)
@pytest.mark.parametrize(
    "derivation", [(), ("-keyopt", "ecdh_kdf_md:sha256"), ("-keyopt", "ecdh_kdf_md:sha512")], ids=["default", "SHA-256", "SHA-512"]
)
def test_we_decrypt_what_openssl_encrypts_for_a_curve(desk: Path, curve: str, words: tuple[str, ...], derivation: tuple[str, ...]) -> None:
    mine = curve_identity(curve, curve)
    data = openssl(desk, "-encrypt", "-in", "content", "-outform", "DER", *words, "-recip", f"{curve.lower()}.crt", *derivation)
    for identities in ((mine,), (SELLER, curve_identity("other", curve), mine)):
        opened_one = decrypt(data, identities, NOW)
        assert isinstance(opened_one, Decrypted) and opened_one.content == CONTENT and opened_one.certificate == mine.certificate


def test_a_message_for_several_kinds_of_keys_is_opened_with_either(desk: Path) -> None:
    data = openssl(desk, "-encrypt", "-in", "content", "-outform", "DER", "-aes-128-cbc", "-recip", "secp256r1.crt", "-recip", "seller.crt")
    for one in (SELLER, curve_identity("SECP256R1", "SECP256R1")):
        opened_one = decrypt(data, (one,), NOW)
        assert isinstance(opened_one, Decrypted) and opened_one.certificate == one.certificate


@pytest.mark.parametrize(
    "words",
    [
        ("-md", "sha256"),
        ("-md", "sha512"),
        ("-md", "sha256", "-keyopt", "rsa_pss_saltlen:20"),
        ("-md", "sha384", "-keyopt", "rsa_mgf1_md:sha1"),
        ("-md", "sha256", "-keyopt", "rsa_pss_saltlen:max"),
    ],
    ids=" ".join,
)
def test_we_verify_pss_of_every_kind(desk: Path, words: tuple[str, ...]) -> None:
    # openssl takes the key's options behind the signer that they are for
    signature = openssl(
        desk, "-sign", "-in", "content", "-outform", "DER", *words[:2], "-signer", "buyer.crt", "-inkey", "buyer.key",
        "-keyopt", "rsa_padding_mode:pss", *words[2:],
    )  # fmt: skip
    assert isinstance(verify(CONTENT, signature, (pinned(BUYER),), NOW), Verified)
    assert not isinstance(verify(CONTENT + b"x", signature, (pinned(BUYER),), NOW), Verified)


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("words", [("-md", "sha256"), ("-md", "sha512", "-stream")], ids=["DER", "BER"])
def test_we_verify_openssl_signatures_with_a_curve(desk: Path, curve: str, words: tuple[str, ...]) -> None:
    name = curve.lower()
    signature = openssl(desk, "-sign", "-in", "content", "-outform", "DER", "-signer", f"{name}.crt", "-inkey", f"{name}.key", *words)
    assert isinstance(verify(CONTENT, signature, (pinned(curve_identity(curve, curve)),), NOW), Verified)


def test_a_signature_without_attributes_is_refused(desk: Path) -> None:
    signature = openssl(desk, "-sign", "-in", "content", "-outform", "DER", "-signer", "buyer.crt", "-inkey", "buyer.key", "-noattr")
    assert getattr(verify(CONTENT, signature, (pinned(BUYER),), NOW), "code", None) == "AS2-SIGNATURE-INVALID"


SIGNING = {
    "plain": (),
    "BER": ("-stream",),
    "key identifier": ("-keyid",),
    "no certificate inside": ("-nocerts",),
    "SHA-512": ("-md", "sha512"),
    "no S/MIME capabilities": ("-nosmimecap",),
}


@pytest.mark.parametrize("words", SIGNING.values(), ids=SIGNING)
def test_we_verify_openssl_signatures(desk: Path, words: tuple[str, ...]) -> None:
    signature = openssl(desk, "-sign", "-in", "content", "-outform", "DER", "-signer", "buyer.crt", "-inkey", "buyer.key", *words)
    verified = verify(CONTENT, signature, (pinned(BUYER),), NOW)
    assert isinstance(verified, Verified) and verified.certificate == BUYER.certificate


def test_we_verify_pss_and_elliptic_curves(desk: Path) -> None:
    signature = openssl(
        desk,
        "-sign",
        "-in",
        "content",
        "-outform",
        "DER",
        "-signer",
        "buyer.crt",
        "-inkey",
        "buyer.key",
        "-md",
        "sha384",
        "-keyopt",
        "rsa_padding_mode:pss",
    )
    assert isinstance(verify(CONTENT, signature, (pinned(BUYER),), NOW), Verified)
    assert not isinstance(verify(CONTENT + b"x", signature, (pinned(BUYER),), NOW), Verified)
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            "ec.key",
            "-out",
            "ec.crt",
            "-days",
            "4000",
            "-subj",
            "/CN=ec",
        ],
        cwd=desk,
        check=True,
        capture_output=True,
    )
    certificate = read_certificate((desk / "ec.crt").read_bytes())
    signature = openssl(desk, "-sign", "-in", "content", "-outform", "DER", "-signer", "ec.crt", "-inkey", "ec.key")
    assert isinstance(verify(CONTENT, signature, (Pinned(certificate),), certificate.not_valid_before_utc), Verified)


def test_one_pinned_signer_among_strangers_is_enough(desk: Path) -> None:
    signature = openssl(
        desk,
        "-sign",
        "-in",
        "content",
        "-outform",
        "DER",
        "-signer",
        "stranger.crt",
        "-inkey",
        "stranger.key",
        "-signer",
        "buyer.crt",
        "-inkey",
        "buyer.key",
    )
    verified = verify(CONTENT, signature, (pinned(BUYER),), NOW)
    assert isinstance(verified, Verified) and verified.certificate == BUYER.certificate


ENCRYPTING = {
    "AES-128": ("-aes-128-cbc",),
    "AES-256": ("-aes-256-cbc",),
    "BER": ("-aes-256-cbc", "-stream"),
    "GCM": ("-aes-256-gcm",),
    "GCM in BER": ("-aes-128-gcm", "-stream"),
    "key identifier": ("-aes-192-cbc", "-keyid"),
}


@pytest.mark.parametrize("words", ENCRYPTING.values(), ids=ENCRYPTING)
@pytest.mark.parametrize(
    "transport",
    [(), ("-keyopt", "rsa_padding_mode:oaep"), ("-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256")],
    ids=["PKCS1", "OAEP", "OAEP with SHA-256"],
)
def test_we_decrypt_what_openssl_encrypts(desk: Path, words: tuple[str, ...], transport: tuple[str, ...]) -> None:
    data = openssl(desk, "-encrypt", "-in", "content", "-outform", "DER", *words, "-recip", "seller.crt", *transport)
    opened_one = decrypt(data, (SELLER,), NOW)
    assert isinstance(opened_one, Decrypted) and opened_one.content == CONTENT


def test_we_find_our_key_among_several_recipients(desk: Path) -> None:
    data = openssl(
        desk, "-encrypt", "-in", "content", "-outform", "DER", "-aes-256-cbc", "-recip", "stranger.crt", "-recip", "buyer.crt", "-recip", "seller.crt"
    )
    for identities in ((SELLER,), (STRANGER, SELLER)):
        opened_one = decrypt(data, identities, NOW)
        assert isinstance(opened_one, Decrypted) and opened_one.content == CONTENT


def test_old_algorithms_are_read_for_a_listed_partner_only(desk: Path) -> None:
    data = openssl(desk, "-encrypt", "-in", "content", "-outform", "DER", "-des3", "-recip", "seller.crt")
    signature = openssl(desk, "-sign", "-in", "content", "-outform", "DER", "-signer", "buyer.crt", "-inkey", "buyer.key", "-md", "sha1")
    for result in (decrypt(data, (SELLER,), NOW), verify(CONTENT, signature, (pinned(BUYER),), NOW)):
        assert getattr(result, "code", None) == "AS2-ALGORITHM-REFUSED"
    assert isinstance(decrypt(data, (SELLER,), NOW, accept=Old.EVERYTHING), Decrypted)
    assert isinstance(verify(CONTENT, signature, (pinned(BUYER),), NOW, accept=Old.EVERYTHING), Verified)


@pytest.mark.parametrize(
    ("old", "refused"), [("", [True, True]), ("[tripledes]", [False, True]), ("[sha1]", [True, False]), ("true", [False, False])]
)
def test_what_is_old_is_taken_as_the_partners_file_says(desk: Path, tmp_path: Path, old: str, refused: list[bool]) -> None:
    house = Desk(tmp_path)
    for name in ("as2", "euroco"):
        house.pair(name)
    house.write(HEAD + OURS + THEIRS + (f"    accept_old: {old}\n" if old else ""))
    relation = house.relation()
    data = openssl(desk, "-encrypt", "-in", "content", "-outform", "DER", "-des3", "-recip", str(tmp_path / "keys/as2.pem"))
    signer = ("-signer", str(tmp_path / "keys/euroco.pem"), "-inkey", str(tmp_path / "keys/euroco.key"))
    signature = openssl(desk, "-sign", "-in", "content", "-outform", "DER", *signer, "-md", "sha1")
    results = (
        decrypt(data, relation.identities, DAY, accept=relation.old),
        verify(CONTENT, signature, relation.verification, DAY, accept=relation.old),
    )
    assert [getattr(result, "code", None) == "AS2-ALGORITHM-REFUSED" for result in results] == refused
    assert [isinstance(result, Decrypted | Verified) for result in results] == [not one for one in refused]


def test_a_whole_message_in_base64_as_openssl_writes_it_is_opened(desk: Path) -> None:
    """Not a byte of it is ours: S/MIME with base64 parts, LF line ends around CRLF content."""
    message = openssl(desk, "-sign", "-in", "content", "-signer", "buyer.crt", "-inkey", "buyer.key", "-md", "sha256")
    head, _, body = message.partition(b"\n\n")
    fields = [tuple(line.split(": ", 1)) for line in head.decode().replace("\n\t", " ").splitlines()]
    names = [("AS2-From", '"big buyer"'), ("AS2-To", "SELLER"), ("Message-ID", "<1@openssl>")]
    got = opened(tuple(names + fields), body, ours(require_encryption=False))  # type: ignore[arg-type]
    assert got.accepted and got.payload == CONTENT.partition(b"\r\n\r\n")[2]
