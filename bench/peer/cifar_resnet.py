"""The residual networks for small images (He et al. 2016), with the shortcut of a tuned PyTorch and the usual one."""

from torch import nn
from torch.nn import functional as F


class PooledShortcut(nn.Module):
    """Option A of He et al. (2016): every second pixel, and zeros for the new channels.

    Slicing and padding falls back to NCHW in the backward pass; pooling with a window of one pixel does not.
    """

    def __init__(self, new_channels):
        super().__init__()
        self.pad = new_channels // 2

    def forward(self, x):
        return F.pad(F.avg_pool2d(x, 1, 2), (0, 0, 0, 0, self.pad, self.pad))


class SlicedShortcut(PooledShortcut):
    """The same shortcut as it is usually written."""

    def forward(self, x):
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad))


class Block(nn.Module):
    def __init__(self, channels_in, channels, stride, shortcut):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Identity() if stride == 1 else shortcut(channels - channels_in)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(out)) + self.shortcut(x), inplace=True)


class ResNet(nn.Module):
    def __init__(self, blocks, channels, classes, shortcut=PooledShortcut):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        stages = []
        for index, width in enumerate((16, 32, 64)):
            first = Block(max(16, width // 2), width, 1 if index == 0 else 2, shortcut)
            stages.append(nn.Sequential(first, *(Block(width, width, 1, shortcut) for _ in range(blocks - 1))))
        self.layer1, self.layer2, self.layer3 = stages
        self.fc = nn.Linear(64, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(F.avg_pool2d(x, x.shape[-1]).flatten(1))
