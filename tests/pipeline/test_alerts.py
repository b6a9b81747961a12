"""Who is told what does not work: once when it begins, once when it is over, few messages, nothing lost by a restart."""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.config import load_installation
from gateway.config.alerting import AlertHook
from gateway.pipeline.alerts import sending
from gateway.pipeline.alerts.raising import why_quiet
from gateway.pipeline.alerts.sending import Alerts
from gateway.pipeline.station import Loaded
from gateway.pipeline.troubles import Standing
from gateway.store.incoming import holds
from gateway.store.outgoing import outbox
from gateway.store.watching import alerts
from gateway.store.watching import troubles
from gateway.yaml_source import Faults
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World
from tests.pipeline.world import x12_order
from tests.store.made import entry
from tests.transport.hook_server import Hook
from tests.transport.hook_server import hook_server
from tests.transport.mail_server import Post
from tests.transport.mail_server import smtp_server

MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Watched:
    """An installation whose alerts go to a mail server, and to a web hook where there is one."""

    world: World
    post: Post
    alerts: Alerts

    def pass_time(self, minutes: float) -> None:
        """Look every minute (more often at the beginning) for so long."""
        for seconds in [30, 30, *[60] * (int(minutes) - 1)]:
            self.world.clock.now += timedelta(seconds=seconds)
            self.alerts.look()

    def mails(self) -> list[str]:
        """Subject and text of what was mailed since the last question."""
        found = [self.post.read(number) for number in range(len(self.post.mails))]
        self.post.mails.clear()
        return [f"{mail['Subject']}\n{mail.get_content()}".replace("\r", "") for mail in found]

    def trouble(self, name: str = "box", kind: str = "mailbox", partner: str | None = "acme") -> Standing:
        return Standing(self.world.station, kind, name, partner)


def config(post: Post, more: str = "", alerts: str = "") -> str:
    mail = f"mail: {{smtp: 'smtp://127.0.0.1:{post.port}', from: gateway@seller.example, tls: none}}\n"
    return f"{CONFIG}{mail}alerts: {{to: [ops@seller.example]{alerts}}}\n{more}"


@pytest.fixture
def post() -> Iterator[Post]:
    with smtp_server() as running:
        yield running


@pytest.fixture
def watched(tmp_path: Path, database_url: str, post: Post) -> Iterator[Watched]:
    world = World(tmp_path, database=database_url, config=config(post))
    yield Watched(world, post, Alerts(world.station))
    world.close()


def made(tmp_path: Path, post: Post, alerts: str) -> Watched:
    world = World(tmp_path, config=config(post, alerts=alerts))
    return Watched(world, post, Alerts(world.station))


def test_what_is_stopped_is_told_once_and_once_when_it_works_again(watched: Watched) -> None:
    standing = watched.trouble()
    standing.stands("the host key is another one", "Ask the partner.", stopped=True)
    watched.pass_time(30)
    [mail] = watched.mails()
    assert mail.startswith(
        "[Seller Co] 1 does not work: mailbox box\nDoes not work:\n\nERROR: mailbox box (partner acme), since 2026-01-06 09:00 UTC"
    )
    assert "the host key is another one\n    Ask the partner.\n" in mail and "http://127.0.0.1:18999/ or gateway status" in mail
    standing.is_over()
    watched.pass_time(30)
    [mail] = watched.mails()
    assert mail.startswith(
        "[Seller Co] 1 works again: mailbox box\nWorks again:\n\nmailbox box (partner acme)\n    from 2026-01-06 09:00 to 2026-01-06 09:3"
    )
    watched.pass_time(30)
    assert watched.mails() == []
    with watched.world.station.database.read() as connection:
        assert alerts.known(connection) == {}


def test_a_way_that_config_names_no_more_is_no_trouble_any_more(watched: Watched, post: Post) -> None:
    post.answers += ["451 not now"] * 9
    watched.trouble().stands("the host key is another one", "Ask the partner.", stopped=True)
    watched.pass_time(3)
    station = watched.world.station

    def standing() -> list[str]:
        with station.database.read() as connection:
            return [trouble.name for trouble in troubles.standing(connection)]

    assert "alerts mail" in standing()
    settings = station.installation.settings
    hook = AlertHook(url="http://127.0.0.1:1/", secret=("env:NONE",), private=True)
    changed = settings.model_copy(update={"alerts": settings.alerts.model_copy(update={"to": (), "webhook": hook}) if settings.alerts else None})
    station.current.loaded = Loaded(replace(station.installation, settings=changed), station.plans)
    watched.pass_time(1)
    assert "alerts mail" not in standing()


