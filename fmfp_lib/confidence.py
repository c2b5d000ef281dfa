"""Ways to score a prediction's trustworthiness, beside the maximum softmax probability (MSP).

The first part works on logits (n, k) alone, in NumPy and float64, so on any record; the second on features; the third
needs the network itself. Every score has shape (n,) and grows with trust; ``metrics.evaluate_confidence`` judges it.
"""

import copy

import numpy as np

from .metrics import _check_labels, _check_matrix, aurc, auroc, ece, softmax


def _log_softmax(logits):
    z = np.asarray(logits, np.float64)
    z = z - z.max(1, keepdims=True)
    return z - np.log(np.exp(z).sum(1, keepdims=True))


# -- scores from logits ---------------------------------------------------------------------------------------


def msp(logits) -> np.ndarray:
    """Return the maximum softmax probability, in [1/k, 1] (Hendrycks & Gimpel 2017)."""
    return softmax(_check_matrix(logits, "logits")).max(1)


def margin(logits) -> np.ndarray:
    """Return the difference of the two largest probabilities, in [0, 1]."""
    two = np.partition(softmax(_check_matrix(logits, "logits")), -2, axis=1)[:, -2:]
    return two[:, 1] - two[:, 0]


def entropy(logits) -> np.ndarray:
    """Return the entropy of the probabilities with its sign turned, so that it grows with trust: in [-ln k, 0] nats."""
    log_p = _log_softmax(_check_matrix(logits, "logits"))
    return (np.exp(log_p) * log_p).sum(1)


def energy(logits) -> np.ndarray:
    """Return the negative free energy, ln sum exp(logit), unbounded (Liu et al. 2020)."""
    z = _check_matrix(logits, "logits")
    return np.logaddexp.reduce(z, axis=1)


def max_logit(logits) -> np.ndarray:
    """Return the largest logit, unbounded."""
    return _check_matrix(logits, "logits").max(1)


def p_norm_max_logit(logits, p: float | None = 2.0) -> np.ndarray:
    """Return the largest centred logit over the p-norm of the centred logits, in [0, 1] (Cattelan & Silva 2024).

    It does not change when a row of logits is shifted or scaled. Equal logits give 0.

    Parameters
    ----------
    logits : array_like of shape (n, k)
    p : float or None
        Order of the norm, at least 1; None falls back to MSP. `fit_p` chooses.
    """
    if p is None:
        return msp(logits)
    if not p >= 1:
        raise ValueError(f"p is {p}; it must be at least 1, or None for MSP")
    z = _check_matrix(logits, "logits")
    z = z - z.mean(1, keepdims=True)
    largest = np.abs(z).max(1, keepdims=True)  # divided out, so that high powers neither over- nor underflow
    z = z / np.where(largest > 0, largest, 1)
    return z.max(1) / np.maximum(np.linalg.norm(z, p, axis=1), 1e-300)


P_GRID = tuple(range(1, 11))


def fit_p(valid_logits, valid_labels, grid=P_GRID) -> int | float | None:
    """Return the p of the smallest AURC on validation data, or None (MSP) where none is smaller than MSP's.

    Parameters
    ----------
    valid_logits : array_like of shape (n, k)
    valid_labels : array_like of shape (n,)
    grid : sequence of float
        Candidates.
    """
    z = _check_matrix(valid_logits, "logits")
    correct = z.argmax(1) == _check_labels(valid_labels, *z.shape)
    return min((None, *grid), key=lambda p: aurc(p_norm_max_logit(z, p), correct))  # the first of equals, so None


SCORES = {f.__name__: f for f in (msp, margin, entropy, energy, max_logit, p_norm_max_logit)}


# -- temperature scaling and ensembles ------------------------------------------------------------------------

TEMPERATURES = 0.01, 100.0  # where the temperature is sought


def fit_temperature(logits, labels) -> float:
    """Return the temperature T that minimises the NLL of logits / T (Guo et al. 2017), to a relative 1e-4 or better.

    The paper's TS-valid fits on a record's `valid_logits`, TS-optimal on its test logits. Scaling never changes a
    prediction. It changes MSP's order, hence AUROC, only because softmax compares more than two classes: with two,
    MSP is a growing function of the logits' difference over T, and every T orders alike.

    Parameters
    ----------
    logits : array_like of shape (n, k)
    labels : array_like of shape (n,)

    Returns
    -------
    float
        Within ``TEMPERATURES``: the lower end where colder is always better, as when all predictions are right, the
        upper where hotter is; 1 where T makes no difference, the logits of each row being equal.
    """
    z = _check_matrix(logits, "logits")
    true = z[np.arange(len(z)), _check_labels(labels, *z.shape)]
    if not np.ptp(z, axis=1).any():
        return 1.0

    def too_cold(t):  # the NLL is convex in 1/T; its slope there is the mean of expected minus true class's logit
        return np.mean((softmax(z / t) * (z - true[:, None])).sum(1)) > 0

    low, high = np.log(TEMPERATURES)
    if not too_cold(np.exp(low)):
        return TEMPERATURES[0]
    if too_cold(np.exp(high)):
        return TEMPERATURES[1]
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if too_cold(np.exp(middle)) else (low, middle)
    return float(np.exp((low + high) / 2))


