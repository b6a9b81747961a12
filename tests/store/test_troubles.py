"""What does not work now."""

from datetime import timedelta

from gateway.store.database import Database
from gateway.store.watching import troubles
from gateway.store.watching.troubles import Trouble
from tests.store.made import NOW


def trouble(name: str, state: str = "retrying", minutes: int = 0, error: str = "no route to host") -> Trouble:
    return Trouble(name=name, kind="mailbox", partner="acme", state=state, error=error, cure="Wait.", since=NOW + timedelta(minutes=minutes))


def test_a_trouble_began_when_it_was_first_told_and_says_the_latest(database: Database) -> None:
    with database.begin() as connection:
        troubles.stands(connection, trouble("mailbox a"))
        troubles.stands(connection, trouble("mailbox a", "stopped", 5, "host key changed"))
    with database.read() as connection:
        assert troubles.standing(connection) == [trouble("mailbox a", "stopped", 0, "host key changed")]


def test_what_waits_for_a_person_comes_first_then_the_oldest(database: Database) -> None:
    with database.begin() as connection:
        for one in (trouble("mailbox a", minutes=2), trouble("mailbox b", minutes=1), trouble("mailbox c", "stopped", 3)):
            troubles.stands(connection, one)
    with database.read() as connection:
        assert [one.name for one in troubles.standing(connection)] == ["mailbox c", "mailbox b", "mailbox a"]


def test_a_trouble_that_is_over_is_gone_and_ending_twice_is_harmless(database: Database) -> None:
    with database.begin() as connection:
        troubles.stands(connection, trouble("mailbox a"))
        assert troubles.is_over(connection, "mailbox a")
        assert not troubles.is_over(connection, "mailbox a")
        assert troubles.standing(connection) == []


def test_a_new_owner_begins_without_troubles(database: Database) -> None:
    with database.begin() as connection:
        troubles.stands(connection, trouble("mailbox a"))
        troubles.forget_all(connection)
        assert troubles.standing(connection) == []
