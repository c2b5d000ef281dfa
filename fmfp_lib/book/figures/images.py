"""Images of a data set."""

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from ..examples import classes


def sample_images(data, per_class: int = 4):
    """Draw the first test images of each class, one column per class.

    Parameters
    ----------
    data : datasets.Dataset
        With at least `per_class` test images of each class.
    per_class : int
        Rows.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    labels, names = np.asarray(data.y_test), classes(data.name, data.num_classes)
    figure, axes = plt.subplots(per_class, data.num_classes, figsize=(7.6, 0.82 * per_class), squeeze=False)
    for column in range(data.num_classes):
        for row, place in enumerate(np.flatnonzero(labels == column)[:per_class]):
            image = np.asarray(data.x_test[place]).transpose(1, 2, 0).squeeze()
            axes[row, column].imshow(image, cmap="gray_r" if image.ndim == 2 else None)
        axes[0, column].set_title(names[column], fontsize=7)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        sns.despine(ax=axis, left=True, bottom=True)
    figure.tight_layout(pad=0.2)
    return figure
