"""What the crash tests kill of HTTPS, mail and webhooks: a push with its key, a look into a mailbox, events and alerts on their way. Each may be begun
again, as the partner, the poller and the timer would. Run by tests/crash/server.py in a child process.
"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from gateway.pipeline.alerts.sending import Alerts
from gateway.pipeline.arriving import mail_receiving
from gateway.pipeline.arriving.accounts import load_accounts
from gateway.pipeline.arriving.uploading import Handed
from gateway.pipeline.arriving.uploading import Push
from gateway.pipeline.arriving.uploading import take_push
from gateway.pipeline.outbound import hooking
from gateway.pipeline.service.assembly import work_off
from gateway.pipeline.station import now_utc
from gateway.pipeline.troubles import Standing
from gateway.store.incoming import transmissions
from gateway.store.outgoing import webhooks
from tests.crash.walk import open_here
from tests.pipeline.world import x12_order

KEY = "k" * 40


def push(folder: Path) -> None:
    """The partner pushes two orders under its key, until it has an answer; then all work."""
    station = open_here(folder)
    account = load_accounts(station.installation).of(f"Bearer {KEY}")
    assert account is not None
    orders = {f"po{number}.edi": x12_order(f"PO{number}", control=number) for number in (1, 2)}
    answer = take_push(station, Push(account, tuple(Handed(name, data) for name, data in orders.items()), "the partner's key")).answer
    answered = folder / "answer.json"
    assert not answered.exists() or answered.read_bytes() == answer
    answered.write_bytes(answer)
    work_off(station)
    station.close()


def mail(folder: Path) -> None:
    """The mailbox is looked into until it is empty; then all work."""
    station = open_here(folder)
    [source] = mail_receiving.sources(station.installation)
    postman = mail_receiving.Postman(source)
    while postman.look(station):
        pass
    postman.close()
    work_off(station)
    station.close()


def alert(folder: Path) -> None:
    """Something does not work, and people are told by mail."""
    station = open_here(folder)
    Standing(station, "mailbox", "box", "acme").stands("the host key is another one", "Ask the partner.", stopped=True)
    # what comes at the same time has been waited for
    later = replace(station, clock=lambda: now_utc() + timedelta(minutes=1))
    for _ in range(2):
        Alerts(later).look()
    station.close()


def tell(folder: Path) -> None:
    """Somebody is named to hear what happens; an order is pushed; its events are told."""
    station = open_here(folder)
    with station.database.read() as connection:
        begun = webhooks.position(connection) is not None
    if not begun:
        hooking.tell(station)
    with station.database.read() as connection:
        came = transmissions.search(connection)
    if not came:
        push(folder)
    work_off(station)
    hooking.tell(station)
    work_off(station)
    station.close()
