"""torchvision's side of `bench/decoding`: answers one JSON request a line on stdin with one JSON line on stdout.

A request names a folder of class folders, the size of the crop and how many epochs to go through; the answer has the number of
images and the seconds that they took. Workers are started before the first epoch is measured, and kept.
"""
import json
import os
import sys
import time

import torch
import torchvision
from torchvision import transforms

loaders = {}


def loader_of(request):
    key = (request["folder"], request["size"])
    if key not in loaders:
        # Only one set of workers shall wait beside the others.
        loaders.clear()
        view = transforms.Compose([
            transforms.RandomResizedCrop(request["size"]),
            transforms.RandomHorizontalFlip(),
            transforms.PILToTensor(),
        ])
        images = torchvision.datasets.ImageFolder(request["folder"], view)
        loaders[key] = torch.utils.data.DataLoader(
            images, batch_size=request["batchSize"], shuffle=True, num_workers=request["workers"], persistent_workers=True)
        for _ in loaders[key]:
            pass
    return loaders[key]


def cpu_seconds(loader):
    """What this process and the loader's workers have computed so far."""
    ticks = 0
    for worker in loader._iterator._workers:
        with open(f"/proc/{worker.pid}/stat") as file:
            # Behind the command's name, which may hold spaces: user and system time are the 12th and 13th.
            ticks += sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13]))
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


torch.set_num_threads(1)
for line in sys.stdin:
    request = json.loads(line)
    loader = loader_of(request)
    images = 0
    cpu = cpu_seconds(loader)
    start = time.perf_counter()
    for _ in range(request["epochs"]):
        for batch, _ in loader:
            images += len(batch)
    seconds = time.perf_counter() - start
    answer = {"seconds": seconds, "cpuSeconds": cpu_seconds(loader) - cpu, "images": images,
              "versions": f"torchvision {torchvision.__version__}, torch {torch.__version__}"}
    print(json.dumps(answer), flush=True)
