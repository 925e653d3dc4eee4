from atlas_site.sprites import channel_regions, image_px, image_region


def test_a_channel_s_blocks_are_side_by_side_in_its_sheet():
    projections, crops = channel_regions("conv3", 22, block_px=144)
    assert (projections.src, projections.x, projections.y) == ("tiles/conv3/sheet-1.webp", 4, 1)
    assert (crops.src, crops.x, crops.y) == ("tiles/conv3/sheet-1.webp", 5, 1)
    assert (crops.width, crops.height) == (1152, 576)


def test_no_two_channels_share_a_place():
    places = {(c.src, c.x, c.y) for n in range(100) for c in channel_regions("conv3", n, 144)}
    assert len(places) == 200


def test_images_fill_sheets_in_order():
    assert [(c.src, c.x, c.y) for c in (image_region(p, 160) for p in (0, 4, 5, 25))] == [
        ("images/0.webp", 0, 0),
        ("images/0.webp", 4, 0),
        ("images/0.webp", 0, 1),
        ("images/1.webp", 0, 0),
    ]


def test_many_images_are_shown_smaller():
    assert [image_px(n, 224) for n in (600, 4000, 12384)] == [224, 160, 112]
    assert image_px(12384, 64) == 64
