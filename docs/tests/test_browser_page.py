"""The page "In a browser": what it answers is what the library answers, and nothing leaves it."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import correlate

import voicelstm
from voicelstm.datasets import make_voices

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("VOICELSTM_SHARED", ROOT.parent / "shared"))
PAGE = "user_guide/browser.html"
PHONE, DESK = (390, 844), (1280, 900)
RATE = 16000

sys.path.insert(0, str(ROOT / "docs"))
from browser_page import MissingPieceError, write_page  # noqa: E402  # once its folder is on the path

# So many answers of the page, from now on; a typed array would come over as an object.
NEXT_ANSWERS = """count => {
    const found = [];
    window.answers = new Promise(done => document.getElementById('in-browser').addEventListener(
        'answer', ({detail}) => {
            found.push({...detail, samples: Array.from(detail.samples ?? []), outline: null});
            if (found.length === count) done(found);
        }));
}"""


@pytest.fixture(scope="module")
def detector():
    return voicelstm.load_pretrained()


@pytest.fixture(scope="module")
def voice(tmp_path_factory):
    """A file of 4 s of simulated voices."""
    X, _ = make_voices(8, random_state=0, return_X_y=True)
    path = tmp_path_factory.mktemp("voice") / "voice.wav"
    soundfile.write(path, np.concatenate([samples for samples, _ in X])[: 4 * RATE], RATE)
    return path


@pytest.fixture(scope="module")
def corpus_clip():
    """A recording of the corpus at 16 kHz."""
    if not (SHARED / "corpus").is_dir():
        pytest.skip(f"no corpus in {SHARED}")
    with (SHARED / "corpus" / "wide.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["samplerate"] == str(RATE)]
    return SHARED / "corpus" / next(row["path"] for row in rows if row["label"] == "synthetic")


def ready(page):
    page.wait_for_selector("[data-ready]", state="attached")
    return page


@pytest.fixture(scope="module")
def page(new_page):
    """One page for the tests that need none of their own: visitors ask about several files, too."""
    opened = ready(new_page(PAGE, DESK))
    yield opened
    opened.context.close()


def answer_after(page, action):
    """Return the page's answer to what an action asks for."""
    page.evaluate(NEXT_ANSWERS, 1)
    action()
    return page.evaluate("window.answers")[0]


def answer_to(page, path):
    return answer_after(page, lambda: page.set_input_files("#in-browser-file", path))


def answer_about_channel(page, channel):
    return answer_after(page, lambda: page.select_option("#in-browser-channel", label=channel))


@pytest.mark.parametrize("recording", ["voice", "corpus_clip"])
def test_a_file_gets_the_score_of_the_library(page, detector, recording, request):
    path = request.getfixturevalue(recording)
    found = answer_to(page, path)
    (expected,) = voicelstm.detect(detector, [path], timeline=True)
    assert found["score"] == pytest.approx(expected.score, abs=0.01)
    timeline = [(each["start"], each["stop"], each["score"]) for each in found["segments"]]
    np.testing.assert_allclose(timeline, expected.timeline.tolist(), atol=0.01)
    assert page.inner_text(".in-browser-label") == f"Heard as {expected.label}"
    assert page.complaints == []


def test_nothing_is_sent_to_another_host(page, voice, address):
    answer_to(page, voice)
    assert len(page.requests) > 10
    assert [url for url in page.requests if not url.startswith((f"{address}/", "blob:", "data:"))] == []
    # Neither the page nor its worker could: the browser refuses it before the address is looked at.
    refused = """() => new Promise(done => {
        self.addEventListener('securitypolicyviolation', event => done(event.blockedURI));
        fetch('http://example.org/').catch(() => {});
    })"""
    for place in (page, page.workers[0]):
        assert place.evaluate(refused).startswith("http://example.org")


def test_a_file_that_is_none_is_named(page, tmp_path):
    path = tmp_path / "page.mp3"
    path.write_text("<!doctype html><title>not found</title>")
    page.set_input_files("#in-browser-file", path)
    page.wait_for_selector("#in-browser-error")
    assert page.inner_text("#in-browser-error").startswith(
        "page.mp3: found nothing that this browser decodes"
    )
    assert page.is_hidden("#in-browser-answer")


