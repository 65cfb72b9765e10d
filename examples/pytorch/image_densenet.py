"""DenseNet-121 of Huang et al. (2017), table 1, built as Lyceum builds it.

Lyceum's name: densenet121. It is torchvision's network of this name, which takes Lyceum's weights too:
`torchvision.models.densenet121(num_classes=...)` for images of three channels. Its layers are those of densenet.py, beside this
file; both need nothing but PyTorch: copy them.
"""
from collections import OrderedDict

from torch import nn
from torch.nn import functional as F

from densenet import DenseLayer, Transition


class ImageDenseNet(nn.Module):
    """Four blocks of so many layers, each layer adding `growth` channels; `layers` is (6, 12, 24, 16) for DenseNet-121."""

    def __init__(self, layers, growth, channels, classes):
        super().__init__()
        width = 2 * growth
        features = OrderedDict(
            conv0=nn.Conv2d(channels, width, 7, 2, 3, bias=False),
            norm0=nn.BatchNorm2d(width),
            relu0=nn.ReLU(),
            pool0=nn.MaxPool2d(3, 2, 1),
        )
        for block, count in enumerate(layers, 1):
            names = (f"denselayer{i + 1}" for i in range(count))
            made = (DenseLayer(width + i * growth, growth) for i in range(count))
            features[f"denseblock{block}"] = nn.Sequential(OrderedDict(zip(names, made)))
            width += count * growth
            if block < len(layers):
                features[f"transition{block}"] = Transition(width, width // 2)
                width //= 2
        features["norm5"] = nn.BatchNorm2d(width)
        self.features = nn.Sequential(features)
        self.classifier = nn.Linear(width, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)  # by fan-in, not by fan-out as the networks for small images
        nn.init.zeros_(self.classifier.bias)

    def forward(self, x):
        """x: [N, channels, H, W] of 29 x 29 pixels or more, normalised; returns logits [N, classes]."""
        x = F.relu(self.features(x))
        return self.classifier(F.adaptive_avg_pool2d(x, 1).flatten(1))
