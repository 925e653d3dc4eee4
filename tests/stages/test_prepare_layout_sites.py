"""Every layout of the same photographs, here or on a server, gives the same top nine and site."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import zarr
from click.testing import CliRunner

from pipeline.dataset import attempts
from pipeline.dataset.manifest import Manifest, read_manifest
from pipeline.storage.hashing import sha256_of
from pipeline.workspace import Workspace
from stages.cli import main
from tests import layouts
from tests.hub import NAME, hub
from tests.stages.preparing import as_parquet, as_tar, as_webdataset, as_zip
from tests.workspaces import write_params, write_photos

pytestmark = pytest.mark.slow
CLASSES = {"cat": (4, 6), "dog": (3, 6)}
PARAMS = {
    "train": {"epochs": 0, "snapshots": []},
    "evaluate": {"ten_crops": False},
    "scan": {"layers": ["conv1", "conv2"], "top": 9, "batch_size": 8},
}
FLOW = ("prepare", "train", "evaluate", "scan", "project", "crop", "render")


@dataclass(frozen=True)
class Run:
    """A finished run."""

    here: Workspace
    root: str
    said: str
    """By the stages, on their outputs."""

    @property
    def manifest(self) -> Manifest:
        return read_manifest(self.here.manifest)

    def arrays(self, store: Path) -> dict[str, np.ndarray]:
        """Every array of a store, by path."""
        members = zarr.open_group(store, mode="r").members(max_depth=None)
        return {name: item[...] for name, item in members if isinstance(item, zarr.Array)}

    def site(self, like: "Run") -> dict[str, bytes]:
        """The site's files, with the other run's names of what a layout may name otherwise."""
        pairs = zip(self.manifest.rows, like.manifest.rows, strict=True)
        names = {mine.path: theirs.path for mine, theirs in pairs}
        hashes = sha256_of(self.here.manifest), sha256_of(like.here.manifest)
        names |= {hashes[0]: hashes[1], hashes[0][:12]: hashes[1][:12], self.root: like.root}
        names |= {"imagenet": "folder"}  # data.source
        files = {}
        for path in sorted(self.here.site.rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                for name in sorted(names, key=len, reverse=True):
                    data = data.replace(name.encode(), names[name].encode())
                files[path.relative_to(self.here.site).as_posix()] = data
        return files


@pytest.fixture(scope="module", autouse=True)
def in_one_process() -> Iterator[None]:
    """Decoding and painting here: processes of their own would take most of the time."""

    def decoded(work, refuse, jobs, count, start):
        return ((job, work(job)) for job in jobs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.sources.prepare.decoded", decoded)
        patch.setenv("ATLAS_RENDER_WORKERS", "1")
        yield


def atlas(folder: Path, *stages: str) -> str:
    """Run stages; what they say."""
    said = []
    for stage in stages:
        result = CliRunner().invoke(main, [stage, "-w", str(folder)], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        said.append(result.output)
    return "".join(said)


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Run:
    """The run of the plain folder, of a network that was never trained."""
    folder = tmp_path_factory.mktemp("plain")
    write_photos(folder / "photos", CLASSES)
    return run_from(folder, "photos")


def run_from(folder: Path, root: str) -> Run:
    """The run of a folder, over images at a root."""
    source = "imagenet" if root.endswith(IMAGENET) else "folder"
    write_params(folder, PARAMS | {"data": {"root": root, "source": source}})
    return Run(Workspace(folder), root, atlas(folder, *FLOW))


def as_folder(photos: Path, at: Path) -> str:
    shutil.copytree(photos, at / "copied")
    return "copied"


IMAGENET = "ILSVRC2012"


def as_imagenet(photos: Path, at: Path) -> str:
    """ImageNet as it is handed out: flat validation files, their classes in a file of Kaggle's."""
    wnids = {label: f"n{number:08}" for number, label in enumerate(sorted(CLASSES))}
    root = at / IMAGENET
    for label, wnid in wnids.items():
        shutil.copytree(photos / "train" / label, root / "train" / wnid)
    (root / "val").mkdir()
    rows = ["ImageId,PredictionString"]
    for number, path in enumerate(sorted((photos / "val").rglob("*.jpg")), 1):
        shutil.copy(path, root / "val" / f"ILSVRC2012_val_{number:08}.JPEG")
        rows.append(f"ILSVRC2012_val_{number:08},{wnids[path.parent.name]} 1 2 3 4")
    (root / "LOC_val_solution.csv").write_text("\n".join(rows))
    lines = [f"{wnid} {label}" for label, wnid in wnids.items()]
    (root / "LOC_synset_mapping.txt").write_text("\n".join(lines))
    return IMAGENET


