"""The kinds of alerts: one word each, with what it means. docs/operations/alerts.md says of each what to do; a test holds both together."""

#: of troubles that steps, pollers, timers and endpoints tell (pipeline.troubles), and of what is found in the store (pipeline.signals)
ALERT_KINDS = {
    "mailbox": "a partner's mailbox or folder cannot be looked into",
    "files": "files of a mailbox cannot be taken, or not be removed",
    "letters": "mails wait that nobody can take in",
    "folder": "a folder of our own systems cannot be looked into",
    "poller": "looking into a mailbox fails by a fault of ours",
    "sending": "an endpoint takes nothing",
    "webhook": "a webhook takes nothing",
    "step": "a step of the work fails by a fault of ours or of the database",
    "clock": "a timer fails: sealing of the journal (seal), deadlines, sweep, web, alerts",
    "configuration": "a file that you edit is wrong, or a change waits for a restart",
    "key": "a key that a partner's machine comes with cannot be read",
    "certificate": "a certificate is about to end or has ended",
    "database": "the database takes nothing: it is locked, away or full",
    "connections": "PostgreSQL has too few connections for all processes",
    "archive": "what was kept is not where payloads lie",
    "pages": "the web process does not stay up",
    "disk": "a disk that we write to is nearly full",
    "engine": "the engine does not turn any more",
    "machine": "a process of a cluster fell silent, and the others took over",
    "alerts": "alerts cannot be mailed or posted",
    "given up": "deliveries were given up",
    "answers": "partners have not answered in time",
    "holds": "documents or files have waited for a person for long",
    "queue": "work waits that nobody does",
}
