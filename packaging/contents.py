"""What every package holds beside the program: licences, man pages, completions, examples, units."""

import gzip
import os
import subprocess
import tempfile
from pathlib import Path

import licenses
from program import said

SUMMARY = "An OAuth 2.0 authorization server for machines"
# Where each shell looks for the completions of a command.
COMPLETIONS = {
    "bash": "bash-completion/completions/grantd",
    "zsh": "zsh/vendor-completions/_grantd",
    "fish": "fish/vendor_completions.d/grantd.fish",
}


class Contents:
    """Files as bytes. Made from equal sources, packages are equal byte by byte."""

    def __init__(self, root, program):
        self.root = root
        self.program = program
        self.time = source_time(root)
        self.license = self.read("LICENSE")
        self.third_party = licenses.of_crates(root, program.target)
        self.readme = self.read("packaging/README.md")

    def read(self, name):
        return (self.root / name).read_bytes()

    def man_pages(self):
        """Each page's name with its text, compressed as below /usr/share/man."""
        with tempfile.TemporaryDirectory() as folder:
            said(self.program.path, "manual", folder)
            pages = sorted(Path(folder).iterdir())
            return {f"{page.name}.gz": gzip.compress(page.read_bytes(), mtime=0) for page in pages}

    def completions(self):
        """Each path below /usr/share with its text."""
        return {path: said(self.program.path, "completions", shell).encode() for shell, path in COMPLETIONS.items()}

    def examples(self):
        """Settings and catalog with every key explained."""
        return {name: self.read(f"config/{name}") for name in ("grantd.toml", "catalog.toml")}

    def extras(self, share, examples):
        """Completions, man pages and examples as (bytes, mode), below these folders."""
        texts = {
            **{f"{share}/{path}": data for path, data in self.completions().items()},
            **{f"{share}/man/man1/{page}": data for page, data in self.man_pages().items()},
            **{f"{examples}/{name}": data for name, data in self.examples().items()},
        }
        return {path: (data, 0o644) for path, data in texts.items()}

    def unit(self, program):
        """systemd's unit for the program at this path."""
        text = self.read("deploy/grantd.service").decode()
        if text.count("/usr/local/bin/grantd") < 2:
            raise AssertionError("deploy/grantd.service no longer names the program that this replaces")
        return text.replace("/usr/local/bin/grantd", program).encode()


def source_time(root):
    """Seconds since 1970 that every packaged file carries: SOURCE_DATE_EPOCH, or when the sources were committed."""
    stated = os.environ.get("SOURCE_DATE_EPOCH")
    if stated:
        return int(stated)
    try:
        command = ["git", "-C", root, "log", "-1", "--format=%ct"]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    except (FileNotFoundError, subprocess.CalledProcessError):
        # Sources without a history. The first year that a zip archive can state.
        return 315532800
