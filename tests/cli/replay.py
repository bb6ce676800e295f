"""A bench process records a run with everything that a client may ask for; the replay gives every output once more."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import h5py
import numpy

import bench_process

JOSTLE = sys.argv[1]


def replay(path):
    done = subprocess.run([JOSTLE, "replay", path], capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def figure(text, what):
    return int(re.search(rf"^  {what} +(\d+)", text, re.M).group(1))


def record(folder, protocol):
    """A run of some seconds, with requests at odd moments. Returns the run's first file."""
    # Slow, and patient with a busy machine: what is tested is not whether it keeps the time.
    bench = pathlib.Path(folder) / "slow-2.yaml"
    text = (pathlib.Path(__file__).parents[2] / "daq" / "benches" / "sim-2.yaml").read_text()
    text = re.sub("^(missed_periods|guardian_periods): .*\n", "", text, flags=re.M)
    bench.write_text(re.sub("period_s: .*", "period_s: 8e-3\nguardian_periods: 5000\nmissed_periods: 0", text))
    with bench_process.bench(JOSTLE, bench, folder, "--record", folder, "--protocol", protocol) as (_, _, client):
        client.go(patience=120)
        client.do("sample", n=2, relax=4, t_final=1)
        client.ask("manual", output=0, volts=0.25)
        time.sleep(0.3)
        client.ask("manual", output=0, volts=None)
        client.ask("limits", output=1, min_V=-6, max_V=6, slew_V_per_s=5000)
        client.ask("manual", output=99, volts=1)  # refused
        client.wait(lambda status: status["setpoint_t"] is not None, patience=120)
        client.ask("manual", output=1, volts=-0.125)
        client.ask("limits", output=0, min_V=-0.2, max_V=0.2)
        client.do("load-protocol", path=protocol)  # the generation is given up
        client.do("sample", n=1, relax=4, t_final=1)
        time.sleep(1)  # status speaks of the new program by then
        client.wait(lambda status: status["setpoint_t"] is not None, patience=120)
        time.sleep(0.5)
        client.ask("stop")
        time.sleep(0.2)
        client.go(patience=120)
        client.do("shutdown")
        time.sleep(0.5)
    return next(pathlib.Path(folder).glob("*-000.h5"))


def every_output_is_reproduced(path):
    """catches: a fact that the loop acts on and the recorder does not keep, with the real clock, plant and client"""
    status, text = replay(path)
    assert status == 0, text
    assert figure(text, "rows compared") == figure(text, "rows") > 500, text
    assert figure(text, "rows that differ") == figure(text, "rows left out") == 0, text
    assert figure(text, "requests") >= 12 and int(re.search(r"(\d+) of them driven", text)[1]) > 0, text


def a_changed_bit_is_named(path, folder):
    """catches: an exit status or a report that passes over a difference"""
    copy = pathlib.Path(folder) / "changed-000.h5"
    shutil.copy(path, copy)
    with h5py.File(copy, "r+") as file:
        row = len(file["out_V"]) // 2
        bits = file["out_V"][row].view(numpy.uint64)
        bits[1] ^= numpy.uint64(1)
        file["out_V"][row] = bits.view(numpy.float64)
        number = int(file["tick/number"][row])
    status, text = replay(copy)
    assert status == 1, text
    assert figure(text, "rows that differ") == 1, text
    assert f"row number {number}," in text and "output 1 (force 1): recorded" in text, text
    copy.unlink()


def a_recording_is_a_bench(path, folder):
    """catches: a driver that can't be used by the rest of the program"""
    with h5py.File(path) as file:
        text = file.attrs["bench"]
    text = text.decode() if isinstance(text, bytes) else text
    bench = pathlib.Path(folder) / "again.yaml"
    bench.write_text(re.sub(r"devices: .*", f"devices: [{path}]", text.replace("driver: sim", "driver: replay")))
    done = subprocess.run([JOSTLE, "sample", "--bench", bench, "--protocol", sys.argv[2], "--out",
                           f"{folder}/s.h5", "-n", "3"], capture_output=True, text=True, timeout=300)
    # The recording is shorter than that: it ends like a bench that is gone.
    assert done.returncode == 1 and "could not exchange samples" in done.stderr, done.stderr


def other_files_are_refused(folder):
    for path, expected in [(__file__, "HDF5"), (f"{folder}/none-000.h5", "No such file")]:
        status, text = replay(path)
        assert status == 1 and expected in text, text


with tempfile.TemporaryDirectory(prefix="jostle-replay-") as folder:
    protocol = f"{folder}/protocol.h5"
    subprocess.run([JOSTLE, "train", "--task", "two-gaussians", "--out", protocol, "--knots", "4"], check=True,
                   capture_output=True, timeout=300)
    first = record(folder, protocol)
    sys.argv.append(protocol)
    every_output_is_reproduced(first)
    a_changed_bit_is_named(first, folder)
    a_recording_is_a_bench(first, folder)
    other_files_are_refused(folder)
