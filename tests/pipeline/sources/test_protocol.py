from pipeline.sources.protocol import Candidate, Located, Source
from pipeline.sources.registry import source


def test_a_candidate_s_key_is_what_its_store_reads():
    assert Candidate("train", "cat/a.jpg", "cat").key == "cat/a.jpg"
    assert Candidate(None, "s.tar/a.jpg", "", "tar:512+3").key == "s.tar/a.jpg\0tar:512+3"


def test_what_is_located_is_kept_as_it_is_unless_it_is_divided():
    candidates = (Candidate(None, "b", ""), Candidate("val", "a", ""))
    assert tuple(Located(candidates).divide(candidates)) == candidates


def test_every_source_fetches_and_locates():
    for name in ("demo", "folder", "caltech101", "imagenette", "imagenet", "mnist"):
        assert isinstance(source(name), Source)
