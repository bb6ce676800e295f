#!/usr/bin/python3
"""Two ranks against two threads of one process, in one run, interleaved: `mpirun -n 2 jostle train` beside
`jostle train --threads 2`. Writes docs/results/ranks.json.

usage: ranks.py [ROUNDS]    (after: cmake --preset release && cmake --build --preset release)
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

root = pathlib.Path(__file__).resolve().parents[1]
jostle = root / "build" / "release" / "jostle"
environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
work = ["train", "--task", "digits01", "--steps", "200", "--seed", "1"]


def seconds(*command):
    start = time.monotonic()
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env=environment)
    return time.monotonic() - start


with tempfile.TemporaryDirectory() as folder:
    threads, ranks = [], []
    for i in range(rounds):
        threads.append(seconds(jostle, *work, "--threads", 2, "--out", f"{folder}/threads{i}.h5"))
        ranks.append(seconds("mpirun", "-n", 2, jostle, *work, "--threads", 1, "--out", f"{folder}/ranks{i}.h5"))
        print(f"two threads {threads[-1]:.1f} s, two ranks {ranks[-1]:.1f} s", flush=True)
    same = subprocess.run(["cmp", f"{folder}/threads0.h5", f"{folder}/ranks0.h5"]).returncode == 0

speed = [t / r for t, r in zip(threads, ranks)]
result = {"what": "training (iii), 24 knots × 200 steps: speed of two ranks over that of two threads",
          "commit": subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=root, capture_output=True,
                                   text=True).stdout.strip(),
          "threads_seconds": threads, "ranks_seconds": ranks, "speed": speed, "speed_median": statistics.median(speed),
          "files_equal": same}
with open(root / "docs" / "results" / "ranks.json", "w") as file:
    json.dump(result, file, indent=1)
    file.write("\n")
print(f"speed of two ranks over two threads: {statistics.median(speed):.3f}; equal files: {same}")
