"""`python -m benchmarks.coverage`: which networks can be read (the table of docs/networks.md)."""

import hashlib
import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import click
import torch
from torch import nn
from torchvision import models

from pipeline.adopt.build import build
from pipeline.adopt.check import check, method_to_check
from pipeline.adopt.read import read
from pipeline.adopt.spec import Spec
from pipeline.errors import AtlasError
from pipeline.network.graph import Graph

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "networks.md"
CODE = ("benchmarks/coverage.py", "pipeline/adopt", "pipeline/network", "pipeline/params")
PACKAGES = ("torch", "torchvision", "timm")
"""What an outcome depends on, besides the code."""
BETWEEN = ("<!-- coverage -->\n", "<!-- end of coverage -->")
HEAD = ("network", "read", "layers", "cuts", "values", "projections", "by")
SIDES = (96, 224, 256)
"""Sides of the input, pixels; a larger one for networks that do not run on a smaller one."""
TIMM = """
vgg11_bn resnet18 resnet50d resnetblur50 resnext50_32x4d wide_resnet50_2 seresnet50 ecaresnet26t
res2net50_26w_4s res2next50 resnest14d skresnet18 resnetv2_50 resnetv2_50x1_bit nf_resnet50
dm_nfnet_f0 gernet_s densenet121 densenetblur121d dla34 dpn68 vovnet39a ese_vovnet19b_dw
hrnet_w18_small inception_v3 inception_v4 inception_resnet_v2 inception_next_atto xception41
legacy_xception mobilenetv1_100 mobilenetv2_100 mobilenetv3_large_100 mobilenetv4_conv_small
efficientnet_b0 tf_efficientnet_b0 tf_efficientnetv2_b0 efficientnet_lite0 mnasnet_100 semnasnet_100
fbnetc_100 fbnetv3_b spnasnet_100 hardcorenas_a tinynet_e lcnet_050 mixnet_s ghostnet_100
ghostnetv2_100 repghostnet_050 rexnet_100 regnetx_002 regnety_002 regnetz_b16 repvgg_a0 mobileone_s0
repvit_m0_9 fasternet_t0 starnet_s1 hgnetv2_b0 selecsls42b cspresnet50 cspdarknet53 darknet53
convnext_atto convnextv2_atto convmixer_768_32 poolformer_s12 convformer_s18 focalnet_tiny_srf
edgenext_xx_small resmlp_12_224 mixer_s16_224 vit_tiny_patch16_224 swin_tiny_patch4_window7_224
coatnet_0_224
"""
"""A network of each convolutional family, and some that have attention."""


@dataclass(frozen=True)
class Outcome:
    """What became of one network."""

    arch: str
    cells: tuple[str, ...]
    """Of the table, the name aside."""
    read: bool


@click.command()
@click.option("--only", multiple=True, help="Only networks whose name holds this; prints them.")
@click.option(
    "--kept",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path(".state/coverage.jsonl"),
    show_default=True,
    help="Outcomes that the present code found, a line each; they are not found again.",
)
def main(only: Sequence[str], kept: Path) -> None:
    """Read every classifier of torchvision and many networks of timm; write the table."""
    code = code_sha256()
    known = read_kept(kept, code)
    archs = [f"torchvision:{name}" for name in classifiers()] + [
        f"timm:{name}" for name in TIMM.split()
    ]
    wanted = [arch for arch in archs if not only or any(part in arch for part in only)]
    outcomes = []
    for arch in wanted:
        if arch not in known:
            start = time.process_time()
            known[arch] = outcome(arch)
            seconds = time.process_time() - start
            click.echo(f"{_line((arch, *known[arch].cells))} {seconds:.0f} s", err=True)
            keep(kept, known[arch], code)
        outcomes.append(known[arch])
    text = "\n".join(table(outcomes)) + "\n"
    if only:
        click.echo(text)
    else:
        write(text)


def code_sha256() -> str:
    """Of all that an outcome depends on: the modules that read and compare, and the packages."""
    digest = hashlib.sha256()
    for path in sorted(path for name in CODE for path in _modules(ROOT / name)):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    for package in PACKAGES:
        digest.update(f"{package} {metadata.version(package)}\0".encode())
    return digest.hexdigest()


def _modules(path: Path) -> Iterator[Path]:
    return path.rglob("*.py") if path.is_dir() else iter([path])


def read_kept(path: Path, code: str) -> dict[str, Outcome]:
    """Outcomes by network that a file has of the code with this hash; none without a file."""
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {
        line["arch"]: Outcome(line["arch"], tuple(line["cells"]), line["read"])
        for line in lines
        if line.get("code") == code
    }


def keep(path: Path, found: Outcome, code: str) -> None:
    """Add an outcome to the file, with the hash of the code that found it."""
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(found) | {"code": code}) + "\n")


def classifiers() -> list[str]:
    """torchvision's classifiers, the quantised ones aside."""
    return [name for name in models.list_models(module=models) if not name.startswith("quantized")]


def outcome(arch: str) -> Outcome:
    """Read one network with random weights and compare the graph with it."""
    module = build(Spec(arch, {}, None, Path()), seed=0).module
    draw_statistics(module)
    for side in SIDES:
        try:
            graph, weights = read(module, (3, side, side))
            agreement = check(module, graph, weights)
        except AtlasError as error:
            if "does not run on an input" in error.problem and side != SIDES[-1]:
                continue
            return Outcome(arch, (error.problem.rstrip("."), *[""] * 5), read=False)
        figures = (f"{agreement.values:.0e}", f"{agreement.projections:.0e}")
        return Outcome(arch, ("yes", *counts(graph), *figures, method_to_check(graph)), read=True)
    raise AssertionError("the last side returns")


def counts(graph: Graph) -> tuple[str, str]:
    """How many layers a graph has, and how many of them are cuts."""
    layers = graph.layer_list
    return str(len(layers)), str(sum(layer.cut for layer in layers))


def draw_statistics(module: nn.Module) -> None:
    """Give batch norms statistics and factors that are not 0 and 1."""
    rng = torch.Generator().manual_seed(0)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d) and part.running_mean is not None:
            part.running_mean.normal_(0, 0.1, generator=rng)
            assert part.running_var is not None
            part.running_var.uniform_(0.5, 1.5, generator=rng)
            if part.affine:
                part.weight.uniform_(0.5, 1.5, generator=rng)
                part.bias.normal_(0, 0.1, generator=rng)


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The table in Markdown, after a line of totals."""
    for library in ("torchvision", "timm"):
        mine = [found for found in outcomes if found.arch.startswith(library)]
        read_ones = sum(found.read for found in mine)
        yield f"Of {len(mine)} networks of {library} {read_ones} are read."
    yield ""
    for line in (HEAD, ("---",) * len(HEAD)):
        yield _line(line)
    for found in outcomes:
        yield _line((found.arch, *found.cells))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def write(text: str) -> None:
    """Put the table into its place in the document."""
    before, after = BETWEEN
    pattern = re.escape(before) + ".*?" + re.escape(after)
    old = DOCUMENT.read_text(encoding="utf-8")
    new = re.sub(pattern, lambda _: f"{before}{text}{after}", old, flags=re.DOTALL)
    DOCUMENT.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
