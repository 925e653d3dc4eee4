"""Decoder processes: results in order, and a limit on time, memory and crashes for each job."""

import ctypes
import os
import signal
from multiprocessing import active_children

import pytest

from pipeline.dataset.members import parquet_library
from pipeline.sources import decoders
from pipeline.sources.decoders import decoded


def work(job):
    match job:
        case "loop":
            while True:
                pass
        case "memory":
            return str(len(bytearray(3 << 30)))
        case "crash":
            ctypes.string_at(0)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "print":
            os.write(2, b"libtiff says\n")
        case "rows":
            parquet_library()
            import pyarrow  # not sooner: what is imported decides how it takes memory

            pyarrow.allocate_buffer(1 << 20)
            bytearray(900 << 20)
        case "bug":
            raise ValueError("a bug")
    return job


def refuse(job, reason):
    return f"{job} {reason}"


def results(*jobs):
    return [outcome for _, outcome in decoded(work, refuse, jobs, len(jobs))]


def test_results_come_in_the_order_of_the_jobs(monkeypatch):
    monkeypatch.setattr(decoders, "FEW", 5)
    jobs = [str(number) for number in range(40)]
    assert results(*jobs) == jobs


def test_a_job_that_takes_too_much_is_refused_and_the_next_is_done(monkeypatch):
    monkeypatch.setattr(decoders, "DECODE_S", 1)
    assert results("a", "loop", "b", "memory", "c", "crash", "d", "kill", "e") == [
        "a",
        "loop too costly: more than 1 s",
        "b",
        "memory too costly: more than 1024 MiB",
        "c",
        "crash damaged: a decoder crashed",
        "d",
        "kill damaged: a decoder crashed",
        "e",
    ]


def test_nothing_foreign_is_on_the_terminal(capfd):
    assert results("print") == ["print"]
    assert capfd.readouterr() == ("", "")


def test_a_bug_is_not_a_rejection():
    with pytest.raises(ValueError, match="bug"):
        results("a", "bug")


def test_no_process_is_left():
    outcomes = decoded(work, refuse, ["a"] * 3, 3)
    next(outcomes)
    (process,) = active_children()
    outcomes.close()
    assert not process.is_alive()
    assert active_children() == []


def test_an_image_in_a_parquet_file_may_take_as_much_memory_as_any_other():
    done = decoded(work, refuse, ["rows", "memory"], 2, parquet_library)
    assert [outcome for _, outcome in done] == [
        "rows",
        "memory too costly: more than 1024 MiB",
    ]
