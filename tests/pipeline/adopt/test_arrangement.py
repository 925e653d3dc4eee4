import pytest
import torch

from pipeline.adopt.arrangement import Arrangement, Cutout, Piece, cutout, pieces

MAP = (2, 3, 4)
CELLS = torch.arange(24).reshape(1, *MAP)
ITSELF = Arrangement(5, MAP, (1, *MAP))


def part(cells):
    return cutout(MAP, cells.shape, cells)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (CELLS, Cutout((0, 1), (0, 0), (1, 1), (3, 4))),
        (CELLS[:, 1:, 1:, ::2], Cutout((1,), (1, 0), (1, 2), (2, 2))),
        (CELLS[:, [1, 1, 0]], Cutout((1, 1, 0), (0, 0), (1, 1), (3, 4))),
        (CELLS[:, :, ::2, 3:], Cutout((0, 1), (0, 3), (2, 1), (2, 1))),
        (CELLS[:, :, 1, 2], Cutout((0, 1), (1, 2), (1, 1), (1, 1))),
        (CELLS[:, :, :1].expand(1, 2, 3, 4), Cutout((0, 1), (0, 0), (0, 1), (3, 4))),
    ],
)
def test_a_regular_part_of_a_map_is_named(cells, expected):
    assert part(cells) == expected


@pytest.mark.parametrize(
    "cells",
    [
        CELLS.flip(3),
        CELLS.roll(1, 3),
        CELLS.transpose(2, 3),
        CELLS[:, :, [0, 2, 1]],
        CELLS[0],
        CELLS[:, :0],
        CELLS.repeat(2, 1, 1, 1),
    ],
)
def test_what_is_not_a_regular_part_has_no_name(cells):
    assert part(cells) is None


def test_channels_of_several_regular_parts_are_those_parts():
    quarters = torch.cat([CELLS[:, :, 1:, j::2] for j in (0, 1)], 1)
    assert pieces(MAP, quarters.shape, quarters) == [
        Piece(Cutout((0, 1), (1, 0), (1, 2), (2, 2)), (0, 1)),
        Piece(Cutout((0, 1), (1, 1), (1, 2), (2, 2)), (2, 3)),
    ]
    mixed = torch.stack([CELLS[:, 1, 0, 0], CELLS[:, 1, 2, 3], CELLS[:, 0, 0, 0]], 1)
    assert pieces(MAP, mixed.shape, mixed) == [
        Piece(Cutout((1, 0), (0, 0), (1, 1), (1, 1)), (0, 2)),
        Piece(Cutout((1,), (2, 3), (1, 1), (1, 1)), (1,)),
    ]
    assert pieces(MAP, (1, *MAP), CELLS.flip(3)) == []


def test_an_arrangement_is_whole_where_it_has_every_cell_once():
    assert ITSELF.whole
    assert ITSELF.rearranged(CELLS.flip(3)).whole
    assert not ITSELF.rearranged(CELLS[:, :1]).whole
    assert not ITSELF.rearranged(CELLS[:, [0, 0]]).whole


def test_cells_in_their_own_order_are_the_map_itself():
    assert ITSELF.rearranged(CELLS.clone()).order is None
    flat = ITSELF.as_shape((1, 24))
    assert (flat.shape, flat.order) == ((1, 24), None)
    assert ITSELF.same_as(Arrangement(7, MAP, (1, *MAP)))
    assert not ITSELF.same_as(flat)
    assert not ITSELF.same_as(ITSELF.rearranged(CELLS.flip(3)))
    assert ITSELF.on(9).node == 9


def test_channels_last_puts_the_cells_of_one_place_side_by_side():
    turned = ITSELF.channels_last((1, 3, 4, 2))
    assert turned.cells[0, 1, 2].tolist() == [6, 18]
    assert torch.equal(turned.cells, CELLS.permute(0, 2, 3, 1))


def test_values_of_a_tensor_are_values_of_channels_where_they_are_one_in_each():
    turned = ITSELF.channels_last((1, 3, 4, 2))
    assert turned.by_channel(torch.tensor([5.0, 7.0])).tolist() == [5, 7]
    assert ITSELF.by_channel(torch.tensor(3.0)).tolist() == [3, 3]
    assert ITSELF.by_channel(torch.arange(4.0)) is None
