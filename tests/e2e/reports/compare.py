"""Compares what junitparser and a reader of SARIF find in reports with what the report for programs says of the same run:
`compare.py PATH…`, each without its ending."""

import json
import sys
from collections import Counter
from pathlib import Path

from junitparser import Error, Failure, JUnitXml, Skipped

# What a report calls error and note; the rest is no result.
LEVELS = {"hole": "error", "fault": "error", "note": "note"}


def main():
    for path in sys.argv[1:]:
        told = json.loads(Path(f"{path}.json").read_text())
        compare_junit(told, f"{path}.junit")
        compare_sarif(told, f"{path}.sarif")
        verdicts = Counter(row["verdict"] for row in told["results"])
        print(f"{Path(path).name}: {len(told['results'])} entries, {dict(verdicts)}: equal in JSON, JUnit and SARIF")
    holes = json.loads(Path(f"{sys.argv[1]}.json").read_text())
    assert holes["holes"] > 20 and holes["faults"] > 0, "an API with holes and faults has none in its report"


def compare_junit(told, path):
    suites = JUnitXml.fromfile(path)
    [suite] = list(suites)
    found = {case.name: of_junit(case) for case in suite}
    expected = {row["name"]: of_verdict(row["verdict"]) for row in told["results"]}
    equal(path, found, expected)
    numbers = (suites.tests, suites.failures, suites.errors, suites.skipped)
    counts = Counter(expected.values())
    equal(path, numbers, (len(expected), counts["failure"], counts["error"], counts["skipped"]))
    equal(path, suite.name, f"{url(told)}junit")


def of_junit(case):
    kinds = [name for kind, name in [(Failure, "failure"), (Error, "error"), (Skipped, "skipped")] for it in case.result
             if isinstance(it, kind)]
    return kinds[0] if kinds else "passed"


def of_verdict(verdict):
    return {"hole": "failure", "fault": "error", "skipped": "skipped"}.get(verdict, "passed")


def compare_sarif(told, path):
    log = json.loads(Path(path).read_text())
    [run] = log["runs"]
    found = {result["ruleId"]: result["level"] for result in run["results"]}
    expected = {row["name"]: LEVELS[row["verdict"]] for row in told["results"] if row["verdict"] in LEVELS}
    equal(path, found, expected)
    for result in run["results"]:
        rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
        equal(path, rule["id"], result["ruleId"])
        # GitHub's code scanning asks for more than the schema does.
        assert rule["shortDescription"]["text"] and rule["fullDescription"]["text"] and rule["help"]["text"], rule
        [place] = result["locations"]
        equal(path, place["physicalLocation"]["region"], {"startLine": 1})
        equal(path, place["physicalLocation"]["artifactLocation"]["uri"], f"{url(told)}sarif")


def url(told):
    """The API's, which ends in the form that is reported: each has a path of its own."""
    return told["api"].removesuffix("json")


def equal(path, found, expected):
    assert found == expected, f"{path}: {found} is not {expected}"


if __name__ == "__main__":
    main()
