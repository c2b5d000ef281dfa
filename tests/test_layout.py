"""How the library is built: what may import what, how long a file may be, what is loaded when."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parent.parent / "fmfp_lib"
# From the bottom up: a file imports from its own package and from lines above its own, nothing else.
LAYERS = (
    {"errors", "paths", "precision", "randomness", "record_layout"},
    {"metrics", "datasets", "methods", "networks", "objectives", "flatness"},
    {"statistics", "selective", "predictions", "schedule", "settings"},
    {"confidence", "prediction_files", "intervals", "records", "cost"},
    {"grid", "scores", "adapters"},
    {"measures", "side_by_side"},
    {"training"},
    {"book"},
    {"cli"},
)
LONGEST = 400  # lines of a file
WITHOUT_TORCH = (
    *("metrics", "statistics", "selective", "confidence", "scores"),
    *("predictions", "prediction_files", "intervals", "adapters"),
    *("settings", "datasets", "networks", "methods", "schedule", "records", "cost", "grid", "cli"),
)


def modules(root=LIBRARY) -> dict[str, Path]:
    """Return each module by its dotted name below the library; a package stands for its ``__init__``."""
    found = {}
    for path in root.rglob("*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, known) -> set[str]:
    """Return the modules of the library that a file imports, at its head or inside a function."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    package = [part for part in package if part]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {a.name.partition(".")[2] for a in node.names if a.name.split(".")[0] == LIBRARY.name}
        elif isinstance(node, ast.ImportFrom):
            parts = (node.module or "").split(".") if node.module else []
            if node.level:
                parts = package[: len(package) - node.level + 1] + parts
            elif parts[:1] == [LIBRARY.name]:
                parts = parts[1:]
            else:
                continue
            for alias in node.names:  # of a package, either a module or what its __init__ holds
                whole = ".".join([*parts, alias.name])
                found.add(whole if whole in known else ".".join(parts))
    return found - {name, ""}


@pytest.fixture(scope="module")
def arrows() -> dict[str, set[str]]:
    known = modules()
    return {name: imports(name, path, known) for name, path in known.items()}


def upwards(arrows) -> list[tuple[str, str]]:
    """Return the imports that do not lead downwards."""
    level = {name: place for place, layer in enumerate(LAYERS) for name in layer}
    pairs = [(a, b) for a, targets in arrows.items() for b in targets if a and a.split(".")[0] != b.split(".")[0]]
    return [(a, b) for a, b in pairs if level[a.split(".")[0]] <= level[b.split(".")[0]]]


def circle(arrows) -> list[str]:
    """Return modules that import each other in a circle, or nothing."""
    done, path = set(), []

    def visit(name):
        if name in path:
            return path[path.index(name) :]
        if name not in done:
            path.append(name)
            for target in sorted(arrows.get(name, ())):
                if found := visit(target):
                    return found
            done.add(path.pop())
        return []

    return next(filter(None, map(visit, sorted(arrows))), [])


def test_every_module_has_its_layer(arrows):
    named = [name for layer in LAYERS for name in layer]
    assert sorted(named) == sorted({name.split(".")[0] for name in arrows if name})


def test_imports_lead_downwards(arrows):
    assert upwards(arrows) == []


def test_no_modules_import_each_other_in_a_circle(arrows):
    assert circle(arrows) == []


def test_an_arrow_upwards_and_a_circle_are_found(tmp_path):
    (tmp_path / "metrics").mkdir()
    files = {
        "errors.py": "",
        "metrics/__init__.py": "from .a import f",
        "metrics/a.py": "def f():\n    from . import b",
    }
    files |= {"metrics/b.py": "from .a import f\nfrom ..book import tables", "book.py": "from fmfp_lib import errors"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    known = modules(tmp_path)
    found = {name: imports(name, path, known) for name, path in known.items()}
    assert upwards(found) == [("metrics.b", "book")] and found["book"] == {"errors"}
    assert circle(found) == ["metrics.a", "metrics.b"]


@pytest.mark.parametrize("name", sorted(modules()))
def test_no_file_is_longer_than_a_sitting(name):
    assert len(modules()[name].read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("name", sorted(modules()))
def test_no_function_is_longer_than_a_screen(name):
    functions = (n for n in ast.walk(ast.parse(modules()[name].read_text())) if isinstance(n, ast.FunctionDef))
    assert [n.name for n in functions if n.end_lineno - n.lineno >= 60] == []


def test_the_core_stays_small():
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    count = 0
    for name, path in modules().items():
        if name.split(".")[0] in ("book", "cli"):
            continue
        text = path.read_text()
        nodes = [n for n in ast.walk(ast.parse(text)) if isinstance(n, documented) and ast.get_docstring(n) is not None]
        inside = {line for n in nodes for line in range(n.body[0].lineno, n.body[0].end_lineno + 1)}
        count += sum(bool(line.strip()) and at not in inside for at, line in enumerate(text.splitlines(), 1))
    assert count <= 5000


def test_the_readme_lists_every_file_after_what_it_imports(arrows):
    text = (LIBRARY / "README.md").read_text()
    listed = re.findall(r"^\| `([\w/]+)\.py` \|", text, re.MULTILINE)
    place = {name.replace("/", "."): number for number, name in enumerate(listed)}
    core = {n for n, path in modules().items() if n.split(".")[0] != "book" and not path.name.startswith("__")}
    assert set(place) == core
    place |= {name.split(".")[0]: place[name] for name in reversed(place) if "." in name}  # a package: its first file
    above = [(a, b) for a in place for b in arrows[a] if a.split(".")[0] != b.split(".")[0] and b in place]
    assert [(a, b) for a, b in above if place[a] < place[b]] == []


def test_torch_is_loaded_by_what_needs_it_alone():
    names = ", ".join(f"fmfp_lib.{name}" for name in WITHOUT_TORCH)
    code = f"import sys, {names}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_metrics_statistics_and_the_command_line_load_neither_pandas_nor_scipy():
    code = "import sys, fmfp_lib.metrics, fmfp_lib.statistics, fmfp_lib.cli\n"
    code += "assert not {'torch', 'pandas', 'sklearn', 'matplotlib', 'scipy'} & set(sys.modules), sorted(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_help_loads_no_torch():
    code = "import sys\nfrom fmfp_lib.cli import app\ntry:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
    code += "assert not {'torch', 'numpy', 'pydantic'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
