"""Prints the outside values of optimizer_test.cpp, learning_rate_test.cpp and ema_test.cpp.

Usage: golden.py EDM2, with PyTorch 2.11.0 and NumPy; EDM2 is a checkout of https://github.com/NVlabs/edm2.
"""
import math
import sys

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
torch.Tensor.bfloat16 = lambda x: x.clone()  # torch.optim.Muon orthogonalises in bfloat16: here in float64

STEPS = 20
SIZES = {"in.weight": (3, 2), "out.scale": (2,), "in.bias": (3,)}  # the last without weight decay


def problem():
    """The sum of (w - b)^2 a / 2 over 11 elements, numbered through the parameters of tests/unit/composition/tied.cpp."""
    start = [0.5 * math.cos(1.7 * i) for i in range(11)]
    a = [1 + 0.5 * math.sin(1.0 * i) for i in range(11)]
    b = [math.sin(0.6 * i) for i in range(11)]
    parameters, loss_of, at = [], [], 0
    for size in SIZES.values():
        n = math.prod(size)
        part = lambda x: torch.tensor(x[at:at + n]).reshape(size)
        w = part(start).requires_grad_()
        parameters.append(w)
        loss_of.append((w, part(a), part(b)))
        at += n
    return parameters, lambda: sum((a * (w - b) ** 2).sum() / 2 for w, a, b in loss_of)


def trajectory(name, make):
    parameters, loss = problem()
    optimizers = make(parameters)
    for _ in range(STEPS):
        for p in parameters:
            p.grad = None
        loss().backward()
        for optimizer in optimizers:
            optimizer.step()
    print(name, ", ".join(f"{x:.10f}" for p in parameters for x in p.detach().flatten().tolist()))


def groups(parameters, decay):
    return [{"params": parameters[:2], "weight_decay": decay}, {"params": parameters[2:], "weight_decay": 0.0}]


class Lion(torch.optim.Optimizer):
    """2302.06675, program 1, word for word."""

    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                with torch.no_grad():
                    update = torch.sign(0.9 * m + 0.1 * p.grad) + group["weight_decay"] * p
                    self.state[p]["m"] = 0.99 * m + 0.01 * p.grad
                    p -= group["lr"] * update


def optimizers():
    o = torch.optim
    trajectory("adamw", lambda p: [o.AdamW(groups(p, 0.1), lr=0.05)])
    trajectory("adam", lambda p: [o.Adam(groups(p, 0.1), lr=0.05)])
    trajectory("sgd", lambda p: [o.SGD(groups(p, 0.1), lr=0.05, momentum=0.9)])
    trajectory("sgd nesterov", lambda p: [o.SGD(groups(p, 0.1), lr=0.05, momentum=0.9, nesterov=True)])
    trajectory("sgd plain", lambda p: [o.SGD(groups(p, 0.1), lr=0.05)])
    trajectory("lion", lambda p: [Lion(groups(p, 0.1), {"lr": 0.05})])
    trajectory("adafactor", lambda p: [o.Adafactor(groups(p, 0.1), lr=0.5)])
    trajectory("muon", lambda p: [o.Muon(p[:1], lr=0.05, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
                                  o.AdamW([{"params": p[1:2], "weight_decay": 0.1}, {"params": p[2:], "weight_decay": 0.0}],
                                          lr=0.05)])


def learning_rates():
    def rates(name, make, steps):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
        schedule, seen = make(optimizer), []
        for _ in range(steps):
            seen.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step() if len(seen) < steps else None
        print(name, ", ".join(f"{x:.17g}" for x in seen))

    s = torch.optim.lr_scheduler
    rates("one-cycle", lambda o: s.OneCycleLR(o, max_lr=2.0, total_steps=20), 20)
    rates("one-cycle warmup=4", lambda o: s.OneCycleLR(o, max_lr=2.0, total_steps=12, pct_start=4 / 12), 12)
    rates("linear", lambda o: s.PolynomialLR(o, total_iters=8, power=1), 9)
    rates("cosine", lambda o: s.CosineAnnealingLR(o, T_max=8), 9)


def averages(edm2):
    sys.path.insert(0, edm2)
    from training import phema
    for std in (0.01, 0.05, 0.1, 0.15, 0.25):
        print("gamma of", std, f"{float(phema.std_to_exp(std)):.15g}")
    for t in (1, 2, 10, 1000):
        print("beta of 0.1 at", t, f"{float(phema.power_function_beta(0.1, t, 1)):.15g}")
    x = phema.solve_posthoc_coefficients([100, 100, 200, 200, 300, 300], [0.05, 0.1] * 3, [300], [0.075])
    print("coefficients", ", ".join(f"{v:.12g}" for v in x.flatten()))
    held = np.repeat(np.arange(50, 1001, 50), 2), np.tile([0.05, 0.1], 20)
    t = (np.arange(100000) + 0.5) / 100

    def profile(offset, std):
        gamma = phema.std_to_exp(std)
        return np.where(t <= offset, (gamma + 1) * (t / offset) ** gamma / offset, 0)

    for std in (0.06, 0.15, 0.2, 0.25):
        x = phema.solve_posthoc_coefficients(*held, [1000], [std])[:, 0]
        difference = profile(1000, std) - sum(c * profile(*of) for c, *of in zip(x, *held))
        print("profile error of", std, f"{np.abs(difference).sum() / 100:.5f}")


print("torch", torch.__version__, "numpy", np.__version__)
optimizers()
learning_rates()
averages(sys.argv[1])
