"""grantd-VERSION-TARGET.tar.gz: the program and all that belongs to it, in one folder."""

from archives import compressed, tar


def make(contents, output):
    program = contents.program
    name = f"grantd-{program.version}-{program.target}"
    files = {
        "grantd": (program.path.read_bytes(), 0o755),
        "README.md": (contents.readme, 0o644),
        "LICENSE": (contents.license, 0o644),
        "THIRD-PARTY-LICENSES.txt": (contents.third_party, 0o644),
        "systemd/grantd.service": (contents.read("deploy/grantd.service"), 0o644),
        "systemd/grantd.socket": (contents.read("deploy/grantd.socket"), 0o644),
        **contents.extras("share", "config"),
    }
    path = output / f"{name}.tar.gz"
    path.write_bytes(compressed(tar({f"{name}/{file}": what for file, what in files.items()}, contents.time)))
    return path
