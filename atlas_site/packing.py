"""One zip of a rendered atlas, ready to be sent or hosted."""

import re
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from pipeline.errors import AtlasError

CARD = 'property="og:image" content="'
COMPRESSED = {".webp", ".jpg"}


def checked_url(url: str) -> str:
    """An address with a slash at its end. Raises AtlasError for one that is not of the web."""
    if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d+)?(/[\w.~%/-]*)?", url):
        raise AtlasError(
            f"{url!r} is not the address of a folder on the web.",
            fix="Give one such as https://name.github.io/atlas/",
        )
    return url if url.endswith("/") else f"{url}/"


def pack(site: Path, out: Path, name: str, url: str | None) -> int:
    """Write the files of a site into the zip `out`, below a folder `name`; return how many.

    With the address at which it will be hosted, its pages name their picture in full, as the
    readers of Open Graph want it. Equal sites give equal bytes.
    """
    files = list(_files(site))
    with ZipFile(out, "w") as archive:
        for path in files:
            content = path.read_bytes()
            if url and path.suffix == ".html":
                content = content.replace(CARD.encode(), f"{CARD}{url}".encode())
            entry = ZipInfo(f"{name}/{path.relative_to(site).as_posix()}")
            entry.external_attr = 0o644 << 16
            entry.compress_type = ZIP_STORED if path.suffix in COMPRESSED else ZIP_DEFLATED
            archive.writestr(entry, content)
    return len(files)


def _files(site: Path) -> Iterator[Path]:
    """All files of a rendered site. Raises AtlasError where there is none."""
    if not (site / "index.html").is_file():
        raise AtlasError(f"There is no atlas in {site}.", fix="Run `atlas render`.")
    yield from sorted(path for path in site.rglob("*") if path.is_file())
