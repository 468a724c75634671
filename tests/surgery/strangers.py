"""Nets of users, each with something that makes a change of its graph hard."""

import torch
import torch.nn.functional as F
from torch import nn


def convolution(channels_in, channels_out, stride=1):
    return nn.Conv2d(channels_in, channels_out, 3, stride, 1)


class Functional(nn.Module):
    """Dropout and batch normalization as functions that read `self.training`."""

    def __init__(self):
        super().__init__()
        self.conv1 = convolution(1, 4)
        self.conv2 = convolution(4, 4)
        self.conv3 = convolution(4, 4)
        self.head = nn.Linear(4, 3)
        self.register_buffer("mean", torch.zeros(4))
        self.register_buffer("variance", torch.ones(4))

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = F.batch_norm(self.conv3(x), self.mean, self.variance, training=self.training)
        x = F.dropout(x, 0.5, self.training).mean((2, 3))
        return self.head(x)


class Auxiliary(nn.Module):
    """Gives more in training than in evaluation, and its functions are counted anew then."""

    def __init__(self):
        super().__init__()
        self.stem = convolution(1, 4)
        self.aux = nn.Linear(4, 3)
        self.conv1 = convolution(4, 4)
        self.conv2 = convolution(4, 4)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        x = F.relu(self.stem(x))
        aux = self.aux(F.relu(x).mean((2, 3))) if self.training else None
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        logits = self.head(x.mean((2, 3)))
        return (logits, aux) if self.training else logits


class Deciding(nn.Module):
    """Decides by values, around a sequence that does not."""

    def __init__(self):
        super().__init__()
        self.stem = convolution(1, 4)
        self.body = nn.Sequential(
            convolution(4, 4),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            convolution(4, 8, stride=2),
            nn.BatchNorm2d(8),
            nn.ReLU(),
        )
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        x = self.stem(x)
        if x.abs().sum() > 1e9:
            x = x / 2
        return self.head(self.body(x).mean((2, 3)))


class Block(nn.Module):
    """A residual block, as other libraries write it."""

    def __init__(self, channels):
        super().__init__()
        self.conv1 = convolution(channels, channels)
        self.conv2 = convolution(channels, channels)

    def forward(self, x):
        return F.relu(x + self.conv2(F.relu(self.conv1(x))))


def half_residual():
    """Two layers, a block that has an addition, and two layers again."""
    return nn.Sequential(
        convolution(1, 4),
        nn.ReLU(),
        convolution(4, 4),
        nn.ReLU(),
        convolution(4, 4),
        nn.ReLU(),
        Block(4),
        convolution(4, 4),
        nn.ReLU(),
        convolution(4, 4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4 * 8 * 8, 3),
    )


def mlp():
    return nn.Sequential(
        *(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU()),
        *(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 3)),
    )


def small():
    """Normalized, with a stride and a change of width."""
    return nn.Sequential(
        *(convolution(1, 4), nn.BatchNorm2d(4), nn.ReLU(inplace=True)),
        *(convolution(4, 4), nn.BatchNorm2d(4), nn.ReLU(inplace=True)),
        *(convolution(4, 4), nn.BatchNorm2d(4), nn.ReLU(inplace=True)),
        *(convolution(4, 8, 2), nn.BatchNorm2d(8), nn.ReLU(inplace=True)),
        *(convolution(8, 8), nn.BatchNorm2d(8), nn.ReLU(inplace=True)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)),
    )


def pictures(*shape):
    return torch.randn(*(shape or (4, 1, 8, 8)), generator=torch.Generator().manual_seed(1))
