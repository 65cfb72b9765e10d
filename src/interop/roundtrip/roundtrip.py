#!/usr/bin/python3
"""Takes weights of torchvision's networks into Lyceum and out again, and compares what the networks answer on the way.

    npm run build && /usr/bin/python3 src/interop/roundtrip/roundtrip.py

For every network of Lyceum's that torchvision has too: random weights of the real layout (batch norms with statistics of
their own) are written by torch.save, read by Lyceum, and give logits there, which are compared with torchvision's, as are
those with batch norms folded. `lyceum weights convert` writes them as safetensors, which torchvision loads again; and, where
timm is installed, in Hugging Face's layout, which timm.create_model loads. One row a network: the largest difference to
torchvision's logits, as a share of the largest of these. Needs Debian's python3-torchvision (0.14); the exit code is 1 where
a difference is above 1e-4, or a tensor that went through Lyceum is not the same to the bit.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import torch
import torchvision

try:
    import timm
except ImportError:
    timm = None

HERE = Path(__file__).resolve().parent
LYCEUM = HERE.parents[2] / "dist" / "cli" / "main.js"
BOUND = 1e-4


def run(*command):
    return subprocess.run([*map(str, command)], check=True, stdout=subprocess.PIPE, text=True).stdout


def read_safetensors(path):
    """Reads a safetensors file; the format is 8 bytes of length, a header in JSON, and the tensors' bytes."""
    raw = Path(path).read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    dtypes = {"F32": numpy.float32, "F64": numpy.float64, "I64": numpy.int64}
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + at for at in entry["data_offsets"])
        array = numpy.frombuffer(raw[begin:end], dtypes[entry["dtype"]]).reshape(entry["shape"])
        found[name] = torch.from_numpy(array.copy())
    return found


def randomised(model):
    """The network with batch norms that do something."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            with torch.no_grad():
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.1)
                module.num_batches_tracked.fill_(7)
    return model.eval()


def row(name, folder):
    torch.manual_seed(sum(map(ord, name)))
    make = getattr(torchvision.models, name.replace("-", "_"))
    model = randomised(make(weights=None))
    images = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        expected = model(images)
    off = lambda logits: ((logits - expected).abs().max() / expected.abs().max()).item()

    weights, batch, answers = folder / "weights.pth", folder / "images.pt", folder / "answers.safetensors"
    torch.save(model.state_dict(), weights)
    torch.save({"images": images}, batch)
    run("node", HERE / "answer.mjs", name, weights, batch, answers)
    found = read_safetensors(answers)
    result = {"network": name, "logits": off(found["logits"]), "folded": off(found["folded"])}

    run("node", LYCEUM, "weights", "convert", weights, folder / "out.safetensors", "--model", name)
    state = read_safetensors(folder / "out.safetensors")
    again = make(weights=None).eval()
    again.load_state_dict(state)
    same = all(torch.equal(tensor, state[key]) for key, tensor in model.state_dict().items())
    with torch.no_grad():
        result["again"] = off(again(images)) if same else float("inf")

    if timm:
        hub = folder / "hub"
        try:
            run("node", LYCEUM, "weights", "convert", weights, hub, "--model", name, "--to", "huggingface")
        except subprocess.CalledProcessError:
            return {**result, "timm": None}
        with torch.no_grad():
            result["timm"] = off(timm.create_model(f"local-dir:{hub}", pretrained=True).eval()(images))
    return result


def main():
    names = [name for name in run("node", HERE / "answer.mjs", "--list").split() if hasattr(torchvision.models, name.replace("-", "_"))]
    chosen = [name for name in names if name in sys.argv[1:]] or names
    print(f"torchvision {torchvision.__version__}, torch {torch.__version__}, timm {timm.__version__ if timm else 'not installed'}")
    print("| network | read by Lyceum | folded | back in torchvision | in timm |\n|---|---|---|---|---|")
    fine = True
    for name in chosen:
        with tempfile.TemporaryDirectory() as folder:
            found = row(name, Path(folder))
        numbers = [found.get(key) for key in ("logits", "folded", "again", "timm")]
        print(f"| {name} | " + " | ".join("–" if n is None else "equal" if n == 0 else f"{n:.1e}" for n in numbers) + " |", flush=True)
        fine = fine and all(n is None or n <= BOUND for n in numbers)
    sys.exit(0 if fine else 1)


main()
