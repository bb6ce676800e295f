"""Faults of a bench, each on a plant that is a process of its own, judged by the plant's log of what reached it.

usage: faults.py JOSTLE
"""
import contextlib
import os
import sys
import tempfile
import time

import h5py
import numpy

import bench_process

jostle = os.path.abspath(sys.argv[1])
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
    trips("saturated", fault.format("saturated", "force-readback", ", value_V: 1"), "", False)
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
            client.do("sample", n=1, relax=4, t_final=1)
            client.wait(lambda s: s["samples"] == 1 or s["state"] != "RUNNING", patience=60)
            assert client.do("status")["state"] == "RUNNING"
        check_limits(read(f"{folder}/plant.h5")[1])


def main():
    with tempfile.TemporaryDirectory() as folder:
        protocols = [f"{folder}/{seed}.h5" for seed in (1, 2)]
        for seed, path in enumerate(protocols):
            bench_process.subprocess.run([jostle, "train", "--task", "two-gaussians", "--out", path, "--steps", "20", "--batch",
                                          "256", "--seed", str(seed)], check=True, capture_output=True)
        test_sensors_that_fail_trip()
        test_clocks_that_step_trip()
        test_a_protocol_can_be_swapped_under_way(protocols)


main()
