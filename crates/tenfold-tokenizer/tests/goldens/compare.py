"""Compares Tenfold with the reference on texts made by chance, and shows where they part.

    python compare.py ANSWER VOCABULARY [--count 100000] [--seed 1]

ANSWER is the example `answer` of this crate, built with `cargo build --example answer`. The reference for a
GGUF file is llama.cpp (package xllamacpp), for a tokenizer.json the library tokenizers.
"""

import argparse
import itertools
import re
import struct
import subprocess
import sys
import tempfile

from texts import Texts


def numbers(values):
    return struct.pack(f"<{len(values)}I", *values)


def ask(answer, path, questions):
    """What Tenfold answers; a question is a code and bytes."""
    with tempfile.TemporaryFile() as asked:
        for code, data in questions:
            asked.write(numbers([code, len(data)]) + data)
        asked.seek(0)
        output = subprocess.run([answer, path], stdin=asked, stdout=subprocess.PIPE, check=True).stdout
    at = 0
    for code, _ in questions:
        (count,) = struct.unpack_from("<I", output, at)
        at += 4
        if code < 4 or code > 11:
            yield list(struct.unpack_from(f"<{count}I", output, at))
            at += count * 4
        else:
            yield output[at : at + count]
            at += count


# Code points beyond U+10FFFF: llama.cpp ends the program where it writes one.
BEYOND = re.compile(rb"\xf4[\x90-\xbf][\x80-\xbf]{2}|[\xf5-\xf7][\x80-\xbf]{3}")


class LlamaReference:
    valid = False

    def __init__(self, path):
        from llama import SENTENCEPIECE, UNIGRAM, Vocab

        self.vocab = Vocab(path)
        self.count = self.vocab.count
        self.takes_any_point = self.vocab.type in (SENTENCEPIECE, UNIGRAM)

    def specials(self):
        return [self.vocab.text(token) for token in range(self.count) if self.vocab.is_matched(token)]

    def pieces(self):
        some = range(0, self.count, 1 + self.count // 5000)
        texts = (self.vocab.detokenize([token]).decode("utf-8", "ignore") for token in some)
        return [text for text in texts if text]

    def ends(self):
        return self.vocab.ends()

    def special(self):
        return [token for token in range(self.count) if self.vocab.is_special(token)]

    def can_answer(self, data):
        return self.takes_any_point or not BEYOND.search(data)

    def tokenize(self, data, code):
        return self.vocab.tokenize(data, bool(code & 1), bool(code & 2))

    def detokenize(self, ids, code):
        if code & 1:
            # The reference lets a special token that is left out use up the space before the text.
            ids = [token for token in ids if not self.vocab.is_special(token)]
        return self.vocab.detokenize(ids, not code & 1)


class JsonReference:
    valid = True

    def __init__(self, path):
        from tokenizers import Tokenizer

        self.parsing, self.plain = Tokenizer.from_file(path), Tokenizer.from_file(path)
        for tokenizer in (self.parsing, self.plain):
            tokenizer.no_padding()
            tokenizer.no_truncation()
        self.plain.encode_special_tokens = True
        self.count = self.plain.get_vocab_size()

    def specials(self):
        return [token.content for token in self.plain.get_added_tokens_decoder().values()]

    def pieces(self):
        ids = range(0, self.count, 1 + self.count // 5000)
        return [text for text in (self.plain.decode([id], skip_special_tokens=False) for id in ids) if text]

    def ends(self):
        return None

    def special(self):
        return sorted(token for token, added in self.plain.get_added_tokens_decoder().items() if added.special)

    def can_answer(self, data):
        return True

    def tokenize(self, data, code):
        tokenizer = self.parsing if code & 2 else self.plain
        return tokenizer.encode(data.decode("utf-8"), add_special_tokens=bool(code & 1)).ids

    def detokenize(self, ids, code):
        return self.plain.decode(ids, skip_special_tokens=bool(code & 1)).encode("utf-8")


def compare_tokens(answer, path, reference):
    """Which tokens end generation, and which are no part of the text."""
    ends, special = ask(answer, path, [(12, b""), (13, b"")])
    for name, ours, expected in [("ends", ends, reference.ends()), ("special", special, reference.special())]:
        if expected is not None and ours != expected:
            print(f"{path}: {name}: ours {sorted(set(ours) - set(expected))}, reference {sorted(set(expected) - set(ours))}")


def compare(answer, path, count, seed, shown=10):
    """How many texts part, and how many lists of ids."""
    reference = (JsonReference if path.endswith(".json") else LlamaReference)(path)
    compare_tokens(answer, path, reference)
    texts = Texts(seed, reference.specials(), reference.pieces(), reference.valid)
    answerable = itertools.islice(filter(reference.can_answer, texts), count)
    questions = [(texts.random.randrange(4), text) for text in answerable]
    parted, lists = 0, []
    for (code, data), ids in zip(questions, ask(answer, path, questions)):
        expected = reference.tokenize(data, code)
        lists.append(expected)
        if ids != expected:
            parted += 1
            if parted <= shown:
                print(f"text {data!r} special {code:02b}\n  ours      {ids}\n  reference {expected}")
    # Ids as text gives them, and any ids at all.
    lists = lists[: count // 4]
    lists += [[texts.random.randrange(reference.count) for _ in range(texts.random.randrange(8))] for _ in range(count // 8)]
    questions = [(texts.random.choice([4, 5]), numbers(ids)) for ids in lists]
    questions += [(code + 4, data) for code, data in questions]
    answers = list(ask(answer, path, questions))
    parted_ids = 0
    for ids, (code, _), whole, steps in zip(lists, questions, answers, answers[len(lists) :]):
        expected = reference.detokenize(ids, code)
        whole = whole.decode("utf-8", "replace") if reference.valid else whole
        expected = expected.decode("utf-8") if reference.valid else expected
        if whole != expected:
            parted_ids += 1
            if parted_ids <= shown:
                print(f"ids {ids} skip {code & 1}\n  ours      {whole!r}\n  reference {expected!r}")
    return parted, parted_ids, len(lists)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("answer")
    parser.add_argument("vocabularies", nargs="+")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shown", type=int, default=10)
    options = parser.parse_args()
    failed = False
    for path in options.vocabularies:
        parted, parted_ids, lists = compare(options.answer, path, options.count, options.seed, options.shown)
        print(f"{path}: {parted} of {options.count} texts and {parted_ids} of {lists} id lists part", flush=True)
        failed |= parted + parted_ids > 0
    sys.exit(failed)


if __name__ == "__main__":
    main()