def test_a_clock_that_was_set_back_silences_nobody(watched: Watched) -> None:
    one, early = watched.trouble("one"), watched.trouble("early")
    one.stands("wrong password", "Mend it.", stopped=True)
    watched.pass_time(2)
    assert len(watched.mails()) == 1
    early.stands("wrong password", "Mend it.", stopped=True)
    one.is_over()
    watched.alerts.look()
    watched.world.clock.now -= timedelta(hours=1)
    watched.trouble("two").stands("wrong password", "Mend it.", stopped=True)
    watched.pass_time(2)
    [mail] = watched.mails()
    assert "mailbox early" in mail and "mailbox two" in mail
    watched.pass_time(16)
    [mail] = watched.mails()
    assert "[Seller Co] 1 works again: mailbox one" in mail
    early.is_over()
    watched.pass_time(10)
    assert watched.mails() == [], "there are few messages, by this clock too"


def test_what_mends_itself_soon_is_not_told(watched: Watched) -> None:
    standing = watched.trouble()
    standing.stands("it takes too long", "It is tried again by itself.")
    watched.pass_time(8)
    standing.is_over()
    watched.pass_time(20)
    assert watched.mails() == []
    standing.stands("it takes too long", "It is tried again by itself.")
    watched.pass_time(12)
    [mail] = watched.mails()
    assert "WARNING: mailbox box" in mail


def test_what_grows_worse_is_told_again(watched: Watched) -> None:
    standing = watched.trouble()
    standing.stands("it takes too long", "It is tried again by itself.")
    watched.pass_time(12)
    assert len(watched.mails()) == 1
    standing.stands("wrong password", "Mend it.", stopped=True)
    watched.pass_time(20)
    [mail] = watched.mails()
    assert "Has grown worse:" in mail and "wrong password" in mail


def test_a_restart_neither_repeats_nor_forgets(watched: Watched) -> None:
    watched.trouble().stands("stopped", "Mend it.", stopped=True)
    watched.pass_time(2)
    assert len(watched.mails()) == 1
    # a new owner forgets all troubles and finds them again a little later
    with watched.world.station.database.begin() as connection:
        troubles.forget_all(connection)
    watched.alerts = Alerts(watched.world.station)
    watched.pass_time(1)
    watched.trouble().stands("stopped", "Mend it.", stopped=True)
    watched.pass_time(60)
    assert watched.mails() == []


def test_a_storm_is_one_message_that_says_how_much_it_left_out(watched: Watched) -> None:
    for number in range(300):
        watched.trouble(f"box{number:03d}").stands("wrong password", "Mend it.", stopped=True)
    watched.trouble("folder", "folder", None).stands("no such folder", "It is tried again by itself.")
    watched.pass_time(20)
    [mail, later] = watched.mails()
    assert mail.count("ERROR: mailbox") == 40 and "260 more are left out here." in mail
    assert mail.startswith("[Seller Co] 40 do not work")
    assert later.startswith("[Seller Co] 1 does not work: folder folder\n")


def test_messages_are_few_whatever_happens(tmp_path: Path, post: Post) -> None:
    watched = made(tmp_path, post, ", digest: 1m, most_an_hour: 4")
    for number in range(60):
        watched.trouble(f"box{number}").stands("wrong password", "Mend it.", stopped=True)
        watched.pass_time(1)
    assert len(watched.mails()) == 4
    watched.pass_time(30)
    told = "".join(watched.mails())
    # what came when there were enough messages is counted in the next one
    assert told.count("ERROR: mailbox") == 40 and "16 more are left out here." in told
    watched.world.close()


def test_a_mail_server_that_fails_is_a_trouble_and_gets_everything_later_once(watched: Watched, post: Post) -> None:
    post.answers[:] = ["451 later"] * 3
    watched.trouble().stands("wrong password", "Mend it.", stopped=True)
    watched.pass_time(2)
    with watched.world.station.database.read() as connection:
        standing = {trouble.name: trouble for trouble in troubles.standing(connection)}
        [waiting] = alerts.due_messages(connection, watched.world.clock.now + timedelta(hours=1))
    assert "451 later" in standing["alerts mail"].error and waiting.attempts >= 1
    watched.pass_time(40)
    mails = [post.read(number) for number in range(len(post.mails))]
    text = "".join(mail.get_content() for mail in mails)
    assert text.count("ERROR: mailbox box") == 1
    assert len({mail["Message-ID"] for mail in mails}) == len(mails)
    with watched.world.station.database.read() as connection:
        assert [trouble.name for trouble in troubles.standing(connection)] == ["mailbox box"]


def test_a_message_is_the_same_bytes_on_every_try(watched: Watched, post: Post) -> None:
    post.answers[:] = ["drop"]
    watched.trouble().stands("wrong password", "Mend it.", stopped=True)
    watched.pass_time(5)
    bodies = list(dict.fromkeys(post.mails[:2]))
    assert len(post.mails) == 2 and len(bodies) == 1


