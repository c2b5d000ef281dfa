"""Draw the picture of the README and the home page from the records: ``python scripts/make_readme_picture.py``."""

from pathlib import Path

from fmfp_lib import figures, tables

NETWORKS = {"PreAct-ResNet-8": "preact_resnet8_w32_s2", "DenseNet-BC-22": "densenet22_g8_s2"}
TARGET = Path(__file__).resolve().parent.parent / "book" / "images" / "calibration_against_ranking.png"

if __name__ == "__main__":
    groups = {title: tables.classroom(network) for title, network in NETWORKS.items()}
    groups = {title: runs for title, runs in groups.items() if runs}
    TARGET.parent.mkdir(exist_ok=True)
    figure = figures.calibration_against_ranking(groups, tables.GLANCE)
    figure.savefig(TARGET, dpi=130, facecolor="white", bbox_inches="tight")
    print(TARGET)
