"""Opens the archive where the installation has it: a folder, the database, an object store."""

from gateway.store.archive import Archive
from gateway.store.archive import ArchivePlace
from gateway.store.archive_database import DatabaseArchive
from gateway.store.archive_folder import FolderArchive
from gateway.store.database import Database


def open_archive(place: ArchivePlace, database: Database) -> Archive:
    """The archive at this place; `database` is the installation's own."""
    if place.url is not None:
        # object stores bring much along: only who has one loads it
        from gateway.store.archive_remote import RemoteArchive

        return RemoteArchive(place.url, place.options)
    return DatabaseArchive(database) if place.folder is None else FolderArchive(place.folder)
