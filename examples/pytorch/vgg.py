"""VGG-16 of Simonyan and Zisserman (2015) with batch norm, built as Lyceum builds it.

Lyceum's name: vgg16-bn. It is torchvision's vgg16_bn, which takes Lyceum's weights too:
`torchvision.models.vgg16_bn(num_classes=...)` for images of three channels. This file needs nothing but PyTorch: copy it.
"""
from torch import nn

STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


class Vgg(nn.Module):
    def __init__(self, channels, classes, dropout=0.5):
        super().__init__()
        layers = []
        for stage in STAGES:
            for width in stage:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(4096, classes),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, 0.01)
                nn.init.zeros_(module.bias)

    def forward(self, x):
        """x: [N, channels, H, W] of 32 x 32 pixels or more, normalised; returns logits [N, classes]."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))
