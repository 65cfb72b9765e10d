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
    """Lists the layers whose output, or whose output's gradient, is not channels-last in one training step.

    Only the distance between channels is looked at: behind a concatenation a gradient is a part of a larger tensor, whose
    channels lie side by side too.
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


def grad_scaler():
    """Makes a GradScaler, by its newer name where PyTorch has that."""
    make = getattr(torch.amp, "GradScaler", None)
    return make("cuda") if make else torch.cuda.amp.GradScaler()


class Scene:
    """A teacher and a student with Lyceum's weights.

    A tuned one is channels-last in every layer, folds the teacher's batch norms, updates all parameters at once, and computes
    in 16 bits, where asked to, by autocast (in float16 with GradScaler). One that is not tuned is PyTorch as it is usually
    written. A compiled one puts network and loss through torch.compile, on a card as CUDA graphs.
    """

    def __init__(self, request, device):
        self.tuned = request["tuned"]
        self.device = torch.device(device)
        self.precision = request["precision"]
        self.settings = request
        data = load_safetensors(request["data"])
        self.images = [self.laid_out(images) for images in data["images"]]
        self.labels = list(data["labels"].to(self.device))
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
        on_card = self.device.type == "cuda"
        at_once = {"fused": True} if on_card else {"foreach": True}
        self.optimizer = torch.optim.SGD(
            self.student.parameters(),
            lr=request["learningRate"],
            momentum=0.9,
            weight_decay=1e-4,
            **(at_once if self.tuned else {}),
        )
        self.scaler = grad_scaler() if self.precision == "float16" and on_card else None
        # Whole functions are compiled, the loss together with the network.
        wrapped = lambda function: function
        if request.get("compiled"):
            options = {"mode": "reduce-overhead"} if on_card else {}
            wrapped = lambda function: torch.compile(function, **options)
        self.student_loss = wrapped(self.student_loss)
        self.patriarch_loss = wrapped(self.patriarch_loss)
        self.teacher_loss = wrapped(self.teacher_loss)
        self.answer = wrapped(self.answer)
        self.done = 0

    def laid_out(self, what):
        there = what.to(self.device)
        return there.to(memory_format=CHANNELS_LAST) if self.tuned else there

    def arithmetic(self):
        if self.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=getattr(torch, self.precision))

    def batch(self):
        index = self.done % len(self.images)
        self.done += 1
        return self.images[index], self.labels[index]

    def update(self, loss):
        self.optimizer.zero_grad(set_to_none=True)
        if self.scaler:
            self.scaler.scale(loss).backward()
            self.scaler.step(self.optimizer)
            self.scaler.update()
        else:
            loss.backward()
            self.optimizer.step()
        # The next call of a compiled function writes over its last result.
        return loss.detach().clone()

    def student_loss(self, images, labels):
        with self.arithmetic():
            with torch.no_grad():
                taught = self.teacher(images)
            logits = self.student(images).float()
        targets = F.log_softmax(taught.float(), 1)
        soft = F.kl_div(F.log_softmax(logits, 1), targets, reduction="batchmean", log_target=True)
        hard = F.cross_entropy(logits, labels)
        return self.settings["hardWeight"] * hard + self.settings["softWeight"] * soft

    def patriarch_loss(self, images, labels):
        with self.arithmetic():
            logits = self.student(images).float()
        eta = self.settings["patriarchHardWeight"]
        difference = top_score_difference(logits, self.settings["k"])
        return eta * F.cross_entropy(logits, labels) + (1 - eta) * difference

    def teacher_loss(self, images, labels):
        with torch.no_grad(), self.arithmetic():
            logits = self.teacher(images)
        return F.cross_entropy(logits.float(), labels)

    def answer(self, images, mean, std):
        with torch.no_grad():
            return self.teacher(images.float().sub_(mean).div_(std))

    def student_step(self):
        return self.update(self.student_loss(*self.batch()))

    def patriarch_step(self):
        return self.update(self.patriarch_loss(*self.batch()))

    def teacher_forward(self):
        return self.teacher_loss(*self.batch()).clone()

    def evaluation(self):
        names = ("mean", "std")
        mean, std = (255 * torch.tensor(self.settings[name]).view(1, -1, 1, 1).to(self.device) for name in names)
        logits = []
        for images in self.judged.split(self.settings["evaluationBatch"]):
            logits.append(self.answer(images, mean, std).clone())
        labels = torch.arange(len(self.judged)) % self.settings["classes"]
        return F.cross_entropy(torch.cat(logits).cpu(), labels)

    def run(self, work, steps, each):
        """Times each run of a work by itself, which makes it wait for its loss, or all of them together."""
        step = getattr(self, work.replace("-", "_"))
        seconds, losses = [], []
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        begin = time.perf_counter()
        for index in range(steps):
            start = time.perf_counter()
            loss = step()
            if not each and index < steps - 1:
                continue
            losses.append(loss.item())
            since, goes = (start, 1) if each else (begin, steps)
            seconds.append((time.perf_counter() - since) / goes)
        return {"seconds": seconds, "losses": losses}
