from pathlib import Path

import pytest

from tests.datasets.corpora import groups, plant, refusal
from voicelstm.datasets import load_mlaad

HEADER = (
    "path|original_file|language|is_original_language|duration|training_data|model_name|architecture|"
    "transcript"
)
HUMAN = [
    "de_DE/by_book/female/angela/faust/wavs/faust_01_f000001.wav",
    "en_US/by_book/male/elliot_miller/hunters/wavs/hunters_02_f000007.wav",
    "de_DE/by_book/mix/grimm/wavs/grimm_01_f000003.wav",
]
BARK = [
    f'./fake/de/bark/faust_01_f000001.wav|{HUMAN[0]}|de|True|2.5|mixed|suno/bark|bark|Er sprach: "Ja',
    f'./fake/de/bark/grimm_01_f000003.wav|{HUMAN[2]}|de|True|1.5|mixed|suno/bark|bark|Und nein."',
]
MMS = [
    f"./fake/fi/mms/hunters_02_f000007.wav|{HUMAN[1]}|fi|False|3.0|mms|mms-tts-fin|mms|N\u00e4in \u2028",
]


def table(rows, header=HEADER):
    return "\n".join([header, *rows, ""])


def plant_mlaad(root):
    clips = [row.split("|")[0][2:] for row in BARK + MMS]
    texts = {"fake/de/bark/meta.csv": table(BARK), "fake/fi/mms/meta.csv": table(MMS)}
    plant(root / "MLAAD", *clips, texts=texts)
    plant(root / "M-AILABS", *HUMAN, "de_DE/by_book/female/angela/faust/wavs/._faust_01_f000001.wav")
    return root / "MLAAD", root / "M-AILABS"


@pytest.mark.parametrize("start", ["", "fake"])
def test_mlaad_reads_quotes_as_text_and_joins_the_human_readers(tmp_path, start):
    root, human = plant_mlaad(tmp_path)
    corpus = load_mlaad(root / start, human=human)
    assert [Path(path).relative_to(human).as_posix() for path in corpus.recordings[:3]] == [
        HUMAN[0],
        HUMAN[2],
        HUMAN[1],
    ]
    assert [Path(path).relative_to(root).as_posix() for path in corpus.recordings[3:]] == [
        row.split("|")[0][2:] for row in BARK + MMS
    ]
    assert corpus.target.tolist() == ["human"] * 3 + ["synthetic"] * 3
    assert groups(corpus) == {
        "system": ["human"] * 3 + ["suno/bark", "suno/bark", "mms-tts-fin"],
        "architecture": ["human"] * 3 + ["bark", "bark", "mms"],
        "language": ["de", "de", "en", "de", "de", "fi"],
        "speaker": ["angela", "grimm", "elliot_miller"] * 2,
        "utterance": ["faust_01_f000001", "grimm_01_f000003", "hunters_02_f000007"] * 2,
    }


def test_mlaad_keeps_languages_and_needs_no_files_of_others(tmp_path):
    root, human = plant_mlaad(tmp_path)
    (root / "fake/fi/mms/hunters_02_f000007.wav").unlink()
    corpus = load_mlaad(root, human=[human / "de_DE", human / "en_US"], where={"language": ["de"]})
    assert corpus.groups["language"].tolist() == ["de"] * 4
    assert "4 of 6 clips" in corpus.DESCR
    assert " fi/mms/meta.csv line 2: " in refusal(load_mlaad, root, human=human)
    assert "No clip matches" in refusal(load_mlaad, root, human=human, where={"language": "xx"})
    one_class = {"system": "human"}
    assert "Only one class" in refusal(load_mlaad, root, human=human, where=one_class)
    assert "It has 'system', 'architecture'" in refusal(load_mlaad, root, human=human, where={"lang": "de"})


