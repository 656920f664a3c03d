"""Model files as damage, carelessness and malice would change them, each drawn by a seed and a number."""

import json
import math
import random
import struct
from dataclasses import dataclass, field

import numpy as np

from voicelstm.model_files._container import _checksum
from voicelstm.model_files._tensor_header import DTYPES

HOSTILE = [
    None, True, False, 0, 1, -1, 2, 3, 16, 17, 2**31, 2**32 + 1, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63), 10**30,
    0.0, 0.5, -0.5, 1.0, 1e-320, 1e-30, 1e30, 1e308, -1e308, 3.5e38,
    "", "a", "nan", "inf", "0", "human", "None", "os.system", "builtins.exec", "../../../etc/passwd", "/tmp/voicelstm",
    "http://localhost:1/x", "x" * 300, "x\0y", "\u202e", "float64", "adam", "mean", "last", "attention", "stats",
    "MFCCTransformer", "Pipeline", "FrozenEstimator", "LSTMVoiceClassifier", "keras.Lambda", "temperature", "auto",
    [], {}, [[]], [1], [1, 2], [1, 1], [0], [-1], ["a", "b"], [None], [True], [2**40], [64] * 500, {"pairs": []},
    {"pairs": [[1, 2]]}, {"pairs": [[[1], {"pairs": []}]]}, {"augmenter": {}}, {"augmenter": {"codecs": ["x"]}},
    [{"augmenter": {}}], [{"augmenter": {}}, {"augmenter": {}}], {"spec_augment": {}}, {"spec_augment": {"time_mask": [9, 1]}},
    {"spec_augment": {"frequency_mask": [1, 2**40]}}, [[2, 3, 2]], [[2, 3, 65]], [[2**31, 2**31, 1]], [[2, 3, 1]] * 500,
    {"class": "Pipeline", "steps": []}, {"class": "MFCCTransformer", "params": {}},
    {"class": "Lambda", "module": "keras.layers", "config": {"function": ["4wEAAAA=", None, None]}},
]  # fmt: skip
UNKNOWN = [
    "module", "config", "__reduce__", "__class__", "registered_name", "cache_dir", "checkpoint", "n_jobs", "verbose",
    "memory", "callbacks", "distribution", "optimizer", "x",
]  # fmt: skip
# Put in place of a value as they stand, since json.dumps would not write them.
RAW = [
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "-1e999",
    "9" * 400,
    "0x10",
    "'a'",
    '"\\ud800"',
    "",
    "1 1",
    "[" * 40 + "]" * 40,
]


@dataclass
class Parts:
    """A file, taken apart; tensors are lists of name, type, shape and bytes, in their order."""

    text: str
    sha256: str
    tensors: list
    anew: bool = False
    extra: dict = field(default_factory=dict)

    @classmethod
    def of(cls, content):
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])
        data = content[8 + length :]
        metadata = header.pop("__metadata__")
        tensors = [
            [name, each["dtype"], each["shape"], data[slice(*each["data_offsets"])]]
            for name, each in sorted(header.items(), key=lambda item: item[1]["data_offsets"])
        ]
        return cls(metadata["voicelstm"], metadata["sha256"], tensors)

    def copy(self):
        return Parts(self.text, self.sha256, [list(each) for each in self.tensors], self.anew)

    def checksum(self):
        if not self.anew:
            return self.sha256
        try:
            arrays = {
                name: np.frombuffer(data, DTYPES[dtype]).reshape(shape)
                for name, dtype, shape, data in self.tensors
            }
            return _checksum(self.text, arrays)
        except (KeyError, ValueError, TypeError, OverflowError):
            return self.sha256  # of what cannot be, nothing can be computed

    def pieces(self):
        header = {"__metadata__": {"voicelstm": self.text, "sha256": self.checksum(), **self.extra}}
        at = 0
        for name, dtype, shape, data in self.tensors:
            header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
            at += len(data)
        return header, b"".join(each[3] for each in self.tensors)

    def to_bytes(self):
        return joined(*self.pieces())


