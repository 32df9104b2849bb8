"""explaining: the page of each id: what it means, why it matters, what to do, with examples."""

from pathlib import Path

from qflow.diagnostics.codes import CODES
from qflow.records import dataclass

FOLDER = Path(__file__).parent / "explained"

FAMILIES = {
    "QF1": "syntax and names",
    "QF2": "rules and graph",
    "QF3": "lock and inputs",
    "QF4": "run",
    "QF5": "target and operators",
    "QF6": "style",
    "QF7": "pitfalls of the field",
    "QF8": "sweeps",
}
"""What the first digit of an id says, as a reader may find it in a list."""

SHOWN = ("qf", "yaml", "python", "script", "console")
"""Kinds of block that are examples: the others (`lock`, `set`, `file`) are what these need."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    kind: str
    """`qf`, `yaml`, `python` (which is run), `script` (checked as text), `console`, or a need."""
    role: str
    """`fail`, `mended`, `frame`, or empty where it belongs to both."""
    words: tuple[str, ...]
    """What else stands behind the kind: the name of a file or a lock."""
    text: str


@dataclass(frozen=True)
class Page:
    """What `explained/QFnnn.md` says."""

    code: str
    title: str
    text: str
    """Paragraphs separated by an empty line."""
    blocks: tuple[Block, ...]
    no_example: str = ""
    """Why no example can be run, for the few ids that have none."""

    @property
    def examples(self) -> tuple[Block, ...]:
        """The blocks a reader wants to see, in the order of the page."""
        return tuple(b for b in self.blocks if b.kind in SHOWN)


_NONE = "why no example:"


def parse(code: str, text: str) -> Page:
    """A page from its text.

    Raises ValueError for a page that is not in this form: pages ship with qflow.
    """
    head, _, body = text.partition("\n")
    title = head.removeprefix(f"# {code}: ")
    if title == head:
        raise ValueError(f"the page of {code} begins with `{head}`, not with `# {code}: `")
    prose: list[str] = []
    blocks: list[Block] = []
    fence: list[str] | None = None
    info = ""
    for line in body.splitlines():
        if line.startswith("```") and fence is None:
            info, fence = line[3:], []
        elif line == "```" and fence is not None:
            blocks.append(_block(info, fence))
            fence = None
        elif fence is not None:
            fence.append(line)
        else:
            prose.append(line)
    if fence is not None:
        raise ValueError(f"a block of the page of {code} is never closed")
    paragraphs = [p for p in "\n".join(prose).split("\n\n") if p.strip()]
    reasons = [p for p in paragraphs if p.lower().lstrip().startswith(_NONE)]
    told = "\n\n".join(p.strip() for p in paragraphs if p not in reasons)
    reason = " ".join(reasons[0].split())[len(_NONE) :].strip() if reasons else ""
    return Page(code, title.strip(), told, tuple(blocks), reason)


def _block(info: str, lines: list[str]) -> Block:
    kind, *words = info.split()
    role = next((w for w in words if w in ("fail", "mended", "frame")), "")
    rest = tuple(w for w in words if w != role)
    return Block(kind, role, rest, "".join(f"{line}\n" for line in lines))


_HEADS = {"fail": "Gives it", "mended": "Mended"}


def heading(block: Block) -> str:
    """What stands above an example, such as `Gives it, in nets/data.py:`."""
    place = next((w for w in block.words if w.endswith(".py")), "")
    how = {"script": ", as `qflow check` reads it", "python": ", in Python"}.get(block.kind, "")
    if place:
        how = f", in `{place}`, when the pipeline is run"
    elif "run" in block.words:
        how = ", when it is run"
    elif "trace" in block.words:
        how = ", when it is traced"
    if "unset" in block.words:
        how += ", without `set_march`"
    packages = [w.partition(":")[2] for w in block.words if w.startswith("without:")]
    if packages:
        how += f", where {' and '.join(f'`{p}`' for p in packages)} is not installed"
    return f"{_HEADS[block.role]}{how}:"


def page(code: str) -> Page | None:
    """The page of an id, or None for an id without one."""
    path = FOLDER / f"{code}.md"
    return parse(code, path.read_text(encoding="utf-8")) if path.is_file() else None


def source(code: str) -> str:
    """The page as it was written, which is Markdown."""
    return (FOLDER / f"{code}.md").read_text(encoding="utf-8")


def frame() -> str:
    """What the excerpts of all pages leave out, as Markdown."""
    return (FOLDER / "frame.md").read_text(encoding="utf-8")


def frame_of(kind: str) -> str:
    """The text that excerpts of this kind are completed with."""
    text = frame()
    _, _, rest = text.partition(f"```{kind} frame\n")
    return rest.partition("\n```")[0] + "\n"


def by_family() -> dict[str, tuple[str, ...]]:
    """Ids by what their first digit stands for; families without ids are left out."""
    found = {name: tuple(c for c in CODES if c[:3] == start) for start, name in FAMILIES.items()}
    return {name: codes for name, codes in found.items() if codes}