def scale(logits, temperature: float) -> np.ndarray:
    """Return logits (n, k) divided by `temperature`, a positive number."""
    if not 0 < temperature < np.inf:
        raise ValueError(f"temperature is {temperature}; it must be positive and finite")
    return _check_matrix(logits, "logits") / temperature


def temperature_scaled(record) -> dict[str, tuple[float, np.ndarray]]:
    """Return the temperatures and the scaled test logits (n, k) of a finished run.

    Returns
    -------
    dict of str to tuple
        ``ts_valid``, fitted on the record's validation set, and ``ts_optimal``, fitted on its test set itself: a bound
        on what fitting by NLL can reach, since no user has the test labels.
    """
    sets = {
        "ts_valid": (record.valid_logits, record.valid_labels),
        "ts_optimal": (record.logits, record.labels),
    }
    fitted = {key: fit_temperature(*data) for key, data in sets.items()}
    return {key: (t, scale(record.logits, t)) for key, t in fitted.items()}


def temperature_sweep(logits, labels, temperatures) -> dict[str, np.ndarray]:
    """Return ``ece`` and ``auroc`` (m,) of logits (n, k) divided by each of `temperatures` (m,)."""
    z = _check_matrix(logits, "logits")
    labels = _check_labels(labels, *z.shape)
    correct, found = z.argmax(1) == labels, {"ece": [], "auroc": []}
    for t in temperatures:
        p = softmax(scale(z, t))
        found["ece"].append(ece(p, labels))
        found["auroc"].append(auroc(p.max(1), correct))
    return {key: np.array(values) for key, values in found.items()}


def ensemble(members) -> np.ndarray:
    """Return the logarithm of the members' mean probability (n, k), itself logits: softmax gives the mean back.

    Parameters
    ----------
    members : sequence of array_like of shape (n, k)
        Logits of at least one network each, such as the records of one setting with several seeds
        (Lakshminarayanan et al. 2017).
    """
    members = [_check_matrix(z, "logits") for z in members]
    shapes = sorted({z.shape for z in members})
    if len(shapes) != 1:
        raise ValueError(f"the members have shapes {shapes}; expected at least one member, all of one shape (n, k)")
    return np.logaddexp.reduce([_log_softmax(z) for z in members]) - np.log(len(members))


def neighbouring_ensembles(members, k: int) -> list[np.ndarray]:
    """Return as many ensembles as there are members, each of `k` neighbours in a circle, so that each is in k of them.

    For k = 1 these are the members themselves; for k = len(members) all are the same.
    """
    members = list(members)
    if not 1 <= k <= len(members):
        raise ValueError(f"k is {k}; with {len(members)} members it must be 1 to {len(members)}")
    return [ensemble([members[(i + j) % len(members)] for j in range(k)]) for i in range(len(members))]


# -- distances between features -------------------------------------------------------------------------------


