"""Faults of a bench, each on a plant that is a process of its own, judged by the plant's log of what reached it.

usage: faults.py JOSTLE SLOW_DISK
"""
import contextlib
import os
import re
import sys
import tempfile
import time

import h5py
import numpy

import bench_process

jostle, slow_disk = (os.path.abspath(argument) for argument in sys.argv[1:3])
source = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))

# Of daq/benches/sim-2-guarded.yaml: outputs 0 and 1 are forces, 2 to 16 parameters, the last the heartbeat line.
FORCES, DRIVEN = slice(0, 2), slice(0, 17)
LIMIT_V, SLEW_V, DIFFERENCE_V, POWER_V2 = 3.7e-10 * 2.414323e10, 4.0, 12, 100


def read(file):
    """Edge times, outputs in effect."""
    with h5py.File(file) as log:
        return log["t_ns"][()].astype(numpy.int64), log["out_V"][()]


def check_limits(out):
    """No output that the plant had in effect was ever outside its limits."""
    assert numpy.isfinite(out).all()
    forces = out[:, FORCES]
    assert numpy.abs(forces).max() <= LIMIT_V + 1e-12, numpy.abs(forces).max()
    assert numpy.abs(out).max() <= 10
    assert numpy.abs(forces[:, 0] - forces[:, 1]).max() <= DIFFERENCE_V + 1e-9
    assert (out[:, DRIVEN] ** 2).sum(axis=1).max() <= POWER_V2 * (1 + 1e-9)
    # A trip goes to safe at once; every other step keeps the slew limit.
    steps = numpy.abs(numpy.diff(out[:, DRIVEN], axis=0))
    assert (steps[(out[1:, DRIVEN] != 0).any(axis=1)] <= SLEW_V + 1e-9).all(), steps.max()


def variant(folder, name, addition):
    """The guarded bench with something added to its plant file."""
    for kind, here, suffix in (("plants", "sim/plants/two-oscillators-guarded.yaml", addition),
                               ("benches", "daq/benches/sim-2-guarded.yaml", "")):
        os.makedirs(f"{folder}/{kind}", exist_ok=True)
        with open(f"{source}/{here}") as file:
            text = file.read() + suffix
        if kind == "benches":
            text = text.replace("devices: [two-oscillators-guarded]", f"devices: [{name}]")
        with open(f"{folder}/{kind}/{name}.yaml", "w") as file:
            file.write(text)
    os.environ["JOSTLE_PATH"] = folder


@contextlib.contextmanager
def driven_bench(bench, *more):
    """A bench that holds 2 V and -1 V on its actuators; what the plant's log says is checked at the end."""
    with tempfile.TemporaryDirectory() as folder:
        with bench_process.bench(jostle, bench, folder, *more) as (plant, run, client):
            client.go()
            client.do("manual", output=0, volts=2)
            client.do("manual", output=1, volts=-1)
            time.sleep(0.2)
            yield folder, plant, run, client
        t_ns, out = read(f"{folder}/plant.h5")
        check_limits(out)
        assert (out[:, 0] == 2).sum() > 20, "the bench never drove: what the fault did is not known"
        assert (out[-1, DRIVEN] == 0).all(), "the bench was left driven"


def trips(name, fault, words, again):
    """A fault that begins while the bench drives trips it, for what it is, and nothing but a reset and an arm drives it again."""
    with tempfile.TemporaryDirectory() as files:
        variant(files, name, fault)
        with driven_bench(name) as (folder, plant, run, client):
            plant.process.send_signal(bench_process.signal.SIGUSR1)
            status = client.wait(lambda s: s["state"] == "FAULT")
            assert words in status["trip"]["text"], status["trip"]
            tripped_ns = status["trip"]["t_ns"]
            for command in ("arm", "run"):
                assert not client.ask(command)["ok"], f"{command} in FAULT"
            if not again:
                assert not client.ask("reset")["ok"], "a reset while the fault is there"
            plant.process.send_signal(bench_process.signal.SIGUSR2)
            time.sleep(0.2)
            assert client.do("status")["state"] == "FAULT", "the fault has gone: nothing but a reset may clear it"
            assert not client.ask("run")["ok"]
            client.go()
            time.sleep(0.1)
        t_ns, out = None, None
    return tripped_ns


