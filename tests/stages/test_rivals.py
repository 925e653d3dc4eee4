import yaml

from pipeline.atlas import open_atlas
from pipeline.figures.architecture import rivals_of
from pipeline.network.card import load_card
from pipeline.params import load_params
from pipeline.trials.rivals import rival_params
from stages import rivals
from tests.pipeline.training.tiny import EVEN, make_workspace
from tests.stages.commands import atlas


def change(root, section: str, **values) -> None:
    """Change a section of a run's params.yaml."""
    params = yaml.safe_load((root / "params.yaml").read_text())
    params[section] |= values
    (root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


def test_a_rival_is_a_whole_run_that_params_yaml_then_names(tmp_path, monkeypatch):
    """One of the three, for speed."""
    monkeypatch.setattr(
        rivals, "rival_params", lambda params: dict([*rival_params(params).items()][:1])
    )
    root = make_workspace(tmp_path, epochs=1, width=EVEN)
    atlas(root, "train")
    atlas(root, "scan")
    said = atlas(root, "rivals")
    params = yaml.safe_load((root / "params.yaml").read_text())
    assert params["figures"]["architecture"]["rivals"] == ["rivals/alexnet"]
    assert "figures.architecture.rivals: [] →" in said
    own, rival = rivals_of(open_atlas(root / "artifacts"))
    assert (rival.name, rival.run.card.arch) == ("alexnet", "alexnet")
    assert rival.run.card.manifest_sha256 == own.run.card.manifest_sha256

    made = root / "rivals" / "alexnet" / "artifacts"
    (made / "scan.zarr").rename(root / "gone")  # as if it was stopped before the scan
    before = (made / "model").stat().st_mtime_ns
    change(root, "figures", images=[1])  # which no weight depends on
    atlas(root, "rivals")
    assert (made / "model").stat().st_mtime_ns == before
    scanned = (made / "scan.zarr").stat().st_mtime_ns
    assert load_params(root / "rivals" / "alexnet" / "params.yaml").figures.images == (1,)

    change(root, "scan", top=4)
    change(root, "figures", images=[2])
    atlas(root, "rivals")
    assert (made / "model").stat().st_mtime_ns == before
    assert (made / "scan.zarr").stat().st_mtime_ns != scanned
    assert open_atlas(made).records["conv1"].image.shape[1] == 4

    text = (root / "params.yaml").read_text()
    (root / "params.yaml").write_text(text.replace("seed: 0", "seed: 1"))
    old = load_card(made / "model")
    atlas(root, "rivals")
    assert (old.seed, load_card(made / "model").seed) == (0, 1)
