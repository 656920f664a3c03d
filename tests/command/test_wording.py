import ast
import re
from inspect import signature
from pathlib import Path

import pytest

import voicelstm
from voicelstm.audio import read_audio
from voicelstm.command._wording import OPTIONS, in_options
from voicelstm.datasets import UnseenSystems, load_csv, load_folder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('choose one, channel="left" or channel=0.', "choose one, --channel left or --channel 0."),
        ("human_label='a b' is odd. Leave human_label None.", "--human a b is odd. Leave --human out."),
        ("Check audio_dir.", "Check --audio-dir."),
        ("give another random_state", "give another --seed"),
        ("where={'a': ['b', 'c'], 'd': ['e']} (1).", "--where a=b --where a=c --where d=e (1)."),
        ("no rows: by=[\"my system\"] asks", "no rows: --by my system asks"),
        ("d.voicelstm: threshold is NaN", "d.voicelstm: --threshold is NaN"),
        ("the threshold is NaN", "the threshold is NaN"),
        ("Lower learning_rate", "Lower --set classifier.learning_rate"),
        ("learning_rate=0.1", "--set classifier.learning_rate=0.1"),
        (
            "more than max_duration=5.0 s; cut it, or raise max_duration.",
            "more than the 5.0 s of the detector's features.max_duration; cut it, or train with a larger"
            " one.",
        ),
        ("Divide the speakers otherwise (n_parts, random_state), or put small", "Put small"),
        ("leave `where` out", "leave --where out"),
        ("set ignore to patterns of what", "give --ignore patterns of what"),
        ("the folder where a channel lies", "the folder where a channel lies"),
        ("audio_dir/human_label.wav: no such file", "audio_dir/human_label.wav: no such file"),
        ("there is no 'human_label' in C:\\audio_dir", "there is no 'human_label' in C:\\audio_dir"),
        ("a_human_label and human_label_", "a_human_label and human_label_"),
    ],
)  # fmt: skip
def test_options_stand_where_the_library_names_parameters(text, expected):
    assert in_options(text) == expected
    assert in_options(expected) == expected


#: Parameters that no option sets, and why messages may name them.
WITHOUT_OPTION = {
    "max_duration": "above",
    "n_parts": "above",
    "n_resamples": "the command's own",
    "on_error": "the command's own",
    "sample_rate": "of arrays",
}


def messages():
    """Texts of the library, what stands in braces left out, but for those of steps, which --set names."""
    source = Path(voicelstm.__file__).parent
    for package in ("audio", "datasets", "detector", "metrics"):
        for path in (source / package).glob("_*.py"):
            if path.stem in {"_augmenter", "_codecs"}:  # parameters of an object that no option makes
                continue
            tree = ast.parse(path.read_text())
            inner = {
                id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values
            }
            for node in ast.walk(tree):
                if isinstance(node, ast.JoinedStr):
                    parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
                    yield path.name, "".join(parts)
                elif isinstance(getattr(node, "value", None), str) and id(node) not in inner:
                    yield path.name, node.value.partition("\n\n")[0]  # of a docstring the first sentence


def test_every_parameter_that_a_message_names_has_an_option_or_a_reason_to_have_none():
    functions = [
        voicelstm.detect, voicelstm.audit, voicelstm.evaluate, voicelstm.make_detector,
        voicelstm.MFCCTransformer, voicelstm.LSTMVoiceClassifier, load_csv, load_folder, read_audio,
        UnseenSystems,
    ]  # fmt: skip
    parameters = {name for each in functions for name in signature(each).parameters if "_" in name}
    assert {name for name in OPTIONS if "_" in name} <= parameters
    named = set()
    for file, text in messages():
        if " " not in text.strip():
            continue
        words = set(re.findall(r"(?<![\w.-])[a-z_]+(?![\w.(])", in_options(text)))
        assert not words & set(OPTIONS) - {"channel", "where"}, (file, text)
        named |= words & parameters
    assert named == set(WITHOUT_OPTION)