def joined(header, data):
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def mutated(contents, seed, number):
    """Draw one mutated file.

    Returns its bytes, the name of the mutation, whether the checksum was computed anew, and which of the
    contents it was made of.
    """
    rng = random.Random(f"{seed}/{number}")
    base = rng.choice(sorted(contents))
    anew = number % 2 == 1
    name = rng.choice(sorted(KINDS if anew else KINDS | DAMAGE))
    parts = Parts.of(contents[base])
    parts.anew = anew
    if name in DAMAGE:
        return bytes(DAMAGE[name](bytearray(contents[base]), rng)), name, anew, base
    for further in range(rng.choice([1, 1, 1, 2, 3])):
        if further:
            name = rng.choice(sorted(KINDS))
        try:
            made = KINDS[name](parts, rng)
        except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
            break  # the mutation before has left nothing that this one could change
        if made is not None:
            return made, name, anew, base
    return parts.to_bytes(), name, anew, base


# Damage to the bytes as they lie.


def flip_bits(content, rng):
    for _ in range(rng.choice([1, 1, 2, 8])):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return content


def flip_header_bits(content, rng):
    length = int.from_bytes(content[:8], "little")
    for _ in range(rng.choice([1, 1, 2, 8])):
        content[rng.randrange(8 + length)] ^= 1 << rng.randrange(8)
    return content


def truncate(content, rng):
    return content[: rng.choice([rng.randrange(len(content)), rng.randrange(16), len(content) - 1])]


def extend(content, rng):
    return content + rng.randbytes(rng.choice([1, 8, 1000]))


def cut_out(content, rng):
    start = rng.randrange(len(content))
    del content[start : start + rng.choice([1, 4, 8, 100])]
    return content


def double(content, rng):
    start = rng.randrange(len(content))
    content[start:start] = content[start : start + rng.choice([1, 8, 100])]
    return content


def zero(content, rng):
    start = rng.randrange(len(content))
    size = min(rng.choice([1, 8, 512]), len(content) - start)
    content[start : start + size] = bytes(size)
    return content


def another_length(content, rng):
    length = int.from_bytes(content[:8], "little")
    content[:8] = struct.pack("<Q", rng.choice(
        [0, 1, 2, length - 1, length + 1, length + 8, len(content), len(content) - 8, 2**20, 2**20 + 1, 10**8, 2**31,
         2**32 + length, 2**62, 2**63 - 1, 2**63, 2**64 - 8, 2**64 - 1]
    ) % 2**64)  # fmt: skip
    return content


def other_bytes(content, rng):
    return bytearray(rng.choice([
        b"", b"\x80\x04\x95", b"PK\x03\x04" + bytes(content), b"\x89HDF\r\n\x1a\n" + bytes(content), rng.randbytes(500),
        b"cos\nsystem\n(S'true'\ntR.", bytes(content[8:]), bytes(8) + bytes(content),
    ]))  # fmt: skip


# Changes to what the file says.


def change_value(parts, rng):
    return _edited(parts, rng, lambda holder, key: holder.__setitem__(key, _other(holder[key], rng)))


def hostile_value(parts, rng):
    return _edited(parts, rng, lambda holder, key: holder.__setitem__(key, rng.choice(HOSTILE)))


def drop_value(parts, rng):
    return _edited(parts, rng, lambda holder, key: holder.pop(key))


def unknown_key(parts, rng):
    def add(holder, key):
        if isinstance(holder, dict):
            holder[rng.choice(UNKNOWN)] = rng.choice(HOSTILE)
        else:
            holder.append(rng.choice(HOSTILE))

    return _edited(parts, rng, add)


def swap_values(parts, rng):
    document = json.loads(parts.text)
    (one, a), (other, b) = rng.choice(_places(document)), rng.choice(_places(document))
    one[a], other[b] = json.loads(json.dumps(other[b])), json.loads(json.dumps(one[a]))
    parts.text = json.dumps(document, sort_keys=True)


def nest_value(parts, rng):
    depth = rng.choice([3, 15, 17, 64, 70, 900, 20000])

    def nest(holder, key):
        holder[key] = "@"

    _edited(parts, rng, nest)
    left, right = rng.choice(
        [("[", "]"), ('{"pairs":[[1,', "]]}"), ('{"class":"FrozenEstimator","estimator":', "}")]
    )
    parts.text = parts.text.replace('"@"', left * depth + "1" + right * depth, 1)


def raw_value(parts, rng):
    _edited(parts, rng, lambda holder, key: holder.__setitem__(key, "@"))
    parts.text = parts.text.replace('"@"', rng.choice(RAW), 1)


def duplicate_key(parts, rng):
    braces = [i for i, c in enumerate(parts.text) if c == "{"]
    at = rng.choice(braces) + 1
    rest = parts.text[at:].split('"', 2)
    if len(rest) == 3:
        parts.text = f'{parts.text[:at]}"{rest[1]}": {json.dumps(rng.choice(HOSTILE))}, {parts.text[at:]}'


