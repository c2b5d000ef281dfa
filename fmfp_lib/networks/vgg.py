"""VGG-16 with batch norm (Simonyan & Zisserman 2015), configuration D, for images of 32 pixels."""

import torch
from torch import nn


class VGG16(nn.Module):
    """Thirteen convolutions; head 512-512-512-k with dropout 0.5 before its first two layers."""

    PLAN = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "pool")

    def __init__(self, num_classes: int, in_channels: int = 3):
        super().__init__()
        layers, channels = [], in_channels
        for item in self.PLAN:
            if item == "pool":
                layers.append(nn.MaxPool2d(2, ceil_mode=True))  # so that 28 pixels survive five poolings
            else:
                layers += [nn.Conv2d(channels, item, 3, padding=1), nn.BatchNorm2d(item), nn.ReLU()]
                channels = item
        self.blocks = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Dropout(0.5), nn.Linear(512, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 512), nn.ReLU()
        )
        self.classifier = nn.Linear(512, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (n, c, h, w) to logits (n, k)."""
        return self.classifier(self.head(self.blocks(x).mean((2, 3))))
