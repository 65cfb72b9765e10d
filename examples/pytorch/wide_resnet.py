"""Wide residual networks of Zagoruyko and Komodakis (2016), built as Lyceum builds them.

Lyceum's names: wrn-16-2, wrn-40-2, wrn-28-10 and wrn-28-10-dropout, whose dropout is 0.3. Parameters carry the names of
xternalz/WideResNet-pytorch and of RepDistiller's wrn_16_2 and wrn_40_2, which take Lyceum's weights too. This file needs
nothing but PyTorch: copy it.
"""
from torch import nn
from torch.nn import functional as F


def convolution(channels_in, channels, window, stride=1):
    conv = nn.Conv2d(channels_in, channels, window, stride, padding=window // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


class WideBlock(nn.Module):
    """Norm and ReLU stand before each convolution. The shortcut is x itself, or, where the number of channels changes, a 1x1
    convolution of what the first norm and ReLU make of x."""

    def __init__(self, channels_in, channels, stride, dropout):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels_in)
        self.conv1 = convolution(channels_in, channels, 3, stride)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv2 = convolution(channels, channels, 3)
        self.dropout = nn.Dropout(dropout)
        self.convShortcut = None
        if channels_in != channels:
            self.convShortcut = convolution(channels_in, channels, 1, stride)

    def forward(self, x):
        active = F.relu(self.bn1(x))
        shortcut = x if self.convShortcut is None else self.convShortcut(active)
        inner = F.relu(self.bn2(self.conv1(active)))
        return self.conv2(self.dropout(inner)) + shortcut


class WideStage(nn.Module):
    def __init__(self, channels_in, channels, stride, blocks, dropout):
        super().__init__()
        first = WideBlock(channels_in, channels, stride, dropout)
        self.layer = nn.Sequential(first, *(WideBlock(channels, channels, 1, dropout) for _ in range(blocks - 1)))

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    """Three stages of 16, 32 and 64 times `width` channels with n blocks each; `depth` is 6n + 4."""

    def __init__(self, depth, width, channels, classes, dropout=0.0):
        super().__init__()
        if depth < 10 or (depth - 4) % 6 != 0:
            raise ValueError(f"depth must be 6n + 4, got {depth}")
        blocks = (depth - 4) // 6
        self.conv1 = convolution(channels, 16, 3)
        self.block1 = WideStage(16, 16 * width, 1, blocks, dropout)
        self.block2 = WideStage(16 * width, 32 * width, 2, blocks, dropout)
        self.block3 = WideStage(32 * width, 64 * width, 2, blocks, dropout)
        self.bn1 = nn.BatchNorm2d(64 * width)
        self.fc = nn.Linear(64 * width, classes)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x):
        """x: [N, channels, H, W], normalised; returns logits [N, classes]."""
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        x = F.relu(self.bn1(x))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))
