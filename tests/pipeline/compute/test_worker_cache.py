"""What a process keeps between tasks."""

import threading
import time

import pytest

from pipeline.compute.worker_cache import cached_per_process, load_pinned_model
from pipeline.errors import AtlasError
from pipeline.network.card import load_card
from tests.pipeline.scan.worlds import make_world


def test_threads_that_ask_at_once_get_one_result():
    calls = []

    @cached_per_process
    def load(first: str, second: int) -> object:
        calls.append((first, second))
        time.sleep(0.05)
        return object()

    found = []
    threads = [threading.Thread(target=lambda: found.append(load("a", 1))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [("a", 1)]
    assert len(set(map(id, found))) == 1


def test_weights_that_were_not_agreed_on_are_refused(tmp_path):
    model = make_world(tmp_path, 1).model
    assert load_pinned_model(model, load_card(model).sha256).card.arch == "zfnet"
    with pytest.raises(AtlasError, match="another model"):
        load_pinned_model(model, "0" * 64)
