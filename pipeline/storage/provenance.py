"""What a store or a report was made from."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Provenance:
    """The hashes of what a store was made from: attributes of its root."""

    weights_sha256: str
    manifest_sha256: str
    model_sha256: str | None = None
    """Of the whole model card: classes, input, hashes; None where it is not known."""
    scan_sha256: str | None = None
    """Of the entries that pictures show, by `scan_sha256`; None in the scan itself."""

    def attributes(self) -> dict[str, str]:
        """The hashes there are, by their names."""
        return {name: value for name, value in asdict(self).items() if value}
