"""The images of a run, normalised and on its device; training images are augmented anew each time."""

import numpy as np
import torch

from ..datasets import Dataset
from ..datasets.augment import crop_and_flip
from ..datasets.image_files import ImageFiles
from . import distributed


class Images:
    """Training, validation and test images of one run.

    Parameters
    ----------
    data : datasets.Dataset
    batch_size : int
        Training images in a batch.
    padding : int
        Pixels around an image before it is cropped.
    device : torch.device

    Attributes
    ----------
    x_train, x_valid, x_test : torch.Tensor or ImageFiles
        Normalised images (n, c, h, w).
    y_train : torch.Tensor
        Labels (n,), on the device.
    black : torch.Tensor
        A black pixel after normalisation, (c,).
    """

    def __init__(self, data: Dataset, batch_size: int, padding: int, device: torch.device):
        self.batch_size, self.padding, self.device = batch_size, padding, device
        self.mean, self.std = (
            torch.tensor(np.asarray(values), dtype=torch.float32, device=device).view(1, -1, 1, 1)
            for values in (data.mean, data.std)
        )
        self.black = (-self.mean / self.std).view(-1)
        self.x_train, self.x_valid, self.x_test = map(self.normalised, (data.x_train, data.x_valid, data.x_test))
        self.y_train = torch.from_numpy(data.y_train).to(device)
        self.by_class = torch.argsort(self.y_train, stable=True)
        self.class_sizes = torch.bincount(self.y_train, minlength=data.num_classes)

    def normalised(self, x):
        """Return images (n, c, h, w) uint8 as the network takes them, on the device; those on disk, once decoded."""
        if isinstance(x, ImageFiles):
            return x.finished_by(self.normalised)
        x = torch.from_numpy(x)
        if self.device.type == "cuda":  # as bytes, from memory that the device reads without waiting for the host
            x = x.pin_memory().to(self.device, non_blocking=True)
        x = x.float().div_(255).sub_(self.mean).div_(self.std)
        return x.contiguous(memory_format=torch.channels_last)

    def augmented(self, index: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return training images at `index` (n,), each cropped and mirrored anew.

        Parameters
        ----------
        index : torch.Tensor, (n,)
            Places in the training set.
        generator : torch.Generator
            Source of chance.

        Returns
        -------
        torch.Tensor, (n, c, h, w)
            Normalised.
        """
        return next(self._views([index], generator))

    def of_class(self, y: torch.Tensor, u: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return, for each label in `y` (n,), an augmented training image of that class, chosen by `u` in [0, 1).

        Parameters
        ----------
        y : torch.Tensor, (n,)
            Labels.
        u : torch.Tensor, (n,)
            In [0, 1).
        generator : torch.Generator
            Source of chance of the augmentation.

        Returns
        -------
        torch.Tensor, (n, c, h, w)
            Normalised.
        """
        first = torch.cumsum(self.class_sizes, 0) - self.class_sizes
        return self.augmented(self.by_class[first[y] + (u * self.class_sizes[y]).long()], generator)

    def batches(self, generator: torch.Generator):
        """Yield one epoch of shuffled, augmented batches: images, labels, places in the training set.

        A last batch of one image is left out, since batch norm needs two.

        Yields
        ------
        tuple of torch.Tensor
            (n, c, h, w), (n,) and (n,).
        """
        order = torch.randperm(len(self.x_train), generator=generator, device=self.device)
        places = [index for index in order.split(self.batch_size) if len(index) > 1]
        for index, x in zip(places, self._views(places, generator), strict=True):
            yield x, self.y_train[index], index

    def _views(self, places, generator):
        """Yield the augmented images at each index tensor of `places`."""
        if isinstance(self.x_train, ImageFiles):
            # The next batch is decoded during this one's step; each process decodes its own part of a batch.
            views = self.x_train.training_views(places, generator, distributed.part)
            for index, x in zip(places, views, strict=True):
                yield x if distributed.size() == 1 else distributed.Part(x, len(index))
        else:
            for index in places:
                yield crop_and_flip(self.x_train[index], self.padding, generator, self.black)