def trust_score(features, predictions, train_features, train_labels, k: int = 10, alpha: float = 0.0) -> np.ndarray:
    """Return the distance to the nearest other class over that to the predicted class (Jiang et al. 2018).

    Parameters
    ----------
    features : array_like of shape (n, d)
    predictions : array_like of shape (n,)
        Predicted classes.
    train_features, train_labels : array_like of shape (m, d) and (m,)
        What the distances are measured to.
    k : int
        A training point's density is judged by the distance to its k-th neighbour in its class.
    alpha : float
        Share of each class's points, those of lowest density, to leave out; in [0, 1).

    Returns
    -------
    ndarray of shape (n,)
        Zero or positive; above 1 where the predicted class is nearest. 0 where it has no training point.

    Raises
    ------
    ValueError
        For wrong shapes, NaN, fewer than two classes in `train_labels`.
    """
    from sklearn.neighbors import NearestNeighbors

    x, train = (np.asarray(a, np.float64) for a in (features, train_features))
    predictions, labels = np.asarray(predictions), np.asarray(train_labels)
    if x.ndim != 2 or train.ndim != 2 or x.shape[1] != train.shape[1] or not len(x):
        raise ValueError(f"features have shape {x.shape} and train_features {train.shape}; expected (n, d) and (m, d)")
    if predictions.shape != x.shape[:1] or labels.shape != train.shape[:1]:
        raise ValueError(f"predictions have shape {predictions.shape} and train_labels {labels.shape}; one a row")
    if not np.isfinite(x).all() or not np.isfinite(train).all():
        raise ValueError("features hold NaN or infinite values; all must be finite")
    classes = np.unique(labels)
    if len(classes) < 2 or k < 1 or not 0 <= alpha < 1:
        raise ValueError(f"{len(classes)} classes, k {k}, alpha {alpha}; expected at least 2, at least 1, and [0, 1)")

    distances = np.empty((len(x), len(classes)))
    for column, label in enumerate(classes):
        points = train[labels == label]
        if alpha > 0 and len(points) > 1:
            neighbours = NearestNeighbors(n_neighbors=min(k, len(points) - 1)).fit(points)
            radius = neighbours.kneighbors()[0][:, -1]  # without an argument a point is not its own neighbour
            points = points[radius <= np.quantile(radius, 1 - alpha)]
        distances[:, column] = NearestNeighbors(n_neighbors=1).fit(points).kneighbors(x)[0][:, 0]
    own = predictions[:, None] == classes
    to_own = np.where(own, distances, np.inf).min(1)
    to_other = np.where(own, np.inf, distances).min(1)
    return (to_other + 1e-12) / (to_own + 1e-12)


# -- with the network -----------------------------------------------------------------------------------------
#
# Images `x` (n, c, h, w) are normalised tensors, as ``training.Run`` holds them. Networks run in eval mode and in
# float32, and come back in the modes that they had.

BATCH = 500


def _check_images(x, model=None):
    import torch

    if x.dim() < 2 or not len(x) or not torch.isfinite(x).all():
        raise ValueError(f"x has shape {tuple(x.shape)}; expected finite images (n, c, h, w), n >= 1")
    if model is not None and not hasattr(model, "classifier"):
        raise ValueError("the network's last layer must be called classifier")


def _outputs(model, x) -> np.ndarray:
    """Return what `model` makes of `x`, in batches."""
    import torch

    from .flatness import evaluation_mode

    device = next(model.parameters()).device
    with evaluation_mode(model), torch.no_grad():
        return torch.cat([model(part.to(device)).float().cpu() for part in x.split(BATCH)]).numpy()


def features(model, x) -> np.ndarray:
    """Return what enters ``model.classifier``, (n, d) float32, for images `x` (n, c, h, w)."""
    _check_images(x, model)
    seen = []
    hook = model.classifier.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].float().cpu()))
    try:
        _outputs(model, x)
    finally:
        hook.remove()
    return np.concatenate([part.numpy() for part in seen])


def mc_dropout(model, x, rate: float = 0.1, samples: int = 20, seed: int = 0) -> np.ndarray:
    """Return the log of the mean probability over random dropout masks (Gal & Ghahramani 2016), (n, k).

    The masks and the arguments are those of `mc_dropout_members`.
    """
    return ensemble(mc_dropout_members(model, x, rate, samples, seed))


def mc_dropout_members(model, x, rate: float = 0.1, samples: int = 20, seed: int = 0) -> list[np.ndarray]:
    """Return the logits (n, k) under each of several random dropout masks.

    A network with dropout of its own keeps its layers and their rates, switched on, and `rate` is ignored. Any other
    gets dropout on the features before ``classifier``; as it was not trained with it, that is an approximation.

    Parameters
    ----------
    model : nn.Module
        Its last layer is called ``classifier``.
    x : torch.Tensor
        Normalised images (n, c, h, w).
    rate : float
        Share of the features set to zero, in [0, 1); at 0 the probabilities are the plain ones.
    samples : int
        Number of masks.
    seed : int
        Decides the masks.
    """
    import torch
    from torch import nn

    from .flatness import evaluation_mode

    _check_images(x, model)
    if not 0 <= rate < 1 or samples < 1:
        raise ValueError(f"rate is {rate} and samples {samples}; expected [0, 1) and at least 1")
    device = next(model.parameters()).device
    own = [m for m in model.modules() if isinstance(m, nn.modules.dropout._DropoutNd) and m.p > 0]
    network = model
    if not own:  # all that changes from mask to mask is the last layer: run the rest once
        x = torch.from_numpy(features(model, x))
        own = [nn.Dropout(rate)]
        network = nn.Sequential(own[0], model.classifier)
    members, on_gpu = [], [device] if device.type == "cuda" else []
    with torch.random.fork_rng(on_gpu), evaluation_mode(model), torch.no_grad():
        torch.manual_seed(seed)
        for layer in own:
            layer.train()
        for _ in range(samples):
            members.append(torch.cat([network(part.to(device)).float().cpu() for part in x.split(BATCH)]).numpy())
    return members


