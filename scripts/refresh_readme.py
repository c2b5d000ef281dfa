"""Make the README's picture, table and what it says again from the records: ``python scripts/refresh_readme.py``."""

import re
from pathlib import Path

from fmfp_lib import figures, tables

NETWORKS = {"PreAct-ResNet-8": "preact_resnet8_w32_s2", "DenseNet-BC-22": "densenet22_g8_s2"}
ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "book" / "images" / "calibration_against_ranking.png"

if __name__ == "__main__":
    groups = {title: tables.classroom(network) for title, network in NETWORKS.items()}
    figure = figures.calibration_against_ranking(groups, tables.GLANCE)
    figure.savefig(PICTURE, dpi=130, facecolor="white", bbox_inches="tight")
    readme = ROOT / "README.md"
    made = tables.at_a_glance() + "\n\n"
    readme.write_text(re.sub(r"\| method \|.*?\n\n.*?\n\n", lambda _: made, readme.read_text(), flags=re.S))
    print(f"{PICTURE}\n{readme}")
