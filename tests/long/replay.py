"""A bench process records a minute at 1 kHz with everything that clients ask for; the replay gives every output bit once more."""
import pathlib
import re
import subprocess
import sys
import time

import h5py
import numpy

from acceptance import JOSTLE, ROOT, Acceptance

sys.path.insert(0, str(ROOT / "tests" / "cli"))
import bench_process  # noqa: E402

SECONDS = 60
a = Acceptance("replay", __doc__)
PROTOCOLS = [a.train(f"{task}.h5", "--task", task) for task in ("two-gaussians", "two-gaussians-sextic")]


def record(name, plant_more=()):
    """A minute of requests at odd moments; the run's first file."""
    folder = pathlib.Path(a.work) / name
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    end = time.monotonic() + SECONDS
    rng = numpy.random.default_rng(1)
    with bench_process.bench(str(JOSTLE), "sim-2", str(folder), "--record", str(folder), "--protocol", PROTOCOLS[0],
                             plant_more=plant_more) as (device, _, client):
        client.do("limits", output=0, min_V=-6, max_V=6, slew_V_per_s=8000)
        turn = 0
        while time.monotonic() < end:
            if client.do("status")["state"] != "RUNNING":
                client.go()
                client.do("sample", n=50, relax=4, t_final=1)
            turn += 1
            time.sleep(float(rng.uniform(0.05, 0.6)))
            what = turn % 17
            if what in (3, 9, 12):
                client.ask("manual", output=int(rng.integers(2)), volts=float(rng.normal()) * 0.2)
            elif what in (4, 10, 13):
                client.ask("manual", output=0, volts=None)
                client.ask("manual", output=1, volts=None)
            elif what == 6:
                client.ask("manual", output=99, volts=1.0)
                client.ask("limits", output=1, min_V=-8, max_V=50)
            elif what == 15:
                client.do("load-protocol", path=PROTOCOLS[turn // 17 % 2])
                client.do("sample", n=50, relax=4, t_final=1)
            elif what == 16:
                client.do("stop")
        client.do("shutdown")
    return next(folder.glob("*-000.h5"))


def replay(path):
    start = time.monotonic()
    done = subprocess.run([str(JOSTLE), "replay", str(path)], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr, time.monotonic() - start


def figure(text, what):
    return int(re.search(rf"^  {what} +(\d+)", text, re.M).group(1))


first = record("minute")
status, text, seconds = replay(first)
print(text)
rows = figure(text, "rows compared")
a.judge("rows compared", rows, rows == figure(text, "rows") >= (SECONDS - 3) * 1000, f"all, {SECONDS - 3} s of them at least")
a.judge("rows that differ", figure(text, "rows that differ"), status == 0 and figure(text, "rows that differ") == 0, 0)
with h5py.File(first) as file:
    state, exchange, setpoint = file["tick/state"][:rows], file["tick/exchange"][:rows], file["tick/setpoint"][:rows]
    a.note("of them under a protocol", int((setpoint == 1).sum()))
    a.note("slots missed", int(numpy.diff(file["tick/tick"][:rows].astype(numpy.int64)).sum() - (rows - 1)))
    a.note("transitions of the supervisor", int((numpy.diff(state.astype(int)) != 0).sum()))
    a.note("output numbers compared", int(rows * file["out_V"].shape[1]))
    driven = int(numpy.flatnonzero(setpoint == 1)[rows // 1000])
a.note("requests; programs", [figure(text, "requests"), int(re.search(r"programs (\d+)", text)[1])])
a.note("seconds that the replay took", round(seconds, 2))
a.note("bytes a row", round(first.stat().st_size / rows))

# One bit of one input, at a driven tick: the outputs that follow from it must be told as different.
found = []
for bit in (51, 40, 30, 20, 10):
    changed = first.with_name("changed-000.h5")
    changed.write_bytes(first.read_bytes())
    with h5py.File(changed, "r+") as file:
        bits = file["in_V"][driven].view(numpy.uint64)
        bits[0] ^= numpy.uint64(1 << bit)
        file["in_V"][driven] = bits.view(numpy.float64)
        number = int(file["tick/number"][driven])
    status, text, _ = replay(changed)
    found.append(status == 1 and f"row number {number}," in text)
    changed.unlink()
a.judge("one changed bit of an input is found at its row (bits 51, 40, 30, 20, 10)", found, all(found), "each")
a.end()
