#!/usr/bin/python3
"""The loop's wake-up latency beside cyclictest's: same CPU, SCHED_FIFO 80, memory locked, deep sleep forbidden, same
interval; interleaved A B A …, at 1 kHz and 10 kHz. Prints both histograms and the ratio of p50, p99, p99.9 and the longest,
with the range that these runs leave it.

The loop is the one of `jostle run`, running, with a simulated bench in its process (bench_latency); its figures are those
of its own histogram, and cyclictest's, which come in nanoseconds, are sorted into the same bins. Turns are short, so that
what else the machine does falls on both alike.

usage: latency.py [--cpu N] [--bench BENCH …] [--rounds N] [--seconds S] [--json]
       (after: cmake --preset release && cmake --build --preset release; as root or with real-time privileges)

--json writes docs/results/latency.json. Ends with status 1 where p50 or p99 is above 1.3 times cyclictest's.
"""
import argparse
import collections
import json
import os
import pathlib
import platform
import random
import statistics
import subprocess
import sys
import tempfile

LINE = 1.3
QUANTILES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
root = pathlib.Path(__file__).resolve().parents[1]
runner = root / "build" / "release" / "bench" / "bench_latency"

parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], formatter_class=argparse.RawTextHelpFormatter)
parser.add_argument("--cpu", type=int, default=os.cpu_count() - 1, help="of both (the last)")
parser.add_argument("--bench", nargs="+", default=["sim-2", "sim-12x12"], help="of the loop (sim-2 sim-12x12)")
parser.add_argument("--rounds", type=int, default=20, help="of cyclictest and each bench (20)")
parser.add_argument("--seconds", type=int, default=1, help="of each (1)")
parser.add_argument("--json", action="store_true", help="write docs/results/latency.json")
options = parser.parse_args()


def bin_of(ns):
    """As control/histogram.c sorts them: 16 bins to the octave."""
    if ns < 16:
        return ns
    exponent = ns.bit_length() - 1
    return 16 * (exponent - 3) + (ns >> (exponent - 4)) - 16


