#!/usr/bin/env python3
"""Writes the goldens of this folder from two oracles, both from PyPI:

- `gguf` (numpy, plain float operations): dequantize of every format, quantize of the simple ones;
- `llama-cpp-python` (ggml's own C code): quantize of Q8_1 and Q8_K, and the errors that its
  quantizers leave in the formats whose scales are searched.

Usage: `python make_goldens.py [stories15M.bin]`. With the file, which llama2.c publishes under the
MIT licence, `weights.f16` is cut out of it again; without it the one here is used.

The inputs are not stored: tests/common/mod.rs makes the same ones from the same random numbers.
"""

import ctypes
import pathlib
import sys

import gguf
import llama_cpp
import numpy as np
from gguf import GGMLQuantizationType as T

HERE = pathlib.Path(__file__).parent
LIB = ctypes.CDLL(str(pathlib.Path(llama_cpp.__file__).parent / "lib" / "libggml-base.so"))
LIB.ggml_quantize_chunk.restype = ctypes.c_size_t

READ = ["F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K"]
READ += ["Q6_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ4_NL", "IQ4_XS"]
EXACT = ["F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"]
EXACT_C = {"Q8_1": (32, 36), "Q8_K": (256, 292)}
SEARCHED = ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS"]
COUNT = 1 << 16


def random_words(seed, count):
    """The first numbers of SplitMix64."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(
            0x9E3779B97F4A7C15
        )
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def bell(seed):
    """Integers whose distribution is close to normal: the sum of four uniform ones."""
    return random_words(seed, COUNT).view(np.uint16).reshape(-1, 4).astype(np.int64).sum(1) - 131070


def coarse():
    """Few different values, so that there are ties, zero blocks, and very small and large ones."""
    values = (random_words(3, COUNT) % np.uint64(8)).astype(np.float32) / 2 - 2
    factors = np.array([0.0, 1.0, 2.0**-22, 8192.0], dtype=np.float32)
    # Numpy picks any of 0 and -0 as the smaller one: adding 0 leaves no -0.
    return values * factors[np.arange(COUNT) // 32 % 4] + np.float32(0)


def inputs():
    """Name and numbers of each input of the quantizers."""
    return {
        "normal": (bell(1) / 65536).astype(np.float32),
        "heavy": (bell(2).astype(np.float64) ** 3 / 2.0**44).astype(np.float32),
        "coarse": coarse(),
        "weights": np.fromfile(HERE / "weights.f16", dtype=np.float16).astype(np.float32),
    }


def fnv(data):
    """FNV-1a over 32-bit words, to compare much data with little."""
    state = 0xCBF29CE484222325
    for word in np.ascontiguousarray(data).view(np.uint32).ravel().tolist():
        state = ((state ^ word) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{state:016x}"


def canonical(values):
    """Bits in which all not-a-numbers are the same."""
    values = values.astype(np.float32)
    return np.where(np.isnan(values), np.uint32(0x7FC00000), values.view(np.uint32))


def dequantize_goldens():
    """Per format: name, blocks, hash of all numbers, bytes and numbers of the first sane block."""
    for name in READ:
        length, size = gguf.GGML_QUANT_SIZES[T[name]]
        blocks = max(COUNT // length, 256)
        data = random_words(READ.index(name) + 100, blocks * size // 8 + 1).view(np.uint8)
        data = data[: blocks * size].reshape(blocks, size)
        with np.errstate(all="ignore"):
            values = gguf.quants.dequantize(data, T[name]).reshape(blocks, length)
        first = int(np.argmax(np.isfinite(values).all(axis=1)))
        numbers = " ".join(f"{bits:08x}" for bits in canonical(values[first]))
        yield f"{name} {blocks} {fnv(canonical(values))}\n{data[first].tobytes().hex()}\n{numbers}\n"


def quantize_c(name, values):
    """Bytes that ggml's reference function writes for activations."""
    length, size = EXACT_C[name]
    out = np.zeros(len(values) // length * size, dtype=np.uint8)
    function = getattr(LIB, f"quantize_row_{name.lower().replace('_k', '_K')}_ref")
    function(pointer(values), pointer(out), ctypes.c_int64(len(values)))
    return out


def pointer(array):
    """The address of an array."""
    return ctypes.c_void_p(array.ctypes.data)


def quantize_goldens():
    """Per format and input: the hash of the bytes."""
    for kind, values in inputs().items():
        for name in EXACT:
            with np.errstate(all="ignore"):
                data = gguf.quants.quantize(values, T[name]).view(np.uint8)
            yield f"{name} {kind} {fnv(data)}\n"
        for name in EXACT_C:
            yield f"{name} {kind} {fnv(quantize_c(name, values))}\n"


def error_goldens():
    """Per format and input: the root mean square of ggml's errors, and the same with each error
    weighted by the number."""
    for kind, values in inputs().items():
        if kind == "coarse":
            continue
        for name in SEARCHED:
            length, size = gguf.GGML_QUANT_SIZES[T[name]]
            out = np.zeros(len(values) // length * size, dtype=np.uint8)
            rows = [ctypes.c_int64(n) for n in (0, len(values) // 256, 256)]
            LIB.ggml_quantize_chunk(T[name].value, pointer(values), pointer(out), *rows, None)
            error = (gguf.quants.dequantize(out, T[name]) - values).astype(np.float64)
            plain = np.sqrt(np.mean(error**2))
            weighted = np.sqrt(np.mean((error * values) ** 2))
            yield f"{name} {kind} {plain:.6e} {weighted:.6e}\n"


def cut_weights(path):
    """Rows of an attention and a feed-forward matrix, in half precision."""
    weights = np.fromfile(path, dtype=np.float32, offset=28)
    dim, hidden, layers, vocabulary = 288, 768, 6, 32000
    attention = vocabulary * dim + layers * dim + 3 * dim * dim
    feed_forward = vocabulary * dim + 2 * layers * dim + 4 * layers * dim * dim + dim * hidden
    parts = [weights[start : start + 8192] for start in (attention, feed_forward)]
    np.concatenate(parts).astype(np.float16).tofile(HERE / "weights.f16")


def write(name, lines):
    """Writes one golden file."""
    (HERE / name).write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        cut_weights(sys.argv[1])
    write("dequantize.txt", dequantize_goldens())
    write("quantize.txt", quantize_goldens())
    write("errors.txt", error_goldens())
