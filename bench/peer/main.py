"""The PyTorch side of the benchmarks: answers one JSON request a line on stdin with one JSON line on stdout.

Run by `npm run bench` with Debian's python3-torch; needs torch and numpy only. Seconds are wall-clock.
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


def main():
    scene = None
    for line in sys.stdin:
        request = json.loads(line)
        kind = request["do"]
        if kind == "hello":
            torch.set_num_threads(request["threads"])
            answer = {"version": torch.__version__, "threads": torch.get_num_threads()}
        elif kind == "dispatch":
            answer = dispatch(request)
        elif kind == "prepare":
            scene = Scene(request)
            answer = {"layoutsLost": scene.layouts_lost}
        elif kind == "run":
            answer = scene.run(request["work"], request["steps"])
        else:
            answer = {"error": f"unknown request {kind}"}
        print(json.dumps(answer), flush=True)


main()
