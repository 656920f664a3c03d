"""The card of the packaged detector, from what detectors say of clips that they have not heard.

Rates count clips. Thresholds of operating points count sources of human speech and families of systems the
same.
"""

import re
from collections import Counter, defaultdict

import numpy as np
from rich.table import Table

import voicelstm
from detection import FEW, LIBRIVOX, N_FOLDS, PLAIN, SHARED, equal_error
from detection_adversity import ADVERSITY
from detection_channels import CHANNELS, PROCESSES
from unlike_training import add_to_card
from voicelstm.datasets import load_csv
from voicelstm.metrics import cllr, min_cllr

NAME = "general-1"
CONDITIONS = (PLAIN, *CHANNELS)
ATTACK = "gradient attack on the features, 1 dB"
RELIABILITY = (-1.0, -0.5, 0.0, 0.5, 1.0)  # scores at which one row ends and the next begins
OPERATING_POINTS = {"1 in 100": 0.01, "1 in 20": 0.05, "1 in 10": 0.1}
N_RESAMPLES = 2000
TOLERANCE = 0.01  # of a share, a score or what is larger: on one machine, numbers are equal to the last digit
SUMMARY = (
    "A small detector of synthetic speech: convolutions and an LSTM on energies of 3 s, 122,073 weights."
)
INTENDED_USE = (
    "To sort recordings for people to listen to, to compare recordings of one source with each other, and as"
    " a start for a detector of one's own. Not to decide about a person, a payment or a publication alone."
)
LIMITS = [
    "It errs often on sources that it has not heard. Scores move with the source as a whole.",
    "Of human recordings through Opus at 12 to 16 kbit/s, half are called synthetic. Messengers use Opus,"
    " but none of theirs was measured.",
    "Audio books of LibriVox were measured by detectors that had learnt from others of them, three folds of"
    " four. Human recordings from elsewhere are called synthetic more often.",
    "Of vocoded copies of human recordings, half to nearly all are called human, where that was measured."
    " Families of systems without a rate were not measured: too few recordings of them were left out.",
    "Of synthetic recordings with music in them, or with their pitch changed, more than half are called"
    " human.",
    "Anyone who has the detector can craft features that get the answer they want, and so perhaps a"
    " recording.",
    "It was trained on single voices, four fifths English, mostly read, of 2 to 8 s. Music, singing and"
    " several voices at once are hardly in it.",
    "Systems newer than 2026 are not in it.",
    "An answer is about the voice of the whole recording, not about each word of it.",
    "Sex, age and accent of the speakers are not known for these recordings, and so there is no rate by"
    " them.",
]


class SharesAtThreshold:
    """Which share of human clips reach a threshold, and which share of synthetic ones do not.

    Conditions, sources of human speech and families of systems count the same.
    """

    def __init__(self, corpus, ratios, clips, conditions=CONDITIONS):
        weights, human = corpus.weights(clips), corpus.human[clips]
        self.human = np.concatenate([ratios[name][clips[human]] for name in conditions])
        self.synthetic = np.concatenate([ratios[name][clips[~human]] for name in conditions])
        self.human_weight = np.tile(weights[human], len(conditions))
        self.synthetic_weight = np.tile(weights[~human], len(conditions))

    def threshold(self, share):
        """Return the lowest threshold that at most this share of human clips reach."""
        order = np.argsort(-self.human)
        reached = np.cumsum(self.human_weight[order]) / self.human_weight.sum()
        return float(np.nextafter(self.human[order][int(np.searchsorted(reached, share, "right"))], np.inf))

    def rates(self, threshold):
        return (
            float(np.average(self.human >= threshold, weights=self.human_weight)),
            float(np.average(self.synthetic < threshold, weights=self.synthetic_weight)),
        )


def operating_points(corpus, unseen, ratios):
    """Choose thresholds on all folds, and measure such thresholds of three folds on the fourth."""
    clips, points = unseen.clips, []
    for name, share in OPERATING_POINTS.items():
        measured, of_channels = [], {condition: [] for condition in CONDITIONS}
        for fold in range(N_FOLDS):
            others, own = (clips[(unseen.fold[clips] == fold) == inside] for inside in (False, True))
            threshold = SharesAtThreshold(corpus, ratios, others).threshold(share)
            measured.append(SharesAtThreshold(corpus, ratios, own).rates(threshold))
            for condition, found in of_channels.items():
                found.append(SharesAtThreshold(corpus, ratios, own, [condition]).rates(threshold))
        human, synthetic = np.mean(measured, axis=0)
        points.append(
            {
                "name": name,
                "chosen_for": share,
                "threshold": round(SharesAtThreshold(corpus, ratios, clips).threshold(share), 4),
                "human_called_synthetic": round(float(human), 3),
                "human_called_synthetic_of_folds": [round(each, 3) for each, _ in measured],
                "synthetic_called_human": round(float(synthetic), 3),
                "of_channels": [
                    {
                        "value": condition,
                        "human_called_synthetic": round(float(human), 3),
                        "synthetic_called_human": round(float(synthetic), 3),
                    }
                    for condition, (human, synthetic) in (
                        (condition, np.mean(found, axis=0)) for condition, found in of_channels.items()
                    )
                ],
            }
        )
    return points


