"""A message of alerts in words, as mail and as JSON. The same bytes on every try."""

from email.message import EmailMessage
from email.utils import format_datetime

import msgspec

from gateway.store.alert_item import Item
from gateway.store.watching.alerts import Message

_HEADS = {"begins": "Does not work:", "worse": "Has grown worse:", "over": "Works again:"}
TEST = "This is a test: nothing is wrong."


def mail_of(message: Message, sender: str, receivers: tuple[str, ...], us: str, page: str) -> EmailMessage:
    """The message as a mail."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = ", ".join(receivers)
    mail["Subject"] = _plain(f"[{us}] {subject_of(message)}")
    mail["Date"] = format_datetime(message.created_at)
    mail["Message-ID"] = f"<{message.id}@{sender.partition('@')[2]}>"
    # no holiday note answers a machine (RFC 3834)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text_of(message, page))
    return mail


def subject_of(message: Message) -> str:
    """`2 do not work, 1 works again: mailbox sftp://...`"""
    if not message.items:
        return "test of the alerts"
    standing = sum(item.change != "over" for item in message.items)
    over = len(message.items) - standing
    parts = [f"{standing} {'does' if standing == 1 else 'do'} not work"] if standing else []
    parts += [f"{over} work{'s' if over == 1 else ''} again"] if over else []
    return f"{', '.join(parts)}: {message.items[0].name}"


def text_of(message: Message, page: str) -> str:
    """The words of a mail."""
    lines: list[str] = [] if message.items else [TEST]
    for change, head in _HEADS.items():
        of_change = [item for item in message.items if item.change == change]
        if of_change:
            lines += [head, ""]
            for item in of_change:
                lines += [*_lines(item), ""]
    if message.left_out:
        lines += [f"{message.left_out:,} more are left out here."]
    lines += [f"What stands now: {page} or gateway status."]
    return "\n".join(lines) + "\n"


def _lines(item: Item) -> list[str]:
    whose = f" (partner {item.partner})" if item.partner else ""
    if item.change == "over":
        return [f"{item.name}{whose}", f"    from {item.since:%Y-%m-%d %H:%M} to {item.at:%Y-%m-%d %H:%M} UTC"]
    return [f"{item.severity.upper()}: {item.name}{whose}, since {item.since:%Y-%m-%d %H:%M} UTC", f"    {item.what}", f"    {item.cure}"]


def json_of(message: Message, us: str) -> bytes:
    """The message as it is posted to a web hook."""
    items = [{**msgspec.to_builtins(item), "partner": item.partner or ""} for item in message.items]
    return msgspec.json.encode(
        {"type": "gateway.alerts" if items else "gateway.test", "id": message.id, "installation": us, "at": message.created_at}
        | {"alerts": items, "left_out": message.left_out}
    )


def _plain(text: str) -> str:
    """One line for a header."""
    return " ".join(text.split())[:200]
