import threading

import pytest

from pipeline.dataset.prefetch import prefetch


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_the_order_of_the_jobs(threads):
    assert list(prefetch(lambda n: n * n, range(20), threads, depth=4)) == [
        (n, n * n) for n in range(20)
    ]


def test_at_most_depth_and_one_jobs_are_begun_before_the_first_result_is_used():
    begun = []
    results = prefetch(begun.append, range(100), threads=1, depth=3)
    next(results)
    assert len(begun) <= 4
    results.close()


def test_what_a_job_raises_is_raised_in_its_turn():
    def work(number: int) -> int:
        if number == 2:
            raise ValueError("two")
        return number

    results = prefetch(work, range(5), threads=2, depth=4)
    assert [next(results), next(results)] == [(0, 0), (1, 1)]
    with pytest.raises(ValueError, match="two"):
        next(results)


def test_no_thread_is_left_when_the_reader_stops_early():
    results = prefetch(lambda n: n, range(100), threads=2, depth=4)
    next(results)
    results.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("prefetch")]
