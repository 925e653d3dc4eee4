import dataclasses

import numpy as np

from pipeline.storage.scan_record import SCAN_DIMENSIONS, ExampleRecord, scan_record, scan_sha256
from tests.pipeline.storage.records import record


def test_the_arrays_of_a_record_are_labelled_and_make_it_again():
    one = record()
    variables = one.variables()
    assert {name: found.dimensions for name, found in variables.items()} == SCAN_DIMENSIONS
    assert variables["histogram"].attributes == {"edges": [0.0, 0.5, 1.0]}
    arrays = {name: variable.values for name, variable in variables.items()}
    found = scan_record(arrays | {"another": one.image}, [0.0, 0.5, 1.0])
    for field in dataclasses.fields(one):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(one, field.name))


def test_the_scan_s_hash_covers_image_cell_activation_and_examples_alone():
    one = record()
    examples = ExampleRecord(
        one.activation, one.image, one.cell, one.box, np.array(["90%", "weakest", "silent"])
    )
    moved = dataclasses.replace(examples, example_cell=one.cell + 1)
    hashes = [
        scan_sha256({"conv1": other})
        for other in (
            one,
            dataclasses.replace(one, image=one.image + 1),
            dataclasses.replace(one, cell=one.cell + 1),
            dataclasses.replace(one, activation=one.activation + 1),
            dataclasses.replace(one, examples=examples),
            dataclasses.replace(one, examples=moved),
        )
    ]
    assert len(set(hashes)) == 6
    assert scan_sha256({"conv1": dataclasses.replace(one, fired=one.fired + 1)}) == hashes[0]
    assert scan_sha256({"conv2": one}) != hashes[0]