def test_sensors_that_fail_trip():
    """catches: a NaN that is passed on to the drive, a stuck or saturated sensor whose site is pushed about unseen, a bath that
    nobody watches, a trip that clears itself."""
    fault = "faults:\n  - {{kind: {}, signal: {}, index: 0, on_signal: true{}}}\n"
    trips("nan", fault.format("nan", "displacement", ""), "finite", False)
    trips("stuck", fault.format("stuck", "displacement", ", value_V: 0.5"), "stood still", False)
    trips("saturated", fault.format("saturated", "force-readback", ", value_V: 1"), "saturated input: input 2", False)
    trips("hot", fault.format("stuck", "temperature", ", value_V: 3.3"), "temperature", False)


def test_clocks_that_step_trip():
    """catches: a loop that follows its device's clock backwards, or lives through a jump as if nothing had been missed."""
    trips("back", "clock_step: {by_s: -3, on_signal: true}\n", "stale clock", True)
    trips("ahead", "clock_step: {by_s: 3, on_signal: true}\n", "clock was set", True)


def test_a_protocol_can_be_swapped_under_way(protocols):
    """catches: a swap that lets a step of the outputs beyond the slew limit through, or that stops the sampling."""
    with tempfile.TemporaryDirectory() as folder:
        with bench_process.bench(jostle, "sim-2-guarded", folder, "--protocol", protocols[0]) as (plant, run, client):
            client.go()
            for i in range(6):
                client.do("sample", n=1000, relax=4, t_final=1)
                time.sleep(0.3)
                client.do("load-protocol", path=protocols[(i + 1) % 2])
            client.do("sample", n=1000, relax=4, t_final=1)
            driven = client.do("status")["driven"]
            # On a busy machine missed slots spoil samples: that the protocol is driven on is enough.
            status = client.wait(lambda s: s["driven"] > driven + 500 or s["state"] != "RUNNING", patience=60)
            assert status["state"] == "RUNNING", status
        check_limits(read(f"{folder}/plant.h5")[1])


def recorded(folder):
    """The numbers of the ticks that the run files hold."""
    numbers = []
    for name in sorted(os.listdir(folder)):
        if not ".h5" in name:
            continue
        with h5py.File(f"{folder}/{name}", libver="latest", swmr=name.endswith(".partial")) as file:
            assert not name.endswith(".partial") or file["acknowledged"][0] <= len(file["tick/number"])
            numbers.append(file["tick/number"][:])
            for key in ("in_V", "out_V"):
                assert numpy.isfinite(file[key][:]).all()
    return numpy.concatenate(numbers) if numbers else numpy.array([])


def record_while(folder, more, environment, meanwhile):
    """Run with a recorder; what `meanwhile` does must leave the loop alone. The last status, before the end."""
    name = f"test-{os.getpid()}"
    plant = bench_process.plant(jostle, "sim-2-guarded", name, f"{folder}/plant.h5")
    run = client = None
    try:
        run = bench_process.run(jostle, "sim-2-guarded", name, folder, "--record", f"{folder}/disk", *more,
                                env={**os.environ, **environment})
        client = bench_process.Client(folder)
        client.go()
        client.do("manual", output=0, volts=2)
        status = meanwhile(client)
        assert status["state"] == "RUNNING", status
        return status
    finally:
        if client:
            client.close()
        if run:
            run.end()
        plant.end()


