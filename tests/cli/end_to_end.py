"""The whole path as a person walks it: train, show, sample on the bench in both drives and with the engine, evaluate.

usage: end_to_end.py JOSTLE
"""
import json
import os
import signal
import subprocess
import sys
import tempfile

import h5py
import numpy

jostle = os.path.abspath(sys.argv[1])


def run(*arguments):
    result = subprocess.run([jostle, *arguments], capture_output=True, text=True)
    assert result.returncode == 0, f"jostle {' '.join(arguments)} gave {result.returncode}:\n{result.stderr}"
    return result.stdout


def total_variation(file):
    run("eval", "--task", "two-gaussians", file, "--json", file + ".json", "--png", file + ".png")
    with open(file + ".json") as text:
        return json.load(text)


def is_png(path):
    with open(path, "rb") as file:
        return file.read(8) == b"\x89PNG\r\n\x1a\n"


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    printed = run("train", "--task", "two-gaussians", "--rule", "implicit", "--seed", "1", "--out", "protocol.h5", "--png",
                  "training.png")
    assert is_png("training.png")
    with h5py.File("protocol.h5") as file:
        checksum = file.attrs["checksum"]
        loss = file["learning/loss"][()]
        assert file["knots/theta"].shape == (24, 14)
        assert file.attrs["simulated"] == 1 and b"two-gaussians" in file.attrs["task"]
    # The printed losses are those of the file.
    assert f"{loss[0]:.5f}" in printed and f"{loss[-1]:.5f}" in printed
    # The learner beats the zero score everywhere, and the loss falls towards the prior.
    assert (loss < 1).all() and loss[-1] < 0.01

    assert "x0^2 x1" in run("protocol", "show", "protocol.h5")
    assert "can run it" in run("protocol", "check", "protocol.h5", "--bench", "sim-2")

    n = 1000
    for label, arguments in {"feedback": ["--bench", "sim-2"],
                             "parametric": ["--bench", "sim-2", "--drive", "parametric"],
                             "ensemble": ["--bench", "sim-2", "--ensemble"]}.items():
        run("sample", "--protocol", "protocol.h5", "-n", str(n), "--seed", "7", "--out", label + ".h5", *arguments)
        with h5py.File(label + ".h5") as file:
            assert file["samples"].shape == (n, 2) and file["samples"].dtype == numpy.float32
            assert file["samples"].attrs["units"] == b"natural length"
            assert file.attrs["protocol_checksum"] == checksum
            assert file.attrs["seed"] == 7 and file.attrs["simulated"] == 1
            assert b"sim" in file.attrs["backend"] or label == "ensemble"
            assert abs(file.attrs["step_relaxation_times"] - 1e-3) < 1e-9
            assert {"version", "bench", "calibration_checksum"} <= set(file.attrs)
    results = {label: total_variation(label + ".h5") for label in ("feedback", "parametric", "ensemble")}
    assert all(is_png(label + ".h5.png") for label in results)
    for label in ("feedback", "parametric"):
        # At 1 000 samples one standard deviation of a difference is about 0.012.
        difference = results[label]["total_variation"] - results["ensemble"]["total_variation"]
        assert abs(difference) < 0.05, (label, results)
        assert abs(results[label]["mode_weights"][0] - 0.5) < 0.08, (label, results)

    # A bench whose file is wrong about its plant gives other samples: the plant's imperfections are really there.
    run("sample", "--protocol", "protocol.h5", "--bench", "sim-2-wrong", "-n", str(n), "--out", "wrong.h5")
    wrong = total_variation("wrong.h5")
    assert wrong["total_variation"] > results["feedback"]["total_variation"] + 0.01, (wrong, results)

    # Interrupted sampling keeps what it has and says so.
    process = subprocess.Popen([jostle, "sample", "--protocol", "protocol.h5", "--bench", "sim-2", "-n", "1000000", "--out",
                                "cut.h5"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        process.wait(timeout=2)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    text = process.communicate()[1]
    assert process.returncode == 130 and "are in cut.h5" in text, (process.returncode, text)
    with h5py.File("cut.h5") as file:
        assert 0 < len(file["samples"]) < 1000000 and file.attrs["samples_asked"] == 1000000
        assert numpy.isfinite(file["samples"][()]).all()
