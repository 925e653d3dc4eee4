"""The same photographs in every layout in which people hold images."""

import io
import json
import re
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def files_of(photos: Path) -> dict[str, bytes]:
    """The bytes of all photographs by `<split>/<class>/<name>`, sorted."""
    paths = sorted(path for path in photos.rglob("*") if path.is_file())
    return {path.relative_to(photos).as_posix(): path.read_bytes() for path in paths}


def write_zip(photos: Path, path: Path, compression: int = zipfile.ZIP_DEFLATED) -> None:
    """One zip file of the folder tree."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in files_of(photos).items():
            archive.writestr(name, data)


def write_tar(path: Path, members: dict[str, bytes]) -> None:
    """A tar file of members."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def write_webdataset(photos: Path, folder: Path, per_shard: int = 4) -> None:
    """Tar shards of samples, `train-000000.tar` …: an image and its class number in `.cls`."""
    names = sorted({path.split("/")[1] for path in files_of(photos)})
    folder.mkdir()
    (folder / "classes.txt").write_text("\n".join(names))
    for split in ("train", "val"):
        images = [(p, d) for p, d in files_of(photos).items() if p.startswith(f"{split}/")]
        for shard, first in enumerate(range(0, len(images), per_shard)):
            members = {}
            for number, (path, data) in enumerate(images[first : first + per_shard], first):
                members[f"sample{number:04}.jpg"] = data
                members[f"sample{number:04}.cls"] = str(names.index(path.split("/")[1])).encode()
            write_tar(folder / f"{split}-{shard:06}.tar", members)


def write_parquet(photos: Path, folder: Path, row_group_size: int = 3) -> None:
    """Parquet files as the Hugging Face hub has them, class names in the features' metadata."""
    names = sorted({path.split("/")[1] for path in files_of(photos)})
    features = {
        "image": {"_type": "Image"},
        "label": {"_type": "ClassLabel", "names": names},
    }
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    (folder / "data").mkdir(parents=True)
    (folder / "README.md").write_text("---\nlicense: unknown\n---\n")
    for split, word in (("train", "train"), ("val", "validation")):
        images = [(p, d) for p, d in files_of(photos).items() if p.startswith(f"{split}/")]
        half = len(images) // 2
        for shard, part in enumerate((images[:half], images[half:])):
            table = pa.table(
                {
                    "image": [{"bytes": d, "path": p.split("/")[-1]} for p, d in part],
                    "label": [names.index(p.split("/")[1]) for p, _ in part],
                }
            ).replace_schema_metadata(metadata)
            path = folder / "data" / f"{word}-{shard:05}-of-00002.parquet"
            pq.write_table(table, path, row_group_size=row_group_size)


@dataclass
class Server:
    """A web server of a folder, on loopback."""

    url: str
    failures: list[str] = field(default_factory=list)
    """What the next answers to requests of image files do: `503` or `half`; then all go well.
    """
    asked: list[str] = field(default_factory=list)
    """Paths asked for."""


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *args: object, facts: Server, **options: object) -> None:
        self.facts = facts
        super().__init__(*args, **options)  # type: ignore[arg-type]

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.facts.asked.append(self.path)
        if self.facts.failures and not self.path.endswith("/"):
            failure = self.facts.failures.pop(0)
            if failure == "503":
                self.send_error(503)
                return
            if failure == "half":
                data = Path(self.translate_path(self.path)).read_bytes()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data[: len(data) // 2])
                self.close_connection = True
                return
        if found := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", "")):
            self._send_part(int(found[1]), int(found[2]) + 1)
        else:
            super().do_GET()

    def _send_part(self, start: int, end: int) -> None:
        data = Path(self.translate_path(self.path)).read_bytes()
        self.send_response(206)
        self.send_header("Content-Length", str(len(data[start:end])))
        self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        self.end_headers()
        self.wfile.write(data[start:end])


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """Serve a folder over HTTP."""
    facts = Server("")
    handler = partial(_Handler, directory=str(folder), facts=facts)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        facts.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield facts
        finally:
            server.shutdown()
            thread.join()
