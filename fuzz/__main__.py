"""Fuzz for a while: `python -m fuzz --seconds 300`; a text that breaks something is kept and told.

With atheris installed (`pip install qflow[fuzz]`) coverage of the parser leads the way. Without it,
or with `--plain`, texts that made something new happen are mutated further.
"""

import argparse
import hashlib
import os
import random
import sys
import traceback
from pathlib import Path

from fuzz.limit import Budget, alarmed

SEEDS = Path(__file__).parent / "seeds"
ROOT = Path(__file__).parent.parent
SAMPLES = ("pipelines/*.qf", "tests/cases/format/*.in.qf", "tests/cases/syntax/*.qf")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=300, help="of the processor")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers")
    parser.add_argument("--plain", action="store_true", help="without atheris")
    given = parser.parse_args()
    if not given.plain and _has_atheris():
        return _led_by_coverage(given.seconds, given.seed)
    return _led_by_marks(given.seconds, given.seed)


def starts() -> list[bytes]:
    """Kept seeds and the texts of the tests."""
    paths = [*sorted(SEEDS.iterdir()), *(p for glob in SAMPLES for p in sorted(ROOT.glob(glob)))]
    return [path.read_bytes() for path in paths]


def keep(data: bytes) -> Path:
    """A seed file for a text, once."""
    path = SEEDS / f"found_{hashlib.sha256(data).hexdigest()[:12]}.qf"
    path.write_bytes(data)
    return path


def _has_atheris() -> bool:
    try:
        import atheris  # noqa: F401
    except ImportError:
        return False
    return True


def _led_by_marks(seconds: int, seed: int) -> int:
    from fuzz.mutate import mutated
    from fuzz.target import one

    rng = random.Random(seed)
    texts = [data.decode("utf-8", "replace") for data in starts()]
    seen: set[frozenset[str]] = set()
    count = found = 0
    budget = Budget(seconds)
    while not budget.is_spent:
        text = mutated(texts, rng)
        data = text.encode("utf-8", "surrogatepass")
        count += 1
        try:
            with alarmed():
                marks = one(data)
        except Exception:
            found += 1
            print(f"{keep(data)}\n{traceback.format_exc()}", flush=True)
            continue
        if marks not in seen:
            seen.add(marks)
            texts.append(text)
    print(f"{count} texts in {budget.spent:.0f} s, {len(seen)} kinds, {found} that broke something")
    return 1 if found else 0


def _led_by_coverage(seconds: int, seed: int) -> int:
    import atheris

    with atheris.instrument_imports(include=["qflow.lang", "lark"]):
        from fuzz.target import one

    budget = Budget(seconds)
    count = 0

    def told(data: bytes) -> None:
        nonlocal count
        if budget.is_spent:
            # what leads has no other way to be told
            print(f"{count} texts in {budget.spent:.0f} s, none that broke something", flush=True)
            os._exit(0)
        count += 1
        try:
            with alarmed():
                one(data)
        except Exception:
            print(f"{keep(data)}", flush=True)
            raise

    corpus = ROOT / "build" / "fuzz"
    corpus.mkdir(parents=True, exist_ok=True)
    for data in starts():
        (corpus / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    words = ROOT / "build" / "fuzz.dict"
    words.write_text(_dictionary(), encoding="utf-8")
    # its own clock is that of the wall: ours has the limits
    options = ["-timeout=100000", f"-seed={seed or 1}", "-max_len=4096"]
    options += [f"-artifact_prefix={corpus.parent}/"]
    atheris.Setup([sys.argv[0], str(corpus), f"-dict={words}", *options], told)
    atheris.Fuzz()
    return 0


def _dictionary() -> str:
    from fuzz.mutate import PIECES

    def quoted(piece: str) -> str:
        raw = piece.encode("utf-8", "surrogatepass")
        return '"' + "".join(f"\\x{byte:02x}" for byte in raw) + '"'

    return "\n".join(quoted(piece) for piece in PIECES) + "\n"


if __name__ == "__main__":
    sys.exit(main())
