"""Makes the pictures in docs/images anew; run it in the environment of `make test`.

The plot is that of a sweep, which takes a minute. The review is what `qflow diff --format markdown`
prints of an edit in the README, set as HTML and taken by a headless `chromium`.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from markdown_it import MarkdownIt
from PIL import Image, ImageChops

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
QFLOW = (sys.executable, "-m", "qflow")

SWEPT = (
    ("param rounds: int = 12 in 0..60", "param rounds: int = 0 in 0..60"),
    (
        "param seed:",
        "param weight: dtype = int8 in [int4, int8]\n"
        "param stem: dtype = int8 in [int4, int8]\n"
        "param act: dtype = int8 in [int8, int16]\n"
        "param seed:",
    ),
    (
        "{ weight.dtype = int4; weight.scheme = per_tensor }\n",
        "{ weight.dtype = weight; weight.scheme = per_tensor; act.dtype = act }\n"
        'match "stem.**" patch { weight.dtype = stem }\n',
    ),
    ("stage evaluate on val", "stage evaluate on moved"),
)
"""What makes of `digits_int4.qf` a program to be swept: text to text."""
VARIED = ("weight=int4,int8", "stem=int4,int8", "act=int8,int16")
EDIT = ("pipelines/digits.qf", '  match "stem.**" use stem', '  match "steem.**" use stem')
"""The edit of the review: a rule with a slip."""

PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ font: 14px/1.5 "DejaVu Sans", sans-serif; color: #1f2328; margin: 0; background: #fff; }}
main {{ width: 900px; margin: 20px; padding: 8px 24px 20px; border: 1px solid #d1d9e0;
  border-radius: 6px; }}
code, pre {{ font-family: "DejaVu Sans Mono", monospace; font-size: 12px; background: #f0f2f4;
  border-radius: 4px; padding: 1px 5px; }}
pre {{ padding: 12px 16px; line-height: 1.35; }} pre code {{ padding: 0; }}
table {{ border-collapse: collapse; margin-bottom: 14px; }}
th, td {{ border: 1px solid #d1d9e0; padding: 4px 12px; text-align: left; }}
tr:nth-child(even) td {{ background: #f6f8fa; }}
h3 {{ font-size: 18px; }} h4 {{ font-size: 15px; margin-bottom: 8px; }}
h3, h4 {{ border-bottom: 1px solid #d1d9e0; padding-bottom: 4px; }}
h3 code {{ font-size: 16px; }}
</style><main>{body}</main>"""


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(
            ROOT / "pipelines", folder / "pipelines", ignore=shutil.ignore_patterns("runs", "__py*")
        )
        _save("review.png", _shot(_review(folder), folder))
        _save("pareto.png", _plot(folder).read_bytes())


def _plot(folder: Path) -> Path:
    text = (folder / "pipelines" / "digits_int4.qf").read_text()
    for old, new in SWEPT:
        assert text.count(old) == 1, f"digits_int4.qf has no `{old}`"
        text = text.replace(old, new)
    (folder / "pipelines" / "digits_bits.qf").write_text(text)
    _run([*QFLOW, "fmt", "pipelines/digits_bits.qf"], folder)
    _run([*QFLOW, "run", "pipelines/digits_bits.qf", "-m", *VARIED], folder)
    (found,) = (folder / "sweeps").rglob("pareto.png")
    return found


def _review(folder: Path) -> str:
    """Markdown as a pull request shows it."""
    for command in (
        ("init", "-q", "-b", "main"),
        ("add", "-A"),
        ("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "a"),
        ("update-ref", "refs/remotes/origin/main", "HEAD"),
    ):
        _run(["git", *command], folder)
    file, old, new = EDIT
    text = (folder / file).read_text()
    assert text.count(old) == 1, f"{file} has no `{old}`"
    (folder / file).write_text(text.replace(old, new))
    words = ("diff", "origin/main", "--format", "markdown", "--no-exit-code", "--", file)
    found = _run([*QFLOW, *words], folder)
    (folder / file).write_text(text)
    return found


def _shot(markdown: str, folder: Path) -> bytes:
    """A picture of the rendered page, as high as it is."""
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown)
    # unfolded, as by a click
    page = folder / "page.html"
    page.write_text(PAGE.format(body=body.replace("<details>", "<details open>")))
    out = folder / "page.png"
    rights = ["--no-sandbox"] if os.geteuid() == 0 else []
    _run(
        ["chromium", "--headless", "--disable-gpu", *rights, "--hide-scrollbars",
         "--force-device-scale-factor=1.25", "--window-size=990,1600",
         f"--user-data-dir={folder / 'chromium'}", f"--screenshot={out}", page.as_uri()],
        folder,
    )  # fmt: skip
    with Image.open(out) as taken:
        image = taken.convert("RGB")
        empty = Image.new("RGB", image.size, image.getpixel((0, 0)))
        box = ImageChops.difference(image, empty).getbbox()
        assert box is not None, "the page is not empty"
        kept = io.BytesIO()
        image.crop((0, 0, image.width, box[3] + 20)).save(kept, "png")
        return kept.getvalue()


def _save(name: str, data: bytes) -> None:
    """With 64 colours, which these pictures do not need more of, and a tenth of the bytes."""
    with Image.open(io.BytesIO(data)) as image:
        image.convert("RGB").quantize(64).save(IMAGES / name, optimize=True)
    print(f"docs/images/{name}: {(IMAGES / name).stat().st_size:,} bytes")


def _run(command: list[str], folder: Path) -> str:
    """What a command prints."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 2) or re.search("^Traceback", done.stderr, re.MULTILINE):
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
