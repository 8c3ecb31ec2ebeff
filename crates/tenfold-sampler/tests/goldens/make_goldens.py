"""Writes chain.json: runs of the sampler chain computed by a plain numpy implementation.

The logits of step `s` are made from whole numbers, so both sides have the same bits:
    logit[i] = (splitmix64(s * vocabulary + i) >> 52) / 256
Every filter sorts and adds in double precision, where the crate selects and adds whole numbers.

    python make_goldens.py            (needs numpy)
"""

import json
import pathlib

import numpy as np

MASK = (1 << 64) - 1


def mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def splitmix64(n):
    return mix((n + 0x9E3779B97F4A7C15) & MASK)


class Xoshiro256pp:
    def __init__(self, seed):
        step = 0x9E3779B97F4A7C15
        self.s = [mix((seed + step * (i + 1)) & MASK) for i in range(4)]

    def next(self):
        s = self.s
        rotl = lambda x, k: ((x << k) | (x >> (64 - k))) & MASK
        out = (rotl((s[0] + s[3]) & MASK, 23) + s[0]) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 45)
        return out


def softmax(logits):
    e = np.exp(logits - logits.max())
    return e / e.sum()


def prefix(order, p, share):
    """The fewest of `order` whose probabilities reach `share`."""
    reached = np.cumsum(p[order]) >= share - 1e-12
    return order[: int(np.argmax(reached)) + 1] if reached.any() else order


def pick(logits, history, o, rng):
    logits = logits.astype(np.float64)
    for token, bias in o["logit_bias"]:
        logits[token] += -np.inf if bias is None else bias
    window = history[max(0, len(history) - o["penalty_window"]) :] if o["penalty_window"] else []
    for token in set(window):
        x = logits[token]
        x = x / o["repeat_penalty"] if x > 0 else x * o["repeat_penalty"]
        logits[token] = x - window.count(token) * o["frequency_penalty"] - o["presence_penalty"]
    ids = np.arange(len(logits))[logits > -np.inf]
    logits = logits[ids]
    if o["temperature"] == 0:
        return int(ids[np.argmax(logits)])
    if o["top_k"]:
        keep = np.sort(np.lexsort((ids, -logits))[: o["top_k"]])
        ids, logits = ids[keep], logits[keep]
    if o["typical_p"] < 1:
        p = softmax(logits)
        entropy = -(p * np.log(p)).sum()
        # Rounded as equal logits would give equal distances without it, too.
        distance = np.abs(-np.log(p) - entropy).astype(np.float32)
        keep = np.sort(prefix(np.lexsort((ids, distance)), p, o["typical_p"]))
        ids, logits = ids[keep], logits[keep]
    if o["top_p"] < 1:
        p = softmax(logits)
        keep = np.sort(prefix(np.lexsort((ids, -logits)), p, o["top_p"]))
        ids, logits = ids[keep], logits[keep]
    if o["min_p"] > 0:
        p = softmax(logits)
        keep = p >= o["min_p"] * p.max()
        ids, logits = ids[keep], logits[keep]
    weights = np.cumsum(softmax(logits / o["temperature"]))
    # One number of 64 bits is a place from 0 to 1 in the sum of the weights.
    place = rng.next() / 2.0**64 * weights[-1]
    return int(ids[np.searchsorted(weights, place, side="right")])


NEUTRAL = {
    "logit_bias": [],
    "repeat_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "penalty_window": 64,
    "top_k": 0,
    "typical_p": 1.0,
    "top_p": 1.0,
    "min_p": 0.0,
    "temperature": 1.0,
    "seed": 1,
}

CASES = {
    "neutral": {},
    "greedy": {"temperature": 0.0},
    "default": {"top_k": 40, "top_p": 0.95, "min_p": 0.05, "temperature": 0.8, "seed": 42},
    "top_k": {"top_k": 5, "temperature": 2.0},
    "top_p": {"top_p": 0.5, "seed": 7},
    "min_p": {"min_p": 0.25, "temperature": 1.5, "seed": 9007199254740991},
    "typical": {"typical_p": 0.5, "seed": 3},
    "typical_then_cold": {"typical_p": 0.25, "temperature": 0.125, "seed": 4},
    "penalties": {
        "repeat_penalty": 1.25,
        "presence_penalty": 0.5,
        "frequency_penalty": 0.25,
        "penalty_window": 16,
        "top_k": 10,
        "seed": 0,
    },
    "greedy_with_penalties": {"temperature": 0.0, "repeat_penalty": 2.0, "penalty_window": 4},
    "bias": {"logit_bias": [[3, None], [5, 4.5], [17, -100.0]], "temperature": 0.5, "seed": 5},
    "hot": {"temperature": 20.0, "seed": 18446744073709551615},
    "everything": {
        "logit_bias": [[0, 2.0], [1, None]],
        "repeat_penalty": 1.5,
        "frequency_penalty": 0.125,
        "penalty_window": 1000,
        "top_k": 60,
        "typical_p": 0.9,
        "top_p": 0.75,
        "min_p": 0.0625,
        "temperature": 0.75,
        "seed": 2026,
    },
}


def main():
    out = []
    for name, changes in CASES.items():
        options = NEUTRAL | changes
        for vocabulary, steps in ((20, 60), (3000, 40)):
            rng = Xoshiro256pp(options["seed"])
            history, prompt = [1, 2, 2, 3], 4
            for step in range(steps):
                first = step * vocabulary
                logits = np.array(
                    [(splitmix64(first + i) >> 52) / 256 for i in range(vocabulary)], np.float32
                )
                history.append(pick(logits, history, options, rng))
            out.append(
                {"name": name, "vocabulary": vocabulary, "options": options, "ids": history[prompt:]}
            )
    target = pathlib.Path(__file__).with_name("chain.json")
    lines = ",\n".join(json.dumps(case) for case in out)
    target.write_text(f"[\n{lines}\n]\n")


main()
