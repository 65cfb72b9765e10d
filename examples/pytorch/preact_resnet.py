"""Residual networks with pre-activation for small images, in the form of CS-KD and PS-KD, built as Lyceum builds them.

Lyceum's names: preact-resnet18 and preact-resnet34. Parameters carry the names of CS-KD's CIFAR_ResNet18 and CIFAR_ResNet34
and of PS-KD's CIFAR_ResNet18_preActBasic, which take Lyceum's weights too. This file needs nothing but PyTorch: copy it.
"""
from torch import nn
from torch.nn import functional as F


def convolution(channels_in, channels, window, stride=1):
    """Begins as PyTorch has it: uniform within +-1 / sqrt(fan-in)."""
    return nn.Conv2d(channels_in, channels, window, stride, padding=window // 2, bias=False)


class PreActBlock(nn.Module):
    """Norm and ReLU stand before each convolution. The shortcut begins AFTER THE FIRST NORM AND RELU IN EVERY BLOCK, also
    where it has no convolution; with x itself as the shortcut it is another network, which loads without an error."""

    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels_in)
        self.conv1 = convolution(channels_in, channels, 3, stride)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv2 = convolution(channels, channels, 3)
        self.shortcut = nn.Sequential()
        if stride != 1 or channels_in != channels:
            self.shortcut = nn.Sequential(convolution(channels_in, channels, 1, stride))

    def forward(self, x):
        active = F.relu(self.bn1(x))
        return self.conv2(F.relu(self.bn2(self.conv1(active)))) + self.shortcut(active)


class PreActResNet(nn.Module):
    """Four stages of 64, 128, 256 and 512 channels; `blocks` is (2, 2, 2, 2) for 18 layers, (3, 4, 6, 3) for 34. Norm and
    ReLU stand behind the first convolution, and not before the pooling."""

    def __init__(self, blocks, channels, classes):
        super().__init__()
        self.conv1 = convolution(channels, 64, 3)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = self.stage(64, 64, 1, blocks[0])
        self.layer2 = self.stage(64, 128, 2, blocks[1])
        self.layer3 = self.stage(128, 256, 2, blocks[2])
        self.layer4 = self.stage(256, 512, 2, blocks[3])
        self.linear = nn.Linear(512, classes)

    @staticmethod
    def stage(channels_in, channels, stride, blocks):
        first = PreActBlock(channels_in, channels, stride)
        return nn.Sequential(first, *(PreActBlock(channels, channels, 1) for _ in range(blocks - 1)))

    def forward(self, x):
        """x: [N, channels, H, W], normalised; returns logits [N, classes]."""
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))