def test_mlaad_has_the_reference_speakers_of_later_versions(tmp_path):
    root, human = plant_mlaad(tmp_path)
    later = table([f"{row}|angela" for row in MMS], f"{HEADER}|reference_speaker")
    (root / "fake/fi/mms/meta.csv").write_text(later)
    corpus = load_mlaad(root, human=human)
    assert corpus.groups["reference_speaker"].tolist() == [""] * 5 + ["angela"]


def test_mlaad_lists_what_is_missing_in_one_error(tmp_path):
    root, human = plant_mlaad(tmp_path)
    plant(root, "fake/it/vits/x.wav", "fake/pl/readme.txt")
    (root / "fake/de/bark/grimm_01_f000003.wav").unlink()
    message = refusal(load_mlaad, root, human=[human, human / "none"])
    assert "Folders without a table (1)" in message
    assert str(root / "fake/it/vits") in message
    assert f"{root / 'fake/pl'}/*" in message
    assert str(human / "none") in message
    assert "LANGUAGE/by_book/GENDER/READER/BOOK/wavs/" in message
    assert " de/bark/meta.csv line 3: " in message
    message = refusal(load_mlaad, tmp_path, human=human)
    assert "M-AILABS" in message


def test_mlaad_says_what_is_wrong_with_all_tables_at_once(tmp_path):
    root, human = plant_mlaad(tmp_path)
    plant(
        root,
        texts={
            "fake/de/bark/meta.csv": table([*BARK, "x.wav|y"]),
            "fake/fi/mms/meta.csv": table(MMS).replace("|model_name", "|model"),
            "fake/it/vits/meta.csv": table([]).replace("|language", "|tongue"),
        },
    )
    (root / "fake/de/bark/grimm_01_f000003.wav").unlink()
    message = refusal(load_mlaad, root, human=human / "none")
    assert str(human / "none") in message
    assert "Rows without the header's 9 cells (1)" in message
    assert "de/bark/meta.csv line 4: 2 cells" in message
    assert "de/bark/meta.csv line 3: " in message
    assert "fi/mms/meta.csv 'model_name'" in message
    (of_italian,) = (line for line in message.splitlines() if "it/vits" in line)
    assert "'language'" in of_italian
    assert "'tongue'" in of_italian
    assert "Only one class" not in message
    message = refusal(load_mlaad, root, human=human)
    assert "Only one class" not in message


def test_mlaad_names_a_human_recording_that_is_missing_by_its_path_alone(tmp_path):
    root, human = plant_mlaad(tmp_path)
    link = human / "de_DE/by_book/female/angela/faust/wavs/faust_02.wav"
    link.symlink_to("nowhere.wav")
    assert f"    {link}\n" in f"{refusal(load_mlaad, root, human=human)}\n"


@pytest.mark.parametrize("below", [".", "by_book", "by_book/female/angela/faust/wavs"])
def test_mlaad_knows_the_language_of_a_relative_folder(tmp_path, monkeypatch, below):
    root, human = plant_mlaad(tmp_path / "by_book")
    monkeypatch.chdir(human / "de_DE" / below)
    corpus = load_mlaad(root, human=".", where={"language": "de"})
    is_human = corpus.groups["system"] == "human"
    assert set(corpus.groups["language"][is_human]) == {"de"}
    assert corpus.groups["speaker"][is_human][0] == "angela"
    assert corpus.groups["utterance"][is_human][0] == "faust_01_f000001"


def test_mlaad_names_what_is_wrong_with_a_table(tmp_path):
    root, human = plant_mlaad(tmp_path)
    text = table([*BARK, BARK[0], "x.wav|y"])
    (root / "fake/de/bark/meta.csv").write_text(text)
    message = refusal(load_mlaad, root, human=human)
    assert message.startswith(str(root / "fake"))
    assert " de/bark/meta.csv line 5: 2 cells" in message
    assert " de/bark/meta.csv line 2 = line 4: ./fake/de/bark/faust_01_f000001.wav" in message
    (root / "fake/de/bark/meta.csv").write_text(text.replace("|", ","))
    assert "'path'" in refusal(load_mlaad, root, human=human)
