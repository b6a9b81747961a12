"""Kinds of problems: attachments of mail. Nobody is answered: the partner's person is told by ours."""

from gateway.problem import Kind

PACKED = Kind(
    code="MAIL-PACKED",
    title="The attachment is an archive (zip, gz, 7z, rar) and is not opened",
    cure="Ask the partner to attach the files themselves. The archive is kept: what is in it can be unpacked and handed in by hand.",
)
WINMAIL = Kind(
    code="MAIL-WINMAIL",
    title="The attachment is a winmail.dat: the mail was sent in a form that only Outlook reads",
    cure="Ask the partner to send as plain text or HTML instead of Rich Text, then the files come as they are.",
)
ENCRYPTED = Kind(
    code="MAIL-ENCRYPTED",
    title="The mail is encrypted or signed in a closed form (S/MIME, PGP), which is not opened",
    cure="Ask the partner to send unencrypted over TLS, or by AS2, which encrypts and is answered.",
)
WITHIN_MAIL = Kind(
    code="MAIL-WITHIN-MAIL",
    title="The attachment is a mail of its own (forwarded), which is not opened",
    cure="Ask the partner to attach the files themselves: who sent the mail within cannot be known.",
)
DAMAGED = Kind(
    code="MAIL-DAMAGED",
    title="The attachment cannot be decoded",
    cure="Ask the partner to send the mail again; look for a mail filter on the way that changes attachments.",
)
