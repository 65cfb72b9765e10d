"""The works that are timed, on one network and one set of batches."""

import contextlib
import copy
import time

import torch
from torch.nn import functional as F

from files import load_safetensors, load_weights
from networks import create, folded

CHANNELS_LAST = torch.channels_last


def layouts_lost(model, images, loss_of):
    """Names of the layers whose output or output's gradient is not channels-last in one training step.

    A gradient may be some channels out of more, as behind a concatenation: they too lie side by side.
    """
    lost = []

    def watch(name):
        def check(what, tensor):
            if tensor.stride(1) != 1:
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


def top_score_difference(logits, k):
    scores = F.softmax(logits, 1).topk(k, 1).values
    return (scores[:, 0] - scores[:, 1:].mean(1)).mean()


class Scene:
    """A teacher and a student with Lyceum's weights.

    Tuned: channels-last in every layer, batch norm of the teacher folded, SGD over all parameters at once, in
    bfloat16 where asked by autocast. Otherwise as PyTorch is written by default.
    """

    def __init__(self, request):
        self.tuned = request["tuned"]
        self.precision = request["precision"]
        self.settings = request
        data = load_safetensors(request["data"])
        self.images = [self.laid_out(images) for images in data["images"]]
        self.labels = list(data["labels"])
        self.judged = self.laid_out(data["judged"])
        make = lambda: create(request["model"], self.judged.shape[1], request["classes"], self.tuned)
        teacher = make()
        load_weights(teacher, request["teacher"])
        teacher = folded(teacher) if self.tuned else teacher.eval().requires_grad_(False)
        self.teacher = self.laid_out(teacher)
        self.student = self.laid_out(make())
        load_weights(self.student, request["student"])
        self.layouts_lost = []
        if self.tuned:
            before = copy.deepcopy(self.student.state_dict())
            self.layouts_lost = layouts_lost(
                self.student, self.images[0], lambda out: F.cross_entropy(out, self.labels[0])
            )
            self.student.load_state_dict(before)
        foreach = {"foreach": True} if self.tuned else {}
        self.optimizer = torch.optim.SGD(
            self.student.parameters(), lr=request["learningRate"], momentum=0.9, weight_decay=1e-4, **foreach
        )
        self.done = 0

    def laid_out(self, what):
        return what.to(memory_format=CHANNELS_LAST) if self.tuned else what

    def arithmetic(self):
        if self.precision == "bfloat16":
            return torch.autocast("cpu", dtype=torch.bfloat16)
        return contextlib.nullcontext()

    def batch(self):
        index = self.done % len(self.images)
        self.done += 1
        return self.images[index], self.labels[index]

    def update(self, loss):
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def student_step(self):
        images, labels = self.batch()
        with self.arithmetic():
            with torch.no_grad():
                taught = self.teacher(images)
            logits = self.student(images).float()
        targets = F.log_softmax(taught.float(), 1)
        soft = F.kl_div(F.log_softmax(logits, 1), targets, reduction="batchmean", log_target=True)
        hard = F.cross_entropy(logits, labels)
        return self.update(self.settings["hardWeight"] * hard + self.settings["softWeight"] * soft)

    def patriarch_step(self):
        images, labels = self.batch()
        with self.arithmetic():
            logits = self.student(images).float()
        eta = self.settings["patriarchHardWeight"]
        difference = top_score_difference(logits, self.settings["k"])
        return self.update(eta * F.cross_entropy(logits, labels) + (1 - eta) * difference)

    def teacher_forward(self):
        images, labels = self.batch()
        with torch.no_grad(), self.arithmetic():
            logits = self.teacher(images)
        return F.cross_entropy(logits.float(), labels).item()

    def evaluation(self):
        mean, std = (255 * torch.tensor(self.settings[name]).view(1, -1, 1, 1) for name in ("mean", "std"))
        logits = []
        with torch.no_grad():
            for images in self.judged.split(self.settings["evaluationBatch"]):
                logits.append(self.teacher(images.float().sub_(mean).div_(std)))
        labels = torch.arange(len(self.judged)) % self.settings["classes"]
        return F.cross_entropy(torch.cat(logits), labels).item()

    def run(self, work, steps):
        step = getattr(self, work.replace("-", "_"))
        seconds, losses = [], []
        for _ in range(steps):
            start = time.perf_counter()
            losses.append(step())
            seconds.append(time.perf_counter() - start)
        return {"seconds": seconds, "losses": losses}
