"""Makes the networks by Lyceum's names, and freezes them."""

import copy

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from cifar_resnet import PooledShortcut, ResNet, SlicedShortcut
from densenet import DenseNet
from resnet import Bottleneck, ImageResNet

# The names of a convolution and of the batch norm that follows it, in each kind of block.
PAIRS = (("conv1", "bn1"), ("conv2", "bn2"), ("conv3", "bn3"), ("conv1", "norm2"), ("0", "1"))


def create(name, channels, classes, tuned):
    if name == "densenet-bc-40-12":
        return DenseNet(40, 12, channels, classes)
    if name == "resnet18":
        return ImageResNet(channels, classes)
    if name == "resnet50":
        return ImageResNet(channels, classes, Bottleneck, (3, 4, 6, 3))
    blocks = (int(name.removeprefix("resnet")) - 2) // 6
    return ResNet(blocks, channels, classes, PooledShortcut if tuned else SlicedShortcut)


def folded(model):
    """Returns a frozen copy whose batch norms are folded into the convolutions, as those of Lyceum's teacher are."""
    model = copy.deepcopy(model).eval().requires_grad_(False)
    for module in list(model.modules()):
        for conv_name, norm_name in PAIRS:
            conv, norm = getattr(module, conv_name, None), getattr(module, norm_name, None)
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, conv_name, fuse_conv_bn_eval(conv, norm))
                setattr(module, norm_name, nn.Identity())
    return model
