"""The data behind the book's risk-coverage explorer: every finished run, as `explorer_data` packs it."""

import json
import shutil
from pathlib import Path

from matplotlib.colors import to_hex

from ..methods import METHODS
from . import explorer_data, figures, names, rungs
from .study import shown

BACKGROUNDS = {"light": "#ffffff", "dark": "#14181e"}  # of the book's theme
DEFAULT = ("baseline", "label_smoothing", "fmfp")  # what the page opens with, and its still picture shows

# A method without a colour of its own takes a relative's, with dashes; an objective keeps its colour with a flat method
# on top, and the dashes say which.
_RELATIVES = {
    "regmixup": ("mixup", "2 3"), "ema": ("swa", "2 3"), "cosine": ("baseline", "2 3"), "sure": ("fmfp", "2 3"),
    "sam_k2": ("sam", "4 2"), "sam_k5": ("sam", "1 2"), "sam_bn": ("sam", "8 3 2 3"),
    "fmfp_k2": ("fmfp", "4 2"), "fmfp_k5": ("fmfp", "1 2"), "fmfp_bn": ("fmfp", "8 3 2 3"),
}  # fmt: skip
_DASHES = {"": "", "sam": "8 3 2 3", "swa": "4 2", "ema": "1 2", "fmfp": "8 3"}


def style(method: str) -> dict[str, str]:
    """Return a method's name in print, its colours in the light and the dark theme (``#rrggbb``), and its dashes.

    Dashes are as SVG has them; empty means solid.
    """
    objective, _, flat = method.partition("+")
    relative, dashes = _RELATIVES.get(objective, (objective, ""))
    dashes = f"{dashes} {_DASHES[flat]}".strip()
    shades = {theme: figures.colour(relative, background) for theme, background in BACKGROUNDS.items()}
    return {"name": names.name(method), **shades, "dashes": dashes}


def run(record) -> dict:
    """Return what the page needs of one finished run, a ``records.Record``: `explorer_data.of_system` and its seed."""
    shown = {name: record.metrics[name] for name in ("accuracy", "auroc", "aurc", "ece")}
    return {"seed": record.settings.seed, **explorer_data.of_system(*record.scored, shown)}


def content(groups) -> dict:
    """Return what the page needs of several `study.Group`: their runs, and how each method is drawn.

    Raises
    ------
    ValueError
        If there is no group, or the test sets within one differ in size.
    """
    if not groups:
        raise ValueError("no finished runs to explore; the explorer needs at least one group")
    shown = [method for method in METHODS if any(method in group.runs for group in groups)]
    entries = []
    for group in groups:
        sizes = {len(record.labels) for record in group.records}
        if len(sizes) > 1:
            raise ValueError(f"{group.title}: test sets of {sorted(sizes)} images; expected one size a group")
        settings = group.records[0].settings.filled()
        entries.append({
            "dataset": group.dataset, "network": group.network, "scale": group.scale,
            "dataset_name": names.name(group.dataset), "network_name": names.name(group.network),
            "train_size": settings.train_size, "epochs": settings.epochs, "n": sizes.pop(),
            "runs": {method: [run(record) for record in records] for method, records in group.runs.items()},
        })  # fmt: skip
    return {
        "grid": explorer_data.GRID,
        "bins": explorer_data.BINS,
        "default": [m for m in DEFAULT if m in shown] or shown[:1],
        "right": {"light": to_hex(figures.CORRECT), "dark": "#b8c4dd"},
        "wrong": {"light": to_hex(figures.INCORRECT), "dark": "#ff7aa8"},
        "methods": {method: style(method) | {"more": method not in rungs.CLASS.methods} for method in shown},
        "groups": entries,
    }


def write(book: Path, groups=None) -> None:
    """Write the page's form, its assets and its still picture ``images/explorer.png`` into the folder `book`.

    `groups` defaults to every finished run that the book shows. The data are a script, because a page opened from
    disk may load scripts, but nothing else.

    Parameters
    ----------
    book : Path
        Folder of the book.
    groups : iterable of study.Group, optional
        The runs to show.
    """
    if groups is None:
        groups = shown(METHODS)
    text = json.dumps(content(groups), separators=(",", ":"))
    for name in ("assets", "images"):
        (book / name).mkdir(parents=True, exist_ok=True)
    (book / "assets" / "explorer_data.js").write_text(f"window.fmfpExplorer={text};\n")
    for name in ("explorer.js", "explorer.css"):
        shutil.copy(explorer_data.ASSETS / name, book / "assets")
    shutil.copy(explorer_data.ASSETS / "explorer.html", book / "_explorer.html")
    runs = groups[0].runs
    drawn = [runs[m][0] for m in DEFAULT if m in runs] or groups[0].records[:1]
    still = figures.risk_coverage_plot(drawn)
    highest = max(1 - record.metrics["accuracy"] for record in drawn)
    still.axes[0].set_ylim(0, 110 * highest)  # the first few images may be wrong by chance; they stay outside
    still.savefig(book / "images" / "explorer.png", dpi=130, facecolor="white", bbox_inches="tight")
