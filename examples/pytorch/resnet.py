"""The residual networks for large images of He et al. (2016), table 1, and their wide and grouped kin, built as
Lyceum builds them.

Lyceum's names: resnet18, resnet34, resnet50, resnet101, resnet152, wide-resnet50-2, resnext50-32x4d. They are torchvision's
networks of these names (wide_resnet50_2, resnext50_32x4d), which take Lyceum's weights too:
`torchvision.models.resnet18(num_classes=...)` for images of three channels. This file needs nothing but PyTorch: copy it.
"""
from torch import nn
from torch.nn import functional as F


def convolution(channels_in, channels, window, stride, groups=1):
    conv = nn.Conv2d(channels_in, channels, window, stride, padding=window // 2, groups=groups, bias=False)
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


class Bottleneck(nn.Module):
    """relu(bn3(conv3(relu(bn2(conv2(relu(bn1(conv1(x))))))) + shortcut); THE STRIDE IS CONV2'S, the 3x3 one's. In the paper it
    is conv1's, which loads without an error and predicts worse.

    The shortcut is x itself, or option B where the shape changes.
    """

    def __init__(self, channels_in, width, channels, stride, groups):
        super().__init__()
        self.conv1 = convolution(channels_in, width, 1, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = convolution(width, width, 3, stride, groups)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = convolution(width, channels, 1, 1)
        self.bn3 = nn.BatchNorm2d(channels)
        self.downsample = None
        if stride != 1 or channels_in != channels:
            self.downsample = nn.Sequential(convolution(channels_in, channels, 1, stride), nn.BatchNorm2d(channels))

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = F.relu(self.bn2(self.conv2(out)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn3(self.conv3(out)) + shortcut)


class ResNet(nn.Module):
    """Four stages of so many `blocks`: (2, 2, 2, 2) for ResNet-18, (3, 4, 6, 3) for ResNet-34 and ResNet-50. Without
    `bottleneck` they are basic blocks of 64, 128, 256 and 512 channels; with `bottleneck=(width, groups)` they are
    bottlenecks of four times as many, whose 3x3 convolutions have `width` channels in the first stage."""

    def __init__(self, blocks, channels, classes, bottleneck=None):
        super().__init__()
        self.bottleneck = bottleneck
        expansion = 1 if bottleneck is None else 4
        self.conv1 = convolution(channels, 64, 7, 2)
        self.bn1 = nn.BatchNorm2d(64)
        channels_in = 64
        for stage, count in enumerate(blocks):
            channels_out = (64 << stage) * expansion
            first = self.block(channels_in, channels_out, 1 if stage == 0 else 2, stage)
            rest = (self.block(channels_out, channels_out, 1, stage) for _ in range(count - 1))
            self.add_module(f"layer{stage + 1}", nn.Sequential(first, *rest))
            channels_in = channels_out
        self.fc = nn.Linear(channels_in, classes)

    def block(self, channels_in, channels, stride, stage):
        if self.bottleneck is None:
            return BasicBlock(channels_in, channels, stride)
        width, groups = self.bottleneck
        return Bottleneck(channels_in, width << stage, channels, stride, groups)

    def forward(self, x):
        """x: [N, channels, H, W], normalised; returns logits [N, classes]."""
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, stride=2, padding=1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))
