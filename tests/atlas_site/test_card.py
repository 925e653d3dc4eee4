from PIL import Image

from atlas_site.card import CardJob


def test_the_card_is_of_the_size_that_is_shown_with_a_link(catalogue, tmp_path):
    CardJob(catalogue.layers[0].channels[:6]).paint(catalogue.atlas, tmp_path)
    with Image.open(tmp_path / "card.jpg") as picture:
        assert (picture.format, picture.size) == ("JPEG", (1200, 630))
