"""Archives that depend on nothing but what goes in: names in order, one time, root's files."""

import gzip
import io
import tarfile
from pathlib import PurePosixPath


def tar(files, time, folders=()):
    """An archive of `files`, path to (bytes, mode), with the folders that they are in, and of `folders`, path to mode."""
    written = io.BytesIO()
    parents = {str(parent): 0o755 for path in files for parent in PurePosixPath(path).parents if parent.name}
    with tarfile.open(fileobj=written, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, mode in sorted({**parents, **dict(folders)}.items()):
            archive.addfile(entry(path, mode, time, tarfile.DIRTYPE))
        for path, (data, mode) in sorted(files.items()):
            info = entry(path, mode, time, tarfile.REGTYPE)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return written.getvalue()


def entry(path, mode, time, kind):
    info = tarfile.TarInfo(path)
    info.mode, info.mtime, info.type = mode, time, kind
    info.uname = info.gname = "root"
    return info


def compressed(data):
    return gzip.compress(data, compresslevel=6, mtime=0)
