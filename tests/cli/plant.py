"""The plant as a process of its own: it answers a loop, outlives its death, and its log tells what it received: of a job, too,
that a guardian brought the outputs to rest.

usage: plant.py JOSTLE
"""
import os
import signal
import subprocess
import sys
import tempfile
import time

import h5py
import numpy

jostle = os.path.abspath(sys.argv[1])


def run_and_kill():
    """A loop on a plant of its own, killed in the middle of what should be its generation: what the plant's log says."""
    name = f"test-{os.getpid()}"
    plant = subprocess.Popen([jostle, "plant", "--bench", "sim-2", "--name", name, "--log", "log.h5", "--realtime"], stderr=subprocess.PIPE,
                             text=True)
    try:
        plant.stderr.readline()  # it says when it is ready
        sample = [jostle, "sample", "--bench", "sim-2", "--attach", name, "--protocol", "p.h5", "-n", "1", "--out", "s.h5"]
        loop = subprocess.Popen(sample, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(6)  # relaxed for 4 s of the bench's time, then driven
        second = subprocess.run(sample, capture_output=True, text=True)
        assert second.returncode == 1 and second.stderr, "a second loop on the same plant must be refused"
        assert loop.poll() is None, loop.communicate()[1]
        loop.send_signal(signal.SIGKILL)
        loop.wait()
        time.sleep(1)
    finally:
        plant.send_signal(signal.SIGINT)
        plant.communicate()
    with h5py.File("log.h5") as log:
        return log["out_V"][()], log["x_m"][()]


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    subprocess.run([jostle, "train", "--task", "two-gaussians", "--out", "p.h5", "--steps", "20", "--batch", "256"], check=True,
                   capture_output=True)
    # On a busy machine a missed slot sends the generation back to its relaxation, and the loop may be killed there.
    for attempt in range(12):
        out, x = run_and_kill()
        assert numpy.abs(out).max() <= 10, "an output beyond the converter's span reached the plant"
        driven = numpy.flatnonzero((out[:, :2] != 0).any(axis=1))
        # Held, bit for bit, while the guardian made sure that the loop was dead.
        if driven.size and (numpy.diff(out[driven[-1] - 5:driven[-1], :2], axis=0) == 0).all():
            break
        os.remove("log.h5")
    assert driven.size and (numpy.diff(out[driven[-1] - 5:driven[-1], :2], axis=0) == 0).all(), "the loop died while it drove"
    # After its death: the outputs at rest, and the oscillators still moving.
    assert (out[-300:] == 0).all(), "nobody brought the outputs to rest"
    assert numpy.diff(x[-300:], axis=0).std() > 0, "the plant stopped integrating"
