"""A run as its artifacts hold it, for stages and notebooks, and work on the entries of its scan."""

from pipeline.atlas.run import Run as Run
from pipeline.atlas.run import open_atlas as open_atlas
from pipeline.network.centres import Squares as Squares
from pipeline.network.feeding import INPUT as INPUT
from pipeline.network.feeding import layer_feeds as layer_feeds
from pipeline.network.feeding import layer_kind as layer_kind
from pipeline.network.graph import Graph as Graph
from pipeline.network.graph import Layer as Layer
from pipeline.network.ops import LocalResponseNorm as LocalResponseNorm
from pipeline.storage.error_rates import ErrorRates as ErrorRates
from pipeline.storage.figures import FigureData as FigureData
from pipeline.storage.history import EpochRecord as EpochRecord
from pipeline.storage.predictions import Prediction as Prediction
from pipeline.storage.verification_report import VerificationReport as VerificationReport
