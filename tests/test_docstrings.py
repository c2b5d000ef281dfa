"""Every public function of the library says what it takes and what it returns.

The rule, read off the source without importing it. A function or method with two or more arguments has a Parameters
section that names each of them and, if it returns something, a Returns (or Yields) section. With one argument or none,
a docstring that begins with "Return" says it all. A class whose ``__init__`` takes arguments documents them in the
class, and so does a dataclass for its fields. Not asked: properties; ``forward`` of networks, whose signature is
torch's; commands, whose options carry their help.
"""

import ast
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[1] / "fmfp_lib"
FILES = [path for path in sorted(LIBRARY.rglob("*.py")) if "cli" not in path.parts]


def arguments(function) -> list[str]:
    """Return the names of a function's arguments, but for self and cls."""
    a = function.args
    every = [*a.posonlyargs, *a.args, *([a.vararg] if a.vararg else []), *a.kwonlyargs, *([a.kwarg] if a.kwarg else [])]
    return [x.arg for x in every if x.arg not in ("self", "cls")]


def returns(function) -> bool:
    """Return whether a function returns or yields a value; functions inside it do not count."""
    todo = list(function.body)
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)) or isinstance(node, ast.Return) and node.value is not None:
            return True
        if not isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            todo.extend(ast.iter_child_nodes(node))
    return False


def section(docstring: str, *titles) -> str:
    """Return the text of the first of these numpydoc sections that a docstring has, or "" where it has none."""
    lines = docstring.splitlines()
    for i in range(len(lines) - 1):
        if lines[i].strip() in titles and set(lines[i + 1].strip()) == {"-"}:
            ends = (k - 1 for k in range(i + 2, len(lines)) if lines[k].strip() and set(lines[k].strip()) == {"-"})
            return "\n".join(lines[i + 2 : next(ends, len(lines))])
    return ""


def named(text: str) -> set[str]:
    """Return the names that a Parameters or Attributes section describes: those of its lines without indent."""
    heads = [line.split(" : ")[0] for line in text.splitlines() if line and not line[0].isspace()]
    return {name.strip().lstrip("*") for head in heads for name in head.split(",")}


def faults(source: str) -> list[str]:
    """Return what is missing in the docstrings of a module, one line per function or class."""
    found = []

    def look(body, prefix=""):
        for node in body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                doc = ast.get_docstring(node) or ""
                init = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
                doc += "".join("\n" + (ast.get_docstring(n) or "") for n in init)
                wanted = set(arguments(init[0])) if init else set()
                missing = wanted - named(section(doc, "Parameters"))
                if len(wanted) > 1 and missing:
                    found.append(f"{prefix}{node.name}: no Parameters for {', '.join(sorted(missing))}")
                look(node.body, f"{node.name}.")
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_") or node.name == "forward":
                continue
            if any("property" in ast.unparse(d) for d in node.decorator_list):
                continue
            doc, given = ast.get_docstring(node) or "", arguments(node)
            missing = [a for a in given if a not in named(section(doc, "Parameters"))]
            if len(given) > 1 and missing:
                found.append(f"{prefix}{node.name}: no Parameters for {', '.join(missing)}")
            says = bool(section(doc, "Returns", "Yields")) or len(given) <= 1 and doc.startswith("Return")
            if returns(node) and not says:
                found.append(f"{prefix}{node.name}: no Returns")
            if not doc:
                found.append(f"{prefix}{node.name}: no docstring")

    look(ast.parse(source).body)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_every_public_function_says_what_it_takes_and_returns(path):
    assert faults(path.read_text()) == []


def test_a_function_that_says_too_little_is_found():
    source = '''
def both(a, b):
    """Return their sum."""
    return a + b
def one(a):
    """Double it."""
    return 2 * a
def plain(a):
    """Return its double."""
    return 2 * a
class Pair:
    """Two."""
    def __init__(self, a, b):
        pass
'''
    assert faults(source) == [
        "both: no Parameters for a, b",
        "both: no Returns",
        "one: no Returns",
        "Pair: no Parameters for a, b",
    ]
