"""The counterpart of ../works/quickstart.ts: trains a recipe from start to end, patriarch and students, and tests them.

Whole batches are flipped and normalised by operators, as in main.py: no image goes through Python by itself.
Prints one JSON line: {"top1": [of each generation]}.
"""

import gzip
import json
import math
import sys

import torch
from torch.nn import functional as F

from networks import create, folded
from works import top_score_difference


def read_idx(path):
    with gzip.open(path) as file:
        data = file.read()
    sizes = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(data[3])]
    return torch.frombuffer(bytearray(data[4 + 4 * len(sizes) :]), dtype=torch.uint8).view(sizes)


def read_set(folder, part):
    images = read_idx(f"{folder}/{part}-images-idx3-ubyte.gz").unsqueeze(1)
    return images, read_idx(f"{folder}/{part}-labels-idx1-ubyte.gz").long()


class Images:
    def __init__(self, request, layout):
        recipe = request["recipe"]
        images, labels = read_set(request["folder"], "train")
        count = min(len(images), recipe["data"]["limit"]["train"])
        order = torch.randperm(count)
        held_out = round(count * recipe["data"]["heldOut"])
        self.train = images[order[held_out:]], labels[order[held_out:]]
        self.held_out = images[order[:held_out]], labels[order[:held_out]]
        self.test = read_set(request["folder"], "t10k")
        pixels = self.train[0].float().div_(255)
        self.mean, self.std = pixels.mean(), pixels.std()
        self.layout = layout

    def normalised(self, images):
        return images.float().div_(255).sub_(self.mean).div_(self.std).contiguous(memory_format=self.layout)

    def batches(self, size, flip):
        images, labels = self.train
        for indices in torch.randperm(len(images)).split(size):
            batch = images[indices]
            if flip:
                mirrored = torch.rand(len(indices), 1, 1, 1) < 0.5
                batch = torch.where(mirrored, batch.flip(-1), batch)
            yield self.normalised(batch), labels[indices]

    def top1(self, model, part):
        images, labels = part
        right = 0
        with torch.no_grad():
            for batch, expected in zip(images.split(256), labels.split(256)):
                right += (model(self.normalised(batch)).argmax(1) == expected).sum().item()
        return right / len(labels)


def one_cycle(step, steps, recipe):
    """The schedule of torch.optim.lr_scheduler.OneCycleLR, with the start and the end of the recipe."""
    schedule, highest = recipe["schedule"], recipe["optimizer"]["learningRate"]
    half_cosine = lambda start, end, share: end + (start - end) * (1 + math.cos(math.pi * share)) / 2
    peak = schedule["peakAt"] * steps - 1
    if step <= peak:
        return half_cosine(highest * schedule["startFraction"], highest, step / peak)
    return half_cosine(highest, highest * schedule["finalFraction"], (step - peak) / (steps - 1 - peak))


def loss_of(logits, labels, taught, request):
    hard = F.cross_entropy(logits, labels)
    if taught is None:
        eta, k = request["patriarchHardWeight"], request["recipe"]["patriarch"]["k"]
        return eta * hard + (1 - eta) * top_score_difference(logits, k)
    student = request["recipe"]["student"]
    soft = F.kl_div(F.log_softmax(logits, 1), F.log_softmax(taught, 1), reduction="batchmean", log_target=True)
    return student["hardWeight"] * hard + student["softWeight"] * soft


def train(model, teacher, images, request):
    recipe = request["recipe"]
    options = recipe["optimizer"]
    foreach = {"foreach": True} if request["tuned"] else {}
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.1, momentum=options["momentum"], weight_decay=options["weightDecay"], **foreach
    )
    batch_size = recipe["batchSize"]
    steps = recipe["epochs"] * math.ceil(len(images.train[0]) / batch_size)
    step = 0
    for _ in range(recipe["epochs"]):
        model.train()
        for batch, labels in images.batches(batch_size, recipe["augment"]["flip"]):
            optimizer.param_groups[0]["lr"] = one_cycle(step, steps, recipe)
            taught = None
            if teacher is not None:
                with torch.no_grad():
                    taught = teacher(batch)
            optimizer.zero_grad(set_to_none=True)
            loss_of(model(batch), labels, taught, request).backward()
            optimizer.step()
            step += 1
        model.eval()
        images.top1(model, images.held_out)


def main():
    request = json.loads(sys.argv[1])
    recipe, tuned = request["recipe"], request["tuned"]
    torch.set_num_threads(request["threads"])
    torch.manual_seed(recipe["seed"])
    layout = torch.channels_last if tuned else torch.contiguous_format
    images = Images(request, layout)
    teacher, top1 = None, []
    for _ in range(recipe["generations"]):
        model = create(recipe["model"], 1, 10, tuned).to(memory_format=layout)
        train(model, teacher, images, request)
        teacher = (folded(model) if tuned else model.eval().requires_grad_(False)).to(memory_format=layout)
        top1.append(images.top1(teacher, images.test))
    print(json.dumps({"top1": top1}))


main()
