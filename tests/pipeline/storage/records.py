"""A layer of a scan, made by hand."""

import numpy as np

from pipeline.storage.scan_record import ScanRecord


def record(channels: int = 2, ranks: int = 3) -> ScanRecord:
    """Entries that count up, two bins, no class with an image."""
    image = np.arange(channels * ranks, dtype=np.int32).reshape(channels, ranks)
    return ScanRecord(
        image[:, ::-1].astype(np.float32),
        image,
        np.stack([image, image + 1], axis=2),
        np.stack([image] * 4, axis=2),
        np.array([[5, 1]] * channels),
        np.array([3] * channels),
        np.full((channels, 2), np.nan, np.float32),
        (0.0, 0.5, 1.0),
    )
