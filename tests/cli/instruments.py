"""jostle run with instruments: set by command, read into telemetry and run file, and a bath that leaves its limits.

usage: instruments.py JOSTLE PTY_SHIM"""
import glob
import os
import subprocess
import sys
import tempfile
import time

import h5py
import numpy

sys.path.insert(0, os.path.dirname(__file__))
from bench_process import Client, run  # noqa: E402
from fake_instrument import FakeInstrument  # noqa: E402

JOSTLE, SHIM = sys.argv[1:3]
SOURCE = os.path.join(os.path.dirname(__file__), "..", "..")
ENVIRONMENT = dict(os.environ, LD_PRELOAD=" ".join(filter(None, [os.environ.get("LD_PRELOAD"), SHIM])))
READING, SILENT = 16, 32  # facts from outside

INSTRUMENTS = """
instruments:
  - name: noise
    port: {folder}/noise
    identity: "ACME,NG-1"
    interval_s: 0.1
    set:
      - {{name: amplitude, unit: V, command: "SOUR:VOLT {{}}", limit: [0, 8], safe: 0.5}}
    read:
      - {{name: output, unit: V, query: "SOUR:VOLT?"}}
  - name: meter
    port: {folder}/meter
    identity: "ACME,TM"
    interval_s: 0.1
    silent_s: 3
    read:
      - {{name: bath, unit: K, query: "MEAS:TEMP?", offset: -273.15, limit: [295, 305], bath_temperature: true}}
"""


class Stage:
    """A folder with a bench of two oscillators, two instruments, and what runs on it."""

    def __init__(self, folder):
        self.folder, self.process, self.client = folder, None, None
        self.noise = FakeInstrument(f"{folder}/noise")
        self.meter = FakeInstrument(f"{folder}/meter", "ACME,TM-3,1,1")
        self.bench = f"{folder}/bench.yaml"
        with open(f"{SOURCE}/daq/benches/sim-2.yaml") as shipped, open(self.bench, "w") as file:
            file.write(shipped.read() + INSTRUMENTS.format(folder=folder))

    def run(self, *more):
        self.process = run(JOSTLE, self.bench, f"test-{os.getpid()}", self.folder, *more, attach=False, env=ENVIRONMENT)
        self.client = Client(self.folder)

    def end(self):
        if self.client:
            self.client.close()
        return self.process.end() if self.process else None


def instrument(status, name):
    return status["instruments"][name]


def refused(client, words, **fields):
    answer = client.ask("instrument", **fields)
    assert not answer["ok"] and words in answer["error"], (fields, answer)


def test_orders(stage):
    # catches: an order answered before it was carried out, refusals that are not told, limits that hold nobody
    client, noise = stage.client, stage.noise
    client.do("instrument", name="noise", set="amplitude", value=2)
    assert noise.volts == 2
    status = client.wait(lambda s: instrument(s, "noise")["read"]["output"]["value"] == 2)
    assert instrument(status, "noise")["set"]["amplitude"]["value"] == 2
    assert instrument(status, "noise")["connected"] and instrument(status, "noise")["identity"] == noise.identity
    before = [line for line in noise.heard if line.startswith("SOUR:VOLT ")]
    refused(client, "value: expected 0 to 8 V, found 9", name="noise", set="amplitude", value=9)
    refused(client, "no instrument", name="oven", set="amplitude", value=1)
    refused(client, "no value", name="meter", set="bath", value=300)
    refused(client, "value: ", name="noise", set="amplitude", value="2")
    assert [line for line in noise.heard if line.startswith("SOUR:VOLT ")] == before
    refused(client, "-222, Data out of range", name="noise", set="amplitude", value=7)
    assert noise.volts == 2
    noise.errors.append('-350,"Queue overflow"')
    client.wait(lambda s: instrument(s, "noise")["errors"] >= 2)


def test_the_bath(stage):
    # catches: a reading that does not reach the supervisor, a reset while it lasts, a wrong reading taken for a right one
    client, meter = stage.client, stage.meter
    status = client.wait(lambda s: s["temperature_K"] is not None)
    assert abs(status["temperature_K"] - 300) < 1e-6
    client.go()
    meter.celsius = 40
    status = client.wait(lambda s: s["state"] == "FAULT")
    assert "reading is outside its limits" in status["trip"]["text"], status["trip"]
    assert abs(instrument(status, "meter")["read"]["bath"]["value"] - 313.15) < 1e-6
    assert not instrument(status, "meter")["read"]["bath"]["good"]
    client.wait(lambda s: s["outside"] & READING)
    assert not client.ask("reset")["ok"]
    meter.celsius = 25
    client.wait(lambda s: not s["outside"] & READING)
    client.go()
    for manner in "garbage", "silent":
        meter.manner = manner
        status = client.wait(lambda s: s["state"] == "FAULT")
        assert "silent" in status["trip"]["text"], status["trip"]
        status = client.wait(lambda s: s["outside"] & SILENT)
        assert status["temperature_K"] is None
        meter.manner = "right"
        client.wait(lambda s: not s["outside"] & SILENT)
        client.go()


