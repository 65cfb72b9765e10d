"""MobileNetV2 of Sandler et al. (2018), table 2, built as Lyceum builds it.

Lyceum's name: mobilenet-v2. It is torchvision's mobilenet_v2, which takes Lyceum's weights too:
`torchvision.models.mobilenet_v2(num_classes=...)` for images of three channels. This file needs nothing but PyTorch: copy it.
"""
from torch import nn
from torch.nn import functional as F

# Expansion, channels, blocks, and the stride of the first block.
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


def convolution(channels_in, channels, window, stride=1, groups=1):
    return nn.Conv2d(channels_in, channels, window, stride, window // 2, groups=groups, bias=False)


def activated(channels_in, channels, window, stride=1, groups=1):
    conv = convolution(channels_in, channels, window, stride, groups)
    return nn.Sequential(conv, nn.BatchNorm2d(channels), nn.ReLU6())


class InvertedResidual(nn.Module):
    """1x1 to more channels, 3x3 of each channel by itself, 1x1 back to few without activation; x is added where it fits."""

    def __init__(self, channels_in, channels, stride, expansion):
        super().__init__()
        inner = channels_in * expansion
        widen = [] if expansion == 1 else [activated(channels_in, inner, 1)]
        self.conv = nn.Sequential(
            *widen,
            activated(inner, inner, 3, stride, groups=inner),
            convolution(inner, channels, 1),
            nn.BatchNorm2d(channels),
        )
        self.is_residual = stride == 1 and channels_in == channels

    def forward(self, x):
        return x + self.conv(x) if self.is_residual else self.conv(x)


class MobileNetV2(nn.Module):
    def __init__(self, channels, classes, dropout=0.2):
        super().__init__()
        width = 32
        layers = [activated(channels, width, 3, 2)]
        for expansion, to, blocks, stride in STAGES:
            for block in range(blocks):
                layers.append(InvertedResidual(width, to, stride if block == 0 else 1, expansion))
                width = to
        layers.append(activated(width, 1280, 1))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(1280, classes))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, 0.01)
                nn.init.zeros_(module.bias)

    def forward(self, x):
        """x: [N, channels, H, W], normalised; returns logits [N, classes]."""
        return self.classifier(F.adaptive_avg_pool2d(self.features(x), 1).flatten(1))
