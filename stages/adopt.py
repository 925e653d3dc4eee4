"""`atlas adopt SPEC`: take a network from elsewhere as it is."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast, get_args

import click
import yaml

from pipeline.adopt.adoption import Adopted, adopt_module, scores
from pipeline.adopt.build import Built, build
from pipeline.adopt.preprocessing import Preprocessing, chosen, imagenet
from pipeline.adopt.spec import Spec
from pipeline.dataset.class_names import ClassNames, read_class_names, write_class_names
from pipeline.errors import AtlasError, printable
from pipeline.network.selection import selected
from pipeline.params import Interpolation, Params, load_params
from pipeline.params.strict_yaml import as_json
from pipeline.project.adopted import Comparison
from pipeline.storage.publish import publish
from pipeline.workspace import Workspace
from stages.command import stage
from stages.params_file import dumped, write_params
from stages.preset import PRESETS


@stage
@click.argument("spec")
@click.option("--weights", help="A name of torchvision's (IMAGENET1K_V2), or a file of tensors.")
@click.option(
    "--arguments",
    "-a",
    multiple=True,
    metavar="KEY=VALUE",
    help="Keyword arguments of the function, KEY=VALUE.",
)
@click.option("--mean", type=float, nargs=3, metavar="R G B", help="Mean colour of inputs, 0…1.")
@click.option("--std", type=float, nargs=3, metavar="R G B", help="Their deviation, 0…1.")
@click.option(
    "--grey", type=float, nargs=2, metavar="MEAN STD", help="For a grey-scale network, 0…1."
)
@click.option("--resize", type=click.IntRange(min=1), help="Shortest side after resizing, pixels.")
@click.option("--crop", type=click.IntRange(min=1), help="Side of the square input, pixels.")
@click.option("--interpolation", type=click.Choice(get_args(Interpolation)))
@click.option(
    "--classes",
    metavar="FILE",
    help="A text file of the classes, one a line, in the order of the scores; or `imagenet`.",
)
@click.option(
    "--images", type=click.Path(file_okay=False), help="A folder of images to show it on."
)
@click.option(
    "--layers", multiple=True, default=("default",), help="Names, patterns, default, cuts or all."
)
def main(
    workspace: Workspace,
    spec: str,
    weights: str | None,
    arguments: tuple[str, ...],
    classes: str | None,
    images: str | None,
    layers: tuple[str, ...],
    **inputs: Any,
) -> None:
    """Write params.yaml for a network from elsewhere; then run `dvc repro`.

    SPEC is torchvision:NAME, timm:NAME, or package.module:function, a function of your own that
    returns a torch.nn.Module. Its code runs now and in `atlas train`, and never again: the atlas
    holds a description of the network and its weights, not its code.
    """
    params = _present(workspace)
    network = Spec(spec, _pairs(arguments), _from_params(workspace, weights), workspace.root)
    if ":" not in spec:
        raise AtlasError(
            f"{spec!r} does not name a network.",
            fix="Write torchvision:NAME, timm:NAME or package.module:function.",
        )
    root = _images(workspace, images)
    built = build(network, params.seed)
    preprocessing = chosen(built.preprocessing, params.data, **inputs)
    adopted = adopt_module(built, preprocessing.crop, len(preprocessing.mean))
    shown = [layer.name for layer in selected(adopted.graph, layers)]
    comparison = Comparison(
        built.module, adopted.graph, adopted.weights, colours=len(preprocessing.mean)
    )
    compared = comparison.of_layers(shown, params.project.method)
    names = _class_names(built, adopted, classes)
    with publish(workspace.class_names) as path:
        write_class_names(path, names)
    changed = _sections(network, built, preprocessing, layers, root)
    write_params(workspace.params, _merged(params, changed), f"`atlas adopt {spec}`")
    click.echo("\n".join(_summary(adopted, names, shown, compared)))


def _present(workspace: Workspace) -> Params:
    """The parameters that there are, else those of the demo."""
    return load_params(workspace.params if workspace.params.exists() else PRESETS / "demo.yaml")


def _pairs(arguments: tuple[str, ...]) -> dict[str, Any]:
    pairs = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        try:
            if not equals or not key.isidentifier():
                raise ValueError
            pairs[key] = json.loads(as_json(value))
        except (ValueError, RecursionError, yaml.YAMLError):
            raise AtlasError(
                f"--arguments {argument!r} is not KEY=VALUE.", fix="Correct it."
            ) from None
    return pairs


def _from_params(workspace: Workspace, given: str | None) -> str | None:
    """A path as params.yaml names it: relative to that file where it is below its folder."""
    if given is None or not Path(given).expanduser().exists():
        return given
    path, root = Path(given).expanduser().resolve(), workspace.root.resolve()
    return path.relative_to(root).as_posix() if root in path.parents else str(path)


def _images(workspace: Workspace, given: str | None) -> str | None:
    """The images as params.yaml names them. Raises AtlasError for a folder without a file."""
    root = _from_params(workspace, given)
    if root is not None and "://" not in (location := workspace.images(root)):
        folder = Path(location)
        if not any(path.is_file() for path in folder.rglob("*")):
            state = "holds no file" if folder.exists() else "does not exist"
            raise AtlasError(
                f"--images {given} {state}.", fix="Name the folder in which the images are."
            )
    return root


def _class_names(built: Built, adopted: Adopted, given: str | None) -> ClassNames:
    """The classes of a file, else of the weights, else numbers; none where the output is a map."""
    count = scores(adopted.graph)
    if given is None:
        fits = built.classes is not None and len(built.classes.names) == count
        return (
            cast(ClassNames, built.classes) if fits else ClassNames(tuple(map(str, range(count))))
        )
    names = imagenet() if given == "imagenet" else read_class_names(Path(given))
    if len(names.names) != count:
        raise AtlasError(
            f"The network scores {count} classes, and {given} names {len(names.names)}.",
            fix="Name as many, in the order of the scores.",
        )
    return names


def _sections(
    network: Spec,
    built: Built,
    preprocessing: Preprocessing,
    layers: tuple[str, ...],
    images: str | None,
) -> Mapping[str, Mapping[str, object]]:
    """What adopting a network changes in params.yaml."""
    data: dict[str, object] = {"resize": preprocessing.resize, "crop": preprocessing.crop}
    if images is not None:
        data |= {"source": "folder", "root": images, "val_fraction": 1.0}
    model = {
        "arch": network.arch,
        "arguments": dict(network.arguments),
        "weights": network.weights,
        "weights_sha256": built.weights_sha256,
        "inputs": {
            "mean": list(preprocessing.mean),
            "std": list(preprocessing.std),
            "interpolation": preprocessing.interpolation,
        },
    }
    train = {"epochs": 0, "snapshots": [], "init_from": None, "freeze": []}
    return {"data": data, "model": model, "train": train, "scan": {"layers": list(layers)}}


def _merged(params: Params, changed: Mapping[str, Mapping[str, object]]) -> str:
    content = params.model_dump(mode="json")
    for section, values in changed.items():
        content[section] = dict(values) if section == "model" else content[section] | dict(values)
    Params.model_validate_json(json.dumps(content))
    return dumped(content)


def _summary(
    adopted: Adopted, names: ClassNames, shown: list[str], compared: Mapping[str, float]
) -> Iterator[str]:
    graph = adopted.graph
    agreement = adopted.agreement
    layers = _counted(len(graph.layers), "layer")
    yield (
        f"Read: {len(graph.nodes)} operations, {layers}; values agree with the module to "
        f"{agreement.values:.0e}, projections to {agreement.projections:.0e}."
    )
    if compared:
        yield (
            f"Projections of {', '.join(compared)} as they will be shown agree with those through "
            f"the module to {max(compared.values()):.0e}."
        )
    if names.names:
        few = ", ".join(names.names[:3]) + " …" * (len(names.names) > 3)
        yield f"It scores {_counted(len(names.names), 'class', 'classes')}: {printable(few)}"
    yield f"{_counted(len(shown), 'layer')} will be shown:"
    for name in shown:
        layer = graph.layer(name)
        channels = _counted(layer.channels, "channel")
        yield f"  {name}: {channels} of {layer.size[0]} × {layer.size[1]} cells"
    yield "Now run `dvc repro`."


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
