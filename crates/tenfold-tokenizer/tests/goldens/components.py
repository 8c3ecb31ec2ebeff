"""Descriptions of tokenizers as tokenizer.json holds them, around the vocabularies beside.

A description lacks its model; `assemble` puts it in, and the tests do the same.
"""

import copy

from vocabularies import read

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace("{1,3}", "")
TEKKEN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|"
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|"
    r"\s*[\r\n]+|\s+(?!\S)|\s+"
)


def split(pattern, behavior="Isolated"):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": False}


def byte_level(add_prefix_space=False, use_regex=False):
    return {"type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": True, "use_regex": use_regex}


def sequence(kind, *parts):
    key = {"normalizer": "normalizers", "pre_tokenizer": "pretokenizers", "decoder": "decoders"}[kind]
    return {"type": "Sequence", key: list(parts)}


def split_bytes(*patterns):
    parts = [split({"Regex": pattern}) for pattern in patterns]
    return sequence("pre_tokenizer", *parts, byte_level())


def template(first, last=None):
    def special(token):
        return {"SpecialToken": {"id": token, "type_id": 0}}

    single = [special(first)] if first else []
    single.append({"Sequence": {"id": "A", "type_id": 0}})
    single += [special(last)] if last else []
    return {"type": "TemplateProcessing", "single": single, "pair": single, "special_tokens": {}}


REPLACE_SPACE = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
SHOW_SPACE = {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}
STRIP_SPACE = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
BYTES = [SHOW_SPACE, {"type": "ByteFallback"}, {"type": "Fuse"}]
NFC = {"type": "NFC"}
BERT = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}

COMPONENTS = [
    {"name": "gpt2", "vocabulary": "byte_level", "pre_tokenizer": byte_level(use_regex=True), "decoder": byte_level()},
    {
        "name": "roberta", "vocabulary": "byte_level", "pre_tokenizer": byte_level(True, True), "decoder": byte_level(),
        "post_processor": template("<s>", "</s>"),
    },
    {
        "name": "llama3", "vocabulary": "byte_level", "pre_tokenizer": split_bytes(LLAMA3), "decoder": byte_level(),
        "post_processor": template("<s>"), "model": {"ignore_merges": True},
    },
    {
        "name": "qwen2", "vocabulary": "byte_level", "normalizer": NFC, "pre_tokenizer": split_bytes(QWEN2),
        "decoder": byte_level(), "post_processor": byte_level(),
    },
    {"name": "tekken", "vocabulary": "byte_level", "pre_tokenizer": split_bytes(TEKKEN), "decoder": byte_level()},
    {
        "name": "deepseek", "vocabulary": "byte_level", "decoder": byte_level(),
        "pre_tokenizer": split_bytes(r"\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+", r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+"),
    },
    {
        "name": "smollm", "vocabulary": "byte_level", "decoder": byte_level(),
        "pre_tokenizer": sequence(
            "pre_tokenizer", {"type": "Digits", "individual_digits": True}, byte_level(use_regex=True)
        ),
    },
    {
        "name": "llama2", "vocabulary": "characters", "decoder": sequence("decoder", *BYTES, STRIP_SPACE),
        "normalizer": sequence("normalizer", {"type": "Prepend", "prepend": "▁"}, REPLACE_SPACE),
        "post_processor": template("<s>"), "model": {"byte_fallback": True, "fuse_unk": True, "unk_token": "<unk>"},
    },
    {
        "name": "gemma", "vocabulary": "characters", "decoder": sequence("decoder", *BYTES), "normalizer": REPLACE_SPACE,
        "pre_tokenizer": split({"String": " "}, "MergedWithPrevious"), "post_processor": template("<s>"),
        "model": {"byte_fallback": True, "fuse_unk": True, "unk_token": "<unk>"},
    },
    {
        "name": "mistral", "vocabulary": "characters",
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False},
        "decoder": sequence("decoder", *BYTES, STRIP_SPACE), "post_processor": template("<s>"),
        "model": {"byte_fallback": True, "fuse_unk": True, "unk_token": "<unk>"},
    },
    {
        "name": "t5", "vocabulary": "unigram", "post_processor": template(None, "</s>"),
        "normalizer": sequence(
            "normalizer", {"type": "Precompiled"}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
        ),
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
    },
    {
        "name": "bert", "vocabulary": "word_piece", "normalizer": BERT, "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": template("[CLS]", "[SEP]"), "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    },
    {
        "name": "bert-cased", "vocabulary": "word_piece", "normalizer": {**BERT, "lowercase": False},
        "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": template("[CLS]", "[SEP]"),
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": False},
    },
]


def assemble(component):
    """The whole tokenizer.json."""
    vocabulary = read(component["vocabulary"])
    ids = {token: index for index, token in enumerate(vocabulary["tokens"])}
    parts = {key: copy.deepcopy(component.get(key)) for key in ("normalizer", "pre_tokenizer", "post_processor", "decoder")}
    fill_in(parts, vocabulary, ids)
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added_tokens(vocabulary), **parts,
        "model": MODELS[component["vocabulary"]](vocabulary, ids) | component.get("model", {}),
    }


def fill_in(value, vocabulary, ids):
    """Character map and ids, which a description leaves out."""
    if isinstance(value, dict):
        if value.get("type") == "Precompiled":
            value["precompiled_charsmap"] = vocabulary["charsmap"]
        if value.get("type") == "TemplateProcessing":
            named = [part["SpecialToken"]["id"] for part in value["single"] if "SpecialToken" in part]
            value["special_tokens"] = {token: {"id": token, "ids": [ids[token]], "tokens": [token]} for token in named}
        for part in value.values():
            fill_in(part, vocabulary, ids)
    elif isinstance(value, list):
        for part in value:
            fill_in(part, vocabulary, ids)


def added_tokens(vocabulary):
    return [
        {
            "id": index, "content": token, "single_word": False, "lstrip": token == "<mask>", "rstrip": False,
            "normalized": False, "special": kind != "U",
        }
        for index, (token, kind) in enumerate(zip(vocabulary["tokens"], vocabulary["kinds"]))
        if kind in "CU?"
    ]


def bpe(vocabulary, ids):
    merges = [merge.split(" ") for merge in vocabulary["merges"]]
    return {"type": "BPE", "vocab": ids, "merges": merges}


def unigram(vocabulary, ids):
    vocab = [list(pair) for pair in zip(vocabulary["tokens"], vocabulary["scores"])]
    return {"type": "Unigram", "unk_id": ids["<unk>"], "vocab": vocab, "byte_fallback": False}


def word_piece(vocabulary, ids):
    def piece(token):
        if token.startswith("[") and token.endswith("]") and len(token) > 2:
            return token
        return token[1:] if token.startswith("▁") else "##" + token

    vocab = {piece(token): index for token, index in ids.items()}
    return {
        "type": "WordPiece", "vocab": vocab, "unk_token": "[UNK]", "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
    }


MODELS = {"byte_level": bpe, "characters": bpe, "unigram": unigram, "word_piece": word_piece}
