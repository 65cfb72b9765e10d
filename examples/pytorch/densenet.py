"""DenseNet-BC for small images of Huang et al. (2017), section 4, built as Lyceum builds it.

Lyceum's names: densenet-bc-40-12, which is DenseNet(40, 12, channels, classes), densenet-bc-100-12 and densenet-bc-190-40.
Parameters carry torchvision's names, so that `load_state_dict` takes Lyceum's weights strictly. This file needs nothing but
PyTorch: copy it.
"""
from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F


def convolution(channels_in, channels, window):
    conv = nn.Conv2d(channels_in, channels, window, padding=window // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


class DenseLayer(nn.Module):
    """Norm and ReLU stand before each convolution; the new channels stand behind those that came in."""

    def __init__(self, channels_in, growth):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels_in)
        self.conv1 = convolution(channels_in, 4 * growth, 1)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = convolution(4 * growth, growth, 3)

    def forward(self, x):
        narrow = self.conv1(F.relu(self.norm1(x)))
        return torch.cat([x, self.conv2(F.relu(self.norm2(narrow)))], 1)


class Transition(nn.Module):
    """Halves the channels, then height and width by the mean of 2x2 pixels."""

    def __init__(self, channels_in, channels):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels_in)
        self.conv = convolution(channels_in, channels, 1)

    def forward(self, x):
        return F.avg_pool2d(self.conv(F.relu(self.norm(x))), 2)


class DenseNet(nn.Module):
    """Three blocks of (depth - 4) / 6 layers, each layer adding `growth` channels; `depth` is 6n + 4."""

    def __init__(self, depth, growth, channels, classes):
        super().__init__()
        if depth < 10 or (depth - 4) % 6 != 0:
            raise ValueError(f"depth must be 6n + 4, got {depth}")
        layers = (depth - 4) // 6
        width = 2 * growth
        features = OrderedDict(conv0=convolution(channels, width, 3))
        for block in (1, 2, 3):
            names = (f"denselayer{i + 1}" for i in range(layers))
            made = (DenseLayer(width + i * growth, growth) for i in range(layers))
            features[f"denseblock{block}"] = nn.Sequential(OrderedDict(zip(names, made)))
            width += layers * growth
            if block < 3:
                features[f"transition{block}"] = Transition(width, width // 2)
                width //= 2
        features["norm5"] = nn.BatchNorm2d(width)
        self.features = nn.Sequential(features)
        self.classifier = nn.Linear(width, classes)

    def forward(self, x):
        """x: [N, channels, H, W], normalised; returns logits [N, classes]."""
        x = F.relu(self.features(x))
        return self.classifier(F.adaptive_avg_pool2d(x, 1).flatten(1))
