"""Inject every fault of tests/test_faults.py and keep the results in data/faults.json: ``python scripts/faults.py``."""

import ast
import datetime
import json
import os
import platform
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests" / "test_faults.py"
RESULTS = ROOT / "data" / "faults.json"


class Results:
    """A pytest plugin that keeps, of each test, how it ended and what the user saw (of the first case that says it)."""

    def __init__(self):
        self.found = {}

    def pytest_runtest_logreport(self, report):
        if report.when != "call" and report.passed:
            return
        name = report.nodeid.split("::")[-1].partition("[")[0]
        entry = self.found.setdefault(name, {"cases": 0, "outcome": "passed", "says": ""})
        entry["cases"] += 1
        if not report.passed:
            entry["outcome"] = f"skipped: {report.longrepr[2]}" if report.skipped else "failed"
        entry["says"] = entry["says"] or dict(report.user_properties).get("says", "")


def faults() -> dict[str, dict]:
    """Return, for each class of tests (by its docstring), its tests: name to fault and to what happens."""
    found = {}
    for group in ast.parse(TESTS.read_text()).body:
        if isinstance(group, ast.ClassDef) and group.name.startswith("Test"):
            tests = [t for t in group.body if isinstance(t, ast.FunctionDef) and t.name.startswith("test_")]
            words = {t.name: ast.get_docstring(t).partition("\n\n") for t in tests}
            found[ast.get_docstring(group)] = {name: (w[0], " ".join(w[2].split())) for name, w in words.items()}
    return found


def table() -> str:
    """Return the faults and the kept results as Markdown."""
    kept = json.loads(RESULTS.read_text())
    lines = [f"{kept['machine']}, {kept['date']}.\n"]
    for heading, tests in faults().items():
        lines += [
            f"**{heading}**\n",
            "| fault | what happens | what the user sees | result |",
            "| --- | --- | --- | --- |",
        ]
        for name, (fault, happens) in tests.items():
            result = kept["results"].get(name, {"cases": 0, "outcome": "not run yet", "says": ""})
            says = result["says"] if len(result["says"]) <= 200 else result["says"][:200] + "[…]"
            says = says.replace("|", "\\|").replace("`", "'")
            cases = f", {result['cases']} cases" if result["cases"] > 1 else ""
            lines.append(f"| {fault} | {happens} | {f'`{says}`' if says else 'nothing'} | {result['outcome']}{cases} |")
        lines.append("")
    return "\n".join(lines)


def main():
    import numpy
    import pytest
    import torch

    results = Results()
    code = pytest.main(["-q", "-p", "no:cacheprovider", str(TESTS)], plugins=[results])
    root = "as root" if hasattr(os, "getuid") and os.getuid() == 0 else "not as root"
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, numpy {numpy.__version__}"
    machine = f"{platform.system()} on {platform.machine()}, {os.cpu_count()} cores, {root}; {versions}"
    content = {"machine": machine, "date": str(datetime.date.today()), "results": results.found}
    RESULTS.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
