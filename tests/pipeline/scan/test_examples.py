"""The examples of a channel against brute force, and equal whatever the order."""

import numpy as np
import pytest

from pipeline.scan.examples import BANDS, EXAMPLES, SAMPLE, Examples, _hashes
from tests.pipeline.scan.batches import FIELD, batch, facts

IMAGES, CHANNELS = 300, 6


@pytest.fixture(scope="module")
def peaks() -> np.ndarray:
    """Channels that always fire, often, seldom, twice and never, and one with ties and NaN."""
    rng = np.random.default_rng(0)
    found = np.exp(rng.normal(size=(IMAGES, CHANNELS)) * 2).astype(np.float32)
    for channel, share in ((1, 0.5), (2, 0.05)):
        found[rng.uniform(size=IMAGES) > share, channel] = 0
    found[2:, 3], found[:, 4] = 0, 0
    found[:, 5] = rng.integers(0, 4, IMAGES)
    found[::17, 5] = np.nan
    return found


def result(statistic: Examples) -> dict[str, np.ndarray]:
    return {name: variable.values for name, variable in statistic.result().items()}


def counted(peaks, *, signed=False) -> Examples:
    statistic = Examples(facts(peaks.shape[1], signed=signed))
    statistic.add(batch(peaks))
    return statistic


def brute_force(column: np.ndarray, hashes: np.ndarray, *, signed: bool) -> list[list[int]]:
    """Image rows by band: every image sorted, one channel at a time."""
    rows = [row for row in range(len(column)) if np.isfinite(column[row])]
    fires = [row for row in rows if signed or column[row] > 0]
    silent = [row for row in rows if row not in fires]
    sample = sorted(fires, key=lambda row: (hashes[row], row))[:SAMPLE]
    sample.sort(key=lambda row: (column[row], row))
    bands = []
    for quantile in (0.99, 0.9, 0.75, 0.5):
        middle = round(quantile * (len(sample) - 1))
        first = min(max(middle - 1, 0), max(len(sample) - EXAMPLES, 0))
        bands.append(sample[first : first + EXAMPLES][::-1])
    weakest = sorted(fires, key=lambda row: (column[row], row))[:EXAMPLES]
    return [*bands, weakest, sorted(silent, key=lambda row: (hashes[row], row))[:EXAMPLES]]


@pytest.mark.parametrize("signed", [False, True])
def test_the_examples_are_those_of_brute_force(peaks, signed):
    peaks = np.log(peaks + np.float32(0.5)) if signed else peaks
    found = result(counted(peaks, signed=signed))
    salted = Examples(facts(CHANNELS))._salt
    hashes = _hashes(np.arange(IMAGES, dtype=np.int32), CHANNELS, salted)
    for channel in range(CHANNELS):
        bands = brute_force(peaks[:, channel], hashes[:, channel], signed=signed)
        assert len(bands) == len(BANDS)
        for number, expected in enumerate(bands):
            part = slice(number * EXAMPLES, (number + 1) * EXAMPLES)
            missing = EXAMPLES - len(expected)
            image = found["example_image"][channel, part]
            activation = found["example_activation"][channel, part]
            cell, box = found["example_cell"][channel, part], found["example_box"][channel, part]
            assert image.tolist() == expected + [-1] * missing
            silent = BANDS[number] == "silent"
            values = [0.0 if silent else float(peaks[row, channel]) for row in expected]
            assert activation.tolist() == values + [0.0] * missing
            cells = [[2, 3] if silent else [row % 5, channel] for row in expected]
            assert cell.tolist() == cells + [[-1, -1]] * missing
            boxes = FIELD.boxes(np.array(cells, np.int32).reshape(-1, 2)).tolist()
            assert box.tolist() == boxes + [[0, 0, 0, 0]] * missing


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("limited", [False, True])
def test_any_partition_in_any_order_gives_the_same_bits(peaks, seed, limited):
    expected, rng = result(counted(peaks)), np.random.default_rng(seed)
    whole = Examples(facts(CHANNELS))
    for rows in np.array_split(rng.permutation(IMAGES), 11):
        part = Examples(facts(CHANNELS))
        if limited:
            part.set_limits(whole.limits())
        for some in np.array_split(np.sort(rows), 2):
            part.add(batch(peaks[some], some))
        whole.merge(part)
    assert {n: v.tobytes() for n, v in result(whole).items() if v.dtype.kind != "U"} == {
        n: v.tobytes() for n, v in expected.items() if v.dtype.kind != "U"
    }


def test_a_wanted_peak_is_every_one_whose_cell_is_kept(peaks):
    statistic, found = Examples(facts(CHANNELS)), batch(peaks)
    wanted = statistic.wants(found.rows)(found.peaks, slice(0, len(found.peaks)))
    unknown = np.where(wanted[..., None], found.cells, -1)
    statistic.add(type(found)(found.peaks, found.rows, found.labels, unknown))
    assert result(statistic)["example_cell"].tolist() == (
        result(counted(peaks))["example_cell"].tolist()
    )
    assert not wanted.all()


def test_state_restores_everything(peaks):
    first = counted(peaks)
    second = Examples(facts(CHANNELS))
    second.restore(first.state())
    assert result(second)["example_image"].tolist() == result(first)["example_image"].tolist()


def test_the_sample_of_a_channel_that_always_fires_is_uniform():
    """Over 200 channels each image is sampled about equally often."""
    statistic = counted(np.ones((IMAGES, 200), np.float32))
    times = np.bincount(statistic.tops["sample"].image.ravel(), minlength=IMAGES)
    expected = 200 * SAMPLE / IMAGES
    assert abs(times - expected).max() < 6 * expected**0.5


def test_layers_have_samples_of_their_own():
    tops = []
    for name in ("conv1", "conv2"):
        statistic = Examples(facts(1, name=name))
        statistic.add(batch(np.ones((IMAGES, 1), np.float32)))
        tops.append(statistic.tops["sample"].image.tolist())
    assert tops[0] != tops[1]
