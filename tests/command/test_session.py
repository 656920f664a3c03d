import re

from tests.command.runner import SET, run


def test_verbose_shows_the_librarys_log_wherever_it_stands(voice_folder, tmp_path):
    arguments = ("train", voice_folder / "labels.csv", "-o", tmp_path / "d", *SET)
    for chosen in (("-v", *arguments), (*arguments, "-v")):
        _, err = run(*chosen)
        assert re.search(r"voicelstm\.network\._training: epoch 1 of \d+: .*loss", err)
        assert f"wrote {tmp_path / 'd'}" in err
    assert run(*arguments)[1] == ""
