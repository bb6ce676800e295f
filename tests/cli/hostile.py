"""What a person may mistype, and files that are not what they say: a clear sentence, a status that is not zero, no crash.

usage: hostile.py JOSTLE
"""
import os
import subprocess
import sys
import tempfile

jostle = os.path.abspath(sys.argv[1])
source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def refused(status, *words, arguments):
    result = subprocess.run([jostle, *arguments], capture_output=True, text=True, timeout=60)
    assert result.returncode == status, f"{arguments}: expected status {status}, found {result.returncode}\n{result.stderr}"
    for word in words:
        assert word in result.stderr, f"{arguments}: expected \"{word}\" in:\n{result.stderr}"
    assert not arguments or len(result.stderr.strip().splitlines()) <= 3, f"{arguments}: said too much:\n{result.stderr}"


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    with open("text.h5", "w") as file:
        file.write("not HDF5 at all\n")
    with open("task.yaml", "w") as file:
        file.write("name: x\nsummary: y\nlattice: [2, 1]\ntarget: gaussians means=0,0 sigma=0\nterms: [monomials degree=4]\n")
    good = open(os.path.join(source, "daq", "benches", "sim-2.yaml")).read()
    with open("bench.yaml", "w") as file:
        file.write(good.replace("period_s: 1e-3", "period_s: -1"))

    refused(2, "usage", arguments=[])
    refused(2, "no command \"generate\"", arguments=["generate"])
    refused(2, "--task TASK is required", arguments=["train"])
    refused(2, "unknown option", arguments=["train", "--tsak", "two-gaussians"])
    refused(2, "--seed", "found \"-1\"", arguments=["train", "--task", "two-gaussians", "--out", "p.h5", "--seed", "-1"])
    refused(2, "--seed", arguments=["train", "--task", "two-gaussians", "--out", "p.h5", "--seed", "99999999999999999999"])
    refused(2, "--rate", "nan", arguments=["train", "--task", "two-gaussians", "--out", "p.h5", "--rate", "nan"])
    refused(2, "-n", "found \"0\"", arguments=["sample", "--protocol", "p.h5", "--out", "s.h5", "-n", "0"])
    refused(2, "-n", arguments=["sample", "--protocol", "p.h5", "--out", "s.h5", "-n", "1e3"])
    refused(2, "--rest", "from 4", arguments=["sample", "--protocol", "p.h5", "--out", "s.h5", "--rest", "1"])
    refused(2, "--bench BENCH or --ensemble", arguments=["sample", "--protocol", "p.h5", "--out", "s.h5"])
    refused(2, "given twice", arguments=["sample", "--out", "a", "--out", "b"])
    refused(2, "found nothing", arguments=["sample", "--out"])
    refused(2, "show or check", arguments=["protocol", "shwo", "p.h5"])
    refused(1, "no task \"two-gausians\"", "two-gaussians", arguments=["train", "--task", "two-gausians", "--out", "p.h5"])
    refused(1, "no energy term \"monomial\"", "monomials",
            arguments=["train", "--task", "two-gaussians", "--out", "p.h5", "--term", "monomial degree=4"])
    refused(1, "degree", "found \"7\"",
            arguments=["train", "--task", "two-gaussians", "--out", "p.h5", "--term", "monomials degree=7"])
    refused(1, "rule", arguments=["train", "--task", "two-gaussians", "--out", "p.h5", "--rule", "denoise"])
    refused(1, "task.yaml:4", "sigma", arguments=["train", "--task", "./task.yaml", "--out", "p.h5"])
    refused(1, "nowhere", arguments=["train", "--task", "two-gaussians", "--out", "nowhere/p.h5", "--steps", "1"])
    refused(1, "text.h5", arguments=["protocol", "check", "text.h5"])
    refused(1, "absent.h5", arguments=["protocol", "check", "absent.h5"])
    refused(1, "text.h5", arguments=["eval", "--task", "two-gaussians", "text.h5"])

    train = ["train", "--task", "two-gaussians", "--out", "good.h5", "--steps", "1", "--batch", "32"]
    done = subprocess.run([jostle, *train, "--png", "good.png"], check=True, capture_output=True, text=True)
    assert len(done.stderr.strip().splitlines()) <= 2, f"a training that goes well said:\n{done.stderr}"
    sample = ["sample", "--protocol", "good.h5", "--out", "s.h5", "-n", "2"]
    refused(1, "bench.yaml", "period_s", arguments=[*sample, "--bench", "./bench.yaml"])
    refused(1, "no bench \"sim2\"", "sim-2", arguments=[*sample, "--bench", "sim2"])
    refused(1, "feedback or parametric", arguments=[*sample, "--bench", "sim-2", "--drive", "both"])
    refused(1, "nobody", arguments=[*sample, "--bench", "sim-2", "--attach", "nobody"])
    refused(1, "lattice", arguments=[*sample, "--bench", "sim-12x12"])
    refused(1, "nowhere", arguments=["sample", "--protocol", "good.h5", "-n", "2", "--bench", "sim-2", "--out", "nowhere/s.h5"])
    refused(1, "samples", arguments=["eval", "--task", "two-gaussians", "good.h5"])
    whole = open("good.h5", "rb").read()
    for length in range(0, len(whole), len(whole) // 40):
        with open("cut.h5", "wb") as file:
            file.write(whole[:length])
        refused(1, "cut.h5", arguments=["protocol", "check", "cut.h5"])
    # Sampling a sextic on the parametric bench that only has channels for a quartic names the parameter.
    subprocess.run([jostle, *train, "--term", "monomials degree=6"], check=True, capture_output=True)
    refused(1, "x0^5", arguments=[*sample, "--bench", "sim-2", "--drive", "parametric"])
