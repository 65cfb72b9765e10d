"""The PyTorch side of the benchmarks: answers one JSON request a line on stdin with one JSON line on stdout.

Run by `npm run bench` with Debian's python3-torch; needs torch and numpy only. Seconds are wall-clock.
"""

import copy
import json
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

CHANNELS_LAST = torch.channels_last


class Shortcut(nn.Module):
    """Option A of He et al. (2016): every second pixel, and zeros for the new channels.

    Slicing and padding falls back to NCHW in the backward pass; pooling with a window of one pixel does not.
    """

    def __init__(self, new_channels):
        super().__init__()
        self.pad = new_channels // 2

    def forward(self, x):
        return F.pad(F.avg_pool2d(x, 1, 2), (0, 0, 0, 0, self.pad, self.pad))


class Block(nn.Module):
    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Identity() if stride == 1 else Shortcut(channels - channels_in)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(out)) + self.shortcut(x), inplace=True)


class ResNet(nn.Module):
    def __init__(self, blocks, channels, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        stages = []
        for index, width in enumerate((16, 32, 64)):
            first = Block(max(16, width // 2), width, 1 if index == 0 else 2)
            stages.append(nn.Sequential(first, *(Block(width, width, 1) for _ in range(blocks - 1))))
        self.layer1, self.layer2, self.layer3 = stages
        self.fc = nn.Linear(64, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(F.avg_pool2d(x, x.shape[-1]).flatten(1))


def folded(model):
    """A frozen copy whose batch norms are folded into the convolutions, as Lyceum's teacher has them."""
    model = copy.deepcopy(model).eval().requires_grad_(False)
    for module in list(model.modules()):
        for conv, norm in (("conv1", "bn1"), ("conv2", "bn2")):
            if hasattr(module, conv):
                setattr(module, conv, fuse_conv_bn_eval(getattr(module, conv), getattr(module, norm)))
                setattr(module, norm, nn.Identity())
    return model.to(memory_format=CHANNELS_LAST)


def load_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        body = file.read()
    kinds = {"F32": np.float32, "I64": np.int64}
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] in kinds:
            start, end = entry["data_offsets"]
            array = np.frombuffer(body[start:end], kinds[entry["dtype"]]).reshape(entry["shape"])
            tensors[name] = torch.from_numpy(array.copy())
    return tensors


def load_weights(model, path):
    """Strict, but for PyTorch's own count of batches, which no output depends on."""
    missing, unexpected = model.load_state_dict(load_safetensors(path), strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"{path}: missing {missing}, unexpected {unexpected}")


def layouts_lost(model, images, loss_of):
    """Names of the layers whose output or output's gradient is not channels-last in one training step."""
    lost = []

    def watch(name):
        def check(what, tensor):
            if not tensor.is_contiguous(memory_format=CHANNELS_LAST):
                lost.append(f"{what} of {name}")

        def after(_module, _inputs, output):
            if output.dim() == 4:
                check("output", output)
                if output.requires_grad:
                    output.register_hook(lambda gradient: check("gradient", gradient))

        return after

    hooks = [module.register_forward_hook(watch(name)) for name, module in model.named_modules() if name]
    loss_of(model(images)).backward()
    for hook in hooks:
        hook.remove()
    return lost


class StudentStep:
    """Teacher forward, student forward and backward, SGD with momentum: one training step of a student."""

    def __init__(self, request):
        data = load_safetensors(request["data"])
        self.images = [t.contiguous(memory_format=CHANNELS_LAST) for t in data["images"]]
        self.labels = list(data["labels"])
        self.hard, self.soft = request["hardWeight"], request["softWeight"]
        shape = (request["blocks"], self.images[0].shape[1], request["classes"])
        teacher = ResNet(*shape)
        load_weights(teacher, request["teacher"])
        self.teacher = folded(teacher)
        self.student = ResNet(*shape).to(memory_format=CHANNELS_LAST)
        load_weights(self.student, request["student"])
        before = copy.deepcopy(self.student.state_dict())
        self.layouts_lost = layouts_lost(
            self.student, self.images[0], lambda out: F.cross_entropy(out, self.labels[0])
        )
        self.student.load_state_dict(before)
        self.optimizer = torch.optim.SGD(
            self.student.parameters(),
            lr=request["learningRate"],
            momentum=0.9,
            weight_decay=1e-4,
            foreach=True,
        )
        self.done = 0

    def step(self):
        batch = self.done % len(self.images)
        self.done += 1
        images, labels = self.images[batch], self.labels[batch]
        with torch.no_grad():
            targets = F.log_softmax(self.teacher(images), 1)
        logits = self.student(images)
        soft = F.kl_div(F.log_softmax(logits, 1), targets, reduction="batchmean", log_target=True)
        loss = self.hard * F.cross_entropy(logits, labels) + self.soft * soft
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def run(self, steps):
        seconds, losses = [], []
        for _ in range(steps):
            start = time.perf_counter()
            losses.append(self.step())
            seconds.append(time.perf_counter() - start)
        return {"seconds": seconds, "losses": losses}


def dispatch(request):
    x = torch.randn(4, 4)
    count = request["count"]
    start = time.perf_counter()
    for _ in range(count):
        torch.relu(x)
    return {"seconds": time.perf_counter() - start}


def main():
    student_step = None
    for line in sys.stdin:
        request = json.loads(line)
        kind = request["do"]
        if kind == "hello":
            torch.set_num_threads(request["threads"])
            answer = {"version": torch.__version__, "threads": torch.get_num_threads()}
        elif kind == "dispatch":
            answer = dispatch(request)
        elif kind == "student-step.prepare":
            student_step = StudentStep(request)
            answer = {"layoutsLost": student_step.layouts_lost}
        elif kind == "student-step.run":
            answer = student_step.run(request["steps"])
        else:
            answer = {"error": f"unknown request {kind}"}
        print(json.dumps(answer), flush=True)


main()
