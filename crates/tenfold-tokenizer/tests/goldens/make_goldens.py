"""Writes what llama.cpp and the library tokenizers make of some hundred texts, for the vocabularies beside.

    python make_goldens.py [NAME…] [SMOLLM2.gguf]

NAME is one of the vocabularies or `json`; without any argument, all of these are done. The real file of SmolLM2-135M
gives the goldens of that one. Needs the packages xllamacpp, gguf,
tokenizers, transformers and sentencepiece.
"""

import itertools
import pathlib
import string
import sys
import tempfile

import tokenizers

import llama
from compare import BEYOND
from components import COMPONENTS, assemble
from texts import APOSTROPHES, BAD_BYTES, CODE, EMOJI, ENDINGS, SENTENCES, SPACES, WORDS, Texts
from vocabularies import compact, read, write_gguf

FOLDER = pathlib.Path(__file__).parent
NAMES = string.digits + string.ascii_letters

PRE_TOKENIZERS = (
    "default llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano deepseek-llm deepseek-coder "
    "deepseek-v3 spark2_5 youtu falcon mpt starcoder gpt-2 phi-2 jina-es jina-de gigachat jina-v2-es jina-v2-de a.x-4.0 "
    "mellum modern-bert jais-2 jina-v1-en jina-v2-code roberta-bpe refact command-r qwen2 deepseek-r1-qwen kormo f2llmv2 "
    "qwen35 stablelm2 olmo dbrx smaug-bpe poro-chat chatglm-bpe glm4 glm5 viking jais tekken smollm codeshell bloom "
    "gpt3-finnish exaone exaone4 exaone-moe chameleon minerva-7b megrez gpt-4o llama4 kanana2 talkie "
    "granite-embed-multi-97m tiny_aya cohere2moe superbpe trillion granite-docling bailingmoe bailingmoe2 llada-moe "
    "seed-coder hunyuan hunyuan-dense hy_v4 joyai-llm kimi-k2 ufakzeka grok-2 afmoe laguna minimax-m2 solar-open mellum2 "
    "minicpm5 k2-horizon"
).split()

# For each vocabulary: the ways to read it.
VARIANTS = {
    "byte_level": [{"pre": name} for name in [*PRE_TOKENIZERS, None]]
    + [
        {"pre": "qwen2", "flags": {"add_bos_token": True, "add_eos_token": True}},
        {"pre": "gpt-2", "architecture": "jina-bert-v3"},
        {"pre": "modern-bert", "name": "Modern-BERT base"},
    ],
    "characters": [
        {"pre": "gemma4", "model": "gemma4"}, {"pre": "granite-embed-multi-311m"}, {"pre": "mmbert"}, {"pre": "sarvam-moe"},
        {"pre": "whitespace", "model": "whitespace"},
        {"pre": "whitespace", "model": "whitespace", "flags": {"normalizer.lowercase": True}},
    ],
    "sentence_piece": [
        {}, {"flags": {"add_space_prefix": False}}, {"flags": {"add_bos_token": False, "add_eos_token": True}},
        {"name": "Phi-3 mini"}, {"name": "my-phi3", "flags": {"add_space_prefix": False}},
    ],
    "unigram": [
        {"flags": {"add_space_prefix": prefix, "remove_extra_whitespaces": remove}}
        for prefix in (True, False)
        for remove in (True, False)
    ]
    + [{"charsmap": False}, {"flags": {"add_bos_token": True, "add_eos_token": False}}],
    "word_piece": [
        {}, {"flags": {"normalizer.lowercase": False}},
        {"flags": {"normalizer.lowercase": True, "normalizer.strip_accents": False}},
        {"flags": {"normalizer.lowercase": False, "normalizer.strip_accents": True}},
    ],
}


# Whole words without merges, special tokens that swallow white space, and cuts that few pre-tokenizers make.
PARTICULAR = [
    "zqxj wholeword Привет мир 123456 a b 中文字", "x <mask> y\n<mask> [MASK]", " \n [MASK] z\t<mask>", "I'sa O'nin d'sa 'SA",
    "\r\r\r a\n\n\n\nb \n\r\n\r\n", " \n \n\n x \r\r y", "a1b a!! !a 中a a中 한a x-y", "<|im_start|>user\nHi<|im_end|>\n", "<user>s <user> s",
    "a\u200cb\u200d c", "\t\t\tx\t y", "12345678 1,234,567.89 ٣٤٥٦", "<s>a</s> b<unk>", "<|turn>x<|turn> y", "<sep>a<sep> b",
    "[CLS] a [SEP]", "a@@b @@", "      x       y",
]


