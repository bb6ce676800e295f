#!/usr/bin/python3
"""What a killed recorder leaves behind, and what a full disk does to one, read with h5py as a person would.

usage: recorder.py RECORDER_STAND_IN
"""
import glob
import io
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

STAND_IN = sys.argv[1]
PATIENCE_S = 60


def start(folder):
    return subprocess.Popen([STAND_IN, folder], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def report(process):
    line = process.stdout.readline().split()
    assert len(line) == 4, f"the stand-in said {line}"
    return [int(word) for word in line]


def check_file(path, first):
    """All of a file that it says holds. Returns how many rows."""
    with h5py.File(path, "r", libver="latest", swmr=True) as f:
        rows, events, commands, samples, programs, clocks, instruments = f["acknowledged"][:]
        number = f["tick/number"][:rows]
        assert (number == np.arange(first, first + rows)).all(), f"{path}: rows do not follow on one another"
        columns = {"in_V": lambda n, k: 1e-3 * (n % 1000) + k / 3.0, "out_V": lambda n, k: -1e-3 * (n % 997) - k / 7.0}
        for name, formula in columns.items():
            values = f[name][:rows]
            assert values.shape[0] == rows, f"{path}: {name} is shorter than what was acknowledged"
            for k in range(values.shape[1]):
                assert (values[:, k] == formula(number, k)).all(), f"{path}: {name} holds other numbers"
        for name in f["tick"]:
            assert f["tick"][name][:rows].shape == (rows,), f"{path}: tick/{name} is shorter"
        assert (f["tick/t_ns"][:rows] == number.astype("i8") * 1000).all()
        # What happened at its rows, and nothing that happened at others.
        told = f["events/number"][:events]
        assert (told == number[number % 100 == 0]).all(), f"{path}: events do not match the rows"
        assert set(f["events/text"][:events]) == {b"sample %d" % (n // 100) for n in told}
        assert all(f["commands/client"][:commands] == b"nobody")
        assert (f["samples/value"][:samples] == [1, 2]).all()
        assert (f["instruments/quantity"][:instruments] == 0.5 * f["instruments/t_ns"][:instruments]).all()
        assert (f["instruments/name"][:instruments] == b"bath").all() and abs(int(instruments) - int(commands)) <= 1
        assert clocks >= (rows > 0) and len(f["clock/realtime_ns"][:clocks]) == clocks
        if rows:
            assert programs == 1
            offset, size = f["programs/offset"][0], f["programs/size"][0]
            with h5py.File(io.BytesIO(f["programs/content"][offset : offset + size].tobytes()), "r") as p:
                assert p.attrs["format"] == b"jostle-protocol" or p.attrs["format"] == "jostle-protocol"
        with h5py.File(io.BytesIO(f["calibration"][:].tobytes()), "r") as c:
            assert c.attrs["format"] in (b"jostle-calibration", "jostle-calibration")

        def described(name, thing):
            if isinstance(thing, h5py.Dataset):
                assert thing.attrs["units"] and thing.attrs["long_name"], f"{name} does not say what it is"

        f.visititems(described)
        return int(rows)


def files_of(folder):
    return sorted(glob.glob(folder + "/r-*.h5") + glob.glob(folder + "/r-*.h5.partial"))


def check_run(folder):
    n = 0
    for path in files_of(folder):
        n += check_file(path, n)
    return n


def killed():
    """catches: a file that its writer's death leaves closed to readers, rows lost that were acknowledged, rows acknowledged before
    they or their events are there"""
    chance = random.Random(4)
    n_partial = 0
    for turn in range(8):
        with tempfile.TemporaryDirectory() as folder:
            process = start(folder)
            end = time.monotonic() + PATIENCE_S
            while report(process)[1] == 0:
                assert time.monotonic() < end, "nothing is acknowledged"
            time.sleep(chance.uniform(0, 0.5))
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            acknowledged = [int(line.split()[1]) for line in process.stdout.read().splitlines() if line.count(" ") == 3]
            found = check_run(folder)
            assert found >= max(acknowledged, default=1), f"{found} rows found, {acknowledged[-1]} acknowledged"
            n_partial += files_of(folder)[-1].endswith(".partial")
            process.stdout.close()
    assert n_partial, "no kill met a file under way"


def ended():
    """catches: a file that keeps its .partial name, rows at the end that are not written, several files that do not add up"""
    with tempfile.TemporaryDirectory() as folder:
        process = start(folder)
        end = time.monotonic() + PATIENCE_S
        while len(files_of(folder)) < 3:
            rows = report(process)[0]
            assert time.monotonic() < end, "no second file is begun"
        process.send_signal(signal.SIGTERM)
        for line in process.stdout:
            rows = int(line.split()[0])
        assert process.wait() == 0
        assert check_run(folder) == rows
        assert not glob.glob(folder + "/*.partial")
        process.stdout.close()


def disk_full(folder):
    """catches: a full disk that costs rows, damages a file or ends the recorder; needs a file system of its own"""
    ballast = folder + "/ballast"
    with open(ballast, "wb") as f:
        os.posix_fallocate(f.fileno(), 0, 20 << 20)
    process = start(folder)
    end = time.monotonic() + PATIENCE_S
    while not report(process)[3]:
        assert time.monotonic() < end, "the disk does not fill up"
    acknowledged = report(process)[1]
    os.unlink(ballast)
    while True:
        rows, now, dropped, failing = report(process)
        if now > acknowledged and not failing:
            break
        assert time.monotonic() < end, "recording does not go on"
    assert dropped == 0
    process.send_signal(signal.SIGTERM)
    for line in process.stdout:
        rows = int(line.split()[0])
    assert process.wait() == 1  # it says that it had met an error
    assert check_run(folder) == rows
    assert not glob.glob(folder + "/*.partial")
    process.stdout.close()


def on_a_small_disk(test):
    """With a file system of 48 MB, where we may have one; tests/control/test_recorder_disk.c has the same without."""
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "jostle-test", folder], capture_output=True).returncode:
            print("recorder.py: no leave to mount: the full disk is left to test_recorder_disk")
            return
        try:
            test(folder)
        finally:
            subprocess.run(["umount", folder])


killed()
ended()
on_a_small_disk(disk_full)
