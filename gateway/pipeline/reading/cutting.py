"""A received payload on its way through the codecs: cut into interchanges and transactions, read for their partners, a chunk at a time.

Knows no database: what is known of earlier interchanges is asked of `judge` where they begin, or looked at by whoever takes the chunks.
"""

import time
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import replace

import msgspec

from gateway.codecs.choose import form_of
from gateway.codecs.choose import head_of
from gateway.codecs.choose import read as read_events
from gateway.codecs.layout import Form
from gateway.codecs.node import GroupEnd
from gateway.codecs.node import GroupStart
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.config import Installation
from gateway.kinds import partner as partner_kinds
from gateway.pipeline.plans import Plans
from gateway.pipeline.plans import ReadingPlan
from gateway.pipeline.reading.chunk import Chunk
from gateway.pipeline.reading.chunk import Job
from gateway.pipeline.reading.chunk import Used
from gateway.pipeline.reading.drafts import AtHand
from gateway.pipeline.reading.drafts import draft_of
from gateway.pipeline.reading.entitlement import entitle
from gateway.pipeline.reading.forms import forms_for
from gateway.pipeline.reading.progress import Progress
from gateway.problem import Place
from gateway.problem import Problem

#: why an interchange that begins is refused, or waits; the flag says whether it is begun for the first time
Judge = Callable[[InterchangeStart, bool], tuple[Problem | None, Problem | None]]


class Cutting:
    """A payload that is read. After a kill it is made anew and skips what is done."""

    def __init__(
        self,
        installation: Installation,
        plans: Plans,
        job: Job,
        pieces: Iterable[bytes],
        *,
        judge: Judge | None = None,
        at_hand: AtHand | None = None,
    ) -> None:
        self._installation = installation
        self._plans = plans
        self._job = job
        self._judge = judge
        self._at_hand = at_hand
        head, whole = head_of(pieces)
        self.syntax, self._events = read_events(whole, form_of(head, self._forms()))
        self._start: InterchangeStart | None = None
        self._group: GroupStart | None = None
        self._ordinal = -1
        self._cursor = 0
        self._skip = 0
        self._refused: Problem | None = None
        self._held: Problem | None = None
        self._progress = Progress()
        self._loose: list[Problem] = []
        self._plan_numbers: dict[int, int] = {}

    def next_chunk(self) -> Chunk:
        """The next transactions: so many as the job says, the rest of the interchange, or the end of the payload."""
        chunk = Chunk(start=self._start, ordinal=self._ordinal, first=self._cursor, held=self._held, refused=self._refused)
        self._plan_numbers = {}
        end = time.monotonic() + self._job.seconds
        for event in self._events:
            if isinstance(event, Transaction):
                if self._take(event, chunk) and (len(chunk.drafts) >= self._job.most or time.monotonic() > end):
                    break
            elif isinstance(event, InterchangeStart):
                chunk = self._begin(event)
            elif isinstance(event, GroupStart):
                self._group = event
                self._progress.open_group(event)
            elif isinstance(event, GroupEnd):
                self._group = None
                self._progress.close_group(event)
            elif isinstance(event, InterchangeEnd):
                if self._finish(event, chunk):
                    break
            elif self._start is not None:
                self._progress.problems.append(event)
            else:
                self._loose.append(event)
        else:
            chunk.through = True
        if chunk.ends:
            chunk.progress = self._progress
        chunk.loose, self._loose = self._loose, []
        return chunk

    def _forms(self) -> list[Form]:
        """What a file may be that does not say itself what it is."""
        said = self._job.spec
        directory = self._installation.directory
        partner = directory.partners.get(self._job.partner or "") if said else None
        return forms_for(self._plans, directory, partner, said, self._job.address)

    def _begin(self, start: InterchangeStart) -> Chunk:
        """The first chunk of an interchange; an empty one where it was finished before a kill: nothing of it is written again."""
        self._start, self._group = start, None
        self._ordinal += 1
        known = self._job.done.get(self._ordinal)
        self._cursor = 0
        self._held = self._refused = None
        self._progress = Progress(start=start)
        self._plan_numbers = {}
        state, self._skip = known if known is not None else ("open", 0)
        if state != "open":
            self._skip = -1
            return Chunk(ordinal=self._ordinal)
        if self._judge is not None:
            self._refused, self._held = self._judge(start, known is None)
        return Chunk(start=start, ordinal=self._ordinal, opens=known is None, refused=self._refused, held=self._held)

    def _take(self, transaction: Transaction, chunk: Chunk) -> bool:
        """True when the transaction went into the chunk."""
        if self._skip == -1:
            return False
        if self._cursor < self._skip:
            self._cursor += 1
            chunk.first = self._cursor
            return False
        assert self._start is not None
        self._cursor += 1
        if self._refused is not None or self._held is not None:
            return False
        found = entitle(transaction, self._start, self._group, self._job.address, self._installation.directory, self._plans)
        if found.hold is not None and not chunk.drafts and self._cursor == 1:
            if self._is_refused(found.hold):
                self._refused = chunk.refused = msgspec.structs.replace(found.hold, place=self._party_place(found.hold))
            else:
                self._held = chunk.held = found.hold
            return False
        found = replace(found, group=len(self._progress.groups))
        chunk.drafts.append(draft_of(found, self._number_of(found.read.plan, chunk), self._at_hand))
        return True

    def _number_of(self, plan: ReadingPlan | None, chunk: Chunk) -> int | None:
        """The place of a plan among those of the chunk."""
        if plan is None:
            return None
        number = self._plan_numbers.get(id(plan))
        if number is None:
            # a plan that is in use stays where it is: the plans hold it
            number = self._plan_numbers[id(plan)] = len(chunk.plans)
            chunk.plans.append(Used(plan.spec, plan.digests))
        return number

    def _is_refused(self, problem: Problem) -> bool:
        """Whether nobody knows the sender, or we are not the receiver, such is refused (config.yaml), and it can be told the way the file came."""
        settings = self._installation.settings
        refused = {partner_kinds.UNKNOWN_SENDER.code: settings.unknown_sender, partner_kinds.RECEIVER_NOT_US.code: settings.unknown_receiver}
        if refused.get(problem.code) != "reject":
            return False
        x12_or_edifact = self._start is not None and self._start.syntax in {Syntax.X12, Syntax.EDIFACT}
        if not x12_or_edifact:
            return False
        # what names streams comes with the store, which a process that only reads has no use for
        from gateway.pipeline.endpoints import owner_of

        return owner_of(self._installation.directory, self._job.endpoint) is not None

    def _party_place(self, problem: Problem) -> Place:
        """Where the header names the sender, or the receiver."""
        assert self._start is not None
        start = self._start
        tag = start.segment[0] if start.segment else None
        sender, receiver = (6, 8) if tag == "ISA" else (2, 3)
        element = sender if problem.code == partner_kinds.UNKNOWN_SENDER.code else receiver
        return Place(interchange=start.control_number or None, segment=tag, element=element, offset=start.offset)

    def _finish(self, end: InterchangeEnd, chunk: Chunk) -> bool:
        skipped = self._skip == -1
        self._skip = 0
        if skipped:
            self._start = None
            return False
        chunk.end = end
        self._progress.end = end
        self._start = None
        return True
