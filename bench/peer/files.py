"""Reads the safetensors files in which Lyceum hands over weights and batches."""

import json

import numpy as np
import torch


def load_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        body = file.read()
    kinds = {"F32": np.float32, "I64": np.int64, "U8": np.uint8}
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] in kinds:
            start, end = entry["data_offsets"]
            array = np.frombuffer(body[start:end], kinds[entry["dtype"]]).reshape(entry["shape"])
            tensors[name] = torch.from_numpy(array.copy())
    return tensors


def load_weights(model, path):
    """Loads strictly, but for PyTorch's count of batches, on which no output depends."""
    missing, unexpected = model.load_state_dict(load_safetensors(path), strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"{path}: missing {missing}, unexpected {unexpected}")
