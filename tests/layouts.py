"""The same photographs in every layout in which people hold images."""

import io
import json
import re
import socket
import struct
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

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


Failure = Literal["401", "403", "404", "503", "half", "reset", "slow", "none"]
"""A status; half of the body, then the end or a reset of the connection; no answer; a good one."""
PATIENCE_S = 60.0
"""Longer than any client waits in a test."""


@dataclass
class Server:
    """A web server of a folder, on loopback."""

    url: str
    failures: list[Failure] = field(default_factory=list)
    """What the next answers to requests of files do; then all go well."""
    failing: str = ""
    """What a path ends with whose answers fail; `/` for index pages."""
    signature: str = ""
    """A query that requests of files are redirected to, as services sign addresses."""
    asked: list[str] = field(default_factory=list)
    """Paths asked for."""
    ended: threading.Event = field(default_factory=threading.Event)
    """Set when the server ends."""


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *args: object, facts: Server, **options: object) -> None:
        self.facts = facts
        super().__init__(*args, **options)  # type: ignore[arg-type]

    def log_message(self, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        if self._is_redirected():
            return
        if (failure := self._failure()) != "none":
            self._fail(failure)
        else:
            super().do_HEAD()

    def do_GET(self) -> None:
        self.facts.asked.append(self.path)
        if self._is_redirected():
            return
        if (failure := self._failure()) != "none":
            self._fail(failure)
        else:
            self._answer()

    def _failure(self) -> Failure:
        """What this answer does."""
        path, failing = self.path.partition("?")[0], self.facts.failing
        fails = path.endswith(failing) and path.endswith("/") == (failing == "/")
        return self.facts.failures.pop(0) if fails and self.facts.failures else "none"

    def _is_redirected(self) -> bool:
        """Send to the signed address where a file was asked for without one."""
        signature = self.facts.signature
        if not signature or self.path.endswith(("/", signature)):
            return False
        self.send_response(302)
        self.send_header("Location", f"{self.path}?{signature}")
        self.send_header("Content-Length", "0")
        self.end_headers()
        return True

    def _fail(self, failure: Failure) -> None:
        """Answer badly, or not at all."""
        if failure == "slow":
            self.facts.ended.wait(PATIENCE_S)
        elif failure.isdecimal():
            self.send_error(int(failure))
        else:
            data = Path(self.translate_path(self.path)).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            if failure == "reset":
                at_once = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        self.close_connection = True

    def _answer(self) -> None:
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if found and Path(self.translate_path(self.path)).is_file():
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
            facts.ended.set()
            server.shutdown()
            thread.join()