def long_text(parts, rng):
    which = rng.randrange(3)
    if which == 0:
        parts.text = parts.text.replace(
            '"library": "', '"library": "' + "x" * rng.choice([100, 10**5, 2**20]), 1
        )
    elif which == 1:
        labels = json.dumps(
            [f"{i:05}" for i in range(rng.choice([3, 1000, 20000]))] + ["x" * rng.choice([5, 10**5])]
        )
        document = json.loads(parts.text) if _is_json(parts.text) else {}
        places = [(h, k) for h, k in _places(document) if k == "values"]
        for holder, key in places:
            holder[key] = json.loads(labels)
        parts.text = json.dumps(document, sort_keys=True)
    else:
        parts.text += " " * rng.choice([1, 10**5, 2**21])


def many_estimators(parts, rng):
    front = {"class": "MFCCTransformer", "params": {}}
    number = rng.choice([2, 15, 17, 1000, 20000])
    made = rng.choice([
        {"class": "Pipeline", "steps": [[f"s{i}", front] for i in range(number)]},
        {"class": "VotingClassifier", "classes": {"dtype": "str", "values": ["a", "b"]}, "weights": None,
         "flatten_transform": True, "estimators": [[f"s{i}", front] for i in range(number)]},
    ])  # fmt: skip
    _edited(parts, rng, lambda holder, key: holder.__setitem__(key, made))


def text_bytes(parts, rng):
    text = list(parts.text)
    for _ in range(rng.choice([1, 2, 5])):
        if text:
            text[rng.randrange(len(text))] = chr(rng.choice([*range(32, 127), 0, 9, 233, 0x1F600]))
    parts.text = "".join(text)


def swap_tensors(parts, rng):
    if parts.tensors:
        one, other = rng.choice(parts.tensors), rng.choice(parts.tensors)
        what = rng.choice([[0], [3], [2, 3], [1, 2, 3]])
        for i in what:
            one[i], other[i] = other[i], one[i]


def weights(parts, rng):
    if not parts.tensors:
        return
    tensor = rng.choice(parts.tensors)
    values = np.frombuffer(tensor[3], DTYPES[tensor[1]]).copy()
    if not values.size or values.dtype.kind != "f":
        return
    extreme = float(np.finfo(values.dtype).max)
    value = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0, extreme, -extreme, 1e-45, 1e30, -1.0, 5e-324])
    where = rng.choice([slice(None), slice(0, 1), slice(rng.randrange(values.size), None)])
    with np.errstate(all="ignore"):
        if rng.random() < 0.3:
            values[where] = np.random.default_rng(rng.randrange(2**32)).normal(
                size=values[where].size
            ) * 10.0 ** rng.randint(-3, 30)
        else:
            values[where] = value
    tensor[3] = values.tobytes()


def random_weights(parts, rng):
    if parts.tensors:
        tensor = rng.choice(parts.tensors)
        tensor[3] = rng.randbytes(len(tensor[3]))


def drop_tensor(parts, rng):
    if parts.tensors:
        parts.tensors.remove(rng.choice(parts.tensors))


def another_tensor(parts, rng):
    name = rng.choice(["x", "", "weights/x", "../x", "classifier/weights/head/bias", "a" * 5000])
    parts.tensors.append([name, "F32", rng.choice([[0], [2], []]), rng.choice([b"", bytes(8), bytes(4)])])


def other_type(parts, rng):
    if parts.tensors:
        tensor = rng.choice(parts.tensors)
        tensor[1] = rng.choice([*DTYPES, "BF16", "F8_E4M3", "O", "object", "V8", 1, None])
        if rng.random() < 0.7 and tensor[1] in DTYPES:
            size = np.dtype(DTYPES[tensor[1]]).itemsize * math.prod(tensor[2])
            if 0 <= size < 10**6:  # no more than the shape of a mutation before allows
                tensor[3] = bytes(size)


def absurd_shape(parts, rng):
    if parts.tensors:
        tensor = rng.choice(parts.tensors)
        size = rng.choice([2**63, 2**62, 2**63 - 1, 2**64, 2**32, 10**30, -1, 0, 1, 1.5, "1", None, True])
        tensor[2] = rng.choice([
            [size], [size, size], [0, size], [size, 0], tensor[2] * 40, [1] * 100000, tensor[2][::-1], [len(tensor[3])],
            [*tensor[2], 1], size, {}, [2**32, 2**32], [2**61, 8],
        ])  # fmt: skip


