"""Goldens of the tiny models' GGUF files by llama.cpp: `pip install llama-cpp-python numpy`.

Key-value cache in f32 and no flash attention, so that nothing is rounded that need not be.
"""

import llama_cpp
import numpy
from llama_cpp import Llama

import golden

F32 = 0

# llama.cpp looks GELU up in a table of f16 numbers.
GELU_TABLE = 0.03


def entry(folder, name, tolerance=1e-3, n_ctx=256, context=None):
    model = Llama(
        str(folder / f"{name}.gguf"),
        n_ctx=n_ctx,
        n_threads=1,
        logits_all=True,
        type_k=F32,
        type_v=F32,
        flash_attn=False,
        swa_full=True,
        verbose=False,
    )

    def forward(tokens):
        model.reset()
        model.eval(tokens)
        return numpy.array(model.scores[: len(tokens)])

    return golden.golden(name, forward, tolerance, context)


def main():
    folder = golden.make_models()
    # Not here: mistral, because llama.cpp's llama architecture has no sliding window.
    exact = ["llama", "llama-gqa", "llama-linear", "qwen2", "qwen2-yarn", "qwen3", "phi3",
             "stablelm", "stablelm-parallel"]
    entries = [entry(folder, name) for name in exact]
    entries += [entry(folder, name, GELU_TABLE)
                for name in ["gemma", "gemma2", "gemma3", "gemma3-linear"]]
    # llama.cpp picks the table of LongRoPE by the context, the original one being 256.
    entries += [entry(folder, "phi3-longrope", n_ctx=n_ctx, context=n_ctx) for n_ctx in (256, 512)]
    golden.write("llama.cpp.json", f"llama-cpp-python {llama_cpp.__version__}", entries)


main()