def test_samples_that_are_no_numbers_are_refused_as_by_the_library(page, detector, tmp_path):
    samples = np.random.default_rng(0).normal(0, 0.1, RATE)
    samples[100:103] = np.nan, np.inf, -np.inf
    path = tmp_path / "broken.wav"
    soundfile.write(path, samples, RATE, "FLOAT")
    page.set_input_files("#in-browser-file", path)
    page.wait_for_selector("#in-browser-error")
    (expected,) = voicelstm.detect(detector, [path])
    assert page.inner_text("#in-browser-error") == expected.error.removeprefix(f"{path.parent}/")


@pytest.mark.parametrize(
    "samples",
    [np.zeros(RATE), np.full(RATE // 100, 0.1), np.random.default_rng(0).normal(0, 0.01, 2 * RATE)],
    ids=["silence", "ten milliseconds", "noise"],
)
def test_a_recording_without_speech_gets_the_reason_of_the_library(page, detector, samples, tmp_path):
    path = tmp_path / "quiet.wav"
    soundfile.write(path, samples, RATE)
    found = answer_to(page, path)
    assert np.isnan(found["score"])
    (expected,) = voicelstm.detect(detector, [path])
    reason = expected.error.removeprefix(f"{path}: ")
    assert page.inner_text("#in-browser-verdict").splitlines()[-1] == reason
    assert page.is_hidden("#in-browser-pictured")


def test_little_speech_is_said(page, detector, tmp_path):
    (samples, rate), _ = make_voices(2, random_state=0, return_X_y=True)[0]
    path = tmp_path / "short.wav"
    soundfile.write(path, samples, rate)
    (expected,) = voicelstm.detect(detector, [path])
    answer_to(page, path)
    assert expected.warnings[0] in page.locator(".in-browser-doubt").all_inner_texts()


def test_of_several_channels_the_mean_is_heard_or_one(page, detector, tmp_path):
    X, _ = make_voices(12, random_state=1, return_X_y=True)
    left, right = (np.concatenate([samples for samples, _ in part])[: 3 * RATE] for part in (X[:6], X[6:]))
    path = tmp_path / "call.wav"
    soundfile.write(path, np.column_stack([left, 0.5 * right]), RATE)
    found = [answer_to(page, path)["score"]]
    found += [answer_about_channel(page, channel)["score"] for channel in ("left", "right")]
    channels = ("mean", "left", "right")
    expected = [next(voicelstm.detect(detector, [path], channel=each)).score for each in channels]
    assert found == pytest.approx(expected, abs=0.01)


def test_channels_that_cancel_are_refused_and_each_can_be_chosen(page, detector, voice, tmp_path):
    samples, rate = soundfile.read(voice)
    path = tmp_path / "reversed.wav"
    soundfile.write(path, np.column_stack([samples, -samples]), rate)
    page.set_input_files("#in-browser-file", path)
    page.wait_for_selector("#in-browser-error")
    assert "cancel each other in 100 % of the recording" in page.inner_text("#in-browser-error")
    (expected,) = voicelstm.detect(detector, [voice])
    assert answer_about_channel(page, "left")["score"] == pytest.approx(expected.score, abs=0.01)
    assert page.is_hidden("#in-browser-error")


def test_the_microphone_is_scored_every_second_until_it_is_stopped(open_page, launch, detector, voice):
    fake = launch(
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={voice}",
    )
    page = ready(open_page(PAGE, DESK, within=fake, permissions=["microphone"]))
    page.evaluate(NEXT_ANSWERS, 2)
    page.click("#in-browser-microphone")
    found = page.evaluate("window.answers")
    assert page.inner_text("#in-browser-microphone") == "Stop listening"
    page.click("#in-browser-microphone")
    assert page.inner_text("#in-browser-status") == "Stopped."
    # A machine that is too slow for every second leaves some out.
    assert found[0]["stop"] == 4
    assert found[1]["stop"] in range(5, 20)
    windows = [np.array(each["samples"], dtype=np.float32) for each in found]
    assert [len(window) for window in windows] == [4 * RATE, 4 * RATE]
    expected = [each.score for each in voicelstm.detect(detector, [(each, RATE) for each in windows])]
    assert [each["score"] for each in found] == pytest.approx(expected, abs=0.01)
    # It heard the file, which is played again and again; on a busy machine the browser leaves gaps in it.
    played = np.tile(soundfile.read(voice)[0], 3)
    assert max(likeness(second, played) for second in np.split(windows[1], 4)) > 0.9


def likeness(heard, played):
    """Largest correlation of what was heard with a piece of what was played."""
    total = np.cumsum(np.insert(played**2, 0, 0))
    energies = total[len(heard) :] - total[: -len(heard)]
    return float((correlate(played, heard, mode="valid") / np.sqrt(energies * (heard**2).sum())).max())


def test_a_refused_microphone_is_said_in_words(page):
    page.click("#in-browser-microphone")
    page.wait_for_selector("#in-browser-error")
    assert page.inner_text("#in-browser-error").startswith(("The microphone was refused", "No microphone"))
    assert page.inner_text("#in-browser-microphone") == "Speak into the microphone"


def test_it_works_by_keyboard_alone(page):
    page.focus("#in-browser-file")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "in-browser-microphone"
    page.keyboard.press("Enter")
    page.wait_for_selector("#in-browser-error")


def test_an_answer_fits_the_window_and_is_legible(page, too_wide, voice):
    answer_to(page, voice)
    for summary in page.locator("#in-browser-answer summary").all():
        summary.click()
    for size in (PHONE, DESK):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        assert too_wide(page) == []
        picture, frame = (page.locator(f"#in-browser-picture{each}").bounding_box() for each in (" svg", ""))
        assert picture["width"] == pytest.approx(frame["width"], abs=1)
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_selector(f"html[data-theme={scheme}]")
        contrasts = page.evaluate(CONTRASTS)
        assert len(contrasts) > 10
        assert {text: contrast for text, contrast in contrasts.items() if contrast < 4.5} == {}


# WCAG 2.1, 1.4.3: 4.5 for text; of each text in the answer with the colour that lies behind it.
CONTRASTS = """() => {
    const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => [0.2126 * r, 0.7152 * g, 0.0722 * b].reduce((a, b) => a + b);
    const linear = colour => numbers(colour).slice(0, 3).map(v => v / 255).map(
        v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const behind = e => {
        const colour = getComputedStyle(e).backgroundColor;
        return (numbers(colour)[3] ?? 1) > 0.5 ? colour : behind(e.parentElement);
    };
    const found = {};
    for (const e of document.querySelectorAll('#in-browser *')) {
        const own = [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent.trim()).join('');
        if (!own || !e.checkVisibility()) continue;
        const style = getComputedStyle(e);
        const [a, b] = [e.closest('svg') ? style.fill : style.color, behind(e)]
            .map(colour => luminance(linear(colour)) + 0.05);
        found[own] = Math.max(a, b) / Math.min(a, b);
    }
    return found;
}"""


def test_without_npm_the_page_says_what_is_missing(detector, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    write_page(detector, tmp_path / "output", tmp_path / "generated", needs_all=False)
    text = (tmp_path / "generated" / "browser.txt").read_text(encoding="utf-8")
    assert "this one is empty" in text
    assert "comes from npm, which is not installed" in text
    with pytest.raises(MissingPieceError, match=r"onnxruntime-web@.* comes from npm"):
        write_page(detector, tmp_path / "output", tmp_path / "generated", needs_all=True)


def test_an_archive_with_another_content_is_refused(detector, tmp_path, monkeypatch):
    package = json.loads((ROOT / "docs" / "browser" / "package.json").read_text(encoding="utf-8"))

    def other_archive(command, *, cwd, **options):
        (cwd / "other.tgz").write_bytes(b"other")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr("browser_page.shutil.which", lambda name: name)
    monkeypatch.setattr("browser_page.subprocess.run", other_archive)
    with pytest.raises(
        ValueError, match=r"has the integrity sha512-.*, and docs/browser/package.json says"
    ) as error:
        write_page(detector, tmp_path / "output", tmp_path / "generated", needs_all=False)
    assert package["integrity"]["onnxruntime-web"] in str(error.value)
