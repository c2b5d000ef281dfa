"""Make data/fashion_mnist.npz again: ``python scripts/make_fashion_mnist.py FOLDER [--out FILE]``.

FOLDER holds the four original files (``*-ubyte.gz``). The same input gives the same bytes.
"""

import argparse
import gzip
from pathlib import Path

import numpy as np


def read(folder: Path, name: str) -> np.ndarray:
    """Read one idx file."""
    data = gzip.decompress((folder / f"{name}-ubyte.gz").read_bytes())
    dimensions = data[3]
    shape = np.frombuffer(data, ">u4", dimensions, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("data/fashion_mnist.npz"))
    arguments = parser.parse_args()
    x, y = read(arguments.folder, "train-images-idx3"), read(arguments.folder, "train-labels-idx1")
    # 1,000 images a class, one of each class in every ten: any prefix is balanced, so train_size may cut it anywhere.
    rng = np.random.default_rng(42)
    chosen = np.stack([rng.permutation(np.flatnonzero(y == k))[:1000] for k in range(10)], axis=1)
    chosen = rng.permuted(chosen, axis=1).ravel()
    np.savez_compressed(
        arguments.out,
        x_train=x[chosen],
        y_train=y[chosen],
        x_test=read(arguments.folder, "t10k-images-idx3"),
        y_test=read(arguments.folder, "t10k-labels-idx1"),
    )


if __name__ == "__main__":
    main()