# -- ConfidNet ------------------------------------------------------------------------------------------------


class ConfidNet:
    """A network that estimates the true class's probability; `fit_confidnet` makes one.

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
        _check_images(x)
        return _outputs(self.network, x)[:, 0].astype(np.float64)


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
    """
    import torch
    from torch import nn
    from torch.nn.functional import mse_loss

    from .flatness import evaluation_mode

    device = next(model.parameters()).device
    data = {"train": (x_train, y_train), "valid": (x_valid, y_valid)}
    inputs, targets = {}, {}
    if epochs < 1 or fine_tune_epochs < 0:
        raise ValueError(f"epochs is {epochs} and fine_tune_epochs {fine_tune_epochs}; expected at least 1 and 0")
    for part, (x, y) in data.items():
        _check_images(x, model)
        p = torch.from_numpy(_outputs(model, x)).double().softmax(1)
        y = torch.from_numpy(_check_labels(y.cpu().numpy(), *p.shape))
        targets[part] = p.gather(1, y[:, None]).float().to(device)
        inputs[part] = torch.from_numpy(features(model, x)).to(device)

    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        sizes = [inputs["train"].shape[1], 400, 400, 400, 400]
        layers = [layer for a, b in zip(sizes, sizes[1:], strict=False) for layer in (nn.Linear(a, b), nn.ReLU())]
        head = nn.Sequential(*layers, nn.Linear(400, 1), nn.Sigmoid()).to(device)
    network = copy.deepcopy(model)
    network.classifier = head
    generator = torch.Generator().manual_seed(seed)
    history, best = [], (float("inf"), None)

    def fit(module, x, count, rate):
        nonlocal best
        optimizer = torch.optim.Adam(module.parameters(), rate)
        for _ in range(count):
            total = 0.0
            with evaluation_mode(network):
                for index in torch.randperm(len(targets["train"]), generator=generator).split(batch_size):
                    loss = mse_loss(module(x["train"][index.to(x["train"].device)].to(device)), targets["train"][index])
                    optimizer.zero_grad(set_to_none=True)
                    loss.backward()
                    optimizer.step()
                    total += loss.item() * len(index) / len(targets["train"])
            error = float(np.mean((_outputs(module, x["valid"]) - targets["valid"].cpu().numpy()) ** 2))
            history.append((total, error))
            if error < best[0]:
                best = error, copy.deepcopy(network.state_dict())

    fit(head, inputs, epochs, learning_rate)
    if best[1] is None:
        raise FloatingPointError(f"the error is {history[-1]}; a smaller learning_rate may help")
    if fine_tune_epochs:
        network.load_state_dict(best[1])
        for parameter in network.parameters():
            parameter.requires_grad_(True)
        fit(network, {part: x for part, (x, _) in data.items()}, fine_tune_epochs, fine_tune_rate)
    network.load_state_dict(best[1])
    return ConfidNet(network, history)


# -- SWAG -----------------------------------------------------------------------------------------------------


