"""What the stores of pictures hold, against their bytes; and what older stores lack."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from pipeline.atlas import Run, open_atlas
from pipeline.atlas.stored_pictures import StoredPictures
from pipeline.storage.stores import seal
from pipeline.workspace import Workspace
from tests.atlas_site.synthetic_run import write_run

LATER = {
    "projections": ("energy_box", "control", "activation_map", "map_range", "patch_similarity"),
    "crops": ("example_crop",),
}
"""By store, the arrays that came after the first releases."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return write_run(tmp_path_factory.mktemp("pictures") / "run")


def stored(run: Workspace, kind: str, name: str) -> np.ndarray:
    return np.asarray(zarr.open_array(str(run.artifacts / f"{kind}.zarr/conv3/{name}"), mode="r"))


def optional(pictures: StoredPictures) -> dict[str, Any]:
    some = slice(2, 5)
    return {
        "energy_box": pictures.energy_boxes("conv3"),
        "control": pictures.controls("conv3", some),
        "activation_map": pictures.activation_maps("conv3", some),
        "patch_similarity": pictures.patch_similarity("conv3"),
        "example_crop": pictures.example_crops("conv3", some),
    }


def test_consecutive_channels_are_read_as_they_are_stored(run: Workspace) -> None:
    pictures = open_atlas(run.artifacts).pictures
    found = pictures.read("conv3", slice(3, 6))
    np.testing.assert_array_equal(found.projection, stored(run, "projections", "projection")[3:6])
    np.testing.assert_array_equal(found.scale, stored(run, "projections", "scale")[3:6])
    np.testing.assert_array_equal(found.crop, stored(run, "crops", "crop")[3:6])
    np.testing.assert_array_equal(pictures.scales("conv3"), stored(run, "projections", "scale"))


def test_the_arrays_beyond_the_contract_are_read_as_they_are_stored(run: Workspace) -> None:
    found = optional(open_atlas(run.artifacts).pictures)
    levels, ends = found["activation_map"]
    same: Callable[..., None] = np.testing.assert_array_equal
    same(found["energy_box"], stored(run, "projections", "energy_box"))
    same(found["control"], stored(run, "projections", "control")[2:5])
    same(levels, stored(run, "projections", "activation_map")[2:5])
    same(ends, stored(run, "projections", "map_range")[2:5])
    same(found["patch_similarity"], stored(run, "projections", "patch_similarity"))
    same(found["example_crop"], stored(run, "crops", "example_crop")[2:5])


def test_a_store_without_these_arrays_gives_none(run: Workspace, tmp_path: Path) -> None:
    older = Workspace(tmp_path / "run")
    shutil.copytree(run.root, older.root)
    for kind, names in LATER.items():
        store = zarr.open_group(str(older.artifacts / f"{kind}.zarr"), mode="r+")
        for name in names:
            del store[f"conv3/{name}"]
        del store.attrs["metadata_sha256"]
        seal(store)
    atlas = Run(older, older.artifacts)
    assert [value for value in optional(atlas.pictures).values() if value is not None] == []
    assert atlas.pictures.read("conv3", slice(0, 1)).projection.any()


def test_pictures_are_of_their_full_size_where_the_store_says_nothing(run: Workspace) -> None:
    pictures = open_atlas(run.artifacts).pictures
    assert "reduction" not in pictures.facts("conv3")
    assert pictures.reduction("conv3") == 1
