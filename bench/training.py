#!/usr/bin/env python3
"""Training the digits beside PyTorch: the same network, data, knots, batches and steps of Adam, on all cores.

PyTorch's gradient is written by hand, which is faster than its automatic one: stacked matrix products, masked where
couplings have a range, everything preallocated or in place where that helps. Both end with the loss on held-out images,
which shows that they did the same.

    /usr/bin/python3 bench/training.py --jostle build/release/jostle [--task digits01] [--out docs/results/training.json]

PyTorch is Debian's: apt-get install python3-torch; h5py: python3-h5py
"""
import argparse
import gzip
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import engine

ROOT = pathlib.Path(__file__).resolve().parents[1]
SIDE, SITES, BATCH, HELD, RATE = 12, 144, 1024, 16384, 0.02
N_TRAIN, N_HELD = 10665, 2000
T_MINIMUM, T_FINAL = 0.01, 4.0
MEAN_DECAY, SQUARE_DECAY, TINY = 0.9, 0.99, 1e-12
TASKS = ("digits01", "digits01-bilinear")


class Network:
    """On-site powers to 4, bilinear couplings of all pairs and, if `nonlinear`, those of range 3 with powers 21, 31, 22."""

    def __init__(self, torch, nonlinear, batch):
        self.torch, self.nonlinear = torch, nonlinear
        grid = [(i % SIDE, i // SIDE) for i in range(SITES)]
        near = torch.tensor([[0 < math.dist(a, b) <= 3.001 for b in grid] for a in grid])
        upper = torch.triu(torch.ones(SITES, SITES, dtype=torch.bool), 1)

        def places(mask):
            return torch.nonzero(mask.reshape(-1)).squeeze(1)

        # Which entries of each matrix are parameters; of a symmetric one those above the diagonal, set on both sides.
        self.parts = [("J", places(upper), True)]
        if nonlinear:
            self.parts += [("21", places(near), False), ("31", places(near), False), ("22", places(near & upper), True)]
        self.n_onsite = 4 * SITES
        self.n_parameters = self.n_onsite + sum(len(index) for _, index, _ in self.parts)
        self.mirror = {name: index % SITES * SITES + index // SITES for name, index, _ in self.parts}
        self.matrix = {name: torch.zeros(SITES, SITES) for name, _, _ in self.parts}

    def set(self, theta):
        self.onsite = theta[:self.n_onsite].view(4, SITES, 1)
        at = self.n_onsite
        for name, index, symmetric in self.parts:
            flat, value = self.matrix[name].view(-1), theta[at:at + len(index)]
            flat.index_copy_(0, index, value)
            if symmetric:
                flat.index_copy_(0, self.mirror[name], value)
            at += len(index)
        if self.nonlinear:
            m = self.matrix
            self.by_x = self.torch.cat([m["J"], m["21"], m["31"]])
            self.by_x2 = self.torch.cat([m["22"], m["21"].T])

    def force(self, x):
        t1, t2, t3, t4 = self.onsite
        f = 4 * t4 * x
        f.add_(3 * t3).mul_(x).add_(2 * t2).mul_(x).add_(t1)
        if not self.nonlinear:
            return f.addmm_(self.matrix["J"], x).neg_()
        x2 = x * x
        a = self.by_x @ x
        b = self.by_x2 @ x2
        f.add_(a[:SITES]).addcmul_(x, a[SITES:2 * SITES], value=2).addcmul_(x2, a[2 * SITES:], value=3)
        f.addcmul_(x, b[:SITES], value=2).add_(b[SITES:])
        return f.addmm_(self.matrix["31"].T, x2 * x).neg_()

    def pick(self, onsite, matrices):
        """One vector of what belongs to the parameters."""
        out = [onsite.reshape(-1)]
        for name, index, _ in self.parts:
            out.append(matrices[name].reshape(-1).index_select(0, index))
        return self.torch.cat(out)

    def gradient(self, x, r):
        """-sum over the batch of r . grad phi."""
        x2 = x * x
        rx, rx2 = r * x, r * x2
        onsite = self.torch.stack([r.sum(1), 2 * rx.sum(1), 3 * rx2.sum(1), 4 * (rx2 * x).sum(1)])
        if not self.nonlinear:
            c = r @ x.T
            return self.pick(onsite, {"J": c + c.T}).neg_()
        a = self.torch.cat([r, 2 * rx, 3 * rx2]) @ x.T
        b = self.torch.cat([x2, x2 * x]) @ r.T
        d = (2 * rx) @ x2.T
        j = a[:SITES]
        return self.pick(onsite, {"J": j + j.T, "21": a[SITES:2 * SITES] + b[:SITES],
                                  "31": a[2 * SITES:] + b[SITES:], "22": d + d.T}).neg_()

    def power(self, x):
        """The mean over the batch of |grad phi|^2."""
        n = x.shape[1]
        one, p2, p4, p6 = self.torch.ones_like(x), x ** 2, x ** 4, x ** 6
        onsite = self.torch.stack([one.mean(1), 4 * p2.mean(1), 9 * p4.mean(1), 16 * p6.mean(1)])
        j = p2 @ one.T
        matrices = {"J": (j + j.T) / n}
        if self.nonlinear:
            d = 4 * p2 @ p4.T
            matrices.update({"21": (4 * p2 @ p2.T + p4 @ one.T) / n, "31": (9 * p4 @ p2.T + p6 @ one.T) / n,
                             "22": (d + d.T) / n})
        return self.pick(onsite, matrices)


def read_images():
    import numpy

    with gzip.open(ROOT / "data" / "mnist01-12x12-train-images-idx3-ubyte.gz") as file:
        data = file.read()
    return 2.0 * numpy.frombuffer(data, numpy.uint8, offset=16).reshape(-1, SITES).astype(numpy.float32) / 255.0 - 1.0


def torch_worker(task, n_knots, n_steps, threads):
    import torch

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    torch.manual_seed(1)
    begin = time.perf_counter()
    images = torch.tensor(read_images())
    train, held = images[:N_TRAIN].T.contiguous(), images[-N_HELD:].T.contiguous()
    network = Network(torch, task == "digits01", BATCH)
    theta = torch.zeros(network.n_parameters)
    noise = torch.empty(SITES, BATCH)
    losses, done = [], 0
    for knot in reversed(range(n_knots)):
        t = T_MINIMUM * (T_FINAL / T_MINIMUM) ** (knot / (n_knots - 1))
        a, variance = math.exp(-t), -math.expm1(-2 * t)
        sigma, wall = math.sqrt(variance), math.exp(-t) + 4 * math.sqrt(variance)

        def moments(source, n, buffer):
            x0 = source.index_select(1, torch.randint(source.shape[1], (n,)))
            return x0, torch.add(a * x0, buffer.normal_(), alpha=sigma)

        scale = variance * network.power(moments(train, BATCH, noise)[1].clamp_(-wall, wall)).sqrt_()
        inverse = torch.where(scale > 0, 1 / scale, torch.ones(()))
        mean, square = torch.zeros_like(theta), torch.zeros_like(theta)
        total = n_steps * (2 if knot == n_knots - 1 else 1)
        for step in range(total):
            network.set(theta)
            x0, x = moments(train, BATCH, noise)
            inside = x.clamp(-wall, wall)
            r = network.force(inside)
            r.sub_(x, alpha=1 - 2 / variance).sub_(x0, alpha=2 * a / variance)
            r.mul_(x == inside)
            slope = network.gradient(inside, r).mul_(inverse).mul_(1 / BATCH)
            mean.lerp_(slope, 1 - MEAN_DECAY)
            square.mul_(SQUARE_DECAY).addcmul_(slope, slope, value=1 - SQUARE_DECAY)
            rate = RATE * math.cos(0.5 * math.pi * step / total) ** 2
            update = (square / (1 - SQUARE_DECAY ** (step + 1))).sqrt_().add_(TINY)
            theta.addcmul_(inverse, mean / update, value=-rate / (1 - MEAN_DECAY ** (step + 1)))
        done += total
        network.set(theta)
        x0, x = moments(held, HELD, torch.empty(SITES, HELD))
        inside = x.clamp(-wall, wall)
        stiffness = min(0.5 / min(0.03 * variance, 0.02), 100.0)
        f = torch.where(x == inside, network.force(inside), -stiffness * (x - inside))
        losses.append(float(variance / (4 * SITES) * ((f - x + 2 * (x - a * x0) / variance) ** 2).sum(0).mean()))
    print(json.dumps({"seconds": time.perf_counter() - begin, "steps": done, "parameters": network.n_parameters,
                      "loss": losses[::-1], "version": torch.__version__}))


def run_torch(args, setting, knots, steps):
    command = [sys.executable, os.path.abspath(__file__), "--torch-worker", "--task", args.task, "--knots", str(knots),
               "--steps", str(steps), "--threads", str(setting["threads"])]
    environment = {**os.environ, **setting["environment"], "OPENBLAS_NUM_THREADS": str(setting["blas_threads"])}
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def fastest_setting(args):
    """Of PyTorch's threads, those of its BLAS, and the vectors it uses: tried on a short training each."""
    cores = len(os.sched_getaffinity(0))
    environments = [{}] + ([engine.WIDE] if " avx512f" in open("/proc/cpuinfo").read() else [])
    settings = [{"environment": e, "threads": own, "blas_threads": blas}
                for e in environments for own in sorted({1, cores}) for blas in sorted({1, cores})]
    for setting in settings:
        setting["trial_seconds"] = min(run_torch(args, setting, 2, 40)["seconds"] for _ in range(2))
        print(f"PyTorch with {setting}", file=sys.stderr)
    return min(settings, key=lambda setting: setting["trial_seconds"]), settings


def run_jostle(args, file):
    import h5py

    begin = time.perf_counter()
    subprocess.run([args.jostle, "train", "--task", args.task, "--knots", str(args.knots), "--steps", str(args.steps),
                    "--seed", "1", "--out", file], check=True, capture_output=True)
    seconds = time.perf_counter() - begin
    found = {}
    with h5py.File(file) as h5:
        h5.visititems(lambda name, item: found.update({name: item[()]}) if name.endswith("loss") and "train" not in
                      name.rsplit("/", 1)[-1] else None)
    return {"seconds": seconds, "loss": [float(v) for v in next(iter(found.values()))]}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--jostle", default="build/release/jostle")
    options.add_argument("--task", choices=TASKS, default=TASKS[0])
    options.add_argument("--knots", type=int, default=24)
    options.add_argument("--steps", type=int, default=600)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--out")
    options.add_argument("--torch-worker", action="store_true", help=argparse.SUPPRESS)
    options.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    args = options.parse_args()
    if args.torch_worker:
        return torch_worker(args.task, args.knots, args.steps, args.threads)
    if subprocess.run([sys.executable, "-c", "import torch"], capture_output=True).returncode:
        sys.exit("training.py: PyTorch is missing; apt-get install python3-torch")
    setting, settings = fastest_setting(args)
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(args.rounds):
            ours.append(run_jostle(args, f"{folder}/{turn}.h5"))
            theirs.append(run_torch(args, setting, args.knots, args.steps))
            print(f"round {turn + 1}: jostle {ours[-1]['seconds']:.1f} s, PyTorch {theirs[-1]['seconds']:.1f} s",
                  file=sys.stderr)
    ratios = sorted(t["seconds"] / o["seconds"] for o, t in zip(ours, theirs))
    difference = max(abs(a - b) for a, b in zip(ours[0]["loss"], theirs[0]["loss"]))
    out = {
        "machine": engine.machine(), "commit": engine.commit(), "task": args.task, "knots": args.knots,
        "steps": args.steps, "batch": BATCH, "parameters": theirs[0]["parameters"],
        "torch": {"version": theirs[0]["version"], "fastest": setting, "tried": settings},
        "jostle_seconds": [o["seconds"] for o in ours],
        "torch_seconds": [t["seconds"] for t in theirs],
        "times_torch": ratios,
        "held_out_loss": {"jostle": ours[0]["loss"], "torch": theirs[0]["loss"], "largest_difference": difference},
    }
    print(f"{args.task}: {min(o['seconds'] for o in ours):.1f} s, {ratios[0]:.2f} to {ratios[-1]:.2f} times as fast as "
          f"PyTorch ({setting['threads']} threads, its BLAS {setting['blas_threads']}); held-out losses, up to "
          f"{max(ours[0]['loss']):.3f}, agree to {difference:.4f} at every knot")
    if args.out:
        pathlib.Path(args.out).write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
