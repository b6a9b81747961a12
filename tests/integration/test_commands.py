"""Commands beside a running service and without one; who owns the data."""

import time
from pathlib import Path

import pytest

from tests.cli.test_working import camt
from tests.integration.house import House
from tests.integration.house import answered
from tests.integration.house import names
from tests.integration.house import put
from tests.integration.house import texts
from tests.integration.house import until
from tests.machine import PATIENCE
from tests.pipeline.world import ACME
from tests.pipeline.world import x12_order


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path, {"acme": ACME.replace("credit: none", 'credit: {limit: "100 USD", first_order: accept}')})


def order_to_cash(house: House) -> None:
    """Orders, a hold, a shipment, an invoice and its payment, by commands alone."""
    (house.folder / "po.edi").write_bytes(x12_order("PO1", control=1))
    (house.folder / "much.edi").write_bytes(x12_order("PO2", control=2, lines=(("1", "1000", "9.25", "SKU1"),)))
    (house.folder / "ship.csv").write_text("shipment,order,line,quantity\nS1,PO1,1,10\n")
    (house.folder / "bank.xml").write_text(camt("92.50", "Invoice INV-000001"))
    done = house.command("receive", "po.edi", "much.edi")
    assert done.returncode == 0, done.stderr
    assert "order PO1: accepted" in done.stdout and "order PO2: held" in done.stdout
    assert "x12/004010/855 sent as" in done.stdout
    listed = house.command("hold", "list")
    assert "order PO2 of acme" in listed.stdout, listed.stderr
    for line, words in (
        (("hold", "reject", "PO2", "--reason", "too much for them"), "order PO2 is rejected"),
        (("ship", "ship.csv"), "despatch advice S1: sent"),
        (("invoice", "PO1"), "INV-000001"),
        (("pay", "bank.xml"), "applied"),
    ):
        done = house.command(*line)
        assert done.returncode == 0 and words in done.stdout, (line, done.stdout, done.stderr)
    assert len(names(house.box())) == 6  # two 997, two 855, 856, 810


def test_commands_work_beside_a_running_service(house: House) -> None:
    with house.service():
        order_to_cash(house)


@pytest.mark.parametrize("beside", [True, False], ids=["beside a service", "without one"])
def test_two_commands_at_once_do_their_work_once(house: House, beside: bool) -> None:
    for number in (1, 2):
        (house.folder / f"po{number}.edi").write_bytes(x12_order(f"PO{number}", control=number, lines=(("1", "1", "1.00", "SKU1"),)))
    lines = [("receive", f"po{number}.edi") for number in (1, 2)]
    if beside:
        with house.service():
            done = house.commands(*lines)
    else:
        done = house.commands(*lines)
    for number, said in enumerate(done, 1):
        assert said.returncode == 0 and f"order PO{number}: accepted" in said.stdout, said.stdout + said.stderr
        assert "x12/004010/855 sent as" in said.stdout, said.stdout
    assert len([text for text in texts(house.box()) if "ST*855*" in text]) == 2


def test_a_second_service_says_plainly_that_another_process_owns_the_data(house: House) -> None:
    with house.service() as first:
        started = time.monotonic()
        second = house.command("run")
        waited = time.monotonic() - started
        assert second.returncode == 4 and 9.5 < waited < PATIENCE
        assert "Another process owns" in second.stderr and str(first.process.pid) in second.stderr and "Traceback" not in second.stderr
        put(house.box("acme", "out"), "po.edi", x12_order())
        until(lambda: answered(house.box(), "PO1"), "the first service to be undisturbed")


def test_a_second_service_takes_over_when_the_first_ends_meanwhile(house: House) -> None:
    first = house.start()
    try:
        second = house.start(ready=False)
        try:
            first.stop()
            until(lambda: second.said("serving"), "the second service to take over")
            put(house.box("acme", "out"), "po.edi", x12_order())
            until(lambda: answered(house.box(), "PO1"), "the answer")
            second.stop()
        finally:
            second.kill()
    finally:
        first.kill()


def test_after_a_kill_it_starts_again_at_once(house: House) -> None:
    started = time.monotonic()
    service = house.start()
    usual = time.monotonic() - started
    service.process.kill()  # the service alone: its web process has to see it by itself
    service.process.wait(PATIENCE)
    started = time.monotonic()
    with house.service() as again:
        assert time.monotonic() - started < 8 + 5 * usual
        until(lambda: again.said("web pages"), "the web pages on the same port")
        assert again.said("web process died, starting it again") is None
    service.kill()


def test_a_command_beside_a_busy_service_waits_for_its_own_work_alone(house: House) -> None:
    other = ACME.replace("id: acme", "id: busy").replace("ACMEBUYER", "BUSY").replace('gln: "1234567890128"', 'duns: "123456789"')
    house.partner("busy", other.replace("boxes/acme", "boxes/busy"))
    lines = tuple((str(line), "1", "1.00", f"SKU{line}") for line in range(1, 300))
    with house.service():
        for control in range(1, 301):
            put(house.box("busy", "out"), f"{control}.edi", x12_order(f"B{control}", control=control, sender="BUSY", lines=lines))
        until(lambda: answered(house.box("busy"), "B1"), "the service to be busy")
        (house.folder / "po.edi").write_bytes(x12_order("PO1", control=1, lines=(("1", "1", "1.00", "SKU1"),)))
        done = house.command("receive", "po.edi")
        assert done.returncode == 0 and "x12/004010/855 sent as" in done.stdout, done.stdout + done.stderr
        assert not answered(house.box("busy"), "B300"), "the service has other work still"
