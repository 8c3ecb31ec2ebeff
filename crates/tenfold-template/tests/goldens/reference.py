"""The reference: a template rendered by transformers, at a fixed time.

    pip install jinja2 transformers        (made with jinja2 3.1.6, transformers 5.24.0)
"""

import datetime
import json
import logging
import pathlib

import jinja2
from transformers.utils import chat_template_utils

logging.getLogger("transformers").setLevel(logging.ERROR)
HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2024, 7, 6, 9, 5, 3)


class FixedTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


chat_template_utils.datetime = FixedTime


def conversations():
    return json.loads((HERE / "conversations.json").read_text(encoding="utf-8"))


class Refused(Exception):
    """The template called raise_exception."""


def render(template, conversation, tokens):
    """The prompt; None where jinja2 fails, as opposed to the template refusing the conversation."""
    try:
        prompts, _ = chat_template_utils.render_jinja_template(
            [conversation["messages"]],
            tools=conversation["tools"] or None,
            chat_template=template,
            add_generation_prompt=conversation["start"],
            **tokens,
            **conversation["extra"],
        )
        return prompts[0]
    except Exception as error:
        if type(error) is jinja2.exceptions.TemplateError:
            raise Refused(str(error)) from error
        return None
