"""Chunks: whole batches, every image once, larger for larger data sets."""

import pytest

from pipeline.scan.partition import chunk_count, image_chunks, images_per_chunk


@pytest.mark.parametrize("images", [1, 31, 32, 33, 600, 9144])
def test_chunks_hold_every_image_once_in_whole_batches(images):
    found = list(image_chunks(images, 32))
    assert [row for chunk in found for row in chunk.rows] == list(range(images))
    assert all(chunk.rows.start % 32 == 0 for chunk in found)
    assert [chunk.number for chunk in found] == list(range(chunk_count(images, 32)))


def test_chunks_grow_with_the_data_set():
    assert [images_per_chunk(n, 32) for n in (600, 50_000, 10**9)] == [32, 288, 44704]
    assert chunk_count(10**9, 32) < 25_000
