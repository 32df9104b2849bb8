"""closest: `difflib.get_close_matches` among thousands of words, with the same answer."""

from collections import Counter
from collections.abc import Mapping
from difflib import SequenceMatcher
from functools import lru_cache
from heapq import heappush, heappushpop

MOST = 3


def closest(word: str, known: tuple[str, ...], cutoff: float) -> list[str]:
    """Up to three words at least so similar, the best first.

    Two words are at most as similar as the letters they share. Words of the same letters are looked
    at together, those that share most first, until no others can be among the best.
    """
    matcher = SequenceMatcher()
    matcher.set_seq2(word)
    best: list[tuple[float, str]] = []
    for bound, letters in sorted(_bounds(word, known), reverse=True):
        if bound < cutoff or (len(best) == MOST and bound < best[0][0]):
            break
        for other in _by_letters(known)[letters]:
            matcher.set_seq1(other)
            found = (matcher.ratio(), other)
            if found[0] < cutoff:
                continue
            if len(best) < MOST:
                heappush(best, found)
            else:
                heappushpop(best, found)
    return [other for _, other in sorted(best, reverse=True)]


def _bounds(word: str, known: tuple[str, ...]) -> list[tuple[float, str]]:
    """For all words of the same letters the most that they can be similar."""
    counts = Counter(word).items()
    bounds = []
    for letters in _by_letters(known):
        shared = sum(min(n, letters.count(letter)) for letter, n in counts)
        length = len(word) + len(letters)
        bounds.append((2.0 * shared / length if length else 1.0, letters))
    return bounds


@lru_cache(maxsize=8)
def _by_letters(known: tuple[str, ...]) -> Mapping[str, list[str]]:
    """Words by their letters in order: `stage1.block2` and `stage2.block1` have the same."""
    found: dict[str, list[str]] = {}
    for word in known:
        found.setdefault("".join(sorted(word)), []).append(word)
    return found
