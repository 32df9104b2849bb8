"""mutate: texts that are nearly programs: pieces of good ones, moved, doubled, cut and damaged."""

import random
import re

PIECES = (
    "{", "}", "[", "]", "(", ")", '"', "#", "\n", "\r", "\r\n", ":", "=", ";", ",", ".", "*", "'",
    "\\", "\\\n", "\x00", "\x0b", "\u2028", "\u3000", "\ufeff", "é", "\U0001f600", "\ud800",
    " ", "\t", "-", "1e", "1.", "-0", "9" * 30, "1e999", ">=", "==", "==1", "qflow 1\n", "qflow 2",
    "use ", "param ", "model m {", "graph {", "rules r {", "quantize {", "schedule {", "check {",
    "sweep s zip {", "stage s on d {", "stage s on d epochs {", "default ", "match ", "optional ",
    "expect 1 ", "apply ", "use a with {", "patch {", "float", 'scales from "a" {', "except ",
    "type ", "op ", "state ", "freeze bn ", "from epoch ", "assert ", "warn ", "is ", "no ", "on ",
    "in ", "as ",
)  # fmt: skip
"""What damages a text or begins something in it."""
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
LONGEST = 4_000


def mutated(texts: list[str], rng: random.Random) -> str:
    """One of the texts, changed in a few places."""
    text = rng.choice(texts)
    for _ in range(rng.choice((1, 1, 2, 3, 6, 12))):
        text = _step(text, texts, rng)[:LONGEST]
    return text


def _step(text: str, texts: list[str], rng: random.Random) -> str:
    kind = rng.randrange(6)
    start, end = sorted((rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)))
    if kind == 0:
        return text[:start] + rng.choice(PIECES) + text[start + rng.choice((0, 0, 1, 4)) :]
    if kind == 1:
        return text[:start] + text[min(end, start + 20) :]
    if kind == 2:
        return text[:end] + text[start:end] + text[end:]
    if kind == 3:
        return _moved_line(text, rng)
    if kind == 4:
        other = rng.choice(texts)
        cut = rng.randrange(len(other) + 1)
        return text[:start] + other[cut : cut + rng.randrange(80)] + text[start:]
    words = _WORDS.findall(text)
    if len(words) > 1:
        first, second = rng.randrange(len(words)), rng.randrange(len(words))
        words[first] = words[second]
    return "".join(words)


def _moved_line(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    line = lines.pop(rng.randrange(len(lines)))
    lines.insert(rng.randrange(len(lines) + 1), line)
    return "\n".join(lines)
