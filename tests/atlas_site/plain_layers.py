"""Layers for drawings, without a run behind them."""

from atlas_site.layers import Channel, Layer, Projected
from atlas_site.sprites import SpriteRegion


def layer(name: str, map_size: int, channels: int, field: int) -> Layer:
    region = SpriteRegion("", 0, 0, 1, 1)
    projected = Projected("deconvnet", "", 0, None)
    channel = Channel(name, name, 0, 1.0, 1, (0,), 0.5, 1.0, "", "", None, region, region)
    return Layer(
        name,
        name,
        map_size,
        field,
        (field, field),
        1,
        False,
        1,
        (channel,) * channels,
        projected,
        (),
        (),
        None,
    )
