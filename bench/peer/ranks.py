"""A process of PyTorch in `npm run bench -- ranks`: alone, or a rank of DistributedDataParallel on Gloo.

It answers the requests of bench/ranks/rank.ts, tuned as the bench's tuned peer is: channels-last, SGD with foreach. Batch
norm's statistics are not broadcast in each step, since Lyceum does not do that either.
"""

import contextlib
import json
import os
import sys
import time

import torch
import torch.distributed as dist
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from files import load_safetensors, load_weights
from networks import create

RANK, SIZE = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))


class Scene:
    """A network, its optimiser and this rank's part of some batches."""

    def __init__(self, request):
        data = load_safetensors(request["data"])
        length = data["images"].shape[1] // SIZE
        part = slice(RANK * length, (RANK + 1) * length)
        laid_out = lambda images: images[part].contiguous(memory_format=torch.channels_last)
        self.batches = [(laid_out(images), labels[part]) for images, labels in zip(data["images"], data["labels"])]
        self.model = create(request["model"], 3, request["classes"], True).to(memory_format=torch.channels_last)
        load_weights(self.model, request["weights"])
        self.model.train()
        self.together = self.model
        if SIZE > 1:
            self.together = DistributedDataParallel(self.model, broadcast_buffers=False, gradient_as_bucket_view=True)
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), lr=request["learningRate"], momentum=0.9, weight_decay=1e-4, foreach=True
        )
        self.done = 0

    def step(self, mode):
        images, labels = self.batches[self.done % len(self.batches)]
        self.done += 1
        alone = mode == "alone" and SIZE > 1
        with self.together.no_sync() if alone else contextlib.nullcontext():
            self.optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(self.together(images), labels)
            loss.backward()
        self.optimizer.step()
        return loss.item()

    def run(self, mode, steps):
        if SIZE > 1:
            dist.barrier()
        seconds, losses = [], []
        for _ in range(steps):
            start = time.perf_counter()
            losses.append(self.step(mode))
            seconds.append(time.perf_counter() - start)
        return {"seconds": seconds, "losses": losses}


def all_reduce(size, times):
    tensor = torch.zeros(size // 4)
    seconds = []
    for i in range(times + 1):
        start = time.perf_counter()
        dist.all_reduce(tensor)
        if i > 0:
            seconds.append(time.perf_counter() - start)
    return {"seconds": seconds}


class Rank:
    def __init__(self):
        self.scene = None

    def answer(self, request):
        kind = request["do"]
        if kind == "hello":
            torch.set_num_threads(request["threads"])
            if SIZE > 1:
                dist.init_process_group("gloo")
            return {"version": torch.__version__, "threads": torch.get_num_threads()}
        if kind == "prepare":
            self.scene = None
            self.scene = Scene(request)
            return {}
        if kind == "run":
            return self.scene.run(request["mode"], request["steps"])
        if kind == "all-reduce":
            return all_reduce(request["bytes"], request["times"])
        return {"error": f"unknown request {kind}"}


def main():
    answers, sys.stdout = sys.stdout, sys.stderr
    rank = Rank()
    for line in sys.stdin:
        try:
            answer = rank.answer(json.loads(line))
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


main()
