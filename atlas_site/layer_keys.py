"""Names of layers as they appear in file names and addresses."""

import re
from collections.abc import Sequence

PAGES = ("index", "images", "classes", "channels")
"""Pages that are not a layer's."""


def layer_keys(layers: Sequence[str]) -> dict[str, str]:
    """A name for the files of each layer, by the layer's own name.

    A module path such as `layer1.0.conv1` stays as it is. Whatever a URL or a file system may read
    in another way becomes a hyphen, and a number keeps keys apart that would then be equal, letter
    case aside.
    """
    taken = set(PAGES)
    keys = {}
    for layer in layers:
        # The prefix: a leading dot hides a file, and Windows reserves names such as `con`.
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", layer).rstrip(".")
        base = plain if re.match(r"[A-Za-z0-9].*\d", plain) else f"layer-{plain.strip('.-')}"
        key, number = base, 2
        while key.lower() in taken:
            key, number = f"{base}-{number}", number + 1
        taken.add(key.lower())
        keys[layer] = key
    return keys
