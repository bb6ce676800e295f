"""Through the loop on the simulated bench, both drives, against the ensemble at the same count and time step."""
import statistics

from acceptance import Acceptance

N, SEEDS = 10000, range(1, 4)
a = Acceptance("loop", __doc__)
protocol = a.train("protocol.h5", "--task", "two-gaussians", "--seed", 1)


def figures(label, *arguments):
    rows = [a.evaluate(a.sample(f"{label}-{seed}.h5", protocol, "-n", N, "--seed", seed, *arguments),
                       "--task", "two-gaussians") for seed in SEEDS]
    tv = [row["total_variation"] for row in rows]
    a.note(f"{label}: total variation", [round(v, 4) for v in tv])
    a.note(f"{label}: weight of mode 1", [round(row["mode_weights"][0], 4) for row in rows])
    return statistics.mean(tv), rows[0]


figures("ensemble on the accurate grid", "--ensemble")
ensemble, row = figures("ensemble", "--ensemble", "--bench", "sim-2")
a.note("floor of exact draws, same number", round(row["floor"], 4))
a.note("time step, relaxation times", row["step"])
for drive in ("feedback", "parametric"):
    tv, _ = figures(drive, "--bench", "sim-2", "--drive", drive)
    a.judge(f"{drive} drive: total variation off the ensemble's", round(tv - ensemble, 4), abs(tv - ensemble) <= 0.03,
            "within 0.03")
a.end()
