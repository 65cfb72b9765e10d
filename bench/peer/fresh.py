"""The counterpart of ../fresh.ts: a student's first step in a fresh process, and the memory that some steps take."""

import re
import sys

import torch
from torch.nn import functional as F

from networks import create, folded

steps, threads, tuned = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "pytorch-tuned"
torch.set_num_threads(threads)
layout = torch.channels_last if tuned else torch.contiguous_format
teacher = folded(create("resnet20", 3, 100, tuned)).to(memory_format=layout)
student = create("resnet20", 3, 100, tuned).to(memory_format=layout)
foreach = {"foreach": True} if tuned else {}
optimizer = torch.optim.SGD(student.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4, **foreach)
images = torch.randn(128, 3, 32, 32).to(memory_format=layout)
labels = torch.randint(0, 100, (128,))
for step in range(steps):
    with torch.no_grad():
        targets = F.log_softmax(teacher(images), 1)
    logits = student(images)
    soft = F.kl_div(F.log_softmax(logits, 1), targets, reduction="batchmean", log_target=True)
    optimizer.zero_grad(set_to_none=True)
    (0.5 * F.cross_entropy(logits, labels) + 0.5 * soft).backward()
    optimizer.step()
    if step == 0:
        print("stepped", flush=True)
with open("/proc/self/status") as status:
    print(int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024)
