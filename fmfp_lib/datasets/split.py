"""Which images are trained on, held out, and tested on."""

import numpy as np


def in_turn(y):
    """Return an order that takes classes in turn, so that any prefix is balanced."""
    rank = np.empty(len(y), np.int64)
    for label in np.unique(y):
        where = np.flatnonzero(y == label)
        rank[where] = np.arange(len(where))
    return np.argsort(rank, kind="stable")


def first_images(y, size, part):
    """Return where the first `size` images of the order `in_turn` are.

    Parameters
    ----------
    y : ndarray, (n,), int
        Labels.
    size : int or None
        Number of images, or all.
    part : str
        ``train`` or ``test``, for the message.

    Returns
    -------
    ndarray, (size,), int
        Positions in `y`.

    Raises
    ------
    ValueError
        If there are fewer than `size`, or `size` is below 1.
    """
    size = len(y) if size is None else size
    if not 1 <= size <= len(y):
        raise ValueError(f"{part}_size is {size}; the data set has {len(y)}, so choose 1 to {len(y)}")
    return in_turn(y)[:size]


def training_and_validation(y, protocol):
    """Return where the images to train on are, and where the held-out tenth is, whatever is trained on.

    The paper does not say which images it holds out: here, the last tenth of an order that takes classes in turn. The
    released code takes the first tenth of a shuffled order with seed 42.

    Parameters
    ----------
    y : ndarray, (n,), int
        Labels.
    protocol : str
        ``paper`` or ``code``.

    Returns
    -------
    tuple of ndarray
        Positions in `y` of the training images and of the held-out ones.
    """
    tenth = len(y) // 10
    if protocol == "code":
        order = np.random.RandomState(42).permutation(len(y))
        return order[tenth:], order[:tenth]
    order = in_turn(y)
    return order[: len(y) - tenth], order[len(y) - tenth :]
