"""Extensions of other packages are found wherever packages lie, and cost nothing where none is."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

POINTS = "[console_scripts]\nother = other:main\n\n[qflow.lint]\nmine = other:Mine\n"
METADATA = "Metadata-Version: 2.1\nName: other\nVersion: 1.0\n"
CODE = "class Mine:\n    word = 'from another package'\n"
ASK = """
import json, sys
sys.path.insert(0, sys.argv[1])
{before}
from qflow import registry
names = registry.names("lint")
word = registry.load("lint", "mine").word if "mine" in names else ""
print(json.dumps(["qf203" in names, word, "importlib.metadata" in sys.modules]))
"""


def asked(entry: Path, before: str = "") -> list[object]:
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(before=before), entry], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found: list[object] = json.loads(done.stdout)
    return found


def files(points: str) -> dict[str, str]:
    return {
        "other.py": CODE,
        "other-1.0.dist-info/METADATA": METADATA,
        "other-1.0.dist-info/entry_points.txt": points,
    }


def installed(folder: Path, points: str) -> Path:
    for name, text in files(points).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_nothing_is_asked_where_no_package_extends_qflow(tmp_path: Path) -> None:
    points = POINTS.replace("[qflow.lint]", "[qflowers.lint]")
    assert asked(installed(tmp_path, points)) == [True, "", False]
    assert asked(tmp_path / "nowhere") == [True, "", False]


def test_a_package_in_a_folder_is_found(tmp_path: Path) -> None:
    assert asked(installed(tmp_path, POINTS)) == [True, "from another package", True]


def test_a_package_in_an_archive_is_found(tmp_path: Path) -> None:
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files(POINTS).items():
            archive.writestr(name, text)
    assert asked(path) == [True, "from another package", True]


def test_a_finder_of_another_kind_is_asked(tmp_path: Path) -> None:
    installed(tmp_path / "hidden", POINTS)
    before = (
        "from importlib.metadata import PathDistribution\n"
        "from pathlib import Path\n"
        "class Finder:\n"
        "    @staticmethod\n"
        "    def find_spec(*names): return None\n"
        "    @staticmethod\n"
        "    def find_distributions(context):\n"
        "        yield PathDistribution(Path(sys.argv[1], 'hidden', 'other-1.0.dist-info'))\n"
        "sys.meta_path.append(Finder)\n"
        "sys.path.append(sys.argv[1] + '/hidden')\n"
        "sys.path_importer_cache.clear()\n"
    )
    assert asked(tmp_path, before)[1] == "from another package"


@pytest.mark.parametrize("name", ["qf203", "min_max"])
def test_a_name_that_two_packages_define_is_a_mistake(name: str, tmp_path: Path) -> None:
    kind = "lint" if name == "qf203" else "quantization.observers"
    installed(tmp_path, f"[qflow.{kind}]\n{name} = other:Mine\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nfrom qflow import registry\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}registry.names({kind!r})"], capture_output=True, text=True
    )
    assert f"ValueError: qflow.{kind}: defined twice: {name}" in done.stderr