def interval(wrong, groups):
    """Draw groups with replacement; return where 95 % of the shares of wrong answers lie.

    Nothing can be said of less than three groups, nor of answers that are all right or all wrong.
    """
    names = np.unique(groups)
    if len(names) < 3 or wrong.all() or not wrong.any():
        return None
    n_wrong = np.array([wrong[groups == name].sum() for name in names])
    n = np.array([(groups == name).sum() for name in names])
    drawn = np.random.default_rng(0).integers(len(names), size=(N_RESAMPLES, len(names)))
    shares = n_wrong[drawn].sum(axis=1) / n[drawn].sum(axis=1)
    return [round(float(each), 3) for each in np.quantile(shares, [0.025, 0.975])]


def rate_of(corpus, group, value, ratio, clips, drawn_human, drawn_synthetic):
    """Return a line of the card: how often both kinds of clips are answered wrongly at 0."""
    line = {"group": group, "value": value}
    for kind, wrong_name, is_kind, drawn in (
        ("human", "human_called_synthetic", corpus.human, drawn_human),
        ("synthetic", "synthetic_called_human", ~corpus.human, drawn_synthetic),
    ):
        chosen = clips[is_kind[clips]]
        line[f"n_{kind}"] = len(chosen)
        if len(chosen) >= FEW:
            wrong = (ratio[chosen] >= 0) == (kind == "human")
            line[wrong_name] = round(float(wrong.mean()), 3)
            line[f"{wrong_name}_interval"] = interval(wrong, drawn[chosen])
    return line


def rates(corpus, unseen, ratios, allowed):
    """Return the card's lines, by channel, process, language, past of coding, source and family."""
    lines, clips = [], unseen.clips
    for name in (*CONDITIONS, *ADVERSITY, ATTACK):
        group = "channel" if name in CONDITIONS else "adversity"
        line = rate_of(corpus, group, name, ratios[name], clips, corpus.source, corpus.family)
        line["equal_error_rate"] = round(equal_error(corpus, ratios[name], clips) / 100, 3)
        lines.append(line)
    human = clips[corpus.human[clips]]
    for name in PROCESSES:
        lines.append(rate_of(corpus, "process", name, ratios[name], human, corpus.source, corpus.family))
    librivox = np.isin(corpus.source, LIBRIVOX)
    origin = np.where(librivox, "LibriVox audio books", "all other human recordings")
    of_groups = (
        ("origin", np.where(corpus.human, origin, ""), corpus.source, corpus.family),
        ("language", corpus.language, corpus.source, corpus.family),
        ("style", corpus.style, corpus.source, corpus.family),
        ("coding", corpus.coding, corpus.source, corpus.family),
        ("source", np.where(corpus.human, corpus.source, ""), corpus.speaker, corpus.system),
        ("family", np.where(corpus.human, "", corpus.family), corpus.speaker, corpus.system),
    )
    for group, values, drawn_human, drawn_synthetic in of_groups:
        for value in np.unique(values[allowed]):
            of_value = clips[values[clips] == value]
            line = rate_of(corpus, group, str(value), ratios[PLAIN], of_value, drawn_human, drawn_synthetic)
            # Of families those that could not be measured are told, too.
            if value and (group == "family" or len(line) > 4):
                lines.append(line)
    return lines


def calibration(corpus, unseen, ratios, calibrated):
    """Return how far scores of recordings as they are can be taken for log-likelihood ratios.

    Those of each fold are calibrated on the others. Sources and families count the same.
    """
    score = unseen.ratios_of_other_folds(calibrated)
    clips = unseen.clips[np.isfinite(score[unseen.clips])]
    options = {"pos_label": "synthetic", "sample_weight": corpus.weights(clips)}
    plain = ratios[PLAIN][clips]
    return {
        "cllr": round(cllr(corpus.target[clips], score[clips], **options), 3),
        "min_cllr": round(min_cllr(corpus.target[clips], score[clips], **options), 3),
        "lowest_score": round(float(plain.min()), 2),
        "highest_score": round(float(plain.max()), 2),
        "reliability": reliability(corpus, score, clips),
    }


