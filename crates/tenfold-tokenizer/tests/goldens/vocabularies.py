"""Makes the small vocabularies of the goldens: one for each algorithm, trained on texts.py.

    python vocabularies.py

They are trained across word borders, so that a cut in the wrong place changes ids. The files are committed: a
newer library may train other ones.
"""

import base64
import io
import json
import pathlib
import tempfile
from collections import Counter

import gguf
import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from texts import Texts

FOLDER = pathlib.Path(__file__).parent / "vocabularies"
TOKEN_TYPES = {"N": 1, "?": 2, "C": 3, "U": 4, "X": 5, "B": 6}
TYPE_LETTERS = {number: letter for letter, number in TOKEN_TYPES.items()}
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]

# What a normalizer of SentencePiece replaces: characters by none, one or several.
REPLACED = {
    "ﬁ": "fi", "Ａ": "A", "ｗ": "w", "１": "1", "½": "1/2", "㎏": "kg", "①": "1", "ｶ": "カ", "e\u0301": "é", "a\u0308": "ä",
    "\u00a0": " ", "\u3000": " ", "\t": " ", "\n": " ", "\u200b": " ", "\u00ad": "", "ſ": "s", "İ": "i", "…": "...",
}


def byte_letters():
    """The alphabet of byte-level BPE."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return {byte: chr(byte) if byte in shown else chr(next(others)) for byte in range(256)}


LETTERS = byte_letters()


def spell(text):
    return "".join(LETTERS[byte] for byte in text.encode("utf-8"))


def corpus(count=12_000, common=600):
    """Texts of common characters, without the special tokens that vocabularies get."""
    texts = [data.decode("utf-8") for _, data in zip(range(count), Texts(3, specials=["@@"], valid=True))]
    known = {character for character, _ in Counter("".join(texts)).most_common(common)} - {"\0"}
    return ["".join(filter(known.__contains__, text)) for text in texts]


def train_bpe(texts, size, alphabet):
    tokenizer = Tokenizer(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=size, min_frequency=2, show_progress=False, initial_alphabet=alphabet, max_token_length=8
    )
    tokenizer.train_from_iterator(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return sorted(model["vocab"], key=model["vocab"].get), [" ".join(merge) for merge in model["merges"]]


def add_merges(tokens, merges, word):
    """Makes a word a token, letter by letter: words that the goldens must see cut or whole."""
    for end in range(2, len(word) + 1):
        if word[:end] not in tokens:
            tokens.append(word[:end])
            merges.append(f"{word[: end - 1]} {word[end - 1]}")


def with_special(tokens, special):
    """Adds tokens that text does not make, such as whole words without merges."""
    special = [(text, kind) for text, kind in special if text not in tokens]
    return tokens + [text for text, _ in special], "N" * len(tokens) + "".join(kind for _, kind in special)


def byte_level():
    alphabet = sorted(LETTERS.values())
    tokens, merges = train_bpe(map(spell, corpus()), 1_400, alphabet)
    for word in ["'sa", "'nin", "\r\r\r", "\n\n\n", "\n\r\n", "12345", "a1b", "!a", "a!", "x-y", "\u200ca", "中a", "한a", "\t\t"]:
        add_merges(tokens, merges, spell(word))
    whole = [spell(text) for text in ["zqxj", " wholeword", "Привет мир", "\n\n\n\n\n", "123456", "中文字", "a b"]]
    special = [(text, "N") for text in whole]
    special += [("<s>", "C"), ("</s>", "C"), ("<unk>", "?"), ("<|im_start|>", "C"), ("<|im_end|>", "C"), ("<user>", "U")]
    special += [("    ", "U"), ("<user>s", "U"), ("<image>", "C"), ("<mask>", "C"), ("[MASK]", "C")]
    tokens, kinds = with_special(tokens, special)
    return {"model": "gpt2", "tokens": tokens, "kinds": kinds, "merges": merges, "ids": named(tokens)}


def characters():
    texts = [text.replace(" ", "▁") for text in corpus(common=400)]
    tokens, merges = train_bpe(texts, 1_500, [])
    first = ["<pad>", "</s>", "<s>", "<unk>", "<mask>", *BYTES]
    tokens = first + [token for token in tokens if token not in first]
    special = [("<user>", "U"), ("\n\n", "N"), ("\n\n\n", "N"), ("▁▁▁▁▁▁", "U"), ("<|turn>", "C"), ("▁wholeword", "N")]
    tokens, kinds = with_special(tokens, special)
    kinds = "CCC?C" + "B" * 256 + kinds[len(first) :]
    return {"model": "gpt2", "tokens": tokens, "kinds": kinds, "merges": merges, "ids": named(tokens)}


def named(tokens):
    return {"bos": tokens.index("<s>"), "eos": tokens.index("</s>"), "unknown": tokens.index("<unk>")}


def train_sentencepiece(kind, size, **options):
    texts = [text.replace("\n", " ").replace("\r", " ") for text in corpus(common=350)]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=model, model_type=kind, vocab_size=size, character_coverage=1.0,
        minloglevel=2, max_sentencepiece_length=8, num_threads=1, **options,
    )
    parsed = sentencepiece_model_pb2.ModelProto()
    parsed.ParseFromString(model.getvalue())
    tokens = [piece.piece for piece in parsed.pieces]
    return {
        "tokens": tokens,
        "kinds": "".join(TYPE_LETTERS[piece.type] for piece in parsed.pieces),
        "scores": [round(piece.score, 4) for piece in parsed.pieces],
        "ids": named(tokens),
        "charsmap": base64.b64encode(parsed.normalizer_spec.precompiled_charsmap).decode("ascii"),
    }


def sentence_piece():
    made = train_sentencepiece(
        "bpe", 1_300, byte_fallback=True, normalization_rule_name="identity", split_by_whitespace=False,
        user_defined_symbols=["<user>", "\n\n", "▁▁▁▁▁▁"], control_symbols=["<|user|>", "<|end|>", "<|endoftext|>"],
    )
    del made["charsmap"]
    return {"model": "llama", **made}


def unigram():
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        for found, replacement in sorted(REPLACED.items()):
            rules.write("\t".join(" ".join(f"{ord(c):X}" for c in text) for text in (found, replacement)) + "\n")
        rules.flush()
        made = train_sentencepiece(
            "unigram", 1_000, normalization_rule_tsv=rules.name, user_defined_symbols=["<user>", "@@", "<sep>"]
        )
    return {"model": "t5", **made}


def word_piece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=1_500, show_progress=False, special_tokens=special, limit_alphabet=400)
    # A marker of its own would make first and later pieces alike in a GGUF file.
    tokenizer.train_from_iterator((text.replace("▁", "") for text in corpus(common=1_000)), trainer)
    vocabulary = tokenizer.get_vocab()
    tokens = [gguf_piece(token) for token in sorted(vocabulary, key=vocabulary.get)]
    ids = {"bos": 2, "cls": 2, "seperator": 3, "unknown": 1, "padding": 0, "mask": 4}
    return {"model": "bert", "tokens": tokens, "kinds": "CCCCC" + "N" * (len(tokens) - 5), "ids": ids}


def gguf_piece(token):
    if token.startswith("[") and token.endswith("]") and len(token) > 2:
        return token
    return token[2:] if token.startswith("##") else "▁" + token


def write_gguf(path, vocabulary, pre=None, architecture="llama", name=None, model=None, flags=None):
    """The vocabulary as a GGUF file without tensors."""
    writer = gguf.GGUFWriter(path, architecture)
    if name:
        writer.add_name(name)
    writer.add_string("tokenizer.ggml.model", model or vocabulary["model"])
    if pre is not None:
        writer.add_string("tokenizer.ggml.pre", pre)
    writer.add_array("tokenizer.ggml.tokens", vocabulary["tokens"])
    writer.add_array("tokenizer.ggml.token_type", [TOKEN_TYPES[kind] for kind in vocabulary["kinds"]])
    for key in ("scores", "merges"):
        if key in vocabulary:
            writer.add_array(f"tokenizer.ggml.{key}", vocabulary[key])
    for key, value in vocabulary["ids"].items():
        writer.add_uint32(f"tokenizer.ggml.{key}_token_id", value)
    for key, value in (flags or {}).items():
        writer.add_bool(f"tokenizer.ggml.{key}", value)
    if vocabulary.get("charsmap"):
        charsmap = list(base64.b64decode(vocabulary["charsmap"]))
        key = "tokenizer.ggml.precompiled_charsmap"
        writer.add_key_value(key, charsmap, gguf.GGUFValueType.ARRAY, gguf.GGUFValueType.UINT8)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def read(name):
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def main():
    FOLDER.mkdir(exist_ok=True)
    makers = {
        "byte_level": byte_level, "characters": characters, "sentence_piece": sentence_piece, "unigram": unigram,
        "word_piece": word_piece,
    }
    for name, make in makers.items():
        (FOLDER / f"{name}.json").write_text(compact(make()) + "\n", "utf-8")


if __name__ == "__main__":
    main()
