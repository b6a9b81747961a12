"""The chapter in which buyers think again: an order is changed before anything has left, another one too late for one of its lines."""

from gateway.demo.cast import ACME
from gateway.demo.cast import DRILL
from gateway.demo.cast import EUROCO
from gateway.demo.cast import HAMMER
from gateway.demo.cast import LEVEL
from gateway.demo.cast import SCREWDRIVERS
from gateway.demo.cast import TAPE
from gateway.demo.cast import Changed
from gateway.demo.cast import asked
from gateway.demo.chapters_clean import accept
from gateway.demo.dialects import X12
from gateway.demo.dialects import Edifact
from gateway.demo.stage import Stage
from gateway.pipeline.keeping.telling import trail_words
from gateway.pipeline.keeping.trails import trail_of


def before_despatch(stage: Stage) -> None:
    """860 and 865: more of one line, none of another."""
    number, dialect = "PO-1005", X12()
    purchase = stage.purchase(number, asked(HAMMER, 20, "USD"), asked(TAPE, 30, "USD"))
    control = stage.order(ACME, dialect, purchase)
    stage.say(f"ACME orders 20 hammers and 30 tapes: {number}")
    accept(stage, ACME, dialect, number, control)
    exposure = stage.exposure(ACME)
    stage.change(ACME, dialect, purchase, 1, Changed(line=1, ware=HAMMER, quantity=35), Changed(line=2, ware=TAPE, quantity=None))
    stage.say("nothing has left yet when ACME thinks again (860): 35 hammers, no tapes")
    said = stage.change_answer(ACME, dialect, number, 1)
    stage.say(f"we answer line by line: 865, line 1 {said.get('1')}, line 2 {said.get('2')}")
    stage.check("the 865 takes both changes", said == {"1": "accepted", "2": "deleted"}, said)
    more = 15 * HAMMER.usd - 30 * TAPE.usd
    stage.check(f"what ACME has on order changes by {more} USD", stage.exposure(ACME) == exposure + more, stage.exposure(ACME) - exposure)
    stage.handed_over("order-v2")
    trail = trail_of(stage.station, number)
    told = trail is not None and "line 1 quantity 20 > 35" in trail_words(trail)
    stage.say("the ERP gets version 2, the trail says what was different: line 1 quantity 20 > 35")
    stage.check("the trail tells the version's differences", told)


def too_late(stage: Stage) -> None:
    """ORDCHG and ORDRSP: one of the lines has left already."""
    number, dialect = "4500103", Edifact()
    purchase = stage.purchase(number, asked(SCREWDRIVERS, 12, "EUR"), asked(LEVEL, 8, "EUR"), asked(DRILL, 2, "EUR"))
    stage.order(EUROCO, dialect, purchase)
    stage.response(EUROCO, dialect, number)
    stage.order_state(EUROCO, number, "accepted")
    stage.ship(number, (2, 8))
    stage.advice(EUROCO, dialect, number)
    stage.say(f"of Euroco's order {number} the spirit levels have left already")
    lines = (Changed(line=1, ware=SCREWDRIVERS, quantity=18), Changed(line=2, ware=LEVEL, quantity=None), Changed(line=3, ware=DRILL, quantity=None))
    stage.change(EUROCO, dialect, purchase, 1, *lines)
    stage.say("Euroco changes it (ORDCHG): more screwdrivers, no levels, no drills")
    said = stage.change_answer(EUROCO, dialect, number, 1)
    stage.say(f"we answer (ORDRSP): screwdrivers {said.get('1')}, levels {said.get('2')}: they have left; drills {said.get('3')}")
    stage.check("what has left stays, the rest is changed", said == {"1": "accepted", "2": "rejected", "3": "deleted"}, said)
    stage.sales_state(EUROCO, number, "part_despatched")
