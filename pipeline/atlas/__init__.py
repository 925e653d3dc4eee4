"""A run as its artifacts hold it, for stages and notebooks, and work on the entries of its scan."""

from pipeline.atlas.run import INPUT as INPUT
from pipeline.atlas.run import EpochRecord as EpochRecord
from pipeline.atlas.run import FigureData as FigureData
from pipeline.atlas.run import Graph as Graph
from pipeline.atlas.run import Layer as Layer
from pipeline.atlas.run import LocalResponseNorm as LocalResponseNorm
from pipeline.atlas.run import Prediction as Prediction
from pipeline.atlas.run import Run as Run
from pipeline.atlas.run import Squares as Squares
from pipeline.atlas.run import layer_feeds as layer_feeds
from pipeline.atlas.run import layer_kind as layer_kind
from pipeline.atlas.run import open_atlas as open_atlas
