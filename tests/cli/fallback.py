"""Hardware that is missing is an error; --fallback sim is a simulation that says so, on the screen and in every file.

usage: fallback.py JOSTLE
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import h5py

jostle = os.path.abspath(sys.argv[1])
ROOT = pathlib.Path(__file__).resolve().parents[2]
PROTOCOL = str(ROOT / "tests/golden/protocol.h5")


def run(*arguments):
    return subprocess.run([jostle, *arguments], capture_output=True, text=True, timeout=120)


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


with tempfile.TemporaryDirectory() as folder:
    # The shipped bench, with a card that no machine has: nobody's card is driven here.
    bench = f"{folder}/cards.yaml"
    with open(bench, "w") as file:
        file.write((ROOT / "daq/benches/comedi-2.yaml").read_text().replace("/dev/comedi0", "/dev/comedi-absent"))
    sample = ["sample", "--bench", bench, "--protocol", PROTOCOL, "-n", "3", "--out", f"{folder}/samples.h5"]
    operate = ["run", "--bench", bench, "--duration", "0.5", "--doctor", "0", "--name", f"fallback-{os.getpid()}",
               "--record", folder, "--telemetry", f"ipc://{folder}/t", "--commands", f"ipc://{folder}/c"]

    for command in (sample, operate):
        bare = run(*command)
        assert bare.returncode != 0, "hardware that is missing was simulated unasked"
        assert "/dev/comedi-absent" in bare.stderr or "driver" in bare.stderr, bare.stderr
        assert not [name for name in os.listdir(folder) if name.endswith(".h5")]
        fell = run(*command, "--fallback", "sim")
        assert fell.returncode == 0, fell.stderr
        assert "NO HARDWARE: what follows is simulated, by the plant two-oscillators-fast" in fell.stderr, fell.stderr
        written, = [name for name in os.listdir(folder) if name.endswith(".h5")]
        with h5py.File(f"{folder}/{written}") as file:
            backend = text(file.attrs["backend"])
            assert "in place of comedi /dev/comedi-absent" in backend, backend
            assert file.attrs["simulated"] == 1
        os.remove(f"{folder}/{written}")

    for refused, why in ((("--fallback", "replay"), "expected sim"), (("--fallback", "sim", "--attach", "x"), "--attach")):
        for command in (sample, operate):
            answer = run(*command, *refused)
            assert answer.returncode != 0 and why in answer.stderr, answer.stderr
    answer = run("sample", "--bench", "sim-2", "--protocol", PROTOCOL, "-n", "3", "--out", f"{folder}/samples.h5",
                 "--fallback", "sim")
    assert answer.returncode != 0 and "no hardware to fall back from" in answer.stderr, answer.stderr
    answer = run("sample", "--ensemble", "--protocol", PROTOCOL, "-n", "3", "--out", f"{folder}/samples.h5", "--fallback",
                 "sim")
    assert answer.returncode != 0 and "--fallback has no use with --ensemble" in answer.stderr, answer.stderr
