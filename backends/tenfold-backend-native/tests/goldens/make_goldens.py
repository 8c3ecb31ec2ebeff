"""Makes greedy.json and perplexity.json with llama.cpp, the independent reference.

    python3 -m venv venv && venv/bin/pip install llama-cpp-python==0.3.36 numpy
    venv/bin/python make_goldens.py PAGE.txt smollm2:135m=FILE.gguf gemma3:270m=FILE.gguf ...

greedy.json: for each model ten prompts with their tokens, 64 greedy tokens, and for each of them the
two best logits. Two engines that round differently may part wherever those two are close, so the
prompts are the first ten of a pool whose first 24 tokens are nowhere closer than MARGIN: what differs
there is a mistake and no tie. perplexity.json: the mean negative log likelihood of the tokens of a page
of text, the first one excepted.
"""

import hashlib
import json
import sys

import numpy
from llama_cpp import Llama

OUTPUT_TOKENS = 64

SETTLED_TOKENS = 24
MARGIN = 0.25
PROMPTS = 10

TOPICS = [
    "a lighthouse", "a bicycle", "bread", "the moon", "a violin", "photosynthesis", "a prime number",
    "gravity", "a recursive function", "the heart", "tea", "an island", "a volcano", "chess", "a rainbow",
    "a sorting algorithm", "the French Revolution", "a compass", "a hash table", "snow", "a bridge",
    "electricity", "a poem", "a binary tree", "coffee", "the Nile", "a database", "a telescope", "salt",
    "an eclipse",
]
QUESTIONS = ["What is {}?", "Explain {} to a child.", "Write one sentence about {}.", "List three facts about {}."]
BEGINNINGS = [
    "Here is what everyone should know about {}. First,",
    "An encyclopedia entry on {}:",
    "Question: What is {}?\nAnswer:",
    "1, 2, 3, 4, 5, 6, 7, 8, 9, 10. Now {}:",
]
RECITED = [
    "Monday, Tuesday, Wednesday,",
    "A B C D E F G H I J",
    "1 2 3 4 5 6 7 8",
    "January, February, March,",
    "The capital of France is Paris. The capital of Germany is Berlin. The capital of Italy is",
    "2 + 2 = 4\n3 + 3 = 6\n4 + 4 = 8\n",
    "def add(a, b):\n    return a + b\n\ndef subtract(a, b):\n    return a - b\n\ndef multiply(a, b):\n",
    "one two three four five six",
    "Our Father who art in heaven, hallowed be thy name;",
    "Twinkle, twinkle, little star, how I wonder what you are!",
    "<html>\n<head>\n<title>Page</title>\n</head>\n<body>\n",
    "import numpy as np\nimport matplotlib.pyplot as plt\n\nx = np.linspace(0, 10, 100)\n",
]


def chatml(question):
    return (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
        f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
    )


def prompts(model):
    """Base models continue texts, the others answer questions."""
    if model.startswith("gemma"):
        return RECITED + [text.format(topic) for text in BEGINNINGS for topic in TOPICS]
    return [chatml(text.format(topic)) for topic in TOPICS for text in QUESTIONS]


def runs_of(llm, model):
    found = []
    for text in prompts(model):
        run = greedy(llm, text)
        if run is not None:
            found.append(run)
        if len(found) == PROMPTS:
            return found
    raise RuntimeError(f"{model}: only {len(found)} prompts have no close call; extend the pool")


def last_logits(llm):
    pointer = llm._ctx.get_logits_ith(-1)
    return numpy.ctypeslib.as_array(pointer, shape=(llm.n_vocab(),)).copy()


def greedy(llm, text):
    """The run, or None if it has a close call among the settled tokens."""
    tokens = llm.tokenize(text.encode(), add_bos=True, special=True)
    llm.reset()
    llm.eval(tokens)
    output, top = [], []
    for _ in range(OUTPUT_TOKENS):
        logits = last_logits(llm)
        first, second = numpy.argsort(-logits, kind="stable")[:2]
        output.append(int(first))
        top.append([round(float(logits[first]), 4), int(second), round(float(logits[second]), 4)])
        if len(output) <= SETTLED_TOKENS and logits[first] - logits[second] < MARGIN:
            return None
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
        runs[model] = {"sha256": digest, "runs": runs_of(llm, model)}
        llm.close()
        perplexities[model] = {"sha256": digest, **negative_log_likelihood(path, page)}
        print(model, perplexities[model], flush=True)
    json.dump(runs, open("greedy.json", "w"), separators=(",", ":"))
    json.dump(perplexities, open("perplexity.json", "w"), indent=1)


main()
