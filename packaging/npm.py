"""An npm package whose one command is the program itself: npm links it, no Node.js starts in between."""

import json

from archives import compressed, tar
from contents import SUMMARY


def make(contents, output):
    program = contents.program
    package = {
        "name": "grantd",
        "version": program.version,
        "description": SUMMARY,
        "license": "Apache-2.0",
        "bin": {"grantd": "bin/grantd"},
        "os": ["linux"],
        "cpu": [program.npm_machine],
        "libc": ["glibc"],
    }
    files = {
        "package.json": (json.dumps(package, indent=2).encode() + b"\n", 0o644),
        "bin/grantd": (program.path.read_bytes(), 0o755),
        "README.md": (contents.readme, 0o644),
        "LICENSE": (contents.license, 0o644),
        "THIRD-PARTY-LICENSES.txt": (contents.third_party, 0o644),
    }
    path = output / f"grantd-{program.version}.tgz"
    path.write_bytes(compressed(tar({f"package/{file}": what for file, what in files.items()}, contents.time)))
    return path
