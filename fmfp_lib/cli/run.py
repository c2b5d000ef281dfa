"""``fmfp run``: a notebook with parameters."""

from pathlib import Path
from typing import Annotated

import typer

QUIET_KERNEL = ["--IPKernelApp.log_level=ERROR"]  # its newest versions warn, at every start, of listening on localhost


def run(
    context: typer.Context,
    notebook: Annotated[str, typer.Argument(help="Path of a notebook, or its name in notebooks/; then -p NAME VALUE")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where the executed notebook goes")] = None,
    kernel: Annotated[str, typer.Option("-k", "--kernel", help="A Jupyter kernel's name, if not this Python's")] = None,
):
    """Run a notebook by papermill with any number of -p NAME VALUE; unknown names and wrong types are rejected."""
    import ast
    import tempfile

    import nbformat
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel

    from ..book.parameters import check_parameters
    from ..errors import choose
    from ..paths import ROOT, present
    from ..records import write_atomically

    path = Path(notebook)
    if not path.exists():
        names = {p.stem: p for p in sorted(present(ROOT / "notebooks").glob("*.ipynb"))}
        path = names[choose("notebook", path.stem, names)]
    known = papermill.inspect_notebook(str(path))
    if context.args and not known:
        raise ValueError(f"{path.name} has no cell tagged 'parameters', so that it takes none")
    kernel = kernel or "python3"  # whatever name the notebook was saved with
    values = {}
    words = list(context.args)
    while words:
        if words[0] not in ("-p", "--parameter") or len(words) < 3:
            raise ValueError(f"cannot read {' '.join(words)!r}; parameters are given as -p NAME VALUE")
        _, name, text, *words = words
        default = ast.literal_eval(known[choose("parameter", name, sorted(known))]["default"])
        values[name] = _typed(name, text, default)
        check_parameters({name: values[name]}, **{name: default})
    output = output or Path(f"{path.stem}.out.ipynb")
    if output.is_dir():
        raise ValueError(f"{output} is a folder; name the file that --output makes")
    output.parent.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=output.parent).close()  # a folder that cannot be written to is met now, not at the end
    try:
        executed = papermill.execute_notebook(
            str(path), None, values, kernel_name=kernel, language="python", extra_arguments=QUIET_KERNEL
        )
    except NoSuchKernel:
        from jupyter_client.kernelspec import KernelSpecManager

        known = ", ".join(sorted(KernelSpecManager().find_kernel_specs()))
        raise ValueError(f"there is no kernel {kernel!r}; choose one of {known}") from None
    except papermill.PapermillExecutionError as error:
        raise ValueError(f"{path.name} failed in [{error.exec_count}]: {error.ename}: {error.evalue}") from None
    write_atomically(output, nbformat.writes(executed).encode())
    print(output)


def _typed(name: str, text: str, default):
    import ast

    if isinstance(default, str):
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = text
    if isinstance(default, float) and type(value) is int:
        value = float(value)
    if type(value) is not type(default):
        raise ValueError(f"parameter {name} is {text!r}; it must be a {type(default).__name__}, such as {default!r}")
    return value
