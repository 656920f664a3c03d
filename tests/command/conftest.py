import pytest


@pytest.fixture(scope="session")
def detector_file(small_detector, tmp_path_factory):
    """`small_detector` in a file that no test may change."""
    from voicelstm import save

    path = tmp_path_factory.mktemp("detector") / "detector.voicelstm"
    save(small_detector, path)
    return path


@pytest.fixture(scope="session")
def voice_folder(tmp_path_factory):
    """WAV files ``voices/0.wav`` to ``voices/23.wav``, their ``labels.csv``, and two that are broken.

    ``broken.csv`` has the same rows, and between them those of the broken ones.
    """
    import soundfile

    from voicelstm.datasets import make_voices

    voices = make_voices(24, n_speakers=6, random_state=1)
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "voices").mkdir()
    (folder / "broken").mkdir()
    rows = []
    for position, recording in enumerate(voices.recordings):
        soundfile.write(folder / "voices" / f"{position}.wav", *recording)
        label, speaker, system = (str(each[position]) for each in (voices.target, *voices.groups.values()))
        rows.append(f"voices/{position}.wav,{label},{speaker},{system}")
    (folder / "broken" / "page.wav").write_text("<html>404 Not Found</html>")
    (folder / "broken" / "empty.wav").touch()
    header = "path,label,speaker,system"
    (folder / "labels.csv").write_text("\n".join([header, *rows]) + "\n")
    broken = ["broken/page.wav,human,speaker-0,human", "broken/empty.wav,synthetic,speaker-1,synthetic-0"]
    (folder / "broken.csv").write_text("\n".join([header, *rows[:3], *broken, *rows[3:]]) + "\n")
    return folder


@pytest.fixture
def voices(voice_folder):
    return [str(voice_folder / "voices" / f"{position}.wav") for position in range(24)]
