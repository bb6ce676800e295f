"""Loops killed and stopped while they drive, fifty times each, judged by the plant's own log; the guarded bench, whose outputs
its guardian brings to safe, and the one that can be opened only once, whose monostable does."""
import os
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))

import bench_process
from acceptance import JOSTLE, Acceptance
from safe_outputs import PlantLog, kill_loops, stop_loops

N = 50
GUARDIAN_PERIODS = 200  # of both benches
LIMIT_V = 9
a = Acceptance("faults", __doc__)

for bench, line in {"sim-2-guarded": 17, "sim-2-exclusive": 3}.items():
    for kind, provoke in {"SIGKILL": kill_loops, "SIGSTOP": stop_loops}.items():
        name = f"faults-{os.getpid()}"
        path = a.path(f"{bench}-{kind}.h5")
        plant = bench_process.plant(str(JOSTLE), bench, name, path)
        try:
            rows = provoke(str(JOSTLE), bench, name, str(a.work), N)
        finally:
            plant.end()
        log = PlantLog(path, line)
        judged = [log.periods_to_safe(when, until) for _, when, until in rows]
        periods = [row[0] for row in judged if row]
        in_time = sum(p <= GUARDIAN_PERIODS for p in periods)
        a.judge(f"{bench}, {kind}: outputs safe within {GUARDIAN_PERIODS} periods of the loop's last sign",
                f"{in_time} of {len(rows)}", in_time == len(rows) == N, f"{N} of {N}")
        a.note(f"{bench}, {kind}: periods to safe outputs, least, median, most",
               f"{min(periods)}, {statistics.median(periods):g}, {max(periods)}")
        a.note(f"{bench}, {kind}: volts on the way, median number of steps", statistics.median(row[1] for row in judged if row))
        worst = float(abs(log.out).max())
        a.judge(f"{bench}, {kind}: largest |V| of any output at any of {len(log.out)} edges", worst, worst <= LIMIT_V,
                f"at most {LIMIT_V}")
a.end()