def test_slow_answers(stage):
    # catches: readings under another's name when answers come late; a service or a loop that waits for an instrument
    client, noise = stage.client, stage.noise
    noise.late_s = 1.4
    begun = time.monotonic()
    ticks = client.do("status")["ticks"]
    for _ in range(40):
        assert instrument(client.do("status"), "noise")["read"]["output"]["value"] in (2, None)
        time.sleep(0.1)
    assert client.do("status")["ticks"] - ticks > (time.monotonic() - begun) * 200
    client.wait(lambda s: instrument(s, "noise")["error"])
    noise.late_s = 0
    client.wait(lambda s: not instrument(s, "noise")["error"])
    client.do("instrument", name="noise", set="amplitude", value=1)


def test_unplugging(stage):
    # catches: a run that hangs or ends with an instrument that went, one that is not found again, settings held for known
    client, meter, noise = stage.client, stage.meter, stage.noise
    client.go()
    meter.unplug()
    noise.unplug()
    status = client.wait(lambda s: not instrument(s, "meter")["connected"] and not instrument(s, "noise")["connected"])
    assert instrument(status, "noise")["set"]["amplitude"]["value"] is None
    refused(client, "not there", name="noise", set="amplitude", value=1)
    client.wait(lambda s: s["state"] == "FAULT" and s["outside"] & SILENT)
    meter.plug_in()
    noise.plug_in()
    client.wait(lambda s: instrument(s, "meter")["connected"] and instrument(s, "noise")["connected"])
    client.wait(lambda s: not s["outside"] & SILENT)
    client.go()
    client.do("instrument", name="noise", set="amplitude", value=3)


def test_what_is_recorded(stage):
    # catches: readings, settings or words that are not in the file, a tick without the fact that tripped it
    (path,) = glob.glob(f"{stage.folder}/*.h5")
    with h5py.File(path, "r") as file:
        rows = {key: file[f"instruments/{key}"][:] for key in ("t_ns", "kind", "instrument", "name", "quantity", "words")}
        assert file["acknowledged"][6] == len(rows["kind"]) > 50
        bath = (rows["kind"] == 0) & (rows["name"] == b"bath")
        assert set(rows["instrument"][bath]) == {b"meter"}
        values = rows["quantity"][bath]
        assert numpy.isclose(values[:, None], [300, 313.15, 298.15]).any(axis=1).all(), values
        volts = rows["quantity"][(rows["kind"] == 1) & (rows["name"] == b"amplitude")]
        assert list(volts) == [2, 1, 3, 0.5], volts
        words = b"\n".join(rows["words"][rows["kind"] == 2])
        assert b"connected: ACME,NG-1" in words and b"Queue overflow" in words and b"hung up" in words, words
        outside, state = file["tick/outside"][:], file["tick/state"][:]
        assert (outside & READING).any() and (outside & SILENT).any()
        assert (state[(outside & (READING | SILENT)) != 0] == 4).all(), "a fact that did not trip"
        commands = file["commands/command"][:]
        assert b"instrument name=noise set=amplitude value=2" in commands
    replayed = subprocess.run([JOSTLE, "replay", path], capture_output=True, text=True, timeout=300)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr


def test_the_wrong_instrument(folder):
    # catches: a run on another instrument than the one that the bench file names
    stage = Stage(folder)
    stage.meter.identity = "OTHER,X-9,1,1"
    try:
        stage.run()
        said = stage.process.text()
        assert stage.process.process.wait(60) != 0, "it ran"
    except AssertionError as refusal:
        said = str(refusal)
    assert "instrument meter" in said and "OTHER,X-9" in said and "ACME,TM" in said, said


def test_samples_are_drawn_within_limits_alone(folder):
    # catches: jostle sample on a bench whose bath nobody looks at; one that trips before the first reading has come
    stage = Stage(folder)
    command = [JOSTLE, "sample", "--bench", stage.bench, "--protocol", f"{SOURCE}/tests/golden/protocol.h5", "-n", "3",
               "--out", f"{folder}/samples.h5"]
    sampled = subprocess.run(command, capture_output=True, text=True, timeout=300, env=ENVIRONMENT)
    assert sampled.returncode == 0, sampled.stderr
    assert stage.noise.volts == 0.5
    stage.meter.celsius = 40
    sampled = subprocess.run(command, capture_output=True, text=True, timeout=300, env=ENVIRONMENT)
    assert sampled.returncode != 0 and "an instrument's reading is outside its limits" in sampled.stderr, sampled.stderr
    stage.meter.manner = "garbage"
    sampled = subprocess.run(command, capture_output=True, text=True, timeout=300, env=ENVIRONMENT)
    assert sampled.returncode != 0 and "meter" in sampled.stderr, sampled.stderr


def main():
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(folder)
        try:
            stage.run("--record", folder)
            test_orders(stage)
            test_the_bath(stage)
            test_slow_answers(stage)
            test_unplugging(stage)
            status = stage.end()
            assert status == 0, stage.process.text()
            assert stage.noise.volts == 0.5, "the safe value was not set"
            test_what_is_recorded(stage)
        except BaseException:
            stage.end()
            print(stage.process.text() if stage.process else "")
            raise
    with tempfile.TemporaryDirectory() as folder:
        test_the_wrong_instrument(folder)
    with tempfile.TemporaryDirectory() as folder:
        test_samples_are_drawn_within_limits_alone(folder)


if __name__ == "__main__":
    main()
