"""The command line: ``fmfp train | run | claims | data | evaluate | compare | threshold | paper | bench | doctor``."""

import codecs
import os
import sys
import warnings
from contextlib import ExitStack

import typer

from ..errors import TIME_IS_UP, OutOfTime
from .bench import bench
from .claims import claims
from .data import get_data, list_data, pack_data, unpack_data
from .doctor import doctor
from .paper import paper
from .predictions import app as predictions
from .run import run
from .train import train

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(predictions)
app.command()(train)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(run)
app.command()(claims)
app.command()(bench)
app.command()(doctor)
app.command()(paper)
data = typer.Typer(help="List the data sets, or download one.", invoke_without_command=True)
data.callback()(list_data)
data.command("get")(get_data)
data.command("pack")(pack_data)
data.command("unpack")(unpack_data)
app.add_typer(data, name="data")


_PLAIN = str.maketrans({"\u2212": "-", "–": "-", "→": "->", "×": "x", "±": "+-", "…": "...", "“": '"', "”": '"'})


def _plainer(error):
    """Replace what a terminal's encoding lacks by the nearest ASCII, or by a question mark."""
    missing = error.object[error.start : error.end]
    return missing.translate(_PLAIN).encode("ascii", "replace").decode(), error.end


def speak_any_encoding():
    """Let standard output and error print every sign, whatever their encoding (Latin-1, Windows' cp1252)."""
    codecs.register_error("plainer", _plainer)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="plainer")


def main():
    """Run the command line; a wrong value ends in one line on standard error and exit code 2."""
    speak_any_encoding()
    launched = "TORCHELASTIC_RUN_ID" in os.environ  # torchrun started this process and others
    speaks = not launched or os.environ["RANK"] == "0"  # an error met by all is told by one
    warnings.showwarning = lambda message, *rest: print(f"fmfp: {message}", file=sys.stderr)
    try:
        with ExitStack() as stack:
            if launched:
                from ..training.distributed import processes

                stack.enter_context(processes())
            code = app(standalone_mode=False)
    except typer.BadParameter.__base__ as error:  # UsageError, which typer does not name in all its versions
        if not error.format_message():
            print(error.ctx.get_help())  # nothing was given
        elif speaks:
            given = " ".join(sys.argv[1:])
            print(f"fmfp: {error.format_message()} (given: {given}; --help lists what is accepted)", file=sys.stderr)
        sys.exit(2)
    except OutOfTime as error:
        if speaks:
            print(f"fmfp: time is up ({error}); the same command goes on from there", file=sys.stderr)
        sys.exit(TIME_IS_UP)
    except (ValueError, FloatingPointError) as error:
        if speaks:
            print(f"fmfp: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        if speaks:
            print(f"fmfp: {error}; what was finished before is untouched", file=sys.stderr)
        sys.exit(1)
    if code == 130 and speaks:
        print("fmfp: stopped; what was finished is kept, and the same command goes on from there", file=sys.stderr)
    sys.exit(code)
