"""Prints the logits of PyTorch's networks, as JSON, for pytorch.test.ts: python3 logits.py FOLDER

FOLDER holds a folder for each network, with weights.safetensors and inputs.safetensors, whose one tensor is either
`images` (uint8, to be normalised) or `normalised` (float32).
"""
import json
import pathlib
import sys

import torch

from load import load, read_safetensors


def logits(folder, dtype):
    network = load(folder / "weights.safetensors", dtype)
    inputs, _ = read_safetensors(folder / "inputs.safetensors")
    with torch.no_grad():
        if "images" in inputs:
            return network.logits(inputs["images"])
        return network.model(inputs["normalised"].to(dtype))


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps({
        folder.name: {
            name: logits(folder, dtype).double().flatten().tolist()
            for name, dtype in (("float32", torch.float32), ("float64", torch.float64))
        }
        for folder in sorted(pathlib.Path(sys.argv[1]).iterdir())
    }))
