from atlas_site.catalogue import SHOWN_OF_A_MISTAKE, channel_count, mistaken


def test_every_image_that_some_channel_holds_is_shown_once_in_order(catalogue):
    """In this run all images are held, so that none is added for being wrong."""
    held = {
        int(row)
        for layer in ("conv1", "conv2")
        for row in catalogue.atlas.scan(layer).image.ravel()
        if row >= 0
    }
    assert [image.row for image in catalogue.images] == sorted(held)
    assert [catalogue.position[image.row] for image in catalogue.images] == list(range(len(held)))
    for image in catalogue.images:
        assert image.path == catalogue.atlas.images[image.row].path
        assert image.label == catalogue.atlas.images[image.row].label


def test_of_each_mistake_some_are_shown_though_no_channel_holds_them():
    """Cats taken for dogs: rows 0 to 11, of which 0 and 5 are held; one dog taken for a cat."""
    labels = {row: ("cat", "dog") for row in range(12)}
    labels |= {12: ("dog", "cat"), 13: ("dog", "dog")}
    assert SHOWN_OF_A_MISTAKE == 9
    assert mistaken(labels, {0, 5}) == [1, 2, 3, 4, 6, 7, 8, 12]
    assert mistaken(labels, set(range(9))) == [12]
    assert mistaken(labels, set(range(14))) == []


def test_classes_are_in_the_order_of_the_scores_with_the_sizes_of_the_split(catalogue):
    assert catalogue.classes == ("ant", "bee", "cow")
    assert catalogue.class_number["cow"] == 2
    assert catalogue.class_sizes == (5, 5, 5)


def test_sizes_are_those_of_the_run(catalogue):
    assert (catalogue.top, catalogue.side, catalogue.input_px) == (9, 3, 64)
    channels = 10 + 26  # of widths 96 and 256 at a tenth
    assert catalogue.channel_count == channel_count(catalogue.atlas) == channels


def test_the_channels_of_an_image_are_those_that_hold_it(catalogue):
    row = catalogue.images[0].row
    expected = {
        (layer, int(channel))
        for layer in ("conv1", "conv2")
        for channel in range(len(catalogue.atlas.scan(layer).image))
        if row in catalogue.atlas.scan(layer).image[channel]
    }
    assert set(catalogue.channels_by_image.holding(row)) == expected


def test_only_the_first_layer_s_filters_are_pictures(catalogue):
    assert [catalogue.has_filters(layer) for layer in catalogue.layers] == [True, False]
