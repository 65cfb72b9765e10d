"""Loads a network that Lyceum trained into PyTorch, and predicts with it. Needs PyTorch and NumPy, nothing else.

    from load import load
    network = load("runs/mine/generation-2/weights.safetensors")
    scores = network.predict(images)            # images: uint8 [N, channels, H, W]; scores: [N, classes]
    network.class_names[scores[0].argmax()]

    python3 load.py WEIGHTS IMAGES.npy          # prints the class of each image: uint8 [N, channels, H, W]
"""
import hashlib
import json
import sys
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from alexnet import AlexNet
from cifar_resnet import CifarResNet
from densenet import DenseNet
from image_densenet import ImageDenseNet
from mobilenet import MobileNetV2
from preact_resnet import PreActResNet
from resnet import ResNet
from vgg import Vgg
from wide_resnet import WideResNet

# bfloat16, which NumPy lacks, is the one dtype of the format that Lyceum writes and this reader leaves out.
DTYPES = {
    "F64": np.float64, "F32": np.float32, "F16": np.float16,
    "I64": np.int64, "I32": np.int32, "U8": np.uint8, "BOOL": np.bool_,
}


def read_safetensors(path):
    """Returns (tensors by name, metadata). The format: https://github.com/huggingface/safetensors

    8 bytes of little-endian header length, a JSON header, then the tensors' bytes, in C order and little-endian.
    """
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    parts = {name: data[slice(*entry["data_offsets"])] for name, entry in header.items()}
    verify(path, metadata, header, parts)
    tensors = {}
    for name, entry in header.items():
        values = np.frombuffer(parts[name], np.dtype(DTYPES[entry["dtype"]]).newbyteorder("<"))
        # Copied, in the machine's byte order: PyTorch wants memory that it may write to.
        tensors[name] = torch.from_numpy(values.astype(DTYPES[entry["dtype"]]).reshape(entry["shape"]))
    return tensors, metadata


def verify(path, metadata, header, parts):
    """Raises ValueError when the file has Lyceum's checksum and that is not the checksum of its content."""
    if "lyceum.sha256" not in metadata:
        return
    sha256 = lambda data: hashlib.sha256(data).hexdigest()
    texts = sorted([key, text] for key, text in metadata.items() if key not in ("lyceum.checksum", "lyceum.sha256"))
    tensors = sorted([name, entry["dtype"], entry["shape"], sha256(parts[name])] for name, entry in header.items())
    content = json.dumps([texts, tensors], ensure_ascii=False, separators=(",", ":"))
    if sha256(content.encode()) != metadata["lyceum.sha256"]:
        raise ValueError(f"{path}: damaged: its content does not have the checksum that it was written with")


# The blocks of each stage, and the width and the groups of their 3x3 convolutions.
BOTTLENECKS = {
    "resnet50": ((3, 4, 6, 3), (64, 1)),
    "resnet101": ((3, 4, 23, 3), (64, 1)),
    "resnet152": ((3, 8, 36, 3), (64, 1)),
    "wide-resnet50-2": ((3, 4, 6, 3), (128, 1)),
    "resnext50-32x4d": ((3, 4, 6, 3), (128, 32)),
}


def build(name, channels, classes):
    """The network that Lyceum calls `name`, with fresh weights drawn as Lyceum draws them."""
    if name in ("densenet-bc-40-12", "densenet-bc-100-12", "densenet-bc-190-40"):
        depth, growth = map(int, name[len("densenet-bc-"):].split("-"))
        return DenseNet(depth, growth, channels, classes)
    if name in ("wrn-16-2", "wrn-40-2", "wrn-28-10"):
        depth, width = map(int, name[len("wrn-"):].split("-"))
        return WideResNet(depth, width, channels, classes)
    if name == "wrn-28-10-dropout":
        return WideResNet(28, 10, channels, classes, dropout=0.3)
    if name == "preact-resnet18":
        return PreActResNet((2, 2, 2, 2), channels, classes)
    if name == "preact-resnet34":
        return PreActResNet((3, 4, 6, 3), channels, classes)
    if name == "resnet18":
        return ResNet((2, 2, 2, 2), channels, classes)
    if name == "resnet34":
        return ResNet((3, 4, 6, 3), channels, classes)
    if name in BOTTLENECKS:
        blocks, bottleneck = BOTTLENECKS[name]
        return ResNet(blocks, channels, classes, bottleneck)
    if name in ("resnet8", "resnet14", "resnet20", "resnet32", "resnet44", "resnet56", "resnet110"):
        return CifarResNet(int(name[len("resnet"):]), channels, classes)
    if name == "alexnet":
        return AlexNet(channels, classes)
    if name == "vgg16-bn":
        return Vgg(channels, classes)
    if name == "densenet121":
        return ImageDenseNet((6, 12, 24, 16), 32, channels, classes)
    if name == "mobilenet-v2":
        return MobileNetV2(channels, classes)
    raise ValueError(f"no network here is called {name!r}: rebuild it, and load read_safetensors(path)[0] into it")


@dataclass
class Network:
    model: nn.Module
    class_names: list
    mean: torch.Tensor
    """The mean of each channel over the training images, where a byte of 255 is 1."""
    std: torch.Tensor
    """The standard deviation of each channel, in the same unit."""

    def normalise(self, images):
        """uint8 [N, channels, H, W], of the size that the network was trained on, to what its first layer expects."""
        by_channel = (1, -1, 1, 1)
        return (images.to(self.mean.dtype) / 255 - self.mean.view(by_channel)) / self.std.view(by_channel)

    @torch.no_grad()
    def logits(self, images):
        return self.model(self.normalise(images))

    def predict(self, images):
        """The score of each class, [N, classes]: fractions whose sum is 1."""
        return self.logits(images).softmax(1)


def load(path, dtype=torch.float32):
    """Builds the network that a weights file of Lyceum names, with its weights, ready to predict."""
    tensors, about = read_safetensors(path)
    class_names = json.loads(about["classNames"])
    model = build(about["model"], int(about["channels"]), len(class_names))
    model.load_state_dict(tensors, strict=True)
    numbers = {name: torch.tensor(json.loads(about[name]), dtype=dtype) for name in ("mean", "std")}
    return Network(model.to(dtype).eval(), class_names, **numbers)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    network = load(sys.argv[1])
    for scores in network.predict(torch.from_numpy(np.load(sys.argv[2]))):
        best = int(scores.argmax())
        print(f"{network.class_names[best]}  {scores[best]:.3f}")
