"""The workspace: every path of a run, named once."""

import os
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import AtlasError


@dataclass(frozen=True)
class Workspace:
    """A folder that holds one run: `params.yaml`, `artifacts/`, `reports/`, `site/`, `.state/`."""

    root: Path

    @property
    def params(self) -> Path:
        """The parameters of the run."""
        return self.root / "params.yaml"

    @property
    def class_names(self) -> Path:
        """The classes of an adopted network."""
        return self.root / "nets" / "classes.txt"

    @property
    def artifacts(self) -> Path:
        """What the stages hand to each other, and notebooks read."""
        return self.root / "artifacts"

    @property
    def manifest(self) -> Path:
        """The usable images."""
        return self.artifacts / "manifest.csv"

    @property
    def rejected(self) -> Path:
        """The images that could not be used, each with a reason."""
        return self.artifacts / "rejected.csv"

    @property
    def model(self) -> Path:
        """The trained network: `weights.safetensors`, `model.json`, `snapshots/`."""
        return self.artifacts / "model"

    @property
    def predictions(self) -> Path:
        """The most probable class of every validation image."""
        return self.artifacts / "predictions.csv"

    @property
    def scan(self) -> Path:
        """The Zarr store of the top images of every channel."""
        return self.artifacts / "scan.zarr"

    @property
    def projections(self) -> Path:
        """The Zarr store of the projections."""
        return self.artifacts / "projections.zarr"

    @property
    def crops(self) -> Path:
        """The Zarr store of the crops."""
        return self.artifacts / "crops.zarr"

    @property
    def figures(self) -> Path:
        """The paper's other figures."""
        return self.artifacts / "figures"

    @property
    def site(self) -> Path:
        """The rendered atlas; open its `index.html`."""
        return self.root / "site"

    def report(self, name: str) -> Path:
        """A metrics file by its name, say `prepare.json`."""
        return self.root / "reports" / name

    def state(self, stage: str) -> Path:
        """The folder of a stage's resumable state, outside every out."""
        return self.root / ".state" / stage

    def images(self, root: str) -> str:
        """The location of the images, from `data.root`, for `open_images`: a path or a URL.

        `hf:ORG/DATASET` is a data set of the Hugging Face hub.
        """
        if root.startswith("hf:") and "://" not in root:
            return f"hf://datasets/{root.removeprefix('hf:')}"
        return root if "://" in root else str(self.resolve(root).resolve())

    def resolve(self, path: str) -> Path:
        """A path from `params.yaml`: relative ones start at the workspace, `~` is the home.

        Raises AtlasError for a text that is not a path.
        """
        try:
            # Names on disk are UTF-8, also under a locale in which Python could not write them.
            named = os.fsdecode(path.encode("utf-8", "surrogateescape"))
            full = self.root / Path(named).expanduser()
            os.lstat(full)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return full
        except RuntimeError:
            problem = "names the home of an unknown user"
        except ValueError:
            problem = "holds a character that no path can"
        except OSError as error:
            problem = f"is not a path ({os.strerror(error.errno or 0)})"
        else:
            return full
        raise AtlasError(f"{path!r} {problem}.", fix="Correct the path in params.yaml.")
