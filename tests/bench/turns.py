"""Programs that take turns: a worker that answers one JSON object a line, medians of sides that alternate, and how a peer.py
is started: PROGRAM THREADS REPEATS [--compile]."""
import json
import os
import statistics
import subprocess
import sys

# What `perrin` sets for its engine (docs/decisions/thread-waiting.md). The peer's threads spin longer, its best on a quiet machine.
PERRIN = {"GOMP_SPINCOUNT": "4000"}
WARM_UP = 2


class Worker:
    """A program that answers one JSON object a line."""

    def __init__(self, environment, *command):
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=os.environ | environment)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args[0]} ended without an answer to {request}")
        return json.loads(line)

    def timed(self):
        return self.ask(do="time", steps=1)["ms"][0]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def arguments():
    """Of peer.py: program, threads, repeats and the peer's variants. Needs torch, which is told of them."""
    import torch
    program, threads, repeats = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    return program, threads, repeats, ["eager", "channels-last"] + (["compile"] if "--compile" in sys.argv else [])


def summary(values):
    q = statistics.quantiles(values, n=4)
    return {"median": statistics.median(values), "quartiles": [q[0], q[2]], "min": min(values), "n": len(values)}


def alternate(sides, repeats):
    """sides: {"perrin": .., "eager": .., ..}, each with timed() -> milliseconds; their summaries and ratios."""
    times = {who: [] for who in sides}
    for turn in range(repeats + WARM_UP):
        for who, side in sides.items():
            ms = side.timed()
            if turn >= WARM_UP:
                times[who].append(ms)
    found = {who: summary(ms) for who, ms in times.items()}
    ours, peers = found["perrin"]["median"], [found[who]["median"] for who in found if who != "perrin"]
    return found | {"ratio_shipped": found["eager"]["median"] / ours, "ratio_tuned": min(peers) / ours}
