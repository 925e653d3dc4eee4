"""Layers and channels without a run behind them."""

from atlas_site.channels import Channel
from atlas_site.layers import LayerView, Projected
from atlas_site.sprites import SpriteRegion
from pipeline.atlas import Squares

REGION = SpriteRegion("", 0, 0, 1, 1)


def channel(
    number: int,
    selectivity: float = 0.5,
    images: tuple[int, ...] = (0,),
    favourite: str = "",
    peak: float = 1.0,
    layer: str = "conv1",
) -> Channel:
    return Channel(
        layer=layer,
        key=layer,
        number=number,
        peak=peak,
        fired=len(images),
        images=images,
        selectivity=selectivity,
        effective_classes=1.0,
        favourite=favourite,
        spark="",
        start_cosine=None,
        patch_similarity=None,
        projections=REGION,
        crops=REGION,
    )


def layer(name: str, map_size: int, channels: int, field: int) -> LayerView:
    return LayerView(
        name=name,
        key=name,
        map_size=(map_size, map_size),
        field=field,
        field_size=(field, field),
        reduction=1,
        branches=False,
        squares=Squares((0.0, 0.0), (1.0, 1.0)),
        channels=(channel(0, layer=name),) * channels,
        projected=Projected("deconvnet", "", 0, None),
        covers=(),
        before=(),
        bands=(),
        firing=None,
    )
