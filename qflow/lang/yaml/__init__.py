"""The YAML form of the language: the same syntax tree as .qf gives, with spans into the YAML.

composer reads text to nodes (safe, bounded); scalars, values, selectors, rules, stages and items
read those; reader puts the tree together; flow and writer go back; comments carries comments over.
"""

from qflow.lang.parse import Parsed
from qflow.lang.program import Program


def parse(text: str, path: str) -> Parsed:
    """Parse a whole YAML file; never raises for what the text says. `path` is what spans show."""
    from qflow.lang.yaml import reader

    return reader.parse(text, path)


def show(program: Program) -> str:
    """Canonical YAML of a program. Raises QflowError QF114 when something is there twice."""
    from qflow.lang.yaml import writer

    return writer.show(program)
