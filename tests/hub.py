"""A Hugging Face hub of one data set, on loopback: repository, tree and files by its web API."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

NAME = "people/photographs"
SHA = "0" * 40


class _Hub(BaseHTTPRequestHandler):
    def __init__(self, *args: object, folder: Path, status: int, **options: object) -> None:
        self.folder, self.status = folder, status
        super().__init__(*args, **options)  # type: ignore[arg-type]

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        path = unquote(self.path.partition("?")[0])
        if self.status != 200:
            self._send(self.status, b'{"error": "said no"}', {"X-Error-Message": "said no"})
        elif found := re.fullmatch(rf"/datasets/{NAME}/resolve/\w+/(.*)", path):
            self._send_file(self.folder / found[1])
        elif found := re.fullmatch(rf"/api/datasets/{NAME}/tree/\w+/?(.*)", path):
            entries = [self._entry(item) for item in sorted((self.folder / found[1]).iterdir())]
            self._send(200, json.dumps(entries).encode())
        elif re.fullmatch(rf"/api/datasets/{NAME}(/revision/\w+)?", path):
            facts = {"id": NAME, "sha": SHA, "private": False, "tags": [], "downloads": 0}
            self._send(200, json.dumps(facts | {"likes": 0}).encode())
        else:
            self._send(404, b"", {"X-Error-Code": "RepoNotFound"})

    def _entry(self, item: Path) -> dict[str, object]:
        path = item.relative_to(self.folder).as_posix()
        if item.is_dir():
            return {"type": "directory", "path": path, "oid": SHA, "size": 0}
        data = item.read_bytes()
        oid = hashlib.sha1(data).hexdigest()
        return {"type": "file", "path": path, "oid": oid, "size": len(data)}

    def _send_file(self, path: Path) -> None:
        if not path.is_file():
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        data = path.read_bytes()
        part = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        sent = data[int(part[1]) : int(part[2]) + 1] if part else data
        self._send(206 if part else 200, sent, {"ETag": f'"{SHA}"', "X-Repo-Commit": SHA})

    def _send(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def hub(folder: Path, status: int = 200) -> Iterator[str]:
    """The address of a hub whose one data set, `hf:people/photographs`, is a folder.

    With another status, every answer has it.
    """
    handler = partial(_Hub, folder=folder, status=status)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
