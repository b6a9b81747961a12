"""The story: its chapters in their order. A chapter in which something did not happen ends there; the next one is told all the same."""

from collections.abc import Callable

from gateway.demo import chapters_changes as changes
from gateway.demo import chapters_clean as clean
from gateway.demo import chapters_trouble as trouble
from gateway.demo.stage import Stage
from gateway.demo.watching import DidNotHappen
from gateway.pipeline.arriving.handing_in import NotTaken
from gateway.pipeline.trading.holding import Undecidable

Scene = Callable[[Stage], None]

CHAPTERS: tuple[tuple[str, tuple[Scene, ...]], ...] = (
    ("An order to cash in X12, by SFTP", (clean.x12_to_cash,)),
    ("The same in EDIFACT, by AS2", (clean.edifact_to_cash,)),
    ("And in UBL, through a folder", (clean.ubl_to_cash,)),
    ("Clumsy Brothers make mistakes", (trouble.syntax_error, trouble.duplicates, trouble.unknown_item, trouble.cut_off, trouble.stranger)),
    ("People decide", (trouble.price_difference, trouble.credit_hold)),
    ("Buyers think again", (changes.before_despatch, changes.too_late)),
    ("Not enough in stock, and a test", (trouble.short_shipment, trouble.test_order)),
    ("Money that does not fit", (trouble.short_payment, trouble.credit_note, trouble.unplaced_money)),
)


def tell(stage: Stage) -> None:
    """All chapters; what they expect is checked by the stage's teller."""
    for title, scenes in CHAPTERS:
        stage.teller.chapter(title)
        for scene in scenes:
            try:
                scene(stage)
            except DidNotHappen as error:
                stage.check(str(error), ok=False, found="it did not happen in time")
            except (NotTaken, Undecidable) as error:
                stage.check(f"{scene.__name__} can be done", ok=False, found=str(error))
