"""A Python wheel (PyPA's binary distribution format) whose one script is the program."""

import base64
import hashlib
import time
import zipfile

from contents import SUMMARY

# Of these the platform tag promises that every Linux with that glibc has them (PEP 600).
PROMISED = ("libc.so.", "libm.so.", "libgcc_s.so.", "libpthread.so.", "libdl.so.", "librt.so.", "ld-linux")


def make(contents, output):
    program = contents.program
    strangers = [name for name in program.libraries if not name.startswith(PROMISED)]
    if strangers:
        raise AssertionError(f"a manylinux wheel cannot need {strangers}")
    tag = f"py3-none-manylinux_{program.glibc.replace('.', '_')}_{program.machine}"
    name = f"grantd-{program.version}"
    info = f"{name}.dist-info"
    files = {
        f"{name}.data/scripts/grantd": (program.path.read_bytes(), 0o755),
        f"{info}/METADATA": (metadata(contents).encode() + contents.readme, 0o644),
        f"{info}/WHEEL": (wheel(tag).encode(), 0o644),
        f"{info}/licenses/LICENSE": (contents.license, 0o644),
        f"{info}/licenses/THIRD-PARTY-LICENSES.txt": (contents.third_party, 0o644),
    }
    record = f"{info}/RECORD"
    files[record] = ("".join([line(path, data) for path, (data, _) in files.items()] + [f"{record},,\n"]).encode(), 0o644)
    path = output / f"{name}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, (data, mode) in files.items():
            entry = zipfile.ZipInfo(file, time.gmtime(contents.time)[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100000 | mode) << 16
            archive.writestr(entry, data)
    return path


def metadata(contents):
    return f"""Metadata-Version: 2.4
Name: grantd
Version: {contents.program.version}
Summary: {SUMMARY}
License-Expression: Apache-2.0
License-File: LICENSE
License-File: THIRD-PARTY-LICENSES.txt
Requires-Python: >=3.8
Description-Content-Type: text/markdown

"""


def wheel(tag):
    return f"""Wheel-Version: 1.0
Generator: grantd
Root-Is-Purelib: false
Tag: {tag}
"""


def line(path, data):
    """A file's line in RECORD."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(data)}\n"
