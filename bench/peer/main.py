"""The PyTorch side of the benchmarks: answers one JSON request a line on stdin with one JSON line on stdout.

Run by `npm run bench` with any Python's torch; needs torch and numpy only. Seconds are wall-clock.
"""

import json
import sys
import time

import torch

from works import Scene


def dispatch(request):
    x = torch.randn(4, 4)
    count = request["count"]
    start = time.perf_counter()
    for _ in range(count):
        torch.relu(x)
    return {"seconds": time.perf_counter() - start}


def augmentation(request):
    """Pads, crops, mirrors and normalises whole batches: uint8 in, channels-last float32 out."""
    count, size, pad = request["count"], 32, 4
    images = torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8)
    mean, std = torch.tensor([0.5, 0.5, 0.5]), torch.tensor([0.25, 0.25, 0.25])
    start = time.perf_counter()
    order = torch.randperm(count)
    for indices in order.split(request["batchSize"]):
        padded = torch.nn.functional.pad(images[indices], (pad,) * 4)
        along = torch.arange(size)
        rows = along + torch.randint(0, 2 * pad + 1, (len(indices), 1))
        flip = torch.rand(len(indices), 1) < 0.5
        columns = torch.where(flip, along.flip(0), along) + torch.randint(0, 2 * pad + 1, (len(indices), 1))
        batch = torch.arange(len(indices)).view(-1, 1, 1)
        pixels = padded[batch, :, rows[:, :, None], columns[:, None, :]]
        ((pixels.float().div_(255) - mean) / std).permute(0, 3, 1, 2)
    return {"seconds": time.perf_counter() - start}


class Bench:
    """Answers requests, and keeps networks and batches from one to the next."""

    def __init__(self):
        self.scene, self.device = None, "cpu"

    def answer(self, request):
        kind = request["do"]
        if kind == "hello":
            torch.set_num_threads(request["threads"])
            self.device = request["device"]
            # cuDNN measures its convolutions and takes the fastest: the usual setting for speed.
            torch.backends.cudnn.benchmark = True
            if self.device != "cpu":
                torch.zeros(1, device=self.device)
            return {"version": torch.__version__, "threads": torch.get_num_threads()}
        if kind == "dispatch":
            return dispatch(request)
        if kind == "augmentation":
            return augmentation(request)
        if kind == "prepare":
            # The last scene must be freed first, or both are in memory.
            self.scene = None
            self.scene = Scene(request, self.device)
            return {"layoutsLost": self.scene.layouts_lost}
        if kind == "run":
            return self.scene.run(request["work"], request["steps"], request["each"])
        return {"error": f"unknown request {kind}"}


def main():
    # Compilers print to stdout, which is for answers only.
    answers, sys.stdout = sys.stdout, sys.stderr
    bench = Bench()
    for line in sys.stdin:
        try:
            answer = bench.answer(json.loads(line))
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


main()
