"""An archive of each kind for tests, and an S3 server of our own on loopback."""

import importlib.util
import shutil
import tempfile
import uuid
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.store.database import Database
from gateway.store.database import open_database
from gateway.store.payloads.archive import Archive
from gateway.store.payloads.archive import ArchivePlace
from gateway.store.payloads.opening import open_archive

KINDS = ("folder", "sqlite", "postgresql", "memory", "s3")


@contextmanager
def s3_server() -> Iterator[str]:
    """The address of an S3 server in this process, with a bucket `payloads`."""
    for package in ("moto", "flask", "s3fs"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"S3: install the dev extra ({package})")
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    s3_store(address).makedirs("payloads", exist_ok=True)
    try:
        yield address
    finally:
        server.stop()


def s3_options(address: str) -> dict[str, object]:
    return {"key": "test", "secret": "test", "client_kwargs": {"endpoint_url": address, "region_name": "eu-central-1"}}


def s3_store(address: str):  # type: ignore[no-untyped-def]
    import s3fs

    return s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False, **s3_options(address))


def database_of(request: pytest.FixtureRequest) -> Database:
    """The installation's database, where small payloads lie."""
    database = open_database(request.getfixturevalue("sqlite_url"))
    request.addfinalizer(database.close)
    return database


@contextmanager
def made(kind: str, request: pytest.FixtureRequest) -> Iterator[tuple[Archive, Callable[[str, bytes], None]]]:
    """An empty archive of a kind, and what puts other bytes under a digest behind its back."""
    if kind == "folder":
        folder = Path(tempfile.mkdtemp(prefix="gateway-archive-"))
        archive = open_archive(ArchivePlace(folder=folder), database_of(request))
        yield archive, lambda digest, data: next(folder.rglob(digest)).write_bytes(data) and None
        shutil.rmtree(folder)
    elif kind in ("sqlite", "postgresql"):
        url = request.getfixturevalue("sqlite_url" if kind == "sqlite" else "migrated_postgres_url")
        database = open_database(url)

        def spoil(digest: str, data: bytes) -> None:
            from gateway.store import tables

            with database.begin() as connection:
                row = connection.execute(tables.payload.select().where(tables.payload.c.sha256 == digest)).one()
                if row.pieces is None:
                    connection.execute(tables.payload.update().where(tables.payload.c.sha256 == digest).values(data=data))
                else:
                    piece = tables.payload_piece
                    connection.execute(piece.update().where(piece.c.name == row.pieces, piece.c.ordinal == 1).values(data=data))

        yield open_archive(ArchivePlace(), database), spoil
        database.close()
    elif kind == "memory":
        import fsspec

        prefix = uuid.uuid4().hex
        store = fsspec.filesystem("memory")
        yield (
            open_archive(ArchivePlace(url=f"memory://{prefix}/archive"), database_of(request)),
            lambda digest, data: store.pipe_file(f"{prefix}/archive/{digest[:2]}/{digest[2:4]}/{digest}", data),
        )
        store.rm(prefix, recursive=True) if store.exists(prefix) else None
    else:
        address = request.getfixturevalue("s3")
        prefix = f"payloads/{uuid.uuid4().hex}"
        yield (
            open_archive(ArchivePlace(url=f"s3://{prefix}", options=s3_options(address)), database_of(request)),
            lambda digest, data: s3_store(address).pipe_file(f"{prefix}/{digest[:2]}/{digest[2:4]}/{digest}", data),
        )
