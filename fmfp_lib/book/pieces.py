"""What the playful pages share: the class's runs of one seed; data, scripts and images that lie inside a page."""

import base64
import io
import json
from dataclasses import replace
from pathlib import Path

from .rungs import CLASS

SEED = 3  # of the runs


def runs(methods) -> dict:
    """Return the class's run of each method, ``records.Record``, by method."""
    found = replace(CLASS, methods=tuple(methods), seeds=(SEED,)).runs()
    return {method: found[method][SEED] for method in methods}


def script(name: str) -> str:
    """Return one of the book's scripts, in its tag."""
    return f"<script>\n{(Path(__file__).parent / 'assets' / name).read_text('utf-8')}</script>\n"


def data(values: dict) -> str:
    """Return values for a page's script, as JSON in a tag of its own."""
    return f'<script type="application/json">{json.dumps(values, separators=(",", ":"))}</script>'


def image_address(pixels) -> str:
    """Return an image (c, h, w) of uint8 as an address that holds it as a PNG."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