def test_a_slow_disk_is_waited_for():
    """catches: a loop that waits for its recorder, rows that are lost while the disk is busy, a drop that nobody counts."""
    def meanwhile(client):
        before = client.do("status")
        open(os.environ["SLOW_DISK"], "w").close()
        ticks = before["ticks"]
        time.sleep(12)
        status = client.do("status")
        assert not os.path.exists(os.environ["SLOW_DISK"]), "the disk was never slow"
        assert status["ticks"] > ticks + 5000, "the loop stood still with its recorder"
        return client.wait(lambda s: s["recorder"]["acknowledged"] >= status["recorder"]["rows"])

    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/disk")
        os.environ["SLOW_DISK"] = f"{folder}/slow"
        status = record_while(folder, [], {"LD_PRELOAD": slow_disk}, meanwhile)
        assert status["recorder"]["dropped"] == 0, status["recorder"]
        numbers = recorded(f"{folder}/disk")
        assert (numpy.diff(numbers) == 1).all() and len(numbers) >= status["recorder"]["acknowledged"]
        check_limits(read(f"{folder}/plant.h5")[1])


def test_a_full_disk_loses_nothing_that_was_acknowledged():
    """catches: a run file that a full disk spoils, rows that are lost though the disk has room again before the memory is full, a
    loop that trips, or stands still, for the disk's sake."""
    def meanwhile(client):
        with open(f"{folder}/disk/other", "wb") as other:  # somebody else fills the disk
            with contextlib.suppress(OSError):
                while True:
                    other.write(bytes(65536))
                    other.flush()
        held = client.do("status")["recorder"]["acknowledged"]
        status = client.wait(lambda s: s["recorder"]["rows"] > held + 6000, patience=60)
        assert status["recorder"]["acknowledged"] < status["recorder"]["rows"] - 1000, "the disk was never full"
        os.remove(f"{folder}/disk/other")
        rows = client.do("status")["recorder"]["rows"]
        return client.wait(lambda s: s["recorder"]["acknowledged"] + s["recorder"]["dropped"] > rows)

    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/disk")
        mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", f"{folder}/disk"]
        if bench_process.subprocess.run(mount, capture_output=True).returncode:
            print("faults.py: this user can't mount a small disk to fill it: the test of a full disk is left out")
            return
        try:
            status = record_while(folder, [], {}, meanwhile)
            numbers = recorded(f"{folder}/disk")
            assert status["recorder"]["dropped"] == 0, "seconds of ticks have room in memory"
            assert len(numbers) >= status["recorder"]["acknowledged"] and (numpy.diff(numbers) == 1).all(), "rows are missing"
        finally:
            bench_process.subprocess.run(["umount", f"{folder}/disk"], check=True)
        check_limits(read(f"{folder}/plant.h5")[1])


def test_recording_can_be_switched():
    """catches: a file that does not tell who ended it, or who began the next, a name without a date, ticks recorded while it is off"""
    def meanwhile(client):
        for on in (False, True):
            client.wait(lambda s: s["recorder"]["acknowledged"] > 0)
            client.do("record", on=on)
            time.sleep(1.5)
        return client.do("status")

    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/disk")
        record_while(folder, [], {}, meanwhile)
        names = sorted(os.listdir(f"{folder}/disk"))
        assert len(names) == 2 and names[0].endswith("-000.h5") and names[1].endswith("-001.h5"), names
        assert re.fullmatch(r".*-\d{8}T\d{6}Z-000\.h5", names[0]), names
        for name, words in zip(names, (b"record on=false", b"record on=true")):
            with h5py.File(f"{folder}/disk/{name}") as file:
                assert words in file["commands/command"][:], (name, file["commands/command"][:])
        assert (numpy.diff(recorded(f"{folder}/disk")) > 500).sum() == 1, "rows of the time between"


def main():
    with tempfile.TemporaryDirectory() as folder:
        protocols = [f"{folder}/{seed}.h5" for seed in (1, 2)]
        for seed, path in enumerate(protocols):
            bench_process.subprocess.run([jostle, "train", "--task", "two-gaussians", "--out", path, "--steps", "20", "--batch",
                                          "256", "--seed", str(seed)], check=True, capture_output=True)
        test_a_slow_disk_is_waited_for()
        test_a_full_disk_loses_nothing_that_was_acknowledged()
        test_recording_can_be_switched()
        test_sensors_that_fail_trip()
        test_clocks_that_step_trip()
        test_a_protocol_can_be_swapped_under_way(protocols)


main()
