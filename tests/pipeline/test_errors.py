"""An error is one line that a terminal only shows, however hostile the values in it."""

import pickle

import pytest

from pipeline.errors import LONGEST, AtlasError, is_lack_of_memory, printable


@pytest.mark.parametrize(
    "text",
    ["a\nb", "\x1b[2Jclear", "bell\a", "\u202egnp.exe", "\udc80 of no encoding", "\0", "\x9b31m"],
)
def test_what_a_terminal_would_obey_is_spelled_out(text):
    shown = printable(text)
    assert shown.isprintable()
    assert "\\" in shown
    shown.encode()


def test_names_in_other_scripts_stay_as_they_are():
    assert printable("crème 猫 🦆") == "crème 猫 🦆"


def test_a_value_of_megabytes_is_cut_in_its_middle():
    shown = str(AtlasError("x" * 5_000_000 + " is wrong.", fix="Correct it."))
    assert len(shown) < LONGEST + 100
    assert shown.endswith(" is wrong. Correct it.")
    assert f"({5_000_000 + 10 - LONGEST} characters)" in shown


def test_it_travels_between_processes():
    error = pickle.loads(pickle.dumps(AtlasError("a\nb", fix="c")))
    assert (error.problem, error.fix) == ("a\\nb", "c")


@pytest.mark.parametrize(
    ("error", "is_it"),
    [
        (MemoryError(), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), True),
        (ImportError("No module named 'torch'"), False),
        (RuntimeError("size mismatch"), False),
    ],
)
def test_a_lack_of_memory_is_known_by_class_or_words(error, is_it):
    assert is_lack_of_memory(error) == is_it
