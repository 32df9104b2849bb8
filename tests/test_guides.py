"""What the guides show runs: the python blocks of a page, from top to bottom, in one namespace.

A block in an HTML comment is run too: it makes what a page takes for granted.
"""

import re
import textwrap
from pathlib import Path

import pytest

from qflow.march import current

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^( *)```python\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
GUIDES = [*sorted((ROOT / "docs" / "guide").glob("*.md")), ROOT / "docs" / "coming-from.md"]
PAGES = [p for p in GUIDES if BLOCK.search(p.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda p: p.stem)
def test_the_blocks_of_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(current, "_set", "nash-m")
    text = page.read_text(encoding="utf-8")
    namespace: dict[str, object] = {"__name__": page.stem}
    blocks = list(BLOCK.finditer(text))
    assert blocks
    for block in blocks:
        # as many lines in front as on the page, so that an error names the page's line
        before = "\n" * (text[: block.start()].count("\n") + 1)
        exec(compile(before + textwrap.dedent(block[2]), str(page), "exec"), namespace)
