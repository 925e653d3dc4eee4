import yaml

from pipeline.atlas import open_atlas
from pipeline.figures.architecture import rivals_of
from pipeline.network.card import load_card
from pipeline.trials.rivals import rival_params
from stages import rivals
from tests.pipeline.training.tiny import EVEN, make_workspace
from tests.stages.commands import atlas


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
    atlas(root, "rivals")
    assert (made / "model").stat().st_mtime_ns == before
    assert (made / "scan.zarr").exists()

    text = (root / "params.yaml").read_text()
    (root / "params.yaml").write_text(text.replace("seed: 0", "seed: 1"))
    old = load_card(made / "model")
    atlas(root, "rivals")
    assert (old.seed, load_card(made / "model").seed) == (0, 1)
