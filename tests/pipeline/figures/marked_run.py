"""A small run in whose images parts are marked."""

from pathlib import Path

from pipeline.atlas import Run, open_atlas
from tests.finished_scan import finished_scan
from tests.workspaces import write_params

CHOSEN = {"parts": None, "images": 4, "side": 18, "value": 128, "draws": 3}


def run_with_parts(folder: Path) -> Run:
    """Class one has two parts in most images, class two a part in a single image."""
    workspace = finished_scan(folder)
    photos = {"root": str(workspace.root / "photos")}
    write_params(workspace.root, {"data": photos, "figures": {"correspondence": CHOSEN}})
    lines = ["path,part,row,col", "unknown.png,eye,1,1", "01.png,eye,40,40"]
    for number in range(0, 12, 2):
        lines += [f"{number:02}.png,eye,30,{40 + number}", f"{number:02}.png,wing,50,60"]
    lines += ["12.png,wing,0,60"]  # cut off
    (workspace.root / "photos" / "parts.csv").write_text("\n".join(lines) + "\n")
    return open_atlas(workspace.artifacts)
