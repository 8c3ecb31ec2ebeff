"""Writes styles.json: what the templates of this project render.

`tests/templates` holds templates in the styles of well-known models, `src/fallback` the ones for models
without a template. Every prompt is stored as a hash; one of each template, of the conversation "system
and turns" or where that is refused "turns", in full.

    python3 make_styles.py
"""

import hashlib
import json

import reference

TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}
CRATE = reference.HERE.parents[1]


def prompt(source, conversation):
    try:
        return reference.render(source, conversation, TOKENS)
    except reference.Refused:
        return "refused"


def shortened(prompt):
    if prompt is None or prompt == "refused":
        return prompt
    return hashlib.sha256(prompt.encode()).hexdigest()[:16]


def main():
    conversations = reference.conversations()
    ids = [conversation["id"] for conversation in conversations]
    lines = []
    for path in sorted([*CRATE.glob("tests/templates/*.jinja"), *CRATE.glob("src/fallback/*.jinja")]):
        source = path.read_text(encoding="utf-8")
        prompts = [prompt(source, conversation) for conversation in conversations]
        examples = [prompts[ids.index(id)] for id in ("system and turns", "turns")]
        entry = {
            "template": str(path.relative_to(CRATE)),
            "prompts": [shortened(prompt) for prompt in prompts],
            "example": next(it for it in examples if it and it != "refused"),
        }
        lines.append(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))
        failed = [id for id, prompt in zip(ids, prompts) if prompt is None]
        print(entry["template"], "fails:" if failed else "", *failed)
    (reference.HERE / "styles.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


main()
