"""The error of a file that holds images, or says what they are, and cannot be read."""

from pipeline.dataset.members import UnreachableError
from pipeline.errors import AtlasError


def unreadable(where: str, error: Exception, fix: str = "Fetch it again.") -> AtlasError:
    """What to put right: the file by `fix`, or nothing where its server failed at every attempt."""
    if isinstance(error, UnreachableError):
        fix = "Run again when its server answers; with ATLAS_IMAGE_CACHE what was read is kept."
    said = (isinstance(error, OSError) and error.strerror) or error
    return AtlasError(f"{where} cannot be read: {said}.", fix=fix)
