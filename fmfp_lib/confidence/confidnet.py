"""ConfidNet (Corbière et al. 2019): a network that learns how far another one is to be trusted."""

import copy

import numpy as np

from ..metrics.checks import check_labels
from ..randomness import seeded
from .forward import check_images, features, outputs


class ConfidNet:
    """A network that estimates the true class's probability; `fit_confidnet` makes one.

    Parameters
    ----------
    network : nn.Module
        The encoder with the confidence head as its ``classifier``.
    history : list of tuple
        Errors after each epoch, as in the attribute.

    Attributes
    ----------
    network : nn.Module
        The encoder with the confidence head as its ``classifier``.
    history : list of tuple
        Mean squared error on the training and on the validation data after each epoch, fine-tuning last.
    """

    def __init__(self, network, history):
        self.network, self.history = network, history

    def confidence(self, x) -> np.ndarray:
        """Return the estimated probability (n,) of the true class for normalised images `x` (n, c, h, w)."""
        check_images(x)
        return outputs(self.network, x)[:, 0].astype(np.float64)


def fit_confidnet(
    model, x_train, y_train, x_valid, y_valid, epochs: int = 100, fine_tune_epochs: int = 0, seed: int = 0,
    learning_rate: float = 1e-4, fine_tune_rate: float = 1e-6, batch_size: int = 128,
) -> ConfidNet:  # fmt: skip
    """Learn the probability that `model` gives to the true class (Corbière et al. 2019).

    A head of five layers, 400 wide, maps the features that enter ``model.classifier`` to a number in [0, 1] and is
    fitted by squared error, with Adam. Then, optionally, a copy of the encoder is tuned together with the head, batch
    norm keeping its statistics and dropout off. Of all epochs, the one of smallest error on the validation data is
    kept (a deviation: it is always defined, unlike a ranking metric where no validation image is wrong).

    `model` stays as it is and goes on making the predictions. Its training accuracy limits what can be learned: where
    nearly every training image is classified rightly, nearly every target is 1.

    Parameters
    ----------
    model : nn.Module
        Its last layer is called ``classifier``.
    x_train, y_train, x_valid, y_valid : torch.Tensor
        Normalised images (n, c, h, w) and labels (n,).
    epochs, fine_tune_epochs : int
        Passes over the training data with the encoder frozen (at least 1), and with it.
    seed : int
        Decides the head's first weights and the order of the images.
    learning_rate, fine_tune_rate : float
        Adam's rates for the two phases.
    batch_size : int

    Returns
    -------
    ConfidNet
        The fitted network and its history.
    """
    import torch

    if epochs < 1 or fine_tune_epochs < 0:
        raise ValueError(f"epochs is {epochs} and fine_tune_epochs {fine_tune_epochs}; expected at least 1 and 0")
    images = x_train, x_valid
    targets = [_true_probability(model, x, y) for x, y in ((x_train, y_train), (x_valid, y_valid))]
    encoded = [torch.from_numpy(features(model, x)).to(targets[0].device) for x in images]

    network = copy.deepcopy(model)
    network.classifier = _head(encoded[0].shape[1], seed).to(targets[0].device)
    fitting = _Fitting(network, targets, batch_size, seed)
    fitting.fit(network.classifier, encoded, epochs, learning_rate)
    if fitting.state is None:
        raise FloatingPointError(f"the error is {fitting.history[-1]}; a smaller learning_rate may help")
    if fine_tune_epochs:
        network.load_state_dict(fitting.state)
        for parameter in network.parameters():
            parameter.requires_grad_(True)
        fitting.fit(network, images, fine_tune_epochs, fine_tune_rate)
    network.load_state_dict(fitting.state)
    return ConfidNet(network, fitting.history)


def _true_probability(model, x, y):
    """Return the probability (n, 1) that `model` gives to each image's true class."""
    import torch

    check_images(x, model)
    p = torch.from_numpy(outputs(model, x)).double().softmax(1)
    y = torch.from_numpy(check_labels(y.cpu().numpy(), *p.shape))
    return p.gather(1, y[:, None]).float().to(next(model.parameters()).device)


def _head(width: int, seed: int):
    """Return the head: five layers, 400 wide, from `width` features to a number in [0, 1]."""
    from torch import nn

    with seeded(seed):
        sizes = [width, 400, 400, 400, 400]
        layers = [layer for a, b in zip(sizes, sizes[1:], strict=False) for layer in (nn.Linear(a, b), nn.ReLU())]
        return nn.Sequential(*layers, nn.Linear(400, 1), nn.Sigmoid())


class _Fitting:
    """Both phases of fitting: they share the order of the images, the history and the best state so far."""

    def __init__(self, network, targets, batch_size, seed):
        import torch

        self.network, self.batch_size = network, batch_size
        self.train, self.valid = targets
        self.generator = torch.Generator().manual_seed(seed)
        self.history, self.smallest, self.state = [], float("inf"), None

    def fit(self, module, inputs, epochs, rate):
        """Fit `module`, the network or its head, to the targets of `inputs` (training, validation)."""
        import torch

        optimizer = torch.optim.Adam(module.parameters(), rate)
        for _ in range(epochs):
            loss = self._epoch(module, inputs[0], optimizer)
            error = float(np.mean((outputs(module, inputs[1]) - self.valid.cpu().numpy()) ** 2))
            self.history.append((loss, error))
            if error < self.smallest:
                self.smallest, self.state = error, copy.deepcopy(self.network.state_dict())

    def _epoch(self, module, x, optimizer):
        import torch
        from torch.nn.functional import mse_loss

        from ..flatness import evaluation_mode

        total, n = torch.zeros((), dtype=torch.float64, device=self.train.device), len(self.train)
        with evaluation_mode(self.network):
            order = torch.randperm(n, generator=self.generator)  # moved once: each move waits for the device
            places, targets = order.to(x.device), self.train[order.to(self.train.device)]
            for index, target in zip(places.split(self.batch_size), targets.split(self.batch_size), strict=True):
                batch = x[index].to(self.train.device, non_blocking=True)
                loss = mse_loss(module(batch), target)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                total += loss.detach().double() * len(index) / n  # no reading: it waits for the device
        return float(total)
