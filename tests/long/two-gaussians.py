"""The two-Gaussian task with the ensemble engine: learners beside the oracle, N = 40 000, five sampling seeds."""
import statistics

from acceptance import Acceptance

N, SEEDS = 40000, range(1, 6)
a = Acceptance("two-gaussians", __doc__)


def figures(label, protocol, task):
    rows = [a.evaluate(a.sample(f"{label}-{seed}.h5", protocol, "--ensemble", "-n", N, "--seed", seed), "--task", task)
            for seed in SEEDS]
    tv = [row["total_variation"] for row in rows]
    weight = [row["mode_weights"][0] for row in rows]
    a.note(f"{label}: total variation, floor", f"{statistics.mean(tv):.4f} ± {statistics.stdev(tv):.4f}, "
           f"{rows[0]['floor']:.4f}")
    return statistics.mean(tv), statistics.mean(weight), max(row["diverged"] for row in rows), max(tv), weight


oracle = figures("quartic-oracle", a.train("quartic-oracle.p.h5", "--task", "two-gaussians", "--solver", "cg", "--seed", 1),
                 "two-gaussians")
for rule in ("denoising", "implicit"):
    tv, weight, diverged, _, weights = figures(
        f"quartic-{rule}", a.train(f"quartic-{rule}.p.h5", "--task", "two-gaussians", "--rule", rule, "--seed", 1),
        "two-gaussians")
    a.judge(f"quartic, {rule}: total variation above the oracle's", round(tv - oracle[0], 4), tv - oracle[0] <= 0.02,
            "at most 0.02")
    a.judge(f"quartic, {rule}: weight of mode 1, each seed", [round(w, 4) for w in weights],
            all(abs(w - 0.5) <= 0.01 for w in weights), "0.50 ± 0.01")

uneven = figures("30-70", a.train("30-70.p.h5", "--task", "two-gaussians-30-70", "--seed", 1), "two-gaussians-30-70")
uneven_oracle = figures("30-70-oracle", a.train("30-70-oracle.p.h5", "--task", "two-gaussians-30-70", "--solver", "cg",
                                                "--seed", 1), "two-gaussians-30-70")
# The best quartic there is misses the weight by 0.015, whatever the knots and the step, so a single seed's sampling error of
# 0.0023 can carry it over the limit: the mean is judged, the seeds are shown.
a.judge("target weights 0.3/0.7: weight of mode 1, mean of the seeds", round(uneven[1], 4), abs(uneven[1] - 0.3) <= 0.02,
        "0.30 ± 0.02")
a.note("each seed", [round(w, 4) for w in uneven[4]])
a.note("the oracle's mean", round(uneven_oracle[1], 4))

for solver in ("adam", "cg"):
    tv, weight, diverged, worst, _ = figures(
        f"sextic-{solver}", a.train(f"sextic-{solver}.p.h5", "--task", "two-gaussians-sextic", "--solver", solver,
                                    "--seed", 1), "two-gaussians-sextic")
    a.judge(f"full sextic, {solver}: largest total variation of the seeds", round(worst, 4), worst <= 0.17, "at most 0.17")
    a.judge(f"full sextic, {solver}: diverged trajectories of {N * len(SEEDS)}", diverged, diverged == 0, "none")
a.end()
