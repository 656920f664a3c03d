import pytest

from voicelstm.audio import read_audio
from voicelstm.exceptions import AudioError


def test_all_decoders_reasons_are_given(tmp_path, monkeypatch):
    import audioread

    def cannot_cache(*_):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(audioread, "audio_open", cannot_cache)
    path = tmp_path / "broken.m4a"
    path.write_bytes(b"\x00\x00\x00\x18ftypM4A " + bytes(100))
    with pytest.raises(AudioError) as caught:
        read_audio(path)
    for words in (
        "(soundfile: ",
        "FFmpeg: ",
        "audioread: RuntimeError cannot cache function",
    ):
        assert words in str(caught.value)
