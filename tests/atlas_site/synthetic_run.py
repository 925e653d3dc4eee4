"""A finished run in a folder, drawn instead of computed: what tests render the site from."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import yaml
from PIL import Image
from safetensors.torch import save_file

from pipeline.atlas import open_atlas
from pipeline.dataset.manifest import ImageRow
from pipeline.network.card import ModelCard, snapshot_path
from pipeline.network.graph import Graph
from pipeline.network.model import save_model
from pipeline.network.receptive_field import receptive_field
from pipeline.scan.examples import BANDS, EXAMPLES
from pipeline.storage.error_rates import ErrorRates
from pipeline.storage.hashing import sha256_of
from pipeline.storage.history import EpochRecord, write_history
from pipeline.storage.provenance import Provenance
from pipeline.storage.reports import write_report
from pipeline.storage.scan_record import ScanRecord, Variable
from pipeline.storage.stores import DIMENSIONS, create_array, create_store, seal, write_scan
from pipeline.storage.training_report import TrainingReport
from pipeline.workspace import Workspace
from tests.figure_making import write_all
from tests.workspaces import write_listing

HOSTILE = "</script><img src=x onerror=alert(1)>"
HOSTILE_NAMES = ('it\'s "quoted".png', "a#b?c=d&e.png", "100% <b>bold.png", "🦊 fox \u2028.png")

NAMES = 'layer,channel,name,note,family\nconv1,0,"edge <b>""x""</b>",a note,edges\n'


@dataclass(frozen=True)
class Plan:
    """What to draw."""

    classes: Sequence[str] = (HOSTILE, "checks & dots", "plain")
    per_class: int = 5
    layers: Sequence[str] = ("conv1", "conv2", "conv3")
    width: float = 0.1
    crop: int = 64
    top: int = 9
    seed: int = 0
    figures: bool = False
    """Whether to make the paper's other figures of this network and these images."""
    rivals: Mapping[str, "Plan"] = field(default_factory=dict)
    """Runs that Figure 6 compares with this one, by their folder in this one."""
    photographs: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    """Image files by class; drawn where there are none."""
    dead: Mapping[str, Sequence[int]] = field(default_factory=lambda: {"conv3": (1,)})
    """Channels without any entry."""
    partial: Mapping[str, Mapping[int, int]] = field(default_factory=lambda: {"conv3": {2: 4}})
    """Channels with fewer entries than `top`, and how many."""
    examples: bool = True
    """Whether the stores have examples beyond the strongest."""
    labelled: bool = True
    """Whether the validation images have their classes."""
    graph: Graph | None = None
    """An adopted network; None: the paper's, `width` of it."""


def write_run(root: Path, plan: Plan | None = None) -> Workspace:
    """Write params.yaml, artifacts and reports of a run whose numbers are chosen at random."""
    plan = plan or Plan()
    run = Workspace(root)
    run.artifacts.mkdir(parents=True)
    rng = np.random.default_rng(plan.seed)
    rows = _write_images(root / "data", plan, rng)
    write_listing(run, rows)
    _write_parts(root / "data" / "parts.csv", rows)
    card = _write_model(run, plan)
    made_from = Provenance(card.weights_sha256, card.manifest_sha256, card.sha256)
    _write_stores(run, plan, card.graph(), made_from, rng)
    _write_params(run, plan)
    (root / "names.csv").write_text(NAMES, encoding="utf-8")
    _write_reports(run, plan, made_from, rng)
    for folder, rival in plan.rivals.items():
        write_run(root / folder, rival)
    if plan.figures:
        write_all(open_atlas(run.artifacts), root / ".state" / "figures")
    return run


def _write_images(folder: Path, plan: Plan, rng: np.random.Generator) -> list[ImageRow]:
    rows = []
    for number, label in enumerate(plan.classes):
        for split in ("train", "val"):
            for index in range(plan.per_class):
                image = _picture(plan, label, number, index, rng)
                name = HOSTILE_NAMES[index] if index < len(HOSTILE_NAMES) else f"{index:04}.png"
                path = f"{split}/class {number}/{name}"
                file = folder / path
                file.parent.mkdir(parents=True, exist_ok=True)
                image.save(file, format="png")
                known = label if plan.labelled or split == "train" else ""
                size = image.width, image.height
                rows.append(ImageRow(split, path, known, *size, sha256_of(file)))
    return rows


