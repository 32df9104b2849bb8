"""preprocess: how images become inputs: `preprocess` of a data block whose source is a folder.

preprocess = {resize: 256, crop: 224, format: rgb, mean: [123.7, 116.3, 103.5], scale: [0.017]}
"""

from qflow.compile.examples import inner
from qflow.compile.values import DICT, WORD, Reader, outside, unknown
from qflow.lang import syntax
from qflow.plan.colour import SWINGS
from qflow.plan.sources import FILTERS, FORMATS, LAYOUTS, Preprocess


def read(fields: Reader) -> Preprocess | None:
    """None where the block has none; what is wrong in it is added to the findings."""
    given = fields.optional("preprocess", DICT)
    if given is None:
        return None
    own = inner("`preprocess`", given, given.span)
    form = _word(own, "format", FORMATS, "rgb")
    channels = 1 if form == "gray" else 3
    found = Preprocess(
        resize=_sizes(own, "resize"),
        filter=_word(own, "filter", FILTERS, "bilinear"),
        crop=_sizes(own, "crop"),
        format=form,
        swing=_word(own, "swing", SWINGS, "full"),
        mean=_numbers(own, "mean", channels, 0.0),
        scale=_numbers(own, "scale", channels, 1.0),
        layout=_word(own, "layout", LAYOUTS, "chw"),
    )
    for problem in own.findings():
        fields.add(problem)
    return found


def _word(own: Reader, name: str, words: tuple[str, ...], default: str) -> str:
    found = own.optional(name, WORD)
    if found is not None and found not in words:
        own.add(unknown(name, found, words, own.span(name)))
        return default
    return default if found is None else found


def _sizes(own: Reader, name: str) -> tuple[int, ...]:
    value = own.value(name)
    if value is None:
        return ()
    items = value.items if isinstance(value, syntax.List) else (value,)
    found = tuple(i.value for i in items if isinstance(i, syntax.Number))
    fits = len(found) == len(items) in (1, 2)
    whole = tuple(n for n in found if isinstance(n, int) and 1 <= n <= 1 << 14)
    if not fits or len(whole) != len(found):
        own.add(outside(name, "a whole number above 0, or [height, width]", value))
        return ()
    return whole


def _numbers(own: Reader, name: str, channels: int, default: float) -> tuple[float, ...]:
    value = own.value(name)
    if value is None:
        return (default,)
    items = value.items if isinstance(value, syntax.List) else (value,)
    found = tuple(float(i.value) for i in items if isinstance(i, syntax.Number))
    if len(found) != len(items) or len(found) not in (1, channels):
        many = "one number" if channels == 1 else "one number, or one for each of three channels"
        own.add(outside(name, many, value))
        return (default,)
    return found
