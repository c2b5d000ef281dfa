"""How weights begin."""

from torch import nn


def he_fan_out(network: nn.Module) -> None:
    """Draw every convolution's weights from He's normal distribution over fan-out, in place."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
