"""The entries of one channel, with their images and pictures."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.atlas.stored_pictures import LayerPictures
from pipeline.dataset.manifest import ImageRow
from pipeline.storage.entry import MISSING, Entry
from pipeline.storage.scan_record import ScanRecord


@dataclass(frozen=True)
class ChannelEntries:
    """What the stores hold of a channel's strongest images."""

    layer: str
    channel: int
    record: ScanRecord
    """Of the layer."""
    pictures: LayerPictures
    """Of this channel alone."""
    image_row: Callable[[int], ImageRow]
    """A validation image by its image row; raises AtlasError where there is none."""

    def at(self, rank: int) -> Entry:
        """The entry of a rank; 0 is the strongest."""
        record, pictures, place = self.record, self.pictures, (self.channel, rank)
        image = int(record.image[place])
        row = None if image == MISSING else self.image_row(image)
        top, left, bottom, right = map(int, record.box[place])
        cell_row, cell_col = map(int, record.cell[place])
        return Entry(
            layer=self.layer,
            channel=self.channel,
            rank=rank,
            activation=float(record.activation[place]),
            image=image,
            label=row.label if row else "",
            path=row.path if row else "",
            cell=(cell_row, cell_col),
            box=(top, left, bottom, right),
            projection=pictures.projection[0, rank].astype(np.float32) * pictures.scale[0, rank],
            crop=pictures.crop[0, rank],
        )
