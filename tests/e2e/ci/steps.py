"""Takes the CI files out of docs/testing-ci.md, and of each what it runs.

`steps.py files PAGE FOLDER` writes the files; `steps.py script FILE` prints one shell script for each step, ended by NUL."""

import re
import sys
from pathlib import Path

from ruamel.yaml import YAML

BLOCK = re.compile(r"^```yaml\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main():
    match sys.argv[1:]:
        case ["files", page, folder]:
            for name, text in BLOCK.findall(Path(page).read_text()):
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
                print(path)
        case ["script", file]:
            read = YAML(typ="safe").load(Path(file).read_text())
            for script in of_github(read) if "jobs" in read else of_gitlab(read):
                sys.stdout.write(f"{script}\0")
        case _:
            sys.exit(__doc__)


def of_github(workflow):
    """A shell for each step; what only a failure runs, and actions of others, are left out."""
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            if "run" in step and "if" not in step:
                yield step["run"]


def of_gitlab(pipeline):
    """One shell for each job."""
    for job in pipeline.values():
        yield "\n".join(job["script"])


if __name__ == "__main__":
    main()
