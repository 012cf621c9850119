"""Two programs that take turns: a worker that answers one JSON object a line, and the medians of sides that alternate."""
import json
import os
import statistics
import subprocess

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


def alternate(sides, repeats):
    """sides: {"perrin": .., "eager": .., ..}, each with timed() -> milliseconds; medians, quartiles and ratios."""
    times = {who: [] for who in sides}
    for turn in range(repeats + WARM_UP):
        for who, side in sides.items():
            ms = side.timed()
            if turn >= WARM_UP:
                times[who].append(ms)
    q = {who: statistics.quantiles(ms, n=4) for who, ms in times.items()}
    ours = q["perrin"][1]
    return {who: {"ms": q[who][1], "quartiles": [q[who][0], q[who][2]]} for who in times} | {
        "ratio_shipped": q["eager"][1] / ours, "ratio_tuned": min(q[who][1] for who in q if who != "perrin") / ours}