def chosen_texts():
    """Texts that each show one thing."""
    yield from (text.encode("utf-8") for text in PARTICULAR)
    yield from (text.encode("utf-8") for text in ["", *SENTENCES, *CODE, *EMOJI[::3], *WORDS[::4]])
    for index, space in enumerate(SPACES):
        before, after = "a1.中é"[index % 5], "b2!ก\u0301"[index * 3 % 5]
        yield (before + space + after + space).encode("utf-8")
    for index, ending in enumerate(ENDINGS):
        yield f"I{APOSTROPHES[index % len(APOSTROPHES)]}{ending} 'x{ending}'{ending}".encode("utf-8")
    for index, bad in enumerate(BAD_BYTES):
        yield [b"a", b" ", b"\xe4\xb8\xad", b"1"][index % 4] + bad + [b"b", b"\n", b"", bad][index % 4]


def differing_texts(ask, specials, valid, count):
    """Texts on which the variants part most, found among many."""
    texts = itertools.islice(filter(lambda data: len(data) < 60, Texts(77, specials, valid=valid)), 3_000)
    texts = [data for data in texts if data and not BEYOND.search(data)]
    shown = {data: what_it_shows(ask(data)) for data in dict.fromkeys(texts)}
    seen, chosen = set(), []
    while shown and len(chosen) < count:
        best = max(shown, key=lambda data: len(shown[data]) / (20 + len(data)))
        seen |= shown.pop(best)
        chosen.append(best)
        shown = {data: things - seen for data, things in shown.items()}
    return chosen


def what_it_shows(answers):
    """Which variants part from which, and the tokens that occur."""
    _, which = unique(answers)
    return {which, *itertools.chain(*answers)}


def unique(answers):
    """Each different answer once, and a letter for each variant that says which is its own."""
    different = [list(answer) for answer in dict.fromkeys(map(tuple, answers))]
    return different, "".join(NAMES[different.index(list(answer))] for answer in answers)


