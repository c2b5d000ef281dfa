"""How weights begin: as the authors' released code draws them, network by network."""

import math

from torch import nn


def he_fan_out(network: nn.Module) -> None:
    """Draw every convolution's weights from He's normal distribution over fan-out, in place."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def zero_biases(*layers: nn.Module) -> None:
    """Set the biases of `layers` to zero, in place."""
    for layer in layers:
        nn.init.zeros_(layer.bias)


def uniform_by_fan_in(layer: nn.Module) -> None:
    """Draw a layer's weights uniformly within 1 / floor(sqrt(fan-in)), in place; its bias stays."""
    bound = 1 / int(math.sqrt(layer.weight[0].numel()))
    nn.init.uniform_(layer.weight, -bound, bound)


def torch_default(network: nn.Module) -> None:
    """Draw every convolution's weights as PyTorch does by default, in place."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5))
