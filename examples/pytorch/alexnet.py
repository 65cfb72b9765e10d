"""AlexNet of Krizhevsky (2014) as torchvision has it, built as Lyceum builds it.

Lyceum's name: alexnet. It is torchvision's network of this name, which takes Lyceum's weights too:
`torchvision.models.alexnet(num_classes=...)` for images of three channels. This file needs nothing but PyTorch: copy it.
"""
from torch import nn


class AlexNet(nn.Module):
    def __init__(self, channels, classes, dropout=0.5):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 192, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, 1, 1), nn.ReLU(),
            nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU(),
            nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(3, 2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(6)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(),
            nn.Dropout(dropout), nn.Linear(4096, 4096), nn.ReLU(),
            nn.Linear(4096, classes),
        )

    def forward(self, x):
        """x: [N, channels, H, W] of 63 x 63 pixels or more, normalised; returns logits [N, classes]."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))
