"""A work is killed before and after every commit on its way, and what goes on is killed as well; then it comes through, and everything is there
once. Each place in the code that commits has its turn, early and late; `KILLS` of the environment asks for more.
"""

import os
import random
import shutil
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from tests.crash import record
from tests.crash.house import ForkServer

#: an installation in a folder, on a database; what it gives demands that everything is as it must be
World = Callable[[Path, str], AbstractContextManager[Callable[[], None]]]
BEFORE, AFTER = record.COMMITS
#: point, place in the code
_Place = tuple[int, str]
#: and the how manyeth passage
_Target = tuple[_Place, int]


def kill_at_every_commit(work: str, world: World, folder: Path, url: Callable[[Path], str], forks: ForkServer, most: int | None = None) -> None:
    """`most`: only so many walks are begun, spread over the way."""
    chance = random.Random(7)
    times = _undisturbed(work, world, folder / "undisturbed", url, forks)
    wanted = _targets(times, chance)
    if most is not None:
        wanted = chance.sample(wanted, min(most, len(wanted)))
    killed: Counter[_Place] = Counter()
    for number, target in enumerate(wanted):
        if killed[target[0]] and target[1] == 1:
            continue  # a walk that went on came to it
        # whoever goes on is killed after a commit that had no turn yet
        later = [place for place in times if place[0] == AFTER and place != target[0]]
        later = [place for place in later if not killed[place]] or later
        killed += _round(work, world, folder / str(number), url, forks, target, (chance.choice(later), 1))
    missed = {place for place in times if not killed[place]}
    print(f"{work}: {times.total()} passages of {len(times)} points and places, killed {killed.total()} times at {len(killed)} of them")
    assert most is not None or len(missed) * 10 <= len(times), f"never killed at {sorted(missed)}"
    assert killed


def _undisturbed(work: str, world: World, folder: Path, url: Callable[[Path], str], forks: ForkServer) -> Counter[_Place]:
    """What a run passes that nobody kills, and how often."""
    folder.mkdir(parents=True)
    with world(folder / "installation", url(folder)) as demand:
        assert forks.run(work, folder / "installation", record=folder / "passed") == 0
        demand()
    passed = record.read(folder / "passed")
    shutil.rmtree(folder)
    return Counter(passed)


def _targets(times: Counter[_Place], chance: random.Random) -> list[_Target]:
    """Where to kill: each place the first time, those before a commit once more later on, and as many more as are asked for."""
    targets = [(place, 1) for place in sorted(times)]
    targets += [(place, chance.randint(2, count)) for place, count in sorted(times.items()) if place[0] == BEFORE and count > 2]
    rest = [(place, passage) for place, count in times.items() for passage in range(1, count + 1)]
    rest = [target for target in rest if target not in targets]
    asked = int(os.environ.get("KILLS", "0")) - len(targets)
    return targets + chance.sample(rest, max(0, min(asked, len(rest))))


def _round(work: str, world: World, folder: Path, url: Callable[[Path], str], forks: ForkServer, *kills: _Target) -> Counter[_Place]:
    """Killed, killed again as it goes on, through: where it died."""
    folder.mkdir(parents=True)
    died: Counter[_Place] = Counter()
    with world(folder / "installation", url(folder)) as demand:
        for number, ((point, place), passage) in enumerate(kills):
            passed = folder / f"passed-{number}"
            status = forks.run(work, folder / "installation", record=passed, place=f"{point} {place} {passage}")
            assert status in {0, -signal.SIGKILL}, f"killed at {died}, then at {kills[number]}: ended with {status}"
            died.update([(point, place)] if status else [])
        assert forks.run(work, folder / "installation") == 0, f"killed at {kills}: what went on fell"
        try:
            demand()
        except AssertionError as error:
            raise AssertionError(f"killed at {kills}: {error}") from error
    shutil.rmtree(folder)
    return died
