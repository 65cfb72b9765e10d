"""What a CIFAR ResNet of Lyceum loses where option A's zeros are all put behind: a figure of docs/networks.md.

    /usr/bin/python3 bench/probes/zeros-behind.py runs/quickstart/generation-2/weights.safetensors /usr/share/datasets/fashion-mnist

Prints top-1 on Fashion-MNIST's test images, as Lyceum builds the network and with the zeros behind.
"""
import gzip
import pathlib
import sys

import numpy as np
import torch
from torch.nn import functional as F

sys.path.append(str(pathlib.Path(__file__).parents[2] / "examples/pytorch"))
from cifar_resnet import BasicBlock
from load import load


def read(path, header):
    return torch.from_numpy(np.frombuffer(gzip.open(path).read(), np.uint8, offset=header).copy())


def zeros_behind(block, x):
    return F.pad(x[:, :, :: block.stride, :: block.stride], (0, 0, 0, 0, 0, block.new_channels))


weights, data = sys.argv[1], pathlib.Path(sys.argv[2])
images = read(data / "t10k-images-idx3-ubyte.gz", 16).view(-1, 1, 28, 28)
labels = read(data / "t10k-labels-idx1-ubyte.gz", 8)
network = load(weights)


def top1():
    scores = torch.cat([network.predict(batch) for batch in images.split(500)])
    return f"{(scores.argmax(1) == labels).double().mean():.2%}"


print("as built:", top1())
BasicBlock.shortcut = zeros_behind
print("zeros behind:", top1())
