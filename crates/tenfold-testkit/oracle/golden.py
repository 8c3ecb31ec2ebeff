"""What the golden scripts share: the prompt, the layout of the files, and the tiny models."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy

CRATE = Path(__file__).resolve().parent.parent

# Longer than the sliding windows of the tiny models, which look back on 8 tokens.
PROMPT = [1, 290, 17, 301, 42, 260, 333, 99, 7, 120, 310, 64,
          5, 8, 77, 299, 302, 150, 31, 280, 265, 44, 91, 203]
POSITIONS = [0, 1, 5, 7, 8, 9, 15, 23]
TOP = 5
GREEDY = 16


def make_models():
    """Lets the crate write its tiny models into a fresh folder."""
    folder = Path(tempfile.mkdtemp(prefix="tiny-models-"))
    command = ["cargo", "run", "--quiet", "--package", "tenfold-testkit", "--example", "make_tiny"]
    subprocess.run([*command, "--", str(folder)], cwd=CRATE, check=True)
    return folder


def describe(logits, at):
    """The largest logits at one position, and how large all of them are on average."""
    row = logits[at].astype(numpy.float64)
    top = numpy.argsort(-row, kind="stable")[:TOP]
    return {
        "at": at,
        "rms": round(float(numpy.sqrt(numpy.mean(row * row))), 6),
        "top": [[int(token), round(float(row[token]), 5)] for token in top],
    }


def golden(name, forward, tolerance, context=None, prompt=PROMPT, greedy=GREEDY):
    """One entry; `forward` gives the logits of every position of a list of tokens."""
    logits = forward(prompt)
    tokens = list(prompt)
    for _ in range(greedy):
        tokens.append(int(numpy.argmax(forward(tokens)[-1])))
    return {
        "name": name,
        "context": context,
        "tolerance": tolerance,
        "prompt": list(prompt),
        "positions": [describe(logits, at) for at in POSITIONS if at < len(prompt)],
        "greedy": tokens[len(prompt):],
    }


def write(file, oracle, entries):
    """One entry a line, so that changes can be read."""
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries)
    text = f'{{"oracle":{json.dumps(oracle)},"models":[\n{lines}\n]}}\n'
    (CRATE / "tests" / "goldens" / file).write_text(text)
    print(f"{file}: {len(entries)} models", file=sys.stderr)
