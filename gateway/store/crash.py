"""Numbered crash points: where a test kills the process to see that nothing is lost, doubled or wrong.

`GATEWAY_CRASH_AT=32` sends SIGKILL at the first passage of point 32, `GATEWAY_CRASH_AT=32:5` at the fifth; `GATEWAY_CRASH_AT=32:5:freeze`
sends SIGSTOP, as if the machine stood still. Without the variable a point costs one comparison. Every point stands in POINTS once; a number
is never given another meaning.
"""

import itertools
import os
import signal
import threading

#: where each point is; "before" and "after" are seen from what the words name
POINTS: dict[int, str] = {
    # 10-19 archive
    10: "archive: before the temporary file is written",
    11: "archive: temporary file written, not flushed to the disk",
    12: "archive: temporary file on the disk, not under its name",
    13: "archive: under its name, folder not flushed",
    14: "archive: kept, nothing refers to it yet",
    15: "archive: all pieces of a large payload in the database, payload not named",
    16: "store: payloads copied to the new place, rows not",
    17: "store: rows copied and proven, not committed",
    18: "restore: rows written, not committed",
    19: "retention: erasure committed, payloads still in the archive",
    # 20-29 receive and journal
    20: "receive: bytes archived, transmission not inserted",
    21: "receive: transmission inserted, not committed",
    22: "receive: committed, source not told",
    23: "journal: entries written, not committed",
    24: "journal: checkpoint written, not committed",
    25: "database: before any commit",
    26: "database: after any commit",
    # 30-39 inbound: a transmission is opened, an interchange split off in chunks
    30: "inbound: transmission taken, nothing read",
    31: "inbound: interchange opened, not committed",
    32: "inbound: chunk of documents inserted, not committed",
    33: "inbound: chunk committed, next one not begun",
    34: "inbound: interchange through, acknowledgment not enqueued",
    35: "inbound: acknowledgment enqueued, not committed",
    36: "inbound: acknowledgment committed",
    37: "inbound: transmission done, not committed",
    38: "inbound: transmission done and committed",
    # 40-49 trade
    40: "trade: batch claimed, nothing decided",
    41: "trade: decided, nothing written",
    42: "trade: states written, outbox not",
    43: "trade: everything written, not committed",
    44: "trade: committed, stream not poked again",
    45: "trade: hold resolved, not committed",
    46: "trade: shipment, invoice or payment written, not committed",
    47: "trade: shipment, invoice or payment committed",
    # 50-59 outbound
    50: "outbound: rows claimed, not committed",
    51: "outbound: rows claimed and committed",
    52: "outbound: control numbers drawn, bytes not archived",
    53: "outbound: bytes archived, rows not prepared",
    54: "outbound: rows prepared, not committed",
    55: "outbound: rows prepared and committed, not sent",
    56: "outbound: sent, not recorded",
    57: "outbound: recorded as sent, not committed",
    58: "outbound: recorded as sent and committed",
    59: "outbound: acknowledgment of the partner matched, not committed",
    # 60-69 fetching and removing
    60: "fetch: remote file listed, not fetched",
    61: "fetch: remote file fetched, not archived",
    62: "fetch: committed, remote file still there",
    63: "fetch: remote file removed",
    64: "send: temporary remote file written, not renamed",
    65: "send: remote file renamed",
    66: "fetch: part of a large file in the spool, the rest not fetched",
    67: "fetch: all of a large file in the spool, not archived",
    68: "fetch: committed, remote file not moved to where it is kept",
    69: "fetch: remote file moved to where it is kept",
    # 70-79 AS2
    70: "as2: request read, not archived",
    71: "as2: request archived, not entered",
    72: "as2: receipt made and kept, not committed",
    73: "as2: committed, receipt not answered",
    74: "as2: message posted, answer not read",
    75: "as2: answer read, not recorded",
    # 80-89 answers awaited, numbers and batches
    80: "answers: told as overdue, not committed",
    81: "outbound: control numbers drawn and given to their rows, not committed",
    # 82-86 AS2: what is posted is kept first; receipts that are posted to us
    82: "as2: message wrapped and archived, not entered",
    83: "as2: message entered, not committed",
    84: "as2: message entered and committed, not posted",
    85: "as2: posted receipt heard and written, not committed",
    86: "as2: posted receipt heard and committed, not answered",
    87: "outbox: a person's retry or cancel written, not committed",
    88: "outbox: partner paused or resumed, not committed",
    89: "outbox: rows set aside behind another one of their order, not committed",
    # 90-95 HTTPS, mail, webhooks
    90: "upload: files archived and entered, not committed",
    91: "upload: committed, not answered",
    92: "mail: taken in and committed, still in the mailbox",
    93: "mail: out of the mailbox",
    94: "webhook: posted, not recorded",
    95: "webhook: events found in the journal, not committed",
    # 100-104 a process among others
    100: "cluster: pokes of a stream taken away, nothing served",
    101: "cluster: dead node buried, not committed",
    102: "cluster: claim taken and committed, nothing done under it",
    103: "cluster: stream served, seat not given back",
    104: "cluster: node signed off, not committed",
    # 125-127 AS2 messages that are answered unopened
    125: "as2: message put by unopened, not committed",
    126: "as2: message put by and committed, not answered",
    127: "as2: messages that were put by opened and committed",
    # 128-147 folders of our own, alerts, what leaves the archive, backups, small files
    128: "handover: file for the ERP written, not under its name",
    129: "handover: file for the ERP under its name, not recorded",
    130: "handed in: file of our own folder taken and committed, still there",
    131: "handed in: file of our own folder removed",
    132: "alerts: message committed, nobody told",
    133: "alerts: message told, not recorded",
    134: "retention: erased payload out of the archive, not written down",
    135: "tidying: payload that nothing names removed, the others not",
    136: "backup: tables written, payloads not",
    137: "backup: whole and on the disk, not under its name",
    138: "backup: under its name, folder not flushed",
    139: "restore: file of the installation on the disk, not under its name",
    140: "restore: file of the installation under its name, folder not flushed",
    141: "configuration in force: on the disk, not under its name",
    142: "configuration in force: under its name",
    143: "key: on the disk, not under its name",
    144: "key: under its name, folder not flushed",
    145: "spool: how much came is written, not under its name",
    146: "spool: how much came forgotten, the file still there",
    147: "fetch: file linked where it is kept, still where it was",
    # 158-159 connections that the processes of a cluster share
    158: "connections: permit committed, connection not opened",
    159: "connections: hung up, permit not given back",
    # 172-173 files that another process reads
    172: "elsewhere: job handed over, no chunk taken",
    173: "elsewhere: chunk taken, not written",
    # 177-178 what a process may end at
    177: "heads: that the first of a stream is tried is committed, nothing done",
}


def _wanted(text: str) -> tuple[int, int, signal.Signals]:
    number, _, rest = text.partition(":")
    passage, _, how = rest.partition(":")
    if not number.isdigit() or int(number) not in POINTS or (passage and not passage.isdigit()) or how not in _SIGNALS:
        raise ValueError(f"GATEWAY_CRASH_AT is '{text}': expected the number of a crash point, number:passage or number:passage:freeze")
    return int(number), int(passage or 1), _SIGNALS[how]


_SIGNALS = {"": signal.SIGKILL, "freeze": signal.SIGSTOP}
_NUMBER, _PASSAGE, _SIGNAL = _wanted(os.environ["GATEWAY_CRASH_AT"]) if os.environ.get("GATEWAY_CRASH_AT") else (0, 0, signal.SIGKILL)
_passages = itertools.count(1)


def point(number: int) -> None:
    """Kill (or freeze) this process here when GATEWAY_CRASH_AT says so."""
    if number == _NUMBER and next(_passages) == _PASSAGE:
        # by way of this thread, so that it does not get one step further
        signal.pthread_kill(threading.get_ident(), _SIGNAL)
