"""The program on a bench behind a serial port: sampling through it, operating it, its host killed, its device unplugged.

usage: serial.py JOSTLE FAKE_SERIAL_DEVICE PTY_SHIM
"""
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import h5py

sys.path.insert(0, os.path.dirname(__file__))
import bench_process  # noqa: E402

jostle, fake, shim = map(os.path.abspath, sys.argv[1:4])
SHIPPED = pathlib.Path(__file__).parents[2] / "daq" / "benches" / "serial-4x4.yaml"
WATCHDOG_S = 2  # a busy machine needs less


class Device:
    """A device on a pseudo terminal, the bench file that names it, and what it did."""

    def __init__(self, folder):
        self.log = pathlib.Path(folder) / "device.log"
        self.process = subprocess.Popen([fake, "--plant", "lattice-4x4", "--period", "0.01", "--log", self.log],
                                        stdout=subprocess.PIPE, text=True)
        self.port = self.process.stdout.readline().split()[1]
        self.bench = pathlib.Path(folder) / "serial-4x4.yaml"
        # A busy machine without real-time privileges is no broken bench.
        text = SHIPPED.read_text().replace("[/dev/ttyACM0]", f"[{self.port}]").replace("guardian_periods: 100", "guardian_periods: 200")
        self.bench.write_text(text + "missed_periods: 900\n")

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.unplug()

    def rows(self):
        """Seconds, state and volts of each time that the outputs were written."""
        lines = self.log.read_text().splitlines(keepends=True)
        rows = [line.split() for line in lines if line.endswith("\n")]
        return [(float(row[0]), int(row[1]), [float(volts) for volts in row[2:]]) for row in rows]

    def wait(self, condition, patience=20):
        until = time.monotonic() + patience
        while not (self.rows() and condition(self.rows()[-1])):
            assert time.monotonic() < until, self.rows()[-3:]
            time.sleep(0.01)

    def unplug(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def preloaded():
    return {**os.environ, "LD_PRELOAD": shim}


@contextlib.contextmanager
def operated(folder):
    """A device, a bench process on it that is running, and a client."""
    with Device(folder) as device:
        process = client = None
        try:
            process = bench_process.run(jostle, device.bench, f"serial-{os.getpid()}", folder, "--override", "a test", "--record", folder,
                                        attach=False, env=preloaded())
            client = bench_process.Client(folder)
            client.go()
            yield device, process, client
        finally:
            if client:
                client.close()
            if process and process.process.poll() is None:
                process.end()


def samples_are_drawn_on_sixteen_sites(folder):
    means = ",".join(["0.8"] * 16 + ["-0.8"] * 16)
    task = pathlib.Path(folder) / "sixteen.yaml"
    task.write_text("name: sixteen\nsummary: sixteen sites, all up or all down\nlattice: [4, 4]\n"
                    f"target: gaussians means={means} sigma=0.4 weights=0.5,0.5\nterms: [bilinear range=all]\nknots: 6\n"
                    "readout: density\nbath: white\n")
    protocol = pathlib.Path(folder) / "sixteen.h5"
    subprocess.run([jostle, "train", "--task", task, "--out", protocol, "--steps", "20"], check=True, capture_output=True)
    out = pathlib.Path(folder) / "samples.h5"
    with Device(folder) as device:
        result = subprocess.run([jostle, "sample", "--protocol", protocol, "--bench", device.bench, "--out", out, "-n", "1",
                                 "--arm"], env=preloaded(), capture_output=True, text=True, timeout=300)
        assert result.returncode == 0, result.stderr
        rows = device.rows()
    with h5py.File(out) as file:
        assert file["samples"].shape == (1, 16)
        assert abs(file["samples"][:]).max() < 7  # inside the sites' limits
        assert file.attrs["simulated"] == 0 and b"serial (fake" in file.attrs["backend"], dict(file.attrs)
    # catches: samples that no force of this program had a part in; a bench left driven
    assert sum(any(volts[:16]) for _, _, volts in rows) > 300
    assert rows[-1][1] == 0 and not any(abs(volts) > 1e-3 for volts in rows[-1][2])


def a_killed_host_leaves_a_device_that_goes_safe(folder):
    with operated(folder) as (device, process, client):
        client.do("manual", output=3, volts=2.5)
        device.wait(lambda row: abs(row[2][3] - 2.5) < 1e-3)
        process.process.send_signal(signal.SIGKILL)
        process.process.wait()
        # catches: outputs that outlive the process that set them
        device.wait(lambda row: row[1] == 2)
        last, safe = device.rows()[-2:]
        assert abs(last[2][3] - 2.5) < 1e-3 and max(map(abs, safe[2])) < 1e-3, (last, safe)
        # The device's own time, read every millisecond; a busy machine may keep it waiting.
        assert safe[0] - last[0] > WATCHDOG_S - 0.005, (last, safe)


def an_unplugged_device_trips(folder):
    with operated(folder) as (device, process, client):
        device.unplug()
        # catches: a loop that hangs, ends, or goes on as if it drove somebody
        status = client.wait(lambda status: status["state"] == "FAULT", patience=20)
        assert "exchange" in str(status["trip"]).lower(), status
        client.ask("reset")
        client.wait(lambda status: status["state"] == "FAULT")  # granted or not, it doesn't last
        before = client.do("status")["tick"]
        client.wait(lambda status: status["tick"] > before)
        assert process.end() is not None


for test in (samples_are_drawn_on_sixteen_sites, a_killed_host_leaves_a_device_that_goes_safe, an_unplugged_device_trips):
    with tempfile.TemporaryDirectory() as folder:
        test(folder)
        print(test.__name__)
