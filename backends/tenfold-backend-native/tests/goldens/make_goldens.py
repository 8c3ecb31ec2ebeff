"""Makes greedy.json and perplexity.json with llama.cpp, the independent reference.

    python3 -m venv venv && venv/bin/pip install llama-cpp-python==0.3.36 numpy
    venv/bin/python make_goldens.py PAGE.txt smollm2:135m=FILE.gguf gemma3:270m=FILE.gguf ...

greedy.json: for each model and prompt the prompt's tokens, 64 greedy tokens, and for each of them the
two best logits, so that a test can tell a near tie from a mistake. perplexity.json: the mean negative
log likelihood of the tokens of a page of text, the first one excepted.
"""

import hashlib
import json
import sys

import numpy
from llama_cpp import Llama

OUTPUT_TOKENS = 64

QUESTIONS = [
    "Give me three tips for sleeping better.",
    "Explain why the sky is blue in two sentences.",
    "Write a short poem about the sea.",
    "What is the difference between a list and a tuple in Python?",
    "Translate to French: The cat sleeps on the chair.",
    "List five uses of a paper clip.",
    "Write a function that reverses a string.",
    "Who was Marie Curie?",
    "Summarize: The meeting was moved to Friday because the room was taken.",
    "How do I boil an egg?",
]
BEGINNINGS = [
    "The history of the bicycle begins",
    "Once upon a time there was a little lighthouse",
    "In mathematics, a prime number is",
    "To make a good cup of tea, first",
    "The capital of France is",
    "def fibonacci(n):",
    "Dear Sir or Madam,\n\nI am writing to",
    "The three most important things in life are",
    "Water boils at a temperature of",
    "She opened the door slowly and saw",
]


def chatml(question):
    return (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
        f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
    )


def prompts(model):
    return BEGINNINGS if model.startswith("gemma") else [chatml(q) for q in QUESTIONS]


def last_logits(llm):
    pointer = llm._ctx.get_logits_ith(-1)
    return numpy.ctypeslib.as_array(pointer, shape=(llm.n_vocab(),)).copy()


def greedy(llm, text):
    tokens = llm.tokenize(text.encode(), add_bos=True, special=True)
    llm.reset()
    llm.eval(tokens)
    output, top = [], []
    for _ in range(OUTPUT_TOKENS):
        logits = last_logits(llm)
        first, second = numpy.argsort(-logits, kind="stable")[:2]
        output.append(int(first))
        top.append([round(float(logits[first]), 4), int(second), round(float(logits[second]), 4)])
        if int(first) == llm.token_eos():
            break
        llm.eval([int(first)])
    return {"prompt": text, "prompt_tokens": tokens, "tokens": output, "top": top}


def negative_log_likelihood(path, page):
    llm = Llama(path, n_ctx=2048, n_batch=512, n_threads=2, logits_all=True, verbose=False)
    tokens = llm.tokenize(page, add_bos=True, special=False)[:1024]
    llm.eval(tokens)
    logits = llm.scores[: len(tokens) - 1].astype(numpy.float64)
    peak = logits.max(axis=1, keepdims=True)
    total = numpy.log(numpy.exp(logits - peak).sum(axis=1)) + peak[:, 0]
    losses = total - logits[numpy.arange(len(tokens) - 1), tokens[1:]]
    return {"tokens": len(tokens), "nll": round(float(losses.mean()), 6)}


def main():
    page = open(sys.argv[1], "rb").read()
    runs, perplexities = {}, {}
    for argument in sys.argv[2:]:
        model, path = argument.split("=", 1)
        digest = hashlib.sha256(open(path, "rb").read()).hexdigest()
        llm = Llama(path, n_ctx=1024, n_batch=512, n_threads=2, verbose=False)
        runs[model] = {"sha256": digest, "runs": [greedy(llm, text) for text in prompts(model)]}
        llm.close()
        perplexities[model] = {"sha256": digest, **negative_log_likelihood(path, page)}
        print(model, perplexities[model], flush=True)
    json.dump(runs, open("greedy.json", "w"), separators=(",", ":"))
    json.dump(perplexities, open("perplexity.json", "w"), indent=1)


main()