def test_a_web_hook_gets_signed_json(tmp_path: Path, post: Post) -> None:
    with hook_server() as hook:
        (tmp_path / "hook.secret").write_text("s3cret\n")
        watched = made(tmp_path, post, f", webhook: {{url: '{hook.url}', secret: 'file:hook.secret', private: true}}")
        hook.answers[:] = [503]
        watched.trouble().stands("wrong password", "Mend it.", stopped=True)
        watched.pass_time(5)
        _demand_signed(hook)
        assert len(watched.mails()) == 1
        watched.world.close()


def test_a_way_over_which_our_own_step_fails_keeps_the_other_one_open(tmp_path: Path, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a fault of ours")

    monkeypatch.setattr(sending, "mail_of", broken)
    with hook_server() as hook:
        (tmp_path / "hook.secret").write_text("s3cret\n")
        watched = made(tmp_path, post, f", webhook: {{url: '{hook.url}', secret: 'file:hook.secret', private: true}}")
        watched.trouble().stands("wrong password", "Mend it.", stopped=True)
        watched.pass_time(5)
        assert hook.posted and watched.mails() == []
        with watched.world.station.database.read() as connection:
            assert [one.error for one in troubles.standing(connection) if one.kind == "alerts"] == ["a fault of ours"]
        watched.world.close()


@pytest.mark.parametrize(("odd", "told"), [("", "127.0.0.1 answered 403 Forbidden: Cannot POST /alerts?"), (" ", "holds characters")])
def test_a_key_in_the_address_of_the_web_hook_is_shown_nowhere(
    tmp_path: Path, post: Post, capfd: pytest.CaptureFixture[str], odd: str, told: str
) -> None:
    with hook_server() as hook:
        hook.repeats, hook.answers[:] = True, [403] * 50
        (tmp_path / "hook.secret").write_text("s3cret\n")
        url = f"{hook.url}?token=hunter2%2Bkey{odd}&to=ops"
        watched = made(tmp_path, post, f", webhook: {{url: '{url}', secret: 'file:hook.secret', private: true}}")
        watched.trouble().stands("wrong password", "Mend it.", stopped=True)
        watched.pass_time(5)
        with watched.world.station.database.read() as connection:
            standing = troubles.standing(connection)
            kept = [tuple(row) for row in connection.exec_driver_sql("SELECT * FROM alert_message")]
        shown = str(standing) + str(kept) + "".join(capfd.readouterr()) + "".join(watched.mails())
        watched.world.close()
    assert told in shown
    assert "hunter2" not in shown


def _demand_signed(hook: Hook) -> None:
    (first, body), (second, again) = hook.posted[:2]
    assert body == again and first["gateway-event"] == second["gateway-event"] and first["gateway-signature"] != second["gateway-signature"]
    for head, content in hook.posted:
        seconds, signature = head["gateway-signature"].removeprefix("t=").split(",v1=")
        assert signature == hmac.new(b"s3cret", f"{seconds}.".encode() + content, hashlib.sha256).hexdigest()
    said = json.loads(body)
    assert (said["type"], said["installation"], said["left_out"]) == ("gateway.alerts", "Seller Co", 0)
    assert [(one["name"], one["change"], one["severity"]) for one in said["alerts"]] == [("mailbox box", "begins", "error")]


def test_what_is_muted_is_not_told_until_the_mute_ends(watched: Watched) -> None:
    done = watched.world.command("alerts", "mute", "--kind", "mailbox", "--partner", "acme", "--for", "1h", "--reason", "they move")
    assert done.returncode == 0, done.stderr
    # the command's clock is the real one
    with watched.world.station.database.begin() as connection:
        [mute] = alerts.mutes(connection, watched.world.clock.now)
        alerts.unmute(connection, mute.id)
        alerts.mute(connection, alerts.Muted(**{**_fields(mute), "until": watched.world.clock.now + timedelta(hours=1)}))
    watched.trouble().stands("wrong password", "Mend it.", stopped=True)
    watched.trouble("other", partner="other").stands("wrong password", "Mend it.", stopped=True)
    watched.pass_time(50)
    [mail] = watched.mails()
    assert "mailbox other" in mail and "mailbox box" not in mail
    with watched.world.station.database.read() as connection:
        assert why_quiet(watched.world.station, connection, alerts.known(connection).values()) == {"mailbox box": "not told: it is muted"}
    watched.pass_time(20)
    [mail] = watched.mails()
    assert "mailbox box" in mail
    listed = watched.world.command("alerts", "list")
    assert "error: mailbox box since 2026-01-06 09:00 UTC, told" in listed.stdout


def _fields(row: alerts.Muted) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__struct_fields__}


