"""publish: the results of a run, copied from the cache to where people look for them."""

import shutil

from qflow.atomic import UNFINISHED
from qflow.engine import files
from qflow.engine.cache import MANIFEST
from qflow.engine.folder import RunFolder
from qflow.engine.work import CONVERT, EXPORT, INTEGER, LOGICAL, Work


def results(work: Work, folder: RunFolder) -> None:
    """`integer.safetensors`, `logical.safetensors` and `export/`, each there at once."""
    for name in (INTEGER, LOGICAL):
        files.replace_file(work.made[CONVERT].folder / name, folder.root / name)
    unfinished = folder.root / f"{folder.export.name}{UNFINISHED}"
    shutil.rmtree(unfinished, ignore_errors=True)
    if EXPORT not in work.made:
        files.remove_folder(folder.export)
        return
    shutil.copytree(work.made[EXPORT].folder, unfinished, ignore=shutil.ignore_patterns(MANIFEST))
    files.remove_folder(folder.export)
    files.rename_folder(unfinished, folder.export)
