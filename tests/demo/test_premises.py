"""The demo's folders: made afresh, and never at the cost of somebody else's."""

from datetime import UTC
from datetime import date
from datetime import datetime
from pathlib import Path

import pytest

from gateway.config import load_installation
from gateway.demo import configuration
from gateway.demo.cast import BUYERS
from gateway.demo.month import deals
from gateway.demo.premises import MARKER
from gateway.demo.premises import NotOurs
from gateway.demo.premises import make_afresh
from gateway.demo.run import PortTaken
from gateway.demo.run import Wish
from gateway.demo.run import choose_port
from gateway.pipeline.plans import Plans

HOMES = ("acme", "euroco", "nordic", "clumsy", "bank")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "photos" / "cat.jpg"
    mine.parent.mkdir()
    mine.write_bytes(b"cat")
    with pytest.raises(NotOurs, match="--data"):
        make_afresh(mine.parent, (), ())
    with pytest.raises(NotOurs):
        make_afresh(mine, (), ())
    assert mine.read_bytes() == b"cat"


def test_the_demos_own_folder_is_made_anew(tmp_path: Path) -> None:
    premises = make_afresh(tmp_path / "demo", HOMES, ("nordic",))
    (premises.erp / "old.json").write_text("{}")
    again = make_afresh(tmp_path / "demo", HOMES, ("nordic",))
    assert (again.top / MARKER).is_file()
    assert list(again.erp.iterdir()) == []
    assert (again.box("nordic") / "out").is_dir()


def test_what_is_written_for_a_newcomer_loads_without_a_fault(tmp_path: Path) -> None:
    premises = make_afresh(tmp_path / "demo", HOMES, ("nordic", "clumsy"))
    configuration.write_as2_keys(premises, NOW)
    addresses = configuration.Addresses(sftp_port=2222, sftp_user="kestrel", sftp_host_key="SHA256:" + "A" * 43, as2_port=4080)
    configuration.write_configuration(premises, 8080, addresses)
    configuration.write_master_data(premises, NOW)
    installation = load_installation(premises.config)
    assert sorted(installation.directory.partners) == sorted(BUYERS)
    plans = Plans(installation.resolver)
    for loaded in installation.directory.partners.values():
        assert plans.rules(loaded, installation.rules)
    items = {row["number"] for row in configuration.read_rows(premises, "items")}
    assert {row["item"] for row in configuration.read_rows(premises, "stock")} == items


def test_private_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    premises = make_afresh(tmp_path / "demo", HOMES, ())
    configuration.write_as2_keys(premises, NOW)
    for key in (premises.keys / "as2.key", premises.home("euroco").folder / "keys" / "own.key"):
        assert key.stat().st_mode & 0o077 == 0


def test_the_month_holds_the_same_orders_each_time() -> None:
    today = date(2026, 3, 2)
    assert deals(today) == deals(today)
    later = deals(date(2026, 7, 15))
    assert [(deal.buyer.id, deal.purchase.number, deal.purchase.lines, deal.fate) for deal in later] == [
        (deal.buyer.id, deal.purchase.number, deal.purchase.lines, deal.fate) for deal in deals(today)
    ]
    numbers = [deal.purchase.number for deal in later]
    assert len(set(numbers)) == len(numbers) > 25
    assert {deal.fate for deal in later} == {"paid", "short", "unpaid", "held"}


def test_a_port_that_is_in_use_is_refused(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(PortTaken, match="--port"):
            choose_port(Wish(port=taken.getsockname()[1]))
    assert choose_port(Wish(once=True)) > 1023
