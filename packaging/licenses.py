"""The licences of the crates that are part of the program; most of them ask that their text goes with it."""

import hashlib
import json
from pathlib import Path

from program import said

NAMES = ("license", "licence", "copying", "notice", "copyright")


def of_crates(root, target):
    """One text: each crate with its licence's name, then each licence's text once, with the crates it is of."""
    manifest = root / "Cargo.toml"
    words = ["metadata", "--format-version", "1", "--locked", "--offline", "--manifest-path", manifest]
    metadata = json.loads(said("cargo", *words, "--filter-platform", target))
    crates = [package for package in metadata["packages"] if package["id"] in linked(metadata["resolve"])]
    crates.sort(key=lambda crate: (crate["name"], crate["version"]))
    lines = ["grantd contains these crates:", ""]
    texts = {}
    for crate in crates:
        name = f"{crate['name']} {crate['version']}"
        lines.append(f"  {name}: {crate['license'] or 'see its text below'}")
        for text in texts_in(Path(crate["manifest_path"]).parent):
            texts.setdefault(hashlib.sha256(text.encode()).digest(), (text, []))[1].append(name)
    for text, names in texts.values():
        lines += ["", "-" * 80, ", ".join(names), "", text.rstrip()]
    return ("\n".join(lines) + "\n").encode()


def linked(resolved):
    """The ids of all that is linked, or that builds what is linked (the sources of OpenSSL, say)."""
    nodes = {node["id"]: node for node in resolved["nodes"]}
    root, found, waiting = resolved["root"], set(), [resolved["root"]]
    while waiting:
        for needed in nodes[waiting.pop()]["deps"]:
            is_linked = any(kind["kind"] != "dev" for kind in needed["dep_kinds"])
            if is_linked and needed["pkg"] not in found | {root}:
                found.add(needed["pkg"])
                waiting.append(needed["pkg"])
    return found


def texts_in(folder):
    """The licence files of a crate, and of the sources in another language that it brings."""
    places = [folder, folder / "LICENSES", folder / "openssl", folder / "aws-lc"]
    for place in places:
        if place.is_dir():
            for file in sorted(place.iterdir()):
                if file.is_file() and file.name.lower().startswith(NAMES):
                    yield file.read_text(encoding="utf-8", errors="replace")
