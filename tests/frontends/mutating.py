"""Mutations of files, the same for the same seed: of bytes anywhere, and of members of archives.

A zip whose bytes were changed fails its sums at once, so half of the mutations change a member and
write the archive anew: those reach what reads the members.
"""

from __future__ import annotations

import io
import random
import zipfile


def mutated(raw: bytes, seed: int) -> bytes:
    """One mutation of a file."""
    rng = random.Random(seed)
    if raw[:2] == b"PK" and rng.random() < 0.7:
        return _of_a_member(raw, rng)
    return _of_bytes(raw, rng)


def _of_bytes(raw: bytes, rng: random.Random) -> bytes:
    data = bytearray(raw)
    match rng.randrange(6):
        case 0:
            return bytes(data[: rng.randrange(len(data))])
        case 1:
            at = rng.randrange(len(data))
            return bytes(data[:at] + rng.randbytes(rng.randrange(1, 32)) + data[at:])
        case 2:
            at = rng.randrange(len(data))
            del data[at : at + rng.randrange(1, 64)]
            return bytes(data)
        case 3:
            a, b = rng.randrange(len(data)), rng.randrange(len(data))
            size = rng.randrange(1, 64)
            data[a : a + size] = data[b : b + size]
            return bytes(data)
    # at the beginning is what everything else is read by
    reach = len(data) if rng.random() < 0.5 else min(len(data), 256)
    for _ in range(rng.choice((1, 1, 2, 8))):
        data[rng.randrange(reach)] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
    return bytes(data)


def _of_a_member(raw: bytes, rng: random.Random) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(made, "w") as new:
        names = old.namelist()
        # text and pickles say more than weights
        small = [n for n in names if n.endswith((".py", ".pkl", ".json", ".npy"))] or names
        chosen = rng.choice(small if rng.random() < 0.8 else names)
        for name in names:
            data = old.read(name)
            if name == chosen and rng.random() < 0.05:
                continue
            if name == chosen and data:
                data = _numbers(data, rng) if rng.random() < 0.4 else _of_bytes(data, rng)
            new.writestr(name, data)
    return made.getvalue()


def _numbers(raw: bytes, rng: random.Random) -> bytes:
    """A number or a word of a text as another one, so that it stays a text."""
    data = bytearray(raw)
    places = [i for i, c in enumerate(data) if chr(c).isdigit()] or [0]
    at = rng.choice(places)
    data[at : at + 1] = rng.choice((b"0", b"9", b"-1", b"99999", b"x", b'"', b"]", b"null", b"1e9"))
    return bytes(data)
