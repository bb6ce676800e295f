"""Digits on 144 oscillators: learners beside their oracles, and generated images beside held-out ones, five sampling seeds."""
import json

import h5py

from acceptance import Acceptance

SEEDS = range(1, 6)
N = 2000
a = Acceptance("digits", __doc__)
NETWORKS = {
    "(i) all-to-all bilinear": "digits01-bilinear",
    "(ii) range 3, nonlinear": "digits01-local",
    "(iii) all-to-all bilinear and range-3 nonlinear": "digits01",
    "(iii) on 10 x 10": "digits01-10x10",
}


def losses(protocol):
    with h5py.File(protocol) as file:
        return file["learning/t"][()], file["learning/loss"][()]


def timed_training(file, *arguments):
    """The training's seconds are kept beside its protocol, for a resumed script."""
    path, note = a.path(file), a.path(file + ".seconds")
    seconds = a.jostle("train", "--out", path, *arguments, makes=path)
    if seconds is not None:
        with open(note, "w") as out:
            json.dump(seconds, out)
    with open(note) as text:
        return path, json.load(text)


learned = {}
for name, task in NETWORKS.items():
    learned[name], seconds = timed_training(f"{task}.p.h5", "--task", task, "--seed", 1)
    a.judge(f"{name}: training time, 2 cores, s", round(seconds, 1), seconds < 240, "under 240")
    oracle = a.train(f"{task}.oracle.h5", "--task", task, "--solver", "cg", "--sample", 16384, "--seed", 1)
    t, loss = losses(learned[name])
    _, best = losses(oracle)
    room = 1.03 * best + 1e-3 - loss
    a.note(f"{name}: t", [round(v, 4) for v in t])
    a.note(f"{name}: held-out loss", [round(v, 5) for v in loss])
    a.note(f"{name}: the oracle's", [round(v, 5) for v in best])
    a.judge(f"{name}: held-out loss against 1.03 of the oracle's + 0.001, least room at a knot", round(room.min(), 5),
            room.min() >= 0, "0 or more")

# What the best theta of a network does to the classes bounds what a learner of it can do.
bound = a.path("digits01.oracle-eval.json")
a.jostle("eval", *[a.sample(f"digits01.oracle-{seed}.h5", a.path("digits01.oracle.h5"), "--ensemble", "-n", N, "--seed", seed)
                   for seed in SEEDS], "--task", "digits01", "--json", bound)
with open(bound) as text:
    oracle_figures = json.load(text)["mean"]
a.note("(iii), oracle: share of zeros", "{:.4f} ± {:.4f}".format(*oracle_figures["label_shares"][0]))
a.note("(iii), oracle: MMD²", "{:.4f} ± {:.4f}".format(*oracle_figures["mmd2"]))

for name, task in NETWORKS.items():
    if task == "digits01-10x10":
        continue
    files = [a.sample(f"{task}-{seed}.h5", learned[name], "--ensemble", "-n", N, "--seed", seed) for seed in SEEDS]
    result = a.path(f"{task}.eval.json")
    a.jostle("eval", *files, "--task", task, "--json", result, "--png", a.path(f"{task}.png"))
    with open(result) as text:
        figures = json.load(text)
    mmd, error = figures["mean"]["mmd2"]
    a.note(f"{name}: MMD², floor, Gaussian fit", f"{mmd:.4f} ± {error:.4f}, {figures['floor']['mmd2'][0]:.4f}, "
           f"{figures['gaussian_fit']['mmd2'][0]:.4f}")
    a.note(f"{name}: sliced Wasserstein, floor", f"{figures['mean']['sliced_wasserstein'][0]:.4f}, "
           f"{figures['floor']['sliced_wasserstein'][0]:.4f}")
    a.note(f"{name}: spread along the leading principal directions", [round(s[0], 3) for s in figures["mean"]["spread"]])
    zeros, ratio = figures["mean"]["label_shares"][0][0], figures["mean"]["nearest_ratio"][0]
    if task == "digits01":
        a.judge(f"{name}: MMD² of {N} unclipped samples, mean of five seeds", round(mmd, 4), mmd <= 0.042, "at most 0.042")
        a.judge(f"{name}: share of zeros (data {figures['data_shares'][0]:.3f})", round(zeros, 4),
                abs(zeros - 0.468) <= 0.08, "within 0.08 of 0.468")
        a.judge(f"{name}: distance to the nearest training image over held-out images'", round(ratio, 3), ratio >= 0.9,
                "at least 0.9")
    else:
        a.note(f"{name}: share of zeros, nearest-image ratio", f"{zeros:.4f}, {ratio:.3f}")

n = 1000
protocol = learned["(iii) all-to-all bilinear and range-3 nonlinear"]
mmd = {}
for label, arguments in {"ensemble": ["--ensemble"], "loop": []}.items():
    file = a.sample(f"bench-{label}.h5", protocol, "--bench", "sim-12x12", "-n", n, "--seed", 1, *arguments)
    result = a.path(f"bench-{label}.json")
    a.jostle("eval", file, "--task", "digits01", "--json", result, "--png", a.path(f"bench-{label}.png"))
    with open(result) as text:
        mmd[label], error = json.load(text)["mean"]["mmd2"]
    a.note(f"{label} at the bench's time step, {n} samples: MMD²", f"{mmd[label]:.4f} ± {error:.4f}")
a.judge("through the loop on sim-12x12: MMD² over the ensemble's", round(mmd["loop"] / mmd["ensemble"], 3),
        abs(mmd["loop"] / mmd["ensemble"] - 1) <= 0.2, "within 0.2 of 1")
a.end()
