"""Signals at random moments of every stage, and the same stage twice at once."""

import shutil
import signal
import time

import pytest

from tests.faults.forks import STAGES, Stage, contents, copied, run, session_is_empty

pytestmark = pytest.mark.slow
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
WITH_WORKERS = ("train", "scan", "project", "crop", "render")


def options(stage: str, workers: int) -> tuple[str, ...]:
    """The words of a stage whose work is saved often."""
    often = ("--checkpoint-s", "0") if stage == "train" else ()
    return (stage, *often, *(("--workers", str(workers)) if workers else ()))


CASES = [(stage, 0) for stage in STAGES] + [(stage, 2) for stage in WITH_WORKERS]


@pytest.mark.parametrize(("stage", "workers"), CASES)
def test_kills(finished, tmp_path, tally, faults, chance, stage, workers):
    """The same command again completes, with the bytes of a run that nothing stopped."""
    if faults < 2:
        pytest.skip("tests/stages/ kills each stage at one moment")
    words = options(stage, workers)
    start = time.monotonic()
    whole = copied(finished, tmp_path / "whole", without=stage)
    assert run(whole, *words).status == 0
    takes = time.monotonic() - start
    expected = contents(whole, stage)
    for number in range(faults):
        copy = copied(finished, tmp_path / f"{number}", without=stage)
        signal_, group = chance.choice(SIGNALS), bool(chance.integers(2))
        after = chance.uniform(0, 1.1) * takes
        working = Stage(copy, *words)
        time.sleep(after)
        working.signal(signal_, group=group)
        ended = working.end()
        orphans = not session_is_empty(working.process.pid)
        again = run(copy, *words)
        what = f"{words}: signal {signal_} to {'all' if group else 'one'} after {after:.2f} s"
        tally.note(
            "Traceback" not in ended.said and ended.status is not None and not orphans,
            f"{what}: {'orphans' * orphans} {ended.status} {ended.said[-600:]}",
        )
        tally.note(
            again.status == 0 and contents(copy, stage) == expected,
            f"{what}: again {again.status} {again.error}",
        )
        shutil.rmtree(copy)
    tally.settle()


@pytest.mark.parametrize("stage", STAGES)
def test_twice_at_once(finished, tmp_path, tally, faults, stage):
    """Both end, at least one well; the other says that it is not alone, or writes the same."""
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
