import pytest

from voicelstm.command._wording import in_options


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('choose one, channel="left" or channel=0.', "choose one, --channel left or --channel 0."),
        ("human_label='a b' is odd. Leave human_label None.", "--human a b is odd. Leave --human out."),
        ("Check audio_dir.", "Check --audio-dir."),
        ("otherwise (n_splits, random_state), or", "otherwise (n_splits, --seed), or"),
        ("where={'a': ['b', 'c'], 'd': ['e']} (1).", "--where a=b --where a=c --where d=e (1)."),
        ("leave `where` out", "leave --where out"),
        ("the folder where a channel lies", "the folder where a channel lies"),
        ("audio_dir/human_label.wav: no such file", "audio_dir/human_label.wav: no such file"),
        ("there is no 'human_label' in C:\\audio_dir", "there is no 'human_label' in C:\\audio_dir"),
        ("a_human_label and human_label_", "a_human_label and human_label_"),
    ],
)  # fmt: skip
def test_options_stand_where_the_library_names_parameters(text, expected):
    assert in_options(text) == expected
    assert in_options(expected) == expected
