import io
import struct
import tarfile
import zipfile

import pytest

from pipeline.dataset.members import read_member
from pipeline.dataset.store import FolderStore
from pipeline.errors import AtlasError
from pipeline.sources.archives import archive_tree
from tests.layouts import write_tar
from tests.pipeline.sources.folders import refused

MEMBERS = {"./train/cat/a.jpg": b"one", "val/b.txt": b"two", ".DS_Store": b""}


def listed(path):
    tree = archive_tree(str(path))
    return tree.listing, {
        file.path: read_member(FolderStore(path), file.path, file.position)
        for file in tree.listing.files
    }


def test_the_members_of_a_tar_file_are_read_at_their_positions(tmp_path):
    write_tar(tmp_path / "a.tar", MEMBERS)
    listing, content = listed(tmp_path / "a.tar")
    assert content == {"train/cat/a.jpg": b"one", "val/b.txt": b"two"}
    assert refused(listing.rejected) == {".DS_Store": ("hidden", True)}


@pytest.mark.parametrize("kept", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_members_of_a_zip_file_are_read_at_their_positions(tmp_path, kept):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", kept) as archive:
        for name, data in MEMBERS.items():
            archive.writestr(name.removeprefix("./"), data)
        archive.mkdir("empty")
    _, content = listed(tmp_path / "a.zip")
    assert content == {"train/cat/a.jpg": b"one", "val/b.txt": b"two"}


def test_members_that_are_no_files_or_have_no_path_are_rejected(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name in ("../up.jpg", "/root.jpg", "a//b.jpg", "good.jpg"):
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
        link = tarfile.TarInfo("link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "good.jpg"
        tar.addfile(link)
    listing, content = listed(tmp_path / "a.tar")
    assert content == {"good.jpg": b""}
    assert refused(listing.rejected) == {
        "..": ("hidden", True),
        "/root.jpg": ("name is not a path inside the archive", False),
        "a//b.jpg": ("name is not a path inside the archive", False),
        "link.jpg": ("no regular file", False),
    }


def test_a_member_compressed_in_another_way_is_rejected(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.jpg", b"one")
    listing, content = listed(tmp_path / "a.zip")
    assert content == {}
    ((reason, stray),) = refused(listing.rejected).values()
    assert reason.startswith("compressed in a way that is not read")
    assert not stray


def test_a_truncated_or_damaged_archive_is_refused_whole(tmp_path):
    write_tar(tmp_path / "a.tar", MEMBERS)
    whole = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "a.tar").write_bytes(whole[:1500])
    with pytest.raises(AtlasError, match="truncated or damaged"):
        archive_tree(str(tmp_path / "a.tar"))
    (tmp_path / "b.zip").write_bytes(b"PK\3\4 and no more")
    with pytest.raises(AtlasError, match="is not a zip file, or is damaged"):
        archive_tree(str(tmp_path / "b.zip"))
    with pytest.raises(AtlasError, match="cannot be read: No such file"):
        archive_tree(str(tmp_path / "none.tar"))


def zipped(path, names, flags=0):
    """A zip file of names as they are in bytes, written by hand, for what Python does not write."""
    body, directory = b"", b""
    for name in names:
        facts = struct.pack("<HHHHIIIHH", flags, 0, 0, 33, 0, 0, 0, len(name), 0)
        entry = (
            struct.pack("<HH", 0x031E, 20) + facts + struct.pack("<HHHII", 0, 0, 0, 0, len(body))
        )
        body += b"PK\3\4" + struct.pack("<H", 20) + facts + name
        directory += b"PK\1\2" + entry + name
    sizes = struct.pack("<HHHHIIH", 0, 0, len(names), len(names), len(directory), len(body), 0)
    path.write_bytes(body + directory + b"PK\5\6" + sizes)


@pytest.mark.parametrize(
    ("names", "flags", "paths"),
    [
        (["cre\u0300me/1.jpg".encode()], 0, ["cre\u0300me/1.jpg"]),  # as macOS writes them
        (["crème/1.jpg".encode()], 1 << 11, ["crème/1.jpg"]),
        (["crème/1.jpg".encode("cp437")], 0, ["crème/1.jpg"]),
        ([b"cat\\", b"cat\\1.jpg"], 0, ["cat/1.jpg"]),  # as .NET wrote them on Windows
        ([b"cat/", b"cat/a\\b.jpg"], 0, ["cat/a\\b.jpg"]),
    ],
)
def test_names_in_a_zip_file_are_what_whoever_wrote_it_meant(tmp_path, names, flags, paths):
    zipped(tmp_path / "a.zip", names, flags)
    listing, _ = listed(tmp_path / "a.zip")
    assert [file.path for file in listing.files] == paths
    assert listing.rejected == []
