import logging

import pytest
import torch

from pipeline.compute.memory import fitted


def test_work_that_fits_is_done_once():
    assert fitted(lambda size: ["done", size], 8) == (["done", 8], 8)


def test_work_is_halved_and_says_so_until_it_fits(caplog):
    tried = []

    def work(size: int) -> str:
        tried.append(size)
        if size > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return "done"

    with caplog.at_level(logging.WARNING):
        assert fitted(work, 20) == ("done", 3)
    assert tried == [20, 10, 5, 3]
    assert "3 at a time from here on" in caplog.text


def test_what_does_not_fit_one_at_a_time_is_an_error():
    def work(size: int) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    with pytest.raises(torch.OutOfMemoryError):
        fitted(work, 4)


def test_other_errors_are_not_tried_again():
    tried = []

    def work(size: int) -> None:
        tried.append(size)
        raise RuntimeError("a fault")

    with pytest.raises(RuntimeError, match="a fault"):
        fitted(work, 4)
    assert tried == [4]
