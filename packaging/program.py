"""The program that is packaged: its version, its machine, and what it loads."""

import re
import subprocess
from pathlib import Path

# The names of one machine in each world: its ELF header, Rust, Debian, npm and OCI.
MACHINES = {
    "Advanced Micro Devices X86-64": ("x86_64", "amd64", "x64", "amd64"),
    "AArch64": ("aarch64", "arm64", "arm64", "arm64"),
}


class Unfit(Exception):
    """Why there is no package, and what to do."""


class Program:
    """A grantd that is linked to glibc, or that holds its libc itself: then `glibc` is None."""

    def __init__(self, path):
        self.path = Path(path).resolve()
        if not self.path.is_file():
            raise Unfit(f"{path} does not exist; leave --binary out to build one")
        header = said("readelf", "--file-header", "--wide", self.path)
        machine = re.search(r"Machine: +(.*)", header)
        if not machine or machine[1] not in MACHINES:
            raise Unfit(f"{path} is no program for x86_64 or aarch64 Linux; there are packages for these alone")
        self.machine, self.debian_machine, self.npm_machine, self.oci_machine = MACHINES[machine[1]]
        self.libraries = re.findall(r"\(NEEDED\).*\[(.*)\]", said("readelf", "--dynamic", "--wide", self.path))
        versions = re.findall(r"Name: GLIBC_([0-9.]+)", said("readelf", "--version-info", "--wide", self.path))
        if self.libraries and not versions:
            raise Unfit(f"{path} is linked to another libc than glibc; build it for {self.machine}-unknown-linux-gnu")
        self.glibc = max(versions, key=lambda text: [int(part) for part in text.split(".")], default=None)
        self.target = f"{self.machine}-unknown-linux-{'gnu' if self.glibc else 'musl'}"
        self.version = said(self.path, "--version").split()[1]

    def loaded(self):
        """Where this machine has all that the program loads, the loader among them."""
        if not self.libraries:
            return []
        paths = re.findall(r"(/\S+) \(0x", said("ldd", self.path))
        if len(paths) < len(self.libraries):
            raise Unfit(f"this machine lacks libraries of {self.path}; `ldd {self.path}` names them")
        return [Path(path) for path in paths]


def said(command, *arguments):
    """What a program prints."""
    try:
        ended = subprocess.run([command, *arguments], check=True, capture_output=True, text=True)
    except (FileNotFoundError, PermissionError):
        raise Unfit(f"cannot run {command}; readelf comes with binutils, ldd with libc-bin") from None
    except subprocess.CalledProcessError as error:
        raise Unfit(f"{command} refuses {arguments[-1]}: {error.stderr.strip()}") from None
    return ended.stdout
