"""The pages in docs/reference say what the code says."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_reference_pages_are_current() -> None:
    command = [sys.executable, "docs/generate.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"run `make docs`: {done.stdout}{done.stderr}"


def test_readme_shows_the_pipeline_as_it_is() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pipeline = (ROOT / "pipelines" / "digits.qf").read_text(encoding="utf-8")
    assert f"```hcl\n{pipeline}```\n" in readme
    # the two commands come first
    assert readme.index("make demo") < readme.index("make test") < readme.index("##")


def test_links_in_the_docs_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]
    assert broken == []
