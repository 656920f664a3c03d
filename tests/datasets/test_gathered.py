from pathlib import Path

import pytest

from tests.datasets.corpora import groups, plant, refusal
from voicelstm.datasets._gathered import Gathered, sub_folders
from voicelstm.datasets._problems import Problems


def test_recordings_have_the_groups_that_were_added_with_them(tmp_path):
    plant(tmp_path, "a/2.wav", "a/10.wav", "a/x.txt", "a/deep/1.wav", "b/1.wav")
    gathered, problems = Gathered("folder", "name"), Problems("corpus")
    for folder in "ab":
        for file in gathered.files(tmp_path / folder, problems, "Look."):
            gathered.add(file, folder == "a", folder, Path(file).stem)
    corpus = gathered.as_corpus(problems, "A corpus.", return_X_y=False)
    assert groups(corpus) == {"folder": ["a", "a", "b"], "name": ["2", "10", "1"]}
    assert corpus.target.tolist() == ["human", "human", "synthetic"]


def test_everything_that_is_wrong_is_said_at_once(tmp_path):
    plant(tmp_path, "a/1.wav")
    (tmp_path / "a" / "2.wav").symlink_to(tmp_path / "a" / "1.wav")
    gathered, problems = Gathered(), Problems("corpus")
    for file in gathered.files(tmp_path / "a", problems, "Look."):
        gathered.add(file, True)
    assert gathered.files(tmp_path / "none", problems, "Look.") == []
    message = refusal(gathered.as_corpus, problems, "", return_X_y=False)
    assert "The same file more than once (1)" in message
    assert "Only one class" in message
    assert str(tmp_path / "none") in message


def test_links_that_lead_to_no_file_are_refused(tmp_path):
    plant(tmp_path, "a/1.wav", "b/1.wav")
    (tmp_path / "a" / "lost.wav").symlink_to(tmp_path / "nowhere.wav")
    gathered, problems = Gathered(), Problems("corpus")
    for folder in "ab":
        for file in gathered.files(tmp_path / folder, problems, "Look."):
            gathered.add(file, folder == "a")
    message = refusal(gathered.as_corpus, problems, "", return_X_y=False)
    assert "Missing files (1)" in message
    assert message.endswith(str(tmp_path / "a" / "lost.wav"))


def test_nothing_gathered_is_no_corpus():
    with pytest.raises(ValueError, match="none"):
        Gathered("system").as_corpus(_with("none"), "", return_X_y=False)


def _with(kind):
    problems = Problems("corpus")
    problems.add(kind, "here", "Look.")
    return problems


def test_sub_folders_come_in_natural_order_without_hidden_ones(tmp_path):
    plant(tmp_path, "D_10/x", "D_2/x", ".D_1/x", "E/x", "D_file")
    problems = Problems("corpus")
    assert [path.name for path in sub_folders(tmp_path, "D_*", problems, "Look.")] == ["D_2", "D_10"]
    problems.raise_any()
    assert sub_folders(tmp_path, "F*", problems, "Look.") == []
    assert sub_folders(tmp_path / "none", "*", problems, "Look.") == []
    message = refusal(problems.raise_any)
    assert "No such folders (1)" in message
    assert "There is no such folder (1)" in message