def written(data):
    try:
        return {"text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"bytes": data.hex()}


def shown(texts, data):
    """What ids are turned back into, as hexadecimal digits; nothing where that is the text itself."""
    if all(text == data for text in texts):
        return {}
    different = list(dict.fromkeys(texts))
    return {"shown": [written(text) for text in different], "shows": "".join(NAMES[different.index(text)] for text in texts)}


def case(data, special, tokenize, detokenize):
    answers = tokenize(data, special)
    ids, which = unique(answers)
    return {**written(data), "special": special, "ids": ids, "which": which, **shown(detokenize(answers), data)}


def cases(tokenize, detokenize, specials, valid, count):
    texts = [data for data in chosen_texts() if is_usable(data, valid)]
    texts += differing_texts(lambda data: tokenize(data, 3), specials, valid, count)
    return [case(data, (3, 0, 1, 2)[index % 4], tokenize, detokenize) for index, data in enumerate(dict.fromkeys(texts))]


def is_usable(data, valid):
    return not BEYOND.search(data) and not (valid and "bytes" in written(data))


def llama_goldens(name, folder):
    vocabulary = read(name)
    vocabs = []
    for index, variant in enumerate(VARIANTS[name]):
        path = f"{folder}/{name}-{index}.gguf"
        options = {key: value for key, value in variant.items() if key != "charsmap"}
        source = {**vocabulary, "charsmap": None} if variant.get("charsmap") is False else vocabulary
        write_gguf(path, source, **options)
        vocabs.append(llama.Vocab(path))

    def tokenize(data, special):
        return [vocab.tokenize(data, bool(special & 1), bool(special & 2)) for vocab in vocabs]

    def detokenize(answers):
        return [vocab.detokenize(ids) for vocab, ids in zip(vocabs, answers)]

    specials = [text for text, kind in zip(vocabulary["tokens"], vocabulary["kinds"]) if kind in "CU?"]
    found = cases(tokenize, detokenize, specials, False, 220)
    ends = [vocab.ends() for vocab in vocabs]
    return {"reference": llama.VERSION, "variants": VARIANTS[name], "ends": ends, "cases": found}


def json_goldens():
    parsing = [tokenizers.Tokenizer.from_str(compact(assemble(component))) for component in COMPONENTS]
    plain = [tokenizers.Tokenizer.from_str(compact(assemble(component))) for component in COMPONENTS]
    for tokenizer in plain:
        tokenizer.encode_special_tokens = True

    def tokenize(data, special):
        chosen = parsing if special & 2 else plain
        return [one.encode(data.decode("utf-8"), add_special_tokens=bool(special & 1)).ids for one in chosen]

    def detokenize(answers):
        return [one.decode(ids, skip_special_tokens=False).encode("utf-8") for one, ids in zip(plain, answers)]

    specials = ["<s>", "</s>", "<|im_start|>", "<user>", "[SEP]", "<sep>"]
    found = cases(tokenize, detokenize, specials, True, 200)
    return {"reference": f"tokenizers {tokenizers.__version__}", "variants": COMPONENTS, "cases": found}


def smollm2_by_transformers(path):
    """The vocabulary of the GGUF file, with the pre-tokenizer that the model's own tokenizer.json names."""
    import gguf
    import transformers
    from tokenizers import AddedToken, decoders, models, pre_tokenizers

    fields = gguf.GGUFReader(path).fields
    tokens, merges = (fields[f"tokenizer.ggml.{key}"].contents() for key in ("tokens", "merges"))
    kinds = fields["tokenizer.ggml.token_type"].contents()
    pairs = [tuple(merge.split(" ")) for merge in merges]
    library = tokenizers.Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, pairs))
    library.add_special_tokens([AddedToken(token, normalized=False) for token, kind in zip(tokens, kinds) if kind == 3])
    digits = pre_tokenizers.Digits(individual_digits=True)
    library.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    library.decoder = decoders.ByteLevel()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=library), transformers.__version__


def real_goldens(path):
    """SmolLM2 by llama.cpp and, where the text is valid, by transformers.

    The two part where a text has one of the few bytes that this vocabulary has no token for: one leaves such bytes out
    after the merges, the other before. Texts on which they part are left out.
    """
    vocab = llama.Vocab(path)
    fast, version = smollm2_by_transformers(path)
    parted = []

    def tokenize(data, special):
        ids = vocab.tokenize(data, bool(special & 1), bool(special & 2))
        if is_usable(data, True):
            options = {"add_special_tokens": bool(special & 1), "split_special_tokens": not special & 2}
            other = fast.encode(data.decode("utf-8"), **options)
            if other != ids:
                parted.append(written(data))
        return [ids]

    specials = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<repo_name>", "<file_sep>"]
    found = cases(tokenize, lambda answers: [vocab.detokenize(ids) for ids in answers], specials, False, 250)
    print("left out:", parted)
    found = [case for case in found if {key: case[key] for key in ("text", "bytes") if key in case} not in parted]
    return {"reference": f"{llama.VERSION}, transformers {version}", "cases": found}


def save(name, goldens):
    head = compact({key: value for key, value in goldens.items() if key != "cases"})[:-1]
    lines = ",\n".join(map(compact, goldens["cases"]))
    path = FOLDER / f"{name}.json"
    path.write_text(f'{head},"cases":[\n{lines}\n]}}\n', "utf-8")
    print(path.name, len(goldens["cases"]), "cases", path.stat().st_size, "bytes")


def main():
    files = [argument for argument in sys.argv[1:] if argument.endswith(".gguf")]
    names = [argument for argument in sys.argv[1:] if argument not in files]
    names = names or ([] if files else [*VARIANTS, "json"])
    with tempfile.TemporaryDirectory() as folder:
        for name in filter(VARIANTS.__contains__, names):
            save(f"gguf_{name}", llama_goldens(name, folder))
    if "json" in names:
        save("tokenizer_json", json_goldens())
    for file in files:
        save("smollm2", real_goldens(file))


if __name__ == "__main__":
    main()