def test_config_mutes_until_the_end_of_a_day(tmp_path: Path, post: Post) -> None:
    watched = made(tmp_path, post, ", mute: [{kind: mailbox, until: 2026-01-06}]")
    watched.trouble().stands("wrong password", "Mend it.", stopped=True)
    watched.pass_time(30)
    assert watched.mails() == []
    watched.world.clock.now += timedelta(hours=15)
    watched.pass_time(2)
    assert len(watched.mails()) == 1
    watched.world.close()


def test_warnings_are_left_out_where_only_errors_are_wanted(tmp_path: Path, post: Post) -> None:
    watched = made(tmp_path, post, ", severity: error, holds_older_than: 1h")
    watched.trouble().stands("it takes too long", "It is tried again by itself.")
    watched.pass_time(60)
    assert watched.mails() == []
    watched.world.close()


def test_deliveries_that_were_given_up_are_counted_together(watched: Watched) -> None:
    def dead(number: int) -> None:
        with watched.world.station.database.begin() as connection:
            row = entry(id=f"O{number}", partner="acme", endpoint="box", stream="out:acme:box", created_at=watched.world.clock.now)
            outbox.enqueue(connection, [row])
            connection.exec_driver_sql(f"UPDATE outbox SET state = 'dead' WHERE id = 'O{number}'")

    dead(1)
    dead(2)
    watched.pass_time(5)
    [mail] = watched.mails()
    assert "2 deliveries to acme over 'box' were given up" in mail and "given up acme:box" in mail
    dead(3)
    watched.pass_time(30)
    assert watched.mails() == []
    watched.pass_time(60)
    [mail] = watched.mails()
    assert "Has grown worse:" in mail and "3 deliveries" in mail


def test_holds_answers_and_queues_that_are_old_are_told_without_a_value_of_the_document(watched: Watched) -> None:
    bad = x12_order("SECRETNUMBER", sender="NOBODY")
    watched.world.receive(bad)
    with watched.world.station.database.read() as connection:
        assert holds.list_open(connection)
    with watched.world.station.database.begin() as connection:
        now = watched.world.clock.now
        late = entry(id="L1", partner="acme", endpoint="box", stream="out:acme:far", created_at=now, due_at=now)
        outbox.enqueue(connection, [late, entry(id="L2", partner="acme", endpoint="box", stream="out:acme:near", created_at=now, due_at=now)])
        due = "ack_due_at = '2026-01-06T08:00:00.000000Z'"
        connection.exec_driver_sql(f"UPDATE outbox SET state = 'sent', ack_state = 'overdue', {due} WHERE id = 'L1'")
    watched.pass_time(30)
    text = "".join(watched.mails())
    assert "1 answer of acme is overdue" in text and "queue out" in text
    watched.world.clock.now += timedelta(days=1)
    watched.pass_time(2)
    text += "".join(watched.mails())
    assert re.search(r"WARNING: holds \w+", text) and "nobody has decided for longer than 1d" in text
    assert "SECRETNUMBER" not in text and "NOBODY" not in text


def test_a_test_message_says_which_way_is_not_taken(tmp_path: Path, post: Post) -> None:
    (tmp_path / "hook.secret").write_text("s3cret")
    watched = made(tmp_path, post, ", webhook: {url: 'http://127.0.0.1:1/', secret: 'file:hook.secret', private: true}")
    told = watched.world.command("alerts", "test")
    assert told.returncode == 4 and "mail: taken" in told.stdout and "webhook: 127.0.0.1 cannot be reached" in told.stderr
    assert post.read()["Subject"] == "[Seller Co] test of the alerts"
    watched.world.close()


@pytest.mark.parametrize(
    ("alerting", "words"),
    [
        ("alerts: {}", "alerts: says nobody to tell"),
        ("alerts: {to: ops}", "is no mail address"),
        ("alerts: {webhook: {url: 'http://far.example/x', secret: 'env:X'}}", "https://host/path"),
        ("alerts: {webhook: {url: 'https://user:pass@far.example/x', secret: 'env:X'}}", "without user and password"),
        ("alerts: {webhook: {url: 'https://far.example/x', secret: plain}}", "a secret is named"),
        ("alerts: {to: [a@b.example]}", "needs a mail server"),
        ("alerts: {to: [a@b.example], digest: soon}", "is no span of time"),
        ("alerts: {to: [a@b.example], mute: [{until: 2026-01-01}]}", "a mute names kind: or partner:"),
    ],
)
def test_wrong_keys_are_told_at_loading(tmp_path: Path, alerting: str, words: str) -> None:
    (tmp_path / "config.yaml").write_text(f"{CONFIG}{alerting}\n")
    with pytest.raises(Faults, match=re.escape(words)):
        load_installation(tmp_path / "config.yaml")