@contextmanager
def at_hub(folder: Path, monkeypatch) -> Iterator[str]:
    """The name of a data set with the files of a folder, on a hub of this machine."""
    from huggingface_hub import constants

    with hub(folder) as address:
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.removeprefix(constants.ENDPOINT)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + template)
        monkeypatch.setattr(constants, "ENDPOINT", address)
        yield f"hf:{NAME}"


@contextmanager
def at_s3(folder: Path, monkeypatch) -> Iterator[str]:
    """The URL of a bucket with the files of a folder, on an S3 server of this machine."""
    import boto3
    from moto.server import ThreadedMotoServer
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()  # an earlier test's has that one's credentials
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key-of-the-test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        client = boto3.client("s3")
        client.create_bucket(Bucket="photographs")
        for name, data in layouts.files_of(folder).items():
            client.put_object(Bucket="photographs", Key=name, Body=data)
        yield "s3://photographs"
    finally:
        server.stop()


def at_http(folder: Path, monkeypatch) -> AbstractContextManager[str]:
    """The URL of a folder on a web server of this machine."""

    @contextmanager
    def url() -> Iterator[str]:
        with layouts.served(folder) as server:
            yield server.url

    return url()


def here(folder: Path, monkeypatch) -> AbstractContextManager[str]:
    return nullcontext(str(folder))


PLACES = {
    "tar": (as_tar, here),
    "zip": (as_zip, here),
    "shards": (as_webdataset, here),
    "parquet": (as_parquet, here),
    "flat ImageNet": (as_imagenet, here),
    "folder at HTTP": (as_folder, at_http),
    "parquet at S3": (as_parquet, at_s3),
    "parquet on the hub": (as_parquet, at_hub),
}


@pytest.mark.parametrize(("layout", "place"), PLACES.values(), ids=PLACES)
def test_the_top_nine_and_the_site_are_those_of_the_plain_folder(
    plain: Run, tmp_path: Path, monkeypatch, layout: Callable[[Path, Path], str], place: Callable
) -> None:
    (tmp_path / "kept").mkdir()
    root = layout(plain.here.root / "photos", tmp_path / "kept")
    with place(tmp_path / "kept", monkeypatch) as url:
        run = run_from(tmp_path, f"{url}/{root}")
    rows = [
        [(row.split, row.label, row.width, row.height, row.sha256) for row in r.manifest.rows]
        for r in (run, plain)
    ]
    assert rows[0] == rows[1]
    for store in ("scan", "projections", "crops"):
        mine, theirs = (
            run.arrays(getattr(run.here, store)),
            plain.arrays(getattr(plain.here, store)),
        )
        assert mine.keys() == theirs.keys()
        for name, values in theirs.items():
            np.testing.assert_array_equal(mine[name], values, err_msg=f"{store} {name}")
    mine, theirs = run.site(like=plain), plain.site(like=plain)
    assert mine.keys() == theirs.keys()
    assert [name for name in theirs if mine[name] != theirs[name]] == []
    said = run.said
    if place in (at_http, at_s3):  # gone by now; the hub's own client would wait for a minute
        monkeypatch.setattr(attempts, "WAITS_S", (0.0,))
        failed = CliRunner().invoke(main, ["prepare", "-w", str(tmp_path)])
        (line,) = [line for line in failed.stderr.splitlines() if line.startswith("Error: ")]
        assert "cannot be" in line
        said += failed.output
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"-of-the-test" not in written + said.encode()
