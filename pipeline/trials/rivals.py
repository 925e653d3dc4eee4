"""The networks that Figure 6 compares: AlexNet and ZFNet, with and without the cap on filters."""

from pathlib import Path

from pipeline.params import Params
from pipeline.trials.trial import from_scratch

PAPER_CAP = 0.1
"""The paper's cap on a filter's RMS, where the run itself has none."""


def rival_params(params: Params) -> dict[str, Params]:
    """The parameters of a run's rivals by name: the four networks but for the run's own.

    Images, seed, size, width and recipe are the run's, from scratch. They are of workspaces two
    folders below the run's.
    """
    own, cap = params.own_model, params.train.filter_rms_cap
    base = from_scratch(params)
    found = {}
    for arch in ("alexnet", "zfnet"):
        for name, limit in ((arch, cap or PAPER_CAP), (f"{arch}-uncapped", None)):
            if (arch, limit) != (own.arch, cap):
                train = base.train.model_copy(update={"filter_rms_cap": limit})
                model = own.model_copy(update={"arch": arch})
                found[name] = base.model_copy(
                    update={"train": train, "model": model} | _beside(params)
                )
    return found


def _beside(params: Params) -> dict[str, object]:
    """Sections that do not change the network: where the images are, and no rivals of its own."""
    root = params.data.root
    if not (":" in root or Path(root).expanduser().is_absolute()):
        root = Path("..", "..", root).as_posix()
    alone = params.figures.architecture.model_copy(update={"rivals": ()})
    return {
        "data": params.data.model_copy(update={"root": root}),
        "figures": params.figures.model_copy(update={"architecture": alone}),
    }
