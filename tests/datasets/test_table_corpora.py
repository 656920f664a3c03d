import pytest

from tests.datasets.corpora import groups, plant, refusal, stems
from voicelstm.datasets import load_in_the_wild

# In-the-Wild


@pytest.mark.parametrize("folder", ["", "release_in_the_wild/"])
def test_in_the_wild_spells_bona_fide_with_a_hyphen(tmp_path, folder):
    rows = "0.wav,Alec Guinness,spoof\n10.wav,Barack Obama,bona-fide\n4.wav,Alec Guinness,bona-fide\n"
    names = [f"{folder}{name}.wav" for name in (0, 4, 10)]
    plant(tmp_path, *names, texts={f"{folder}meta.csv": f"file,speaker,label\n{rows}"})
    corpus = load_in_the_wild(tmp_path)
    assert stems(corpus) == ["0", "10", "4"]
    assert corpus.target.tolist() == ["synthetic", "human", "human"]
    assert groups(corpus) == {"speaker": ["Alec Guinness", "Barack Obama", "Alec Guinness"]}
    assert stems(load_in_the_wild(tmp_path, where={"speaker": "Alec Guinness"})) == ["0", "4"]


def test_in_the_wild_lists_what_is_wrong_with_lines(tmp_path):
    table = "file,speaker,label\n0.wav,A,spoof\n1.wav,A,bona-fide\n0.wav,A,spoof\n2.wav,A,fake\n"
    plant(tmp_path, "0.wav", "2.wav", texts={"meta.csv": table})
    message = refusal(load_in_the_wild, tmp_path)
    assert "line 3: 1.wav" in message
    assert "line 2 = line 4: 0.wav" in message
    assert "line 5: 'fake'" in message
    assert "release_in_the_wild/meta.csv" in refusal(load_in_the_wild, tmp_path / "none")
