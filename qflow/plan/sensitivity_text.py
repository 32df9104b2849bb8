"""sensitivity_text: rows of a sensitivity table as text, in the columns of the field."""

from collections.abc import Sequence

from qflow.plan.sensitivity import Row


def render(rows: Sequence[Row], metric: str) -> str:
    """One line per row, columns aligned; ends with a newline."""
    head = ["op_name", "sensitive_type", "op_type", metric, "quant_dtype", "flops"]
    lines = [head, *([*map(str, r.columns()[:3]), number(r.metric), *_rest(r)] for r in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    rule = ["-" * w for w in widths]
    return "".join(_line(line, widths) for line in (head, rule, *lines[1:]))


def number(value: float) -> str:
    """Nine significant digits: cosines differ far behind the point."""
    return f"{value:.9g}"


def _rest(row: Row) -> list[str]:
    return [row.quant_dtype, row.flops]


def _line(words: Sequence[str], widths: Sequence[int]) -> str:
    padded = (word.ljust(width) for word, width in zip(words, widths, strict=True))
    return "  ".join(padded).rstrip() + "\n"