def reliability(corpus, score, clips):
    """Return, of scores between two numbers, their mean and the log-likelihood ratio that they have."""
    rows, human, weights = [], corpus.human[clips], corpus.weights(clips)
    row_of = np.searchsorted(RELIABILITY, score[clips], "right")
    for row, (low, high) in enumerate(zip((None, *RELIABILITY), (*RELIABILITY, None), strict=True)):
        inside = row_of == row
        shares = [weights[inside & kind].sum() / weights[kind].sum() for kind in (~human, human)]
        line = {"from": low, "to": high}
        line |= {"n_human": int((inside & human).sum()), "n_synthetic": int((inside & ~human).sum())}
        if min(line["n_human"], line["n_synthetic"]) >= FEW:
            mean = np.average(score[clips][inside], weights=weights[inside])
            line |= {
                "mean": round(float(mean), 2),
                "measured": round(float(np.log(shares[0] / shares[1])), 2),
            }
        rows.append(line)
    return rows


def training_of(corpus, allowed):
    """List what was trained on: where it is from, licence, clips of both classes."""
    parts = [
        load_csv(SHARED / "corpus" / name, where=where)
        for name, where in (("manifest.csv", {"subset": "speech"}), ("wide.csv", None))
    ]
    columns = [np.concatenate([part.groups[name] for part in parts]) for name in ("source", "licence")]
    counts, systems = Counter(), defaultdict(set)
    for source, licence, system, human, known in zip(
        *columns, corpus.system, corpus.human, allowed, strict=True
    ):
        if known:
            of_copies = re.sub(r"^(made here: .*) of speech/.*", r"\1 of human clips named here", str(source))
            counts[of_copies, str(licence), bool(human)] += 1
            if not human:
                systems[of_copies, str(licence)].add(str(system))
    return [
        {
            "source": source,
            "licence": licence,
            "n_human": counts[source, licence, True],
            "n_synthetic": counts[source, licence, False],
            "systems": sorted(systems[source, licence]),
        }
        for source, licence in sorted({(source, licence) for source, licence, _ in counts})
    ]


def card_of(corpus, unseen, calibrated, allowed, date, cache, n_jobs):
    ratios = unseen.to_ratios(calibrated)
    card = {
        "name": NAME,
        "date": date,
        "library": voicelstm.__version__,
        "summary": SUMMARY,
        "intended_use": INTENDED_USE,
        "limits": LIMITS,
        "operating_points": operating_points(corpus, unseen, ratios),
        "calibration": calibration(corpus, unseen, ratios, calibrated),
        "rates": rates(corpus, unseen, ratios, allowed),
        "training": training_of(corpus, allowed),
    }
    add_to_card(card, corpus, allowed, unseen, ratios, cache, n_jobs)
    return card


def licences(card):
    """Write where recordings are from, and their licences, which go into the wheel."""
    lines = [
        f"# What {NAME} was trained on",
        "",
        "The recordings themselves are not in this package. One line for each place that they are from:",
        "clips of human and of synthetic speech, and the licence under which they are given.",
        "",
        "| from | human | synthetic | licence | systems |",
        "|---|---|---|---|---|",
    ]
    for each in card["training"]:
        cells = [each["source"], each["n_human"], each["n_synthetic"], each["licence"]]
        lines.append(f"| {' | '.join(map(str, [*cells, ', '.join(each['systems'])]))} |")
    return "\n".join(lines) + "\n"


def numbers_of(part, place=()):
    """List every number of a card, or of a part of one, by its place."""
    if isinstance(part, bool) or not isinstance(part, dict | list | int | float):
        return {}
    if not isinstance(part, dict | list):
        return {place: part}
    places = (
        part.items()
        if isinstance(part, dict)
        else ((named(number, each), each) for number, each in enumerate(part))
    )
    found = {}
    for name, each in places:
        found |= numbers_of(each, (*place, name))
    return found


def named(number, line):
    """Return the names that a line of a card has, or else its number."""
    known = (
        [line[key] for key in ("name", "group", "value", "source", "licence") if key in line]
        if isinstance(line, dict)
        else []
    )
    return " ".join(known) or number


def compared(card, committed):
    """Show numbers of a card that are not those of the committed one; return the table and its rows."""
    new, old = numbers_of(card), numbers_of(committed)
    table = Table()
    for column in ("number", "on the card", "now"):
        table.add_column(column, justify="left" if column == "number" else "right")
    for place in sorted(set(new) | set(old), key=str):
        before, now = old.get(place), new.get(place)
        if before is None or now is None or abs(before - now) > TOLERANCE * max(1, abs(before)):
            table.add_row(", ".join(map(str, place)), str(before), str(now))
    return table, table.row_count