def _write_parts(path: Path, rows: Sequence[ImageRow]) -> None:
    """Two parts in every image of two classes."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "part", "row", "col"])
        for row in rows:
            if row.split == "val" and row.label != "plain":
                writer.writerow([row.path, "crest & <b>trough</b>", 30, 40])
                writer.writerow([row.path, "middle", 40.5, 48.5])


def _picture(
    plan: Plan, label: str, number: int, index: int, rng: np.random.Generator
) -> Image.Image:
    if label in plan.photographs:
        files = plan.photographs[label]
        return Image.open(files[index % len(files)]).convert("RGB")
    row, col = np.mgrid[0:80, 0:96] / (6.0 + number + index % 3)
    wave = np.sin(row * (number + 1) + index) * np.cos(col)
    tint = rng.uniform(40, 127, 3)
    return Image.fromarray((128 + wave[..., None] * tint).astype(np.uint8))


def _write_model(run: Workspace, plan: Plan) -> ModelCard:
    card = ModelCard(
        arch="zfnet",
        width=plan.width,
        classes=tuple(sorted(plan.classes, key=str.encode)),
        resize=plan.crop + 8,
        crop=plan.crop,
        mean=(124.0, 117.0, 104.0),
        scale=1 / 64,
        seed=plan.seed,
        epochs_trained=30,
        weights_sha256="",
        manifest_sha256=sha256_of(run.manifest),
    )
    generator = torch.Generator().manual_seed(plan.seed)
    weights = {}
    for name, shape in (plan.graph or card.graph()).tensors.items():
        drawn = len(shape) > 1
        weights[name] = (
            torch.randn(shape, generator=generator) * 0.05 if drawn else torch.zeros(shape)
        )
    run.model.mkdir()
    # At the start the first filter was what it is, but for a scale; the others were noise.
    start = {name: torch.randn(w.shape, generator=generator) for name, w in weights.items()}
    for name, values in weights.items():
        start[name][:1] = values[:1] * 2
    snapshot_path(run.model, 0).parent.mkdir()
    save_file(start, snapshot_path(run.model, 0))
    half = {name: (values + start[name]) / 2 for name, values in weights.items()}
    save_file(half, snapshot_path(run.model, 10))
    save_file(weights, snapshot_path(run.model, 30))
    return save_model(run.model, card, weights, plan.graph)


def _write_stores(
    run: Workspace, plan: Plan, graph: Graph, made_from: Provenance, rng: np.random.Generator
) -> None:
    scan = create_store(run.scan, "scan", made_from)
    projections = create_store(run.projections, "projections", made_from)
    crops = create_store(run.crops, "crops", made_from)
    squares = [_square(run, row, plan) for row in _validation(run)]
    for layer in plan.layers:
        record = _record(plan, graph, layer, len(squares), rng)
        held = _examples(plan, graph, layer, record, len(squares)) if plan.examples else {}
        write_scan(scan, layer, record.variables() | held)
        side = receptive_field(graph, layer).size[0]
        entries = zip(record.image, record.box, strict=True)
        cut = np.stack([_cut(squares, image, box, side) for image, box in entries])
        signal = _signal(cut, record, rng)
        scale = np.abs(signal).max((2, 3, 4)).astype(np.float32)
        stored = signal / np.where(scale > 0, scale, 1)[..., None, None, None]
        group = projections.create_group(layer)
        _fill(group, "projections", "projection", stored.astype(np.float16))
        _fill(group, "projections", "scale", scale)
        _fill(group, "projections", "energy_box", _middle(record.box))
        control = np.flip(stored[:, :2], axis=3)
        _fill(group, "projections", "control", control.astype(np.float16))
        _fill(group, "projections", "control_scale", scale[:, :2])
        levels, ends = _maps(record, graph.layer(layer).size)
        _fill(group, "projections", "activation_map", levels)
        _fill(group, "projections", "map_range", ends)
        _fill(group, "projections", "patch_similarity", _patch_similarity(record))
        group.attrs.update(method="deconvnet", control_correlation=0.25)
        _fill(crops.create_group(layer), "crops", "crop", cut)
        if held:
            weaker = zip(held["example_image"].values, held["example_box"].values, strict=True)
            weak = np.stack([_cut(squares, image, box, side) for image, box in weaker])
            _fill(crops[layer], "crops", "example_crop", weak)
    for root in (scan, projections, crops):
        seal(root)


def _patch_similarity(record: ScanRecord) -> np.ndarray:
    """Falls and rises along the channels; not a number for fewer than two patches."""
    channels = np.arange(len(record.fired))
    several = (record.image >= 0).sum(axis=1) > 1
    return np.where(several, 0.5 + 0.4 * np.sin(channels), np.nan).astype(np.float32)


def _maps(record: ScanRecord, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A hill around each entry's cell, 255 there, falling by 20 a cell."""
    row, col = np.indices(size)
    away = np.hypot(row - record.cell[..., :1, None], col - record.cell[..., 1:, None])
    missing = (record.image < 0)[..., None, None]
    levels = np.where(missing, 0, np.clip(255 - 20 * np.rint(away), 0, 255)).astype(np.uint8)
    return levels, np.stack([np.zeros_like(record.activation), record.activation], axis=-1)


