"""Measures llama.cpp through its Python binding, in llama-bench's JSON form.

    python3 -m venv venv && venv/bin/pip install --no-binary llama-cpp-python llama-cpp-python==0.3.36
    venv/bin/python docs/bench/bench_llama_cpp.py MODEL.gguf -p 512 -n 128 -r 5 -t 2

Built from source, the library uses every instruction set of this machine. Only `llama_decode` is timed,
as in llama-bench: random tokens, one warm-up, the cache cleared before each test.
"""

import argparse
import ctypes
import json
import random
import statistics
import time

import llama_cpp as ll


def decode(context, tokens, position):
    array = (ll.llama_token * len(tokens))(*tokens)
    batch = ll.llama_batch_get_one(array, len(tokens))
    if ll.llama_decode(context, batch) != 0:
        raise RuntimeError("llama_decode failed")
    ll.llama_synchronize(context)
    return position + len(tokens)


def prefill(context, count, vocabulary, batch):
    tokens = [random.randrange(vocabulary) for _ in range(count)]
    for start in range(0, count, batch):
        decode(context, tokens[start : start + batch], start)


def run(context, vocabulary, n_prompt, n_gen, n_depth, batch):
    ll.llama_memory_clear(ll.llama_get_memory(context), True)
    prefill(context, n_depth, vocabulary, batch)
    start = time.perf_counter_ns()
    prefill(context, n_prompt, vocabulary, batch)
    for _ in range(n_gen):
        decode(context, [random.randrange(vocabulary)], 0)
    return time.perf_counter_ns() - start


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("-p", type=int, default=512)
    parser.add_argument("-n", type=int, default=128)
    parser.add_argument("-d", type=int, default=0)
    parser.add_argument("-r", type=int, default=5)
    parser.add_argument("-t", type=int, default=2)
    arguments = parser.parse_args()

    ll.llama_backend_init()
    silent = ll.llama_log_callback(lambda level, text, data: None)
    ll.llama_log_set(silent, ctypes.c_void_p(0))
    model = ll.llama_model_load_from_file(arguments.model.encode(), ll.llama_model_default_params())
    parameters = ll.llama_context_default_params()
    parameters.n_ctx = arguments.d + arguments.p + arguments.n + 64
    parameters.n_batch = parameters.n_ubatch = 512
    parameters.n_threads = parameters.n_threads_batch = arguments.t
    context = ll.llama_init_from_model(model, parameters)
    vocabulary = ll.llama_vocab_n_tokens(ll.llama_model_get_vocab(model))

    records = []
    for n_prompt, n_gen in ((arguments.p, 0), (0, arguments.n)):
        if n_prompt + n_gen == 0:
            continue
        run(context, vocabulary, n_prompt, n_gen, arguments.d, 512)
        samples = [
            run(context, vocabulary, n_prompt, n_gen, arguments.d, 512) for _ in range(arguments.r)
        ]
        rates = [(n_prompt + n_gen) * 1e9 / sample for sample in samples]
        records.append(
            {
                "model_filename": arguments.model,
                "n_threads": arguments.t,
                "n_prompt": n_prompt,
                "n_gen": n_gen,
                "n_depth": arguments.d,
                "avg_ts": statistics.mean(rates),
                "stddev_ts": statistics.stdev(rates) if len(rates) > 1 else 0.0,
                "samples_ns": samples,
                "samples_ts": rates,
            }
        )
    print(json.dumps(records, indent=1))


main()
