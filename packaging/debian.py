"""A Debian package: the program with systemd's units, man pages and completions. It starts nothing by itself."""

import gzip
import os
import subprocess
import tempfile
from email.utils import formatdate
from pathlib import Path

from contents import SUMMARY
from program import Unfit

# The package that has each library; the number is the oldest version with all that the program calls.
PACKAGES = {
    "libc.so.6": "libc6 (>= {glibc})",
    "libm.so.6": "libc6 (>= {glibc})",
    "ld-linux-x86-64.so.2": "libc6 (>= {glibc})",
    "ld-linux-aarch64.so.1": "libc6 (>= {glibc})",
    "libgcc_s.so.1": "libgcc-s1 (>= 4.2)",
}
MAINTAINER = "The grantd maintainers <maintainers@grantd.example>"
DESCRIPTION = """ A service authenticates with a secret, a signed assertion or a certificate and
 gets a short-lived token for one API, by the grant client_credentials.
 .
 "grantd dev" runs an identity provider for tests. "grantd serve", which
 grantd.service starts, needs /etc/grantd/grantd.toml and Postgres 15 or later."""


def make(contents, output):
    program = contents.program
    path = output / f"grantd_{program.version}_{program.debian_machine}.deb"
    # Another umask would make folders that only their owner may open.
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "grantd"
        for file, (data, mode) in files(contents).items():
            (tree / file).parent.mkdir(parents=True, exist_ok=True)
            (tree / file).write_bytes(data)
            (tree / file).chmod(mode)
        write_control(contents, tree)
        for place in [tree, *(found for found in tree.rglob("*") if found.is_dir())]:
            place.chmod(0o755)
        command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", tree, path]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(contents.time)}
        try:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        except FileNotFoundError:
            raise Unfit("dpkg-deb is missing; install the package dpkg, or choose others with --only") from None
    return path


def files(contents):
    """Paths from the root, to (bytes, mode)."""
    return {
        "usr/bin/grantd": (contents.program.path.read_bytes(), 0o755),
        "usr/lib/systemd/system/grantd.service": (contents.unit("/usr/bin/grantd"), 0o644),
        "usr/lib/systemd/system/grantd.socket": (contents.read("deploy/grantd.socket"), 0o644),
        "usr/share/doc/grantd/copyright": (copyright_file(contents).encode(), 0o644),
        "usr/share/doc/grantd/THIRD-PARTY-LICENSES.gz": (gzip.compress(contents.third_party, mtime=0), 0o644),
        "usr/share/doc/grantd/changelog.gz": (gzip.compress(changelog(contents).encode(), mtime=0), 0o644),
        **contents.extras("usr/share", "usr/share/doc/grantd/examples"),
    }


def write_control(contents, tree):
    program = contents.program
    unknown = [name for name in program.libraries if name not in PACKAGES]
    if unknown:
        raise Unfit(f"packaging/debian.py knows no package that has {', '.join(unknown)}")
    needs = sorted({PACKAGES[name].format(glibc=program.glibc) for name in program.libraries})
    size = sum(file.stat().st_size for file in tree.rglob("*") if file.is_file())
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/control").write_text(
        f"""Package: grantd
Version: {program.version}
Architecture: {program.debian_machine}
Maintainer: {MAINTAINER}
Installed-Size: {-(-size // 1024)}
Depends: {", ".join(needs)}
Section: net
Priority: optional
Description: {SUMMARY[3].lower() + SUMMARY[4:]}
{DESCRIPTION}
"""
    )
    for script in ("postinst", "prerm", "postrm"):
        (tree / "DEBIAN" / script).write_bytes(contents.read(f"packaging/debian/{script}"))
        (tree / "DEBIAN" / script).chmod(0o755)


def copyright_file(contents):
    return f"""Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: grantd

Files: *
Copyright: 2026 the grantd authors
License: Apache-2.0
 On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.
Comment:
 The program contains Rust crates and C libraries under licences of their own.
 THIRD-PARTY-LICENSES.gz in this folder names them and has their texts.
"""


def changelog(contents):
    return f"""grantd ({contents.program.version}) unstable; urgency=medium

  * Packaged from its sources.

 -- {MAINTAINER}  {formatdate(contents.time)}
"""
