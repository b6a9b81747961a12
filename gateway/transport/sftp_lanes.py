"""Several connections side by side to one server, for many small files. Each belongs to one thread while a batch is read: paramiko's client
is shared by nobody.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from gateway.transport.sftp_pool import SftpPool
from gateway.transport.sftp_session import Got
from gateway.transport.sftp_session import SftpSession

#: fewer files than this are not worth another connection
WORTH_ANOTHER = 8


def read_side_by_side(own: SftpSession, pool: SftpPool, connections: int, wanted: Sequence[tuple[bytes, int]]) -> list[Got]:
    """Whole files by path and size, in the order given; raises where a connection is lost."""
    count = min(connections, 1 + len(wanted) // WORTH_ANOTHER)
    others = pool.spare(count - 1) if count > 1 else []
    if not others:
        return list(own.read_many(wanted))
    sessions = [own, *others]
    try:
        with ThreadPoolExecutor(len(sessions), thread_name_prefix="sftp") as threads:
            parts = [
                threads.submit(lambda session, part: list(session.read_many(part)), one, wanted[at :: len(sessions)])
                for at, one in enumerate(sessions)
            ]
            answers = [part.result() for part in parts]
    finally:
        for session in others:
            pool.give_back(session)
    return [answers[at % len(sessions)][at // len(sessions)] for at in range(len(wanted))]
