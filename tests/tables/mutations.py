"""Seeded mutations of a text: bytes that change, lines and words that move, numbers that grow."""

from __future__ import annotations

import random

NASTY = (
    "nan", "inf", "-inf", "1e999", "-1e999", "9" * 400, "-0", "0", "1e-320", "null", "true", "[]",
    "{}", '""', "\x00", "\u202e", "é", "{" * 60, "[" * 60, "#weight_scale", "asym_op", "../../etc",
    "*", "**" * 20, ": :", "\t", '"\\ud800"', "a" * 5000,
)  # fmt: skip


def mutate(text: str, seed: int) -> bytes:
    """The text with one to four changes; the same for the same seed."""
    made = random.Random(seed)
    raw = text
    for _ in range(made.randint(1, 4)):
        raw = made.choice((_bytes, _word, _line, _cut, _double))(raw, made)
    found = raw.encode("utf-8", errors="replace")
    if made.random() < 0.25 and found:
        place = made.randrange(len(found))
        found = found[:place] + bytes([made.randrange(256)]) + found[place + 1 :]
    return found


def _bytes(text: str, made: random.Random) -> str:
    if not text:
        return text
    place = made.randrange(len(text))
    return text[:place] + chr(made.randrange(1, 0x250)) + text[place + made.randint(0, 2) :]


def _word(text: str, made: random.Random) -> str:
    words = text.split(" ")
    words[made.randrange(len(words))] = made.choice(NASTY)
    return " ".join(words)


def _line(text: str, made: random.Random) -> str:
    lines = text.split("\n")
    lines.insert(made.randrange(len(lines) + 1), made.choice((*lines, *NASTY)))
    return "\n".join(lines)


def _cut(text: str, made: random.Random) -> str:
    place = made.randrange(len(text) + 1)
    return text[:place] + text[place + made.randint(1, 40) :]


def _double(text: str, made: random.Random) -> str:
    start = made.randrange(len(text) + 1)
    return text[:start] + text[start : start + 80] * 2 + text[start + 80 :]
