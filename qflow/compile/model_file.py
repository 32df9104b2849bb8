"""model_file: where the model comes from, Python or a file: `entry` or `file` of its block."""

from pathlib import PurePosixPath

from qflow.compile.values import STRING, Reader, any_of
from qflow.diagnostics import Diagnostic

SUFFIXES = {
    ".onnx": "ONNX",
    ".pt2": "torch.export",
    **dict.fromkeys((".ts", ".pt", ".pth", ".torchscript"), "TorchScript"),
}
"""Suffix of a model file to its format."""


def read(fields: Reader) -> tuple[str, str]:
    """The entry point and the file, of which one is empty; both where something is missing."""
    file = fields.optional("file", STRING)
    if file is None:
        if "file" in dict(fields.spans()) or fields.misspells("file"):
            fields.optional("entry", STRING)
            return "", ""
        return fields.required("entry", STRING, '"package.module:function"') or "", ""
    entry = fields.optional("entry", STRING)
    fields.value("args")
    for name, given in (("entry", entry), ("args", "args" in dict(fields.spans()))):
        if given:
            fields.add(
                Diagnostic(
                    "QF360",
                    f"`{name}` is for a model that Python builds, and this one is a file",
                    at=fields.span(name),
                    help=f"remove `{name}`, or remove `file`",
                )
            )
    if PurePosixPath(file).suffix.lower() not in SUFFIXES:
        fields.add(
            Diagnostic(
                "QF361",
                f"`{file}` is no model file by its name",
                at=fields.span("file"),
                notes=(f"model files end in {any_of(tuple(SUFFIXES))}",),
                help="name an ONNX file, a TorchScript file, or a program of `torch.export`",
            )
        )
    return "", file