class Swag:
    """A Gaussian over weights, fitted to those met late in training (SWAG, Maddox et al. 2019).

    Its covariance is half the diagonal one of all collected weights plus half that of the deviations of the last
    `rank` of them from the mean at their time. It covers parameters, not batch norm's statistics.

    Parameters
    ----------
    rank : int
        How many deviations to keep, at least 2.

    Attributes
    ----------
    count : int
        Number of weights collected.
    mean : torch.Tensor
        Their arithmetic mean, all parameters in one vector, float64.
    """

    def __init__(self, rank: int = 20):
        if rank < 2:
            raise ValueError(f"rank is {rank}; it must be at least 2")
        self.rank, self.count, self.mean, self._squares, self._deviations = rank, 0, None, None, []

    def collect(self, model) -> None:
        """Take in the present weights of `model`."""
        import torch

        w = torch.cat([p.detach().flatten().double().cpu() for p in model.parameters()])
        if self.mean is None:
            self.mean, self._squares = torch.zeros_like(w), torch.zeros_like(w)
        self.count += 1
        before = w - self.mean
        self.mean = self.mean + before / self.count
        deviation = w - self.mean
        self._squares = self._squares + before * deviation
        self._deviations = [*self._deviations, deviation.float()][-self.rank :]

    @property
    def variance(self):
        """Variance of every collected weight (divided by the count)."""
        self._check()
        return self._squares / self.count

    def _check(self):
        if not self.count:
            raise ValueError("no weights were collected yet")

    def sample(self, model, scale: float, generator) -> None:
        """Write into `model` weights drawn from the Gaussian; its covariance is multiplied by `scale`.

        Parameters
        ----------
        model : nn.Module
            Its parameters are overwritten; batch norm then needs new statistics.
        scale : float
            1 draws as Maddox et al. do, 0 gives the mean.
        generator : torch.Generator
            Source of chance, on the CPU.
        """
        import torch

        self._check()
        if not 0 <= scale < np.inf:
            raise ValueError(f"scale is {scale}; it must be finite, zero or positive")
        noise = self.variance.sqrt() * torch.randn(len(self.mean), generator=generator, dtype=torch.float64)
        columns = len(self._deviations)
        if columns > 1:  # a single deviation is zero
            weights = torch.randn(columns, generator=generator, dtype=torch.float64) / (columns - 1) ** 0.5
            for weight, deviation in zip(weights, self._deviations, strict=True):
                noise += weight * deviation
        drawn, parameters = self.mean + (scale / 2) ** 0.5 * noise, list(model.parameters())
        with torch.no_grad():
            for p, part in zip(parameters, drawn.split([p.numel() for p in parameters]), strict=True):
                p.copy_(part.view(p.shape))


def swag_logits(model, swag: Swag, x, batches_for_bn, samples: int = 20, seed: int = 0, scale: float = 1.0):
    """Return the log of the mean probability over networks drawn from `swag`, (n, k).

    Parameters
    ----------
    model : nn.Module
        A network of the right shape; it stays as it is.
    swag : Swag
    x : torch.Tensor
        Normalised images (n, c, h, w).
    batches_for_bn : iterable of torch.Tensor
        Training images, in batches, on which batch norm finds its statistics for every draw; they are kept in memory.
        May be empty for a network without batch norm.
    samples : int
        Number of draws.
    seed : int
        Decides the draws.
    scale : float
        Factor on the covariance.
    """
    import torch
    from torch.optim.swa_utils import update_bn

    _check_images(x)
    if samples < 1:
        raise ValueError(f"samples is {samples}; at least 1 is needed")
    network, batches = copy.deepcopy(model), list(batches_for_bn)
    if not batches and any(isinstance(m, torch.nn.modules.batchnorm._BatchNorm) for m in network.modules()):
        raise ValueError("batches_for_bn is empty, but the network has batch norm")
    generator, members = torch.Generator().manual_seed(seed), []
    for _ in range(samples):
        swag.sample(network, scale, generator)
        update_bn(batches, network, next(network.parameters()).device)
        members.append(_outputs(network, x))
    return ensemble(members)


def swag_from_run(run, samples: int = 20, seed: int = 0, scale: float = 1.0, rank: int = 20) -> np.ndarray:
    """Train the remaining epochs of a run that averages, collect its weights once an epoch, return test logits (n, k).

    Parameters
    ----------
    run : training.Run
        Of a method with ``averaging="swa"``: new, resumed or well advanced. It is trained to its end; epochs before
        the averaging starts are trained, not collected.
    samples, seed, scale
        As in `swag_logits`.
    rank : int
        As in `Swag`.

    Raises
    ------
    ValueError
        If the run has no epoch left that is averaged.

    Examples
    --------
    >>> run = training.Run(Settings(method="swa", scale="classroom"))  # doctest: +SKIP
    >>> logits = swag_from_run(run)  # doctest: +SKIP
    """
    import torch

    from . import methods

    if not any(methods.averages(run.method, run.settings, e) for e in range(run.epoch, run.settings.epochs)):
        raise ValueError(f"{run.settings.method} averages no weights from epoch {run.epoch} on; nothing to collect")
    swag = Swag(rank)
    while run.epoch < run.settings.epochs:
        averaged = methods.averages(run.method, run.settings, run.epoch)
        run.train_epoch()
        if averaged:
            swag.collect(run.model)
    generator = torch.Generator(run.device).manual_seed(seed)
    return swag_logits(run.model, swag, run.x_test, (x for x, _, _ in run.batches(generator)), samples, seed, scale)
