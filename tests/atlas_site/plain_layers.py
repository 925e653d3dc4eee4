"""Layers for drawings, without a run behind them."""

from atlas_site.layers import Channel, LayerView, Projected
from atlas_site.sprites import SpriteRegion
from pipeline.atlas import Squares


def layer(name: str, map_size: int, channels: int, field: int) -> LayerView:
    region = SpriteRegion("", 0, 0, 1, 1)
    projected = Projected("deconvnet", "", 0, None)
    channel = Channel(
        layer=name,
        key=name,
        number=0,
        peak=1.0,
        fired=1,
        images=(0,),
        selectivity=0.5,
        effective_classes=1.0,
        favourite="",
        spark="",
        start_cosine=None,
        patch_similarity=None,
        projections=region,
        crops=region,
    )
    return LayerView(
        name=name,
        key=name,
        map_size=(map_size, map_size),
        field=field,
        field_size=(field, field),
        reduction=1,
        branches=False,
        squares=Squares((0.0, 0.0), (1.0, 1.0)),
        channels=(channel,) * channels,
        projected=projected,
        covers=(),
        before=(),
        bands=(),
        firing=None,
    )
