import ast
import re
from inspect import signature
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import voicelstm
from voicelstm.audio import read_audio
from voicelstm.command._wording import SENTENCES, about, in_options
from voicelstm.datasets import UnseenSystems, load_csv, load_folder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('choose one, channel="left" or channel="right".', "choose one, --channel left or --channel right."),
        ("choose one, such as channel=0.", "choose one, such as --channel 0."),
        ("human_label='a b' is none of", "--human 'a b' is none of"),
        ("human_label=1 contradicts. Leave human_label None.", "--human 1 contradicts. Leave --human out."),
        ("Check audio_dir.", "Check --audio-dir."),
        ("start at /x; audio_dir changes that.", "start at /x; --audio-dir changes that."),
        ("path_column='is it?' reads it.", "--path-column 'is it?' reads it."),
        (
            "path_column=\"it's\" and label_column='a\\'\"b' read it.",
            "--path-column 'it'\"'\"'s' and --label-column 'a'\"'\"'\"b' read it.",
        ),
        (
            "- No row matches where={'a': ['b', 'c'], 'd': ['e f']} (1). Ask",
            "- No row matches --where a=b --where a=c --where 'd=e f' (1). Ask",
        ),
        ("and no rows: by=[\"my system\"] asks for them", "and no rows: --by 'my system' asks for them"),
        ("threshold is NaN, which", "--threshold is NaN, which"),
        (
            "Lower learning_rate, or set clip_norm.",
            "Lower --set classifier.learning_rate, or --set classifier.clip_norm.",
        ),
        (
            "found 9.0 s, more than max_duration=5.0 s; cut it, or raise max_duration.",
            "found 9.0 s, more than the 5.0 s that the detector takes; cut it into parts, or train one with"
            " --set features.max_duration=None.",
        ),
        ("Divide the speakers otherwise (n_parts, random_state), or put small", "Put small"),
        ("leave `where` out", "leave --where out"),
        ("leave `order` out", "leave --order out"),
        (
            "Say which is meant: order='natural' or order='name'.",
            "Say which is meant: --order natural or --order name.",
        ),
        ("set ignore to patterns of what", "give --ignore patterns of what"),
    ],
)  # fmt: skip
def test_options_stand_where_the_library_names_parameters(text, expected):
    assert in_options(text) == expected
    assert in_options(expected) == expected


PARAMETERS = sorted(set(re.findall(r"[a-z]+(?:_[a-z]+)*(?==\{\})|[a-z]+_[a-z]+", " ".join(SENTENCES))))
NAMES = st.lists(
    st.sampled_from([*PARAMETERS, "left", "None", "0", "x.wav", "é", *" '\"`={}[]:;,.-/\\()"]), min_size=1
).map("".join)


@given(NAMES)
@example("my channel='left' file, human_label None.wav")
def test_names_with_parameters_in_them_stay(name):
    for text in (f"{name}: no such file; check it.", f"line 3: {name}", f"the header has {[name]}. Rename"):
        assert in_options(text) == text


@given(NAMES, st.sampled_from([part.replace("{}", "0") for part in SENTENCES]))
def test_the_name_of_a_recording_stays_whatever_it_is(name, part):
    name += f" {part} "
    assert about(name, f"{name}: found it; choose one, such as channel=0.") == (
        f"{name}: found it; choose one, such as --channel 0."
    )
    assert about(name, f"{name}, channel 1: Check audio_dir.", "-") == "-, channel 1: Check --audio-dir."


def test_what_the_library_does_not_say_any_more_is_not_looked_for():
    said = "\n".join(
        re.sub('"(mean|{})"', "{}", text) for _, text in messages(*PACKAGES, "classifier", "network")
    )
    put_together = ("choose one, ", "path_column=", "label_column=")  # of which other tests ask
    assert [part for part in SENTENCES if part not in said and not part.startswith(put_together)] == []


#: Parameters that messages of these modules name, and why no option takes their place.
WITHOUT_OPTION = {
    ("audio_dir", "_asvspoof.py"): "no option calls its loaders",
    ("audio_dir", "_partial_spoof.py"): "no option calls its loaders",
    ("n_resamples", "_evaluation.py"): "the command's own",
    ("n_resamples", "_intervals.py"): "the command's own",
    ("on_error", "_failures.py"): "the command's own",
    ("operating_point", "_detection.py"): "beside threshold, which the command refuses",
    ("random_state", "_source_splitter.py"): "no option calls it",
    ("sample_rate", "_file_types.py"): "of arrays",
    ("sample_rate", "_reading.py"): "of arrays",
}


# But for those of steps, whose parameters --set names.
PACKAGES = ("audio", "datasets", "detector", "metrics")


def messages(*packages):
    """Texts of packages, with "{}" for values."""
    source = Path(voicelstm.__file__).parent
    for package in packages:
        for path in (source / package).rglob("_*.py"):
            if path.stem in {"_augmenter", "_codecs"}:  # parameters of an object that no option makes
                continue
            tree = ast.parse(path.read_text())
            inner = {
                id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values
            }
            inner |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
            for node in ast.walk(tree):
                if isinstance(node, ast.JoinedStr):
                    parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
                    yield path.name, "".join(parts)
                elif isinstance(getattr(node, "value", None), str) and id(node) not in inner:
                    yield path.name, node.value


def test_every_parameter_that_a_message_names_has_an_option_or_a_reason_to_have_none():
    functions = [
        voicelstm.detect, voicelstm.audit, voicelstm.evaluate, voicelstm.make_detector,
        voicelstm.MFCCTransformer, voicelstm.LSTMVoiceClassifier, load_csv, load_folder, read_audio,
        UnseenSystems,
    ]  # fmt: skip
    parameters = {name for each in functions for name in signature(each).parameters if "_" in name}
    named = {
        (word, file)
        for file, text in messages(*PACKAGES)
        if " " in text.strip()
        for word in re.findall(r"(?<![\w.-])[a-z_]+(?![\w.(])", in_options(text.replace("{}", "0")))
        if word in parameters
    }
    assert named == set(WITHOUT_OPTION)
