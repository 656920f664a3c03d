import pytest


@pytest.fixture
def voices(voice_folder):
    return [str(voice_folder / "voices" / f"{position}.wav") for position in range(24)]