def _middle(box: np.ndarray) -> np.ndarray:
    """The middle third of each box."""
    edge = (box[..., 2:] - box[..., :2]) // 3
    return np.concatenate([box[..., :2] + edge, box[..., 2:] - edge], axis=-1).astype(np.int16)


def _fill(group, kind, name, values) -> None:
    array = create_array(group, name, DIMENSIONS[kind][name], values.shape, values.dtype.str)
    array[...] = values


def _validation(run: Workspace) -> list[ImageRow]:
    from pipeline.dataset.manifest import read_manifest

    return list(read_manifest(run.manifest).split("val"))


def _square(run: Workspace, row: ImageRow, plan: Plan) -> np.ndarray:
    from tests.squares import load_square

    return load_square(run.root / "data" / row.path, plan.crop + 8, plan.crop)


def _record(
    plan: Plan, graph: Graph, layer: str, images: int, rng: np.random.Generator
) -> ScanRecord:
    channels, size, top = graph.layer(layer).channels, graph.layer(layer).size, plan.top
    kept = min(top, images)
    activation = np.zeros((channels, top), np.float32)
    activation[:, :kept] = -np.sort(-rng.gamma(4.0, 0.6, (channels, kept)), axis=1)
    image = np.full((channels, top), -1, np.int32)
    pools = np.arange(images) // max(1, plan.per_class)
    for channel in range(channels):
        likes = 1.0 + 12.0 * (pools == channel % len(plan.classes))
        image[channel, :kept] = rng.choice(images, kept, replace=False, p=likes / likes.sum())
    cell = rng.integers(0, size, (channels, top, 2)).astype(np.int32)
    box = receptive_field(graph, layer).boxes(cell)
    for channel in range(channels):
        limit = plan.partial.get(layer, {}).get(channel, kept)
        limit = 0 if channel in plan.dead.get(layer, ()) else limit
        activation[channel, limit:], image[channel, limit:] = 0, -1
        cell[channel, limit:], box[channel, limit:] = -1, 0
    alive = (image >= 0).any(1)
    peaks = rng.gamma(2.0, 0.4, (channels, max(40, images))) * alive[:, None]
    edges = tuple(np.linspace(0, 8, 65).tolist())
    histogram = np.stack([np.histogram(row, edges)[0] for row in peaks])
    likes = np.arange(channels)[:, None] % len(plan.classes) == np.arange(len(plan.classes))
    mean = rng.gamma(2.0, 0.2, (channels, len(plan.classes))) + likes * 1.5
    return ScanRecord(
        activation=activation,
        image=image,
        cell=cell,
        box=box,
        histogram=histogram.astype(np.int64),
        fired=np.where(alive, rng.integers(top, images + top, channels), 0).astype(np.int64),
        mean_peak_by_class=(mean * alive[:, None]).astype(np.float32),
        edges=edges,
    )


def _examples(
    plan: Plan,
    graph: Graph,
    layer: str,
    record: ScanRecord,
    images: int,
) -> dict[str, Variable]:
    """Three of each band; the last weakest one and all silent ones are missing in channel 0."""
    rng = np.random.default_rng([plan.seed, len(record.fired)])
    channels, places = len(record.fired), len(BANDS) * EXAMPLES
    image = np.stack([rng.choice(images, places, replace=images < places) for _ in range(channels)])
    image = image.astype(np.int32)
    image[0, 14:], image[record.fired == 0, : 5 * EXAMPLES] = -1, -1
    peaks = np.repeat([3.0, 2.0, 1.2, 0.7, 0.01, 0.0], EXAMPLES).astype(np.float32)
    cell = rng.integers(0, graph.layer(layer).size, (channels, places, 2)).astype(np.int32)
    box = receptive_field(graph, layer).boxes(cell)
    missing = image < 0
    box[missing], cell[missing] = 0, -1
    entry = ("channel", "example")
    return {
        "example_activation": Variable(np.where(missing, 0, peaks).astype(np.float32), entry),
        "example_image": Variable(image, entry),
        "example_cell": Variable(cell, (*entry, "axis")),
        "example_box": Variable(box.astype(np.int32), (*entry, "edge")),
        "example": Variable(np.repeat(BANDS, EXAMPLES), ("example",)),
    }


