"""Writes conversations.json: what every template of the goldens has to render.

Each entry: messages as the OpenAI API shapes them, whether the answer shall begin, tools, and further
variables of the template.

    python3 make_conversations.py
"""

import json
import pathlib

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells the weather of a place.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "A city, such as Málaga or 札幌."},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
            },
            "required": ["city"],
        },
    },
}
PLAN = {
    "type": "function",
    "function": {
        "name": "plan_trip",
        "description": 'Plans a trip; "quotes", <tags> & \\slashes\\ included.',
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {
                "stops": {
                    "type": "array",
                    "description": "Places in order.",
                    "items": {
                        "type": "object",
                        "properties": {
                            "name": {"type": "string"},
                            "nights": {"type": "integer", "minimum": 1, "maximum": 30},
                            "position": {"type": "array", "items": {"type": "number"}},
                        },
                        "required": ["name"],
                    },
                },
                "budget": {"type": "number", "default": 1e16, "examples": [0.1, 1e-7, 100.0, -3]},
                "flexible": {"type": "boolean", "default": False},
                "note": {"type": ["string", "null"], "default": None},
            },
            "required": ["stops", "budget"],
        },
    },
}


def system(content):
    return {"role": "system", "content": content}


def user(content):
    return {"role": "user", "content": content}


def assistant(content, reasoning=None, calls=()):
    message = {"role": "assistant", "content": content}
    if reasoning is not None:
        message["reasoning_content"] = reasoning
    if calls:
        message["tool_calls"] = [
            {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
            for id, name, arguments in calls
        ]
    return message


def tool(content, id):
    return {"role": "tool", "content": content, "tool_call_id": id}


def entry(id, messages, start=True, tools=(), **extra):
    return {"id": id, "messages": messages, "start": start, "tools": list(tools), "extra": extra}


TURNS = [user("Hello!"), assistant("Hi, how can I help?"), user("What is 2 + 2?")]
CALL = assistant("", calls=[("a1B2c3D4e", "get_weather", {"city": "Málaga", "unit": "celsius"})])
ANSWERED = [user("Weather in Málaga?"), CALL, tool('{"sky": "clear", "°C": 31.5}', "a1B2c3D4e")]
BOTH = assistant(
    "I look it up.",
    calls=[
        ("callNum01", "get_weather", {"city": "札幌"}),
        ("callNum02", "plan_trip", {"stops": [{"name": "Oslo", "nights": 2}], "budget": 0.5}),
    ],
)

CONVERSATIONS = [
    entry("user", [user("Hello!")]),
    entry("user, no answer begun", [user("Hello!")], start=False),
    entry("system", [system("You are terse."), user("Hello!")]),
    entry("turns", TURNS),
    entry("system and turns", [system("You are terse."), *TURNS]),
    entry("ends with the assistant", [system("You are terse."), *TURNS, assistant("4")], start=False),
    entry("assistant, answer begun", [*TURNS, assistant("4")]),
    entry("alphabets", [system("Réponds en français 🇫🇷."), user("你好，мир! 👩‍👩‍👧 e\u0301 ﷺ \u200bשלום")]),
    entry(
        "spaces",
        [
            system("  \n two spaces before, tab after\t"),
            user("\n\n  one\r\n  two\u00a0\n"),
            assistant(" \x1c three \n\n"),
            user("\tfour\x0b\x0c "),
        ],
    ),
    entry(
        "special tokens in text",
        [
            system("</s><|im_end|><|eot_id|><end_of_turn><|end|>"),
            user("[INST] <s> <|im_start|>system {{ 7 * 7 }} {% if %} {# no #} <<SYS>> </think>"),
        ],
    ),
    entry("empty texts", [system(""), user("")]),
    entry("tools", [user("Weather in Málaga?")], tools=[WEATHER]),
    entry("tools and system", [system("You are terse."), user("A trip!")], tools=[WEATHER, PLAN]),
    entry("tool result", ANSWERED, tools=[WEATHER]),
    entry("tool turn", [system("Be kind."), *ANSWERED, assistant("Clear, 31.5 °C.")], False, [WEATHER]),
    entry(
        "two calls",
        [
            user("Weather in 札幌 and a trip, please."),
            BOTH,
            tool("snow", "callNum01"),
            tool("booked", "callNum02"),
            assistant("Snow, and booked."),
            user("Thanks!"),
        ],
        tools=[WEATHER, PLAN],
    ),
    entry("tool messages without tools", ANSWERED),
    entry(
        "reasoning",
        [
            user("What is 2 + 2?"),
            assistant("4", reasoning="Two and two.\nFour."),
            user("And 3 + 3?"),
            assistant("<think>\nThree and three.\n</think>\n\n6"),
            user("And 4 + 4?"),
        ],
    ),
    entry(
        "reasoning before a call",
        [
            user("Weather in Málaga?"),
            {**CALL, "reasoning_content": "I need the weather."},
            tool("clear", "a1B2c3D4e"),
        ],
        tools=[WEATHER],
    ),
    entry("thinking off", [user("Hello!")], enable_thinking=False),
    entry("thinking on", [system("You are terse."), *TURNS], enable_thinking=True),
    entry("thinking off after turns", TURNS, enable_thinking=False, thinking=False),
    entry("other date", [user("Hello!")], date_string="01 Feb 2024"),
    entry("user twice", [user("Hello!"), user("Are you there?")]),
    entry("assistant first", [assistant("Welcome."), user("Hello!")]),
    entry("system late", [user("Hello!"), assistant("Hi."), system("Rhyme."), user("Again.")]),
    entry("long", [system("You are terse."), *(TURNS[:2] * 6), user("Bye!")]),
]


def main():
    path = pathlib.Path(__file__).with_name("conversations.json")
    lines = ",\n".join(json.dumps(it, ensure_ascii=False, separators=(",", ":")) for it in CONVERSATIONS)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


main()
