"""Opens the archive where the installation has it: a folder, the database, an object store."""

from gateway.store.database import Database
from gateway.store.payloads.archive import Archive
from gateway.store.payloads.archive import ArchivePlace
from gateway.store.payloads.in_database import DatabaseArchive
from gateway.store.payloads.in_folder import FolderArchive
from gateway.store.payloads.in_rows import ArchiveWithRows


def open_archive(place: ArchivePlace, database: Database) -> Archive:
    """The archive at this place; `database` is the installation's own, where small payloads lie."""
    return ArchiveWithRows(_large(place, database), database)


def _large(place: ArchivePlace, database: Database) -> Archive:
    if place.url is not None:
        # object stores bring much along: only who has one loads it
        from gateway.store.payloads.in_object_store import RemoteArchive

        return RemoteArchive(place.url, place.options)
    return DatabaseArchive(database) if place.folder is None else FolderArchive(place.folder)
