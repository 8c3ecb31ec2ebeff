"""Goldens of the tiny models' Hugging Face folders by mlx-lm: `pip install "mlx[cpu]" mlx-lm`."""

from importlib.metadata import version

import mlx.core as mx
import numpy
from mlx_lm.utils import load_model

import golden


def entry(folder, name, change=None, **options):
    model, _ = load_model(folder / name)
    if change:
        change(model.model)

    def forward(tokens):
        return numpy.array(model(mx.array([tokens]))[0].astype(mx.float32))

    return golden.golden(name, forward, 1e-3, **options)


def slide_everywhere(model):
    """mlx-lm has no model type all of whose layers slide; its llama can be told to."""
    model.swa_idx = 0
    model.sliding_window = 8
    for layer in model.layers:
        layer.use_sliding = True


def main():
    folder = golden.make_models()
    # Not here: gemma, for which mlx-lm takes the exact GELU and not its tanh form.
    names = ["llama", "llama-gqa", "llama-linear", "qwen2", "qwen2-yarn", "qwen3", "gemma3",
             "gemma3-linear", "phi3", "stablelm", "stablelm-parallel"]
    entries = [entry(folder, name) for name in names]
    entries.append(entry(folder, "mistral", slide_everywhere))
    # mlx-lm's gemma2 has no sliding window, so only what fits in the window can be compared.
    entries.append(entry(folder, "gemma2", prompt=golden.PROMPT[:8], greedy=0))
    # It always takes the table for long contexts.
    entries.append(entry(folder, "phi3-longrope", context=512))
    golden.write("mlx.json", f"mlx-lm {version('mlx-lm')}", entries)


main()
