"""`params.yaml`: everything that changes a result, typed, complete, unknown keys refused."""

from pipeline.params.model import MODEL_FORMS as MODEL_FORMS
from pipeline.params.model import AdoptedParams as AdoptedParams
from pipeline.params.model import Interpolation as Interpolation
from pipeline.params.model import ModelParams as ModelParams
from pipeline.params.params import DataParams as DataParams
from pipeline.params.params import Method as Method
from pipeline.params.params import Params as Params
from pipeline.params.params import ScanParams as ScanParams
from pipeline.params.params import WantedMethod as WantedMethod
from pipeline.params.params import load_params as load_params
from pipeline.params.section import Section as Section
from pipeline.params.training import TrainParams as TrainParams