def header_entry(parts, rng):
    header, data = parts.pieces()
    names = [name for name in header if name != "__metadata__"]
    which = rng.randrange(8)
    if which == 0 and names:
        offsets = header[rng.choice(names)]["data_offsets"]
        offsets[rng.randrange(2)] = rng.choice(
            [0, -1, 2**63, 2**64, len(data), len(data) + 1, 1.0, None, "0", offsets[0]]
        )
    elif which == 1 and names:
        one, other = header[rng.choice(names)], header[rng.choice(names)]
        one["data_offsets"] = other["data_offsets"]
    elif which == 2 and names:
        header[rng.choice(names)][rng.choice(["x", "dtype", "shape"])] = rng.choice(HOSTILE)
    elif which == 3:
        header["__metadata__"][rng.choice(["x", "voicelstm", "sha256", "format"])] = rng.choice(HOSTILE)
    elif which == 4:
        header["__metadata__"] = rng.choice(HOSTILE)
    elif which == 5:
        header = rng.choice(HOSTILE)
    elif which == 6 and names:
        del header[rng.choice(names)][rng.choice(["dtype", "shape", "data_offsets"])]
    else:
        header[rng.choice(["x", *names])] = rng.choice(HOSTILE)
    return joined(header, data)


def header_text(parts, rng):
    header, data = parts.pieces()
    text = json.dumps(header, separators=(",", ":"))
    names = [name for name in header if name != "__metadata__"] or ["x"]
    name = rng.choice(names)
    which = rng.randrange(8)
    if which == 0:
        entry = json.dumps(header.get(name, {}))
        text = f'{{"{name}":{entry},{text[1:]}'
    elif which == 1:
        text = f'{{"__metadata__":{{"voicelstm":"{{}}","sha256":"0"}},{text[1:]}'
    elif which == 2:
        text = text.replace('"__metadata__":{', '"__metadata__":{"voicelstm":"{}",', 1)
    elif which == 3:
        depth = rng.choice([16, 17, 100, 100000])
        text = f'{{"x":{"[" * depth}{"]" * depth},{text[1:]}'
    elif which == 4:
        text += " " * rng.choice([8, 100, 2**20])
    elif which == 5:
        return joined(text.encode("utf-16"), data)
    elif which == 6:
        return joined(b"\xef\xbb\xbf" + text.encode(), data)
    else:
        text = text.replace('"shape":', rng.choice(['"shape":[1],"shape":', '"Shape":', '"shape" :']), 1)
    return joined(text.encode(), data)


def nothing(parts, rng):
    """Write the same again, which must load."""


DAMAGE = {
    each.__name__: each
    for each in (
        flip_bits,
        flip_header_bits,
        truncate,
        extend,
        cut_out,
        double,
        zero,
        another_length,
        other_bytes,
    )
}
KINDS = {
    each.__name__: each
    for each in (
        change_value, hostile_value, drop_value, unknown_key, swap_values, nest_value, raw_value, duplicate_key,
        long_text, many_estimators, text_bytes, swap_tensors, weights, random_weights, drop_tensor, another_tensor,
        other_type, absurd_shape, header_entry, header_text, nothing,
    )
}  # fmt: skip


def _is_json(text):
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _edited(parts, rng, edit):
    if _is_json(parts.text):
        document = json.loads(parts.text)
        places = _places(document) if isinstance(document, dict) else []
        if places:
            edit(*rng.choice(places))
            parts.text = json.dumps(document, sort_keys=True)


def _places(value):
    """Every key of every object, and every position of every list."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = []
    for key, item in items:
        found.append((value, key))
        found += _places(item)
    return found


def _other(value, rng):
    """A value of the same type, such as a careless hand would write."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return rng.choice([value + 1, value - 1, -value, 0, value * 1000, 2**31, 2**40])
    if isinstance(value, float):
        return rng.choice([value * 2, -value, 0.0, value * 1e300, value * 1e-300, value + 1])
    if isinstance(value, str):
        return rng.choice([value + "x", value[:-1], value.upper(), value[::-1], ""])
    if isinstance(value, list):
        return rng.choice([value[::-1], value[:-1], value * 2, value + value[:1], value * 2000])
    if isinstance(value, dict):
        return rng.choice([{}, list(value), dict(list(value.items())[1:])])
    return rng.choice([0, 1, "auto", 0.5])
