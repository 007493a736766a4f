"""table.py tokens BATTERY: the tokens that a library can judge. table.py table BATTERY RESULTS PAGE: compares the page's
table with the results; with WRITE_TABLE=1 it writes it."""

import json
import os
import sys

BEGIN, END = "<!-- tests/e2e/verifiers: begin -->\n", "<!-- tests/e2e/verifiers: end -->\n"


def entries(path):
    """Each token with whether it must be accepted, but for what the API itself has to judge: scopes, and two headers."""
    with open(path) as file:
        battery = json.load(file)
    both = [(entry, True) for entry in battery["accept"]] + [(entry, False) for entry in battery["refuse"]]
    return [(entry, good) for entry, good in both if not entry["name"].startswith("scope_") and entry["name"] != "two_tokens"]


def table(battery, results):
    with open(results) as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    seen = {(library, name): verdict for library, name, verdict in lines}
    libraries = list(dict.fromkeys(library for library, _, _ in lines))
    rows, right = [], []
    for entry, good in entries(battery):
        due = "accepted" if good else "refused"
        verdicts = [seen[library, entry["name"]] for library in libraries]
        wrong = [verdict != due for verdict in verdicts]
        if any(wrong):
            words = {"accepted": "accepts", "refused": "refuses", "crashed": "crashes"}
            cells = [words[verdict] if is_wrong else "" for verdict, is_wrong in zip(verdicts, wrong)]
            note = " *(note)*" if entry["verdict"] == "note" else ""
            rows.append([f"`{entry['name']}`{note}", *cells])
        else:
            right.append(f"`{entry['name']}`")
    text = "| " + " | ".join(["token", *libraries]) + " |\n" + "|---" * (len(libraries) + 1) + "|\n"
    for row in rows:
        text += "| " + " | ".join(row) + " |\n"
    return f"{text}\nAll of them are right about {', '.join(right)}.\n"


def compare(page, text):
    with open(page) as file:
        before, rest = file.read().split(BEGIN)
    old, after = rest.split(END)
    if old == f"\n{text}\n":
        print("the table of docs/testing.md is what the libraries do")
    elif os.environ.get("WRITE_TABLE"):
        with open(page, "w") as file:
            file.write(f"{before}{BEGIN}\n{text}\n{END}{after}")
    else:
        sys.exit(f"docs/testing.md has another table; WRITE_TABLE=1 writes this one:\n\n{text}")


match sys.argv[1:]:
    case ["tokens", battery]:
        print(json.dumps([entry for entry, _ in entries(battery)]))
    case ["table", battery, results, page]:
        compare(page, table(battery, results))
    case _:
        sys.exit(__doc__)
