"""The residual networks for large images of He et al. (2016), table 1, with basic blocks, built as Lyceum builds them.

Lyceum's names: resnet18, resnet34. They are torchvision's networks of these names, which take Lyceum's weights too:
`torchvision.models.resnet18(num_classes=...)` for images of three channels. This file needs nothing but PyTorch: copy it.
"""
from torch import nn
from torch.nn import functional as F


def convolution(channels_in, channels, window, stride):
    conv = nn.Conv2d(channels_in, channels, window, stride, padding=window // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


class BasicBlock(nn.Module):
    """relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut); the stride is conv1's.

    The shortcut is x itself, or option B where the shape changes: a 1x1 convolution with the block's stride and a batch
    norm, without ReLU.
    """

    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = convolution(channels_in, channels, 3, stride)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = convolution(channels, channels, 3, 1)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = None
        if stride != 1 or channels_in != channels:
            self.downsample = nn.Sequential(convolution(channels_in, channels, 1, stride), nn.BatchNorm2d(channels))

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn2(self.conv2(out)) + shortcut)


class ResNet(nn.Module):
    """Four stages of 64, 128, 256 and 512 channels; `blocks` is (2, 2, 2, 2) for ResNet-18, (3, 4, 6, 3) for ResNet-34."""

    def __init__(self, blocks, channels, classes):
        super().__init__()
        self.conv1 = convolution(channels, 64, 7, 2)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = self.stage(64, 64, 1, blocks[0])
        self.layer2 = self.stage(64, 128, 2, blocks[1])
        self.layer3 = self.stage(128, 256, 2, blocks[2])
        self.layer4 = self.stage(256, 512, 2, blocks[3])
        self.fc = nn.Linear(512, classes)

    @staticmethod
    def stage(channels_in, channels, stride, blocks):
        first = BasicBlock(channels_in, channels, stride)
        return nn.Sequential(first, *(BasicBlock(channels, channels, 1) for _ in range(blocks - 1)))

    def forward(self, x):
        """x: [N, channels, H, W], normalised; returns logits [N, classes]."""
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, stride=2, padding=1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))
