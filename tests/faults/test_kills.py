"""Signals at random moments of every stage, and the same stage twice at once."""

import re
import shutil
import signal
import time
from pathlib import Path

import pytest

from pipeline.workspace import Workspace
from tests.aimed import Aim
from tests.faults.forks import (
    STAGES,
    Ended,
    Stage,
    contents,
    copied,
    run,
    session,
    session_is_empty,
)
from tests.stages.processes import chunks_done, in_small_steps, wait_for

pytestmark = pytest.mark.slow
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
WITH_WORKERS = ("train", "scan", "project", "crop", "render")
CHUNKED = ("scan", "project", "crop")
"""Stages that say how many chunks they need not do again."""


def options(stage: str, workers: int) -> tuple[str, ...]:
    """The words of a stage whose work is saved often."""
    often = ("--checkpoint-s", "0") if stage == "train" else ()
    return (stage, *often, *(("--workers", str(workers)) if workers else ()))


CASES = [(stage, 0) for stage in STAGES] + [(stage, 2) for stage in WITH_WORKERS]


BOUNDED = (("evaluate", 0), ("crop", 2), ("verify", 0), ("render", 2))
"""What one fault of each kind kills: the others are killed in tests/stages/."""
RESUMING = re.compile(r"Resuming: (\d+) of")


@pytest.mark.parametrize(("stage", "workers"), CASES)
def test_kills(finished, tmp_path, tally, faults, chance, stage, workers):
    """The same command again completes, with the bytes of a run that nothing stopped.

    Every second moment is one at which a file takes its place, the others are any. What was
    finished is not done again.
    """
    if faults < 2 and (stage, workers) not in BOUNDED:
        pytest.skip("tests/stages/ kills this one")
    words = options(stage, workers)
    count = Aim(tmp_path / "moments", first=in_small_steps)
    start = time.monotonic()
    whole = copied(finished, tmp_path / "whole", without=stage)
    assert run(whole, *words, before=count).status == 0
    takes, moments = time.monotonic() - start, count.count()
    expected = contents(whole, stage)
    for number in range(faults):
        copy = tmp_path / f"{number}"
        number_ = signal.SIGKILL if faults < 2 else chance.choice(SIGNALS)
        group = bool(chance.integers(2))
        if number % 2 == 0 and moments:
            copied(finished, copy, without=stage)
            aim = Aim(
                tmp_path / "moments",
                int(chance.integers(1, moments + 1)),
                int(number_),
                before=bool(chance.integers(2)),
                group=group,
                first=in_small_steps,
            )
            working = Stage(copy, *words, before=aim)
            ended, where = working.end(), f"at moment {aim.moment} of {moments}"
        else:
            working, ended, where = stopped_after(
                finished, copy, words, float(chance.uniform(0, takes)), number_, group=group
            )
        orphans = not session_is_empty(working.process.pid)
        kept = chunks_done(Workspace(copy), stage) if stage in CHUNKED else 0
        again = run(copy, *words, before=in_small_steps)
        # Figures resume passes of the scan, whose chunks are in folders of their own.
        resumed = sum(map(int, RESUMING.findall(again.said))) if stage in CHUNKED else kept
        what = f"{words}: signal {number_} to {'all' if group else 'one'} {where}"
        alive = ended.status == -number_ or (number_ != signal.SIGKILL and ended.status != 0)
        tally.note(
            alive and "Traceback" not in ended.said and not orphans,
            f"{what}: {'orphans' * orphans} {ended.status} {ended.said[-600:]}",
        )
        tally.note(
            again.status == 0 and contents(copy, stage) == expected and resumed == kept,
            f"{what}: again {again.status} {again.error}, {resumed} of {kept} chunks resumed",
        )
        shutil.rmtree(copy)
    tally.settle()


def stopped_after(
    finished: Path, copy: Path, words: tuple[str, ...], seconds: float, number: int, *, group: bool
) -> tuple[Stage, Ended, str]:
    """A stage that was signalled some time after its start; sooner, where it had ended by then."""
    while True:
        copied(finished, copy, without=words[0])
        working = Stage(copy, *words, before=in_small_steps)
        time.sleep(seconds)
        working.signal(number, group=group)
        ended = working.end()
        if ended.status != 0:
            return working, ended, f"after {seconds:.2f} s"
        shutil.rmtree(copy)
        seconds /= 2


def test_painters_end_with_a_render_that_is_killed_as_they_start(finished, tmp_path, tally):
    """The render alone is killed, as soon as its session has another process."""
    copy = copied(finished, tmp_path / "run", without="render")
    working = Stage(copy, "render", "--workers", "2")
    wait_for(lambda: len(session(working.process.pid)) > 1)
    working.signal(signal.SIGKILL, group=False)
    ended = working.end()
    tally.note(
        ended.status == -signal.SIGKILL and session_is_empty(working.process.pid),
        f"{ended.status} {ended.said[-600:]}",
    )
    tally.settle()


@pytest.mark.parametrize("stage", STAGES)
def test_twice_at_once(finished, tmp_path, tally, faults, stage):
    """Both end, at least one well; the other says that it is not alone, or runs after the first."""
    whole = copied(finished, tmp_path / "whole", without=stage)
    assert run(whole, *options(stage, 0)).status == 0
    for number in range(max(1, faults // 5)):
        copy = copied(finished, tmp_path / f"{number}", without=stage)
        both = [Stage(copy, *options(stage, 0)) for _ in range(2)]
        ends = [one.end() for one in both]
        alone = [end for end in ends if end.status == 1 and "Another process" in end.error]
        tally.note(
            all(end.clean for end in ends)
            and sum(end.status == 0 for end in ends) == 2 - len(alone)
            and len(alone) < 2
            and contents(copy, stage) == contents(whole, stage),
            f"{stage}: {[(end.status, end.said[-300:]) for end in ends]}",
        )
    tally.settle()
