"""DenseNet-BC for small images (Huang et al. 2017), with torchvision's names of weights."""

from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F


class DenseLayer(nn.Module):
    def __init__(self, channels_in, growth):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels_in)
        self.conv1 = nn.Conv2d(channels_in, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, 1, 1, bias=False)

    def forward(self, x):
        out = self.conv1(F.relu(self.norm1(x), inplace=True))
        return torch.cat((x, self.conv2(F.relu(self.norm2(out), inplace=True))), 1)


class Transition(nn.Module):
    def __init__(self, channels_in, channels):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels_in)
        self.conv = nn.Conv2d(channels_in, channels, 1, bias=False)

    def forward(self, x):
        return F.avg_pool2d(self.conv(F.relu(self.norm(x), inplace=True)), 2)


class DenseNet(nn.Module):
    def __init__(self, depth, growth, channels, classes):
        super().__init__()
        layers, width = (depth - 4) // 6, 2 * growth
        features = OrderedDict(conv0=nn.Conv2d(channels, width, 3, 1, 1, bias=False))
        for block in (1, 2, 3):
            if block > 1:
                features[f"transition{block - 1}"] = Transition(width, width // 2)
                width //= 2
            dense = OrderedDict()
            for layer in range(1, layers + 1):
                dense[f"denselayer{layer}"] = DenseLayer(width, growth)
                width += growth
            features[f"denseblock{block}"] = nn.Sequential(dense)
        features["norm5"] = nn.BatchNorm2d(width)
        self.features = nn.Sequential(features)
        self.classifier = nn.Linear(width, classes)

    def forward(self, x):
        x = F.relu(self.features(x), inplace=True)
        return self.classifier(F.avg_pool2d(x, x.shape[-1]).flatten(1))