def bin_end(b):
    return b if b < 16 else ((16 + b % 16 + 1) << (b // 16 - 1)) - 1


class Wakes:
    """Wake-up latencies of several runs together."""

    def __init__(self):
        self.count, self.longest, self.runs = collections.Counter(), 0, []

    def add(self, bins, longest):
        self.runs.append(collections.Counter(dict(bins)))
        self.count += self.runs[-1]
        self.longest = max(self.longest, longest)

    def figures(self):
        return {name: quantile(self.count, q, self.longest) for name, q in QUANTILES.items()}

    def drawn(self, source):
        """As many runs, drawn from these with repeats: how the figures would come out another time."""
        again = Wakes()
        for run in source.choices(self.runs, k=len(self.runs)):
            again.count.update(run)
        again.longest = self.longest
        return again.figures()


def quantile(count, q, longest):
    wanted, seen = q * count.total(), 0
    for b in sorted(count):
        seen += count[b]
        if seen >= wanted:
            return min(bin_end(b), longest)
    return 0


def cyclictest(interval_us):
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run(["cyclictest", "-q", "-m", "-N", "-h", "1000000", "-t", "1", "-a", str(options.cpu), "-p", "80", "-i",
                        str(interval_us), "-D", str(options.seconds), f"--json={file.name}"], check=True,
                       stdout=subprocess.DEVNULL)
        thread = json.load(file)["thread"]["0"]
    bins = collections.Counter()
    for ns, n in thread["histogram"].items():
        bins[bin_of(int(ns))] += n
    # What lies beyond cyclictest's histogram it counts as cycles alone.
    bins[bin_of(thread["max"])] += thread["cycles"] - bins.total()
    return bins, thread["max"]


def loop(bench, interval_us):
    line = subprocess.run([runner, bench, str(options.cpu), str(interval_us), str(options.seconds)], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    result = json.loads(line)
    return result["bins"], result["max_ns"], result


def show(title, both):
    """Both histograms side by side, in quarters of an octave, per cent of the wake-ups."""
    print(f"\n{title}\n{'late by up to':>16s}  " + "  ".join(f"{name:>28s}" for name in both))
    quarters = sorted({b // 4 for wakes in both.values() for b in wakes.count})
    for quarter in range(quarters[0], quarters[-1] + 1):
        share = [sum(wakes.count[b] for b in range(4 * quarter, 4 * quarter + 4)) / wakes.count.total() * 100
                 for wakes in both.values()]
        if any(share):
            print(f"{bin_end(4 * quarter + 3) / 1e3:13.1f} us  " +
                  "  ".join(f"{s:8.3f} % {'#' * round(s / 100 * 17):<17s}" for s in share))


def ratios(a, b):
    """Of each quantile: the loop's over cyclictest's, and its range, nine times in ten, when runs are drawn anew."""
    theirs, ours, source = a.figures(), b.figures(), random.Random(1)
    again = [(a.drawn(source), b.drawn(source)) for _ in range(200)]
    spread = {name: sorted(y[name] / x[name] for x, y in again) for name in QUANTILES}
    return {name: [ours[name] / theirs[name], spread[name][10], spread[name][189]] for name in QUANTILES}


def measure(interval_us):
    """cyclictest and the loop on each bench, in turns: A B A C A B …, ending with A."""
    a, loops, missed, work = Wakes(), {bench: Wakes() for bench in options.bench}, collections.Counter(), {}
    for i in range(options.rounds):
        for bench, wakes in loops.items():
            a.add(*cyclictest(interval_us))
            bins, longest, run = loop(bench, interval_us)
            wakes.add(bins, longest)
            missed[bench] += run["missed"]
            work.setdefault(bench, []).append(run["exchange_p50_ns"] + run["execution_p50_ns"])
    a.add(*cyclictest(interval_us))
    for bench, b in loops.items():
        show(f"every {interval_us} us on CPU {options.cpu}, bench {bench}", {"cyclictest": a, "loop": b})
        theirs, ours, ratio, took = a.figures(), b.figures(), ratios(a, b), statistics.median(work[bench])
        for name in QUANTILES:
            print(f"{name:>6s}: cyclictest {theirs[name] / 1e3:9.1f} us, loop {ours[name] / 1e3:9.1f} us, ratio "
                  "{:.2f} ({:.2f} to {:.2f})".format(*ratio[name]))
        print(f"  slots missed by the loop: {missed[bench]} of {b.count.total()}; a tick's work {took / 1e3:.1f} us")
        yield {"interval_us": interval_us, "bench": bench, "cyclictest_ns": theirs, "loop_ns": ours, "ratio": ratio,
               "wakes": {"cyclictest": a.count.total(), "loop": b.count.total()}, "loop_missed": missed[bench],
               "work_p50_ns": took, "within": ratio["p50"][0] <= LINE and ratio["p99"][0] <= LINE}


def cpu_name():
    with open("/proc/cpuinfo") as file:
        return next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())


results = [result for interval_us in (1000, 100) for result in measure(interval_us)]
good = all(result["within"] for result in results)
print(f"\np50 and p99 within {LINE} of cyclictest's: {'yes' if good else 'NO'}")
if options.json:
    with open(root / "docs" / "results" / "latency.json", "w") as file:
        json.dump({"what": "wake-up latency of the loop over cyclictest's, interleaved, same CPU, priority 80, interval",
                   "commit": subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=root, capture_output=True,
                                            text=True).stdout.strip(),
                   "machine": {"cpu": cpu_name(), "cores": os.cpu_count(),
                               "system": f"{platform.system()} {platform.machine()}",
                               "preempt_rt": os.path.exists("/sys/kernel/realtime")},
                   "seconds_of_each_run": options.seconds, "line": LINE, "within": good,
                   "ratio_is": "loop over cyclictest, and its range, nine times in ten, when runs are drawn anew",
                   "results": results}, file, indent=1)
        file.write("\n")
sys.exit(0 if good else 1)
