from atlas_site.class_page import class_cards, matrix


def test_a_class_has_its_images_its_accuracy_and_what_it_is_taken_for(catalogue):
    predictions = catalogue.atlas.reports.predictions()
    labels = {row: catalogue.atlas.images[row].label for row in predictions}
    for card in class_cards(catalogue):
        said = [predictions[row].label for row, label in labels.items() if label == card.name]
        assert card.images == len(said) == 5
        assert card.accuracy == said.count(card.name) / 5
        wrong = {name: said.count(name) for name in said if name != card.name}
        assert dict(card.taken_for) == wrong


def test_the_deepest_layer_s_channel_that_prefers_the_class_most_comes_first(catalogue):
    mean = catalogue.atlas.scan("conv2").mean_peak_by_class.astype(float)
    for card in class_cards(catalogue):
        rest = (mean.sum(axis=1) - mean[:, card.number]) / 2
        whole = mean[:, card.number] + rest
        whole[whole == 0] = 1
        best = ((mean[:, card.number] - rest) / whole).argmax()
        assert [channel.layer for channel in card.channels] == ["conv2", "conv1"]
        assert card.channels[0].number == best


def test_the_matrix_counts_all_images_and_the_heat_is_the_share_of_the_row(catalogue):
    rows = matrix(catalogue)
    assert [sum(cell.images for cell in row) for row in rows] == [5, 5, 5]
    for row in rows:
        for cell in row:
            assert cell.heat == -(-9 * cell.images // 5)