def _cut(
    squares: Sequence[np.ndarray], images: np.ndarray, boxes: np.ndarray, side: int
) -> np.ndarray:
    """The patches of one channel."""
    crops = np.zeros((len(images), side, side, 3), np.uint8)
    for rank, image in enumerate(images):
        if image >= 0:
            top, left, _, _ = boxes[rank]
            padded = np.pad(squares[image], ((side, side), (side, side), (0, 0)))
            crops[rank] = padded[top + side :, left + side :][:side, :side]
    return crops


def _signal(crops: np.ndarray, record: ScanRecord, rng: np.random.Generator) -> np.ndarray:
    """Signed pictures that are 0 near the rim and outside the image, as projections are."""
    side = crops.shape[2]
    picture = crops.astype(np.float32)
    local = sum(np.roll(picture, (i, j), (2, 3)) for i in (-3, 0, 3) for j in (-3, 0, 3)) / 9
    row, col = np.mgrid[0:side, 0:side] / max(1, side - 1) - 0.5
    centre = rng.uniform(-0.15, 0.15, (2,))
    mask = np.exp(-((row - centre[0]) ** 2 + (col - centre[1]) ** 2) / 0.05)
    mask[mask < 0.05] = 0
    signal = (picture - local) * mask[..., None] * (picture.max(-1, keepdims=True) > 0)
    if side < 12:
        signal = rng.normal(size=(crops.shape[0], 1, side, side, 3)) * np.ones((1, 9, 1, 1, 1))
        signal = signal[:, : crops.shape[1]]
    return signal / 40 * (record.image >= 0)[..., None, None, None]


def _write_params(run: Workspace, plan: Plan) -> None:
    presets = Path(__file__).parents[2] / "presets"
    params = yaml.safe_load((presets / "demo.yaml").read_text(encoding="utf-8"))
    params["data"] |= {"root": "data", "resize": plan.crop + 8, "crop": plan.crop}
    params["model"]["width"] = plan.width
    if plan.graph is not None:
        inputs = {"mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bilinear"}
        params["model"] = {"arch": "nets.drawn:network", "arguments": {}, "inputs": inputs}
        params["model"] |= {"weights": None, "weights_sha256": None}
        params["train"] |= {"epochs": 0}
    params["scan"]["layers"] = list(plan.layers)
    params["figures"] |= {"images": 3}
    params["figures"]["architecture"] |= {"rivals": list(plan.rivals)}
    params["figures"]["occlusion"] |= {"side": 16, "stride": 12}
    params["figures"]["correspondence"] |= {"images": 3, "side": 16, "draws": 2}
    params["figures"]["evolution"] |= {"channels": 3}
    params["figures"]["invariance"] |= {"steps": 2, "translation_px": 12}
    run.params.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")


def _epoch(epoch: int) -> EpochRecord:
    fall = 0.85 * 0.88**epoch
    return EpochRecord(
        epoch=epoch,
        learning_rate=0.01,
        train_loss=3 * fall + 0.1,
        train_top1_error=fall,
        val_loss=2.6 * fall + 0.4,
        val_top1_error=fall + 0.13,
        dead={},
        conv1_rms=(0.01, 0.05, 0.1),
        conv1_low_frequency=(0.5, 0.8),
        start_cosine={},
        start_tenths={},
    )


def _write_reports(
    run: Workspace, plan: Plan, made_from: Provenance, rng: np.random.Generator
) -> None:
    rates = ErrorRates(
        top1_error=0.142,
        top5_error=0.021,
        top1_error_10crop=0.131,
        top5_error_10crop=0.018,
        mean_class_accuracy=0.858,
        images=15,
    )
    history = run.report("train_history.csv")
    epochs = [_epoch(epoch) for epoch in range(1, 31)]
    write_history(history, epochs)
    training = TrainingReport(
        epochs_trained=30, stopped_early=False, parameters=1, channels={}, last=epochs[-1]
    )
    model = Provenance(made_from.weights_sha256, made_from.manifest_sha256)
    write_report(run.report("train.json"), training, model, history)
    answers = ["image,class,probability"]
    for number, row in enumerate(_validation(run)):
        said = row.label if row.label and rng.random() < 0.85 else plan.classes[0]
        quoted = said.replace('"', '""')
        answers.append(f'{number},"{quoted}",{rng.uniform(0.4, 1):.4f}')
    run.predictions.write_text("\n".join(answers) + "\n", encoding="utf-8")
    write_report(run.report("evaluate.json"), rates, made_from, run.predictions)
