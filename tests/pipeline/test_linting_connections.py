"""What a cluster opens at partners' servers is told: each process counts its connections for itself."""

from pathlib import Path

import pytest

from gateway.pipeline.stateless.linting import lint_everything
from tests.pipeline.world import CONFIG

PARTNER = """\
id: acme
name: ACME Corporation
identifiers: {x12: "ZZ:ACMEBUYER"}
endpoints:
  orders: {sftp: "sftp://acme.example/out", user: seller, key: "file:k", host_keys: ["SHA256:A"], send_to: /in}
  bank: {sftp: "sftp://acme.example/bank", user: seller, key: "file:k", host_keys: ["SHA256:A"], connections: 4}
  box: {folder: in}
agreements:
  - {receive: x12/004010/850, from: orders}
  - {send: x12/004010/855, to: orders}
currency: USD
credit: none
"""


@pytest.mark.parametrize(
    ("engine", "told"),
    [
        ("", []),
        (
            "database: postgresql://gateway@db.example/gateway\nengine: cluster\n",
            ["whether seller@acme.example allows 4 connections to each process of the cluster, which count for themselves"],
        ),
    ],
)
def test_connections_that_each_process_counts_for_itself_are_named(tmp_path: Path, engine: str, told: list[str]) -> None:
    (tmp_path / "partners").mkdir()
    (tmp_path / "partners/acme.yaml").write_text(PARTNER)
    (tmp_path / "config.yaml").write_text(CONFIG + engine)
    faults, _, notes = lint_everything(tmp_path / "config.yaml", [tmp_path / "partners/acme.yaml"])
    assert (faults, notes) == ([], told)
