"""either: a text in the form its suffix says: .qf, or the same in YAML."""

from qflow.lang.parse import Parsed, parse

YAML = (".yaml", ".yml")


def is_yaml(path: str) -> bool:
    return path.endswith(YAML)


def parse_file(text: str, path: str) -> Parsed:
    """Parse a whole file; never raises for what the text says. `path` is what spans show."""
    if is_yaml(path):
        from qflow.lang import yaml

        return yaml.parse(text, path)
    return parse(text, path)
