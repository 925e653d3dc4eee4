"""The stages of `dvc.yaml` and the parameters that DVC follows for each."""

import yaml

from pipeline.params import MODEL_FORMS, Params, Section
from tests.dvc_deps import DVC_YAML

STAGES = yaml.safe_load(DVC_YAML.read_text(encoding="utf-8"))["stages"]


def parameter_names() -> set[str]:
    names = {"seed"}
    for section, name in sections().items():
        names |= {f"{name}.{field}" for field in section.model_fields}
    return names


def sections() -> dict[type[Section], str]:
    """The sections of params.yaml with their names; `model` has two forms."""
    fields = {name: field.annotation for name, field in Params.model_fields.items()}
    plain = {form: name for name, form in fields.items() if name not in ("seed", "model")}
    return plain | dict.fromkeys(MODEL_FORMS.values(), "model")


def params_of(stage: str) -> set[str]:
    """Full names of a stage's parameters; a section stands for all its keys."""
    listed = STAGES[stage].get("params", [])
    return {
        name for name in parameter_names() for key in listed if f"{name}.".startswith(f"{key}.")
    }
