"""The VS Code extension is whole: valid JSON, every file it names, a client that parses."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "editors" / "vscode"
PACKAGE = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
CONFIGURATION = json.loads((FOLDER / "language-configuration.json").read_text(encoding="utf-8"))
CLIENT = (FOLDER / "client" / "extension.js").read_text(encoding="utf-8")


def paths(value: Any) -> list[str]:
    """Every relative path that the package names."""
    if isinstance(value, dict):
        return [path for part in value.values() for path in paths(part)]
    if isinstance(value, list):
        return [path for part in value for path in paths(part)]
    return [value] if isinstance(value, str) and value.startswith("./") else []


def test_every_file_it_names_is_there() -> None:
    found = paths(PACKAGE)
    assert len(found) == 3
    assert [path for path in found if not (FOLDER / path).is_file()] == []


def test_the_language_and_the_grammar_belong_together() -> None:
    (language,) = PACKAGE["contributes"]["languages"]
    (grammar,) = PACKAGE["contributes"]["grammars"]
    written = json.loads((FOLDER / grammar["path"]).read_text(encoding="utf-8"))
    assert language["id"] == grammar["language"] == "qflow"
    assert grammar["scopeName"] == written["scopeName"]
    assert language["extensions"] == [f".{ext}" for ext in written["fileTypes"]]
    assert re.match(language["firstLine"], "qflow 1")


def test_the_client_starts_the_verb_that_there_is() -> None:
    from qflow import registry

    command = PACKAGE["contributes"]["configuration"]["properties"]["qflow.command"]["default"]
    assert command[0] == "qflow"
    assert command[1] in registry.names("cli")
    assert 'get("command")' in CLIENT


def test_commands_and_settings_are_the_ones_the_client_uses() -> None:
    commands = {c["command"] for c in PACKAGE["contributes"]["commands"]}
    assert set(re.findall(r'registerCommand\("([^"]+)"', CLIENT)) == commands
    required = set(re.findall(r'require\("([^"]+)"\)', CLIENT)) - {"vscode"}
    assert {name.split("/")[0] for name in required} == set(PACKAGE["dependencies"])


def test_brackets_are_those_of_the_language() -> None:
    from qflow.lang.brackets import marks

    opened = [pair[0] for pair in CONFIGURATION["brackets"]]
    assert [mark.text for mark in marks("".join(opened))] == opened
    indent = CONFIGURATION["indentationRules"]["increaseIndentPattern"]
    assert re.match(indent, "quantize {  # why")
    assert not re.match(indent, 'match "{" use a')


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node to read it with")
def test_the_client_is_javascript() -> None:
    command = ["node", "--check", str(FOLDER / "client" / "extension.js")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
