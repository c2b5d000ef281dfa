"""What ``fmfp bench`` measured, and its table."""

import json

from ..paths import BENCHMARKS
from .markdown import table


def measured(group: str, device: str = "cpu") -> list[dict]:
    """Return the rows measured by ``fmfp bench`` whose group begins with `group`; none where nothing was measured.

    Parameters
    ----------
    group : str
        How the group's name begins.
    device : str
        ``cpu`` or ``cuda``.

    Returns
    -------
    list of dict
        One per measured row.
    """
    found = json.loads(BENCHMARKS.read_text()) if BENCHMARKS.exists() else {}
    return [row for row in found.get(device, {"rows": []})["rows"] if row["group"].startswith(group)]


def sam_prices() -> dict | None:
    """Return the measured price of a SAM step in SGD steps by ``Method.perturbed_parameters``, or None."""
    ratios = {row["what"]: row["ratio"] for row in measured("Prices")}
    return {"all": ratios["`sam`"], "batch_norm": ratios["`sam_bn`"]} if ratios else None


def _three_digits(value) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}"


def speed(found: dict | None = None) -> str:
    """Return what ``fmfp bench`` measured as Markdown, one table a group.

    Parameters
    ----------
    found : dict, optional
        Measurements by device, as ``benchmarks.bench.measure`` returns them; the committed ones if not given.
    """
    if found is None:
        found = json.loads(BENCHMARKS.read_text())
    lines, groups = [], {}
    for device, part in found.items():
        versions = ", ".join(" ".join(item) for item in part["versions"].items())
        about = f"{device.upper()}: {part['device']}", f"{part['cores']} cores", f"{part['threads']} threads", versions
        how = f"{part['clock']} clock, medians of {part['repeats']}, {part['date']}, load {part['load']}"
        lines.append(f"{', '.join(about)}; {how}.\n")
        for row in part["rows"]:
            groups.setdefault(row["group"], {}).setdefault(row["what"], {})[device] = row
    for group, rows in groups.items():
        on_gpu = "cuda" in found and group.startswith(("Training", "Where", "Prices", "Layout"))
        heading = ["", "compared with", "here", "ratio", "aim"] + ["ratio on a GPU"] * on_gpu
        cells_of = []
        for what, by_device in rows.items():
            cuda = by_device.get("cuda")
            shown = by_device.get("cpu") or ({"aim": cuda["aim"]} if on_gpu else cuda)
            cells = [
                f"{_three_digits(shown[key])}\u00a0{shown['unit']}" if shown.get(key) is not None else ""
                for key in ("other", "own")
            ]
            cells += [_three_digits(shown.get("ratio")), (shown["aim"] or "").replace(" ", "\u00a0")]
            if on_gpu:
                cells.append(_three_digits(cuda["ratio"]) if cuda else "not measured yet")
            cells_of.append((what, *cells))
        kept = [i for i in range(len(heading)) if i == 0 or any(cells[i] for cells in cells_of)]
        heading, *cells_of = ([row[i] for i in kept] for row in (heading, *cells_of))
        lines += [f"**{group}.**\n", table(heading, cells_of), ""]
    return "\n".join(lines)
