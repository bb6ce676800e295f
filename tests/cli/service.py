"""Clients of a bench process, good ones and others: hostile, slow, vanishing, without a key.

usage: service.py JOSTLE
"""
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time

import msgpack
import zmq

import bench_process

jostle = os.path.abspath(sys.argv[1])
source = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
name = f"test-service-{os.getpid()}"
HOSTILE = 100_000


def patient_bench(folder):
    """sim-2 twice as fast and looked at four times less often: a busy machine misses few of its slots."""
    for kind, here in ("benches", "daq/benches/sim-2.yaml"), ("plants", "sim/plants/two-oscillators.yaml"):
        os.makedirs(f"{folder}/{kind}")
        with open(f"{source}/{here}") as file:
            text = file.read().replace("damping_N_s_per_m: 4.141947e-3", "damping_N_s_per_m: 2.0709735e-3")
        if kind == "benches":
            text = text.replace("devices: [two-oscillators]", "devices: [patient]")
            text = text.replace("period_s: 1e-3", "period_s: 4e-3").replace("guardian_periods: 300", "guardian_periods: 4000")
        with open(f"{folder}/{kind}/patient.yaml", "w") as file:
            file.write(text)
    os.environ["JOSTLE_PATH"] = folder


def connect(context, kind, endpoint, **options):
    end = context.socket(kind)
    end.linger = 0
    end.rcvtimeo = 20_000
    for option, value in options.items():
        setattr(end, option, value)
    end.connect(endpoint)
    return end


def until(condition, patience=30):
    """Wait for it; the time it may take is generous, since the machine may be busy."""
    end = time.monotonic() + patience
    while not (value := condition()):
        assert time.monotonic() < end, f"{condition.__name__}: not within {patience} s"
        time.sleep(0.01)
    return value


def malformed(words):
    """A message that is no command, whatever its bytes say: what looks like one has no id."""
    kind = words.randrange(6)
    if kind == 0:
        return words.randbytes(words.randrange(64))
    command = {"v": 1, "command": words.choice(["stop", "shutdown", "manual", "limits", "record", "reset"]),
               "output": words.choice([0, -1, 10**18, 1e308, float("nan"), None, "0", [0]]),
               "volts": words.uniform(-20, 20)}
    if kind == 1:
        return msgpack.packb({**command, "id": words.choice([None, "1", -1, 1.5, [1], {"id": 1}])})
    if kind == 2:
        return msgpack.packb({**command, "id": 1, "v": words.choice([0, 2, "1", None])})
    if kind == 3:
        return msgpack.packb({**command, "id": 1, f"x{words.randrange(1000)}": 0})
    if kind == 4:  # a few bytes that promise gigabytes, or go down and down
        promise = b"\xff\xff\xff\xff"
        return words.choice([b"\xdf" + promise, b"\xdd" + promise, b"\xdb" + promise, b"\x91" * 4000, b"\x81\xa1v" * 1300])
    bent = bytearray(msgpack.packb(command))
    bent[words.randrange(len(bent))] ^= 1 << words.randrange(8)
    return bytes(bent)


def flood(context, endpoint):
    """A hundred thousand of them; the answer to a good command behind them says that all have been looked at."""
    words = random.Random(4)
    end = connect(context, zmq.DEALER, endpoint)
    parts = 0
    for i in range(HOSTILE):
        message = malformed(words)
        parts = i % 97 and 1 or words.randrange(2, 9)
        end.send_multipart([message or b"\0"] * parts)
        if i % 5000 == 0:  # one beyond every bound: this connection is cut, and made again
            other = connect(context, zmq.DEALER, endpoint)
            other.send(b"\xc4" * 100_000)
            other.close()
    # Answers that nobody reads are lost, and that of the last command may be among them: then it is asked again.
    answered, patience = 0, 60
    while patience:
        end.send(msgpack.packb({"v": 1, "id": 7, "command": "ping"}))
        while end.poll(1000):
            answer = msgpack.unpackb(end.recv_multipart()[-1])
            if answer["id"] == 7:
                end.close()
                return answered
            assert answer["ok"] is False and answer["error"], answer
            answered += 1
        patience -= 1
    raise AssertionError("the bench process no longer answers")


def what_stands(client):
    """All of the status that no hostile client may change."""
    status = client.do("status")
    return {key: status[key] for key in ("state", "program", "protocol", "refused", "samples_wanted", "trip", "driven")}


# catches: a command carried out that should not be, a decoder that crashes or takes memory, a client that keeps others out
def test_a_hundred_thousand_malformed_commands_change_nothing(folder, process, client):
    client.go()
    client.do("manual", output=0, volts=0.5)
    before, ticks = what_stands(client), client.do("status")["ticks"]
    context = zmq.Context()
    answered = flood(context, f"ipc://{folder}/commands")
    # Bytes that are no ZeroMQ at all, and connections that say nothing and stay.
    idle = []
    for i in range(100):
        raw = socket.socket(socket.AF_UNIX)
        raw.connect(f"{folder}/{'commands' if i % 2 else 'telemetry'}")
        try:
            raw.send(random.Random(i).randbytes(i * 10))
        except BrokenPipeError:
            pass
        idle.append(raw)
    after = client.do("status")
    assert what_stands(client) == before, f"{before}\nbecame\n{what_stands(client)}"
    assert after["malformed"] >= HOSTILE and answered > 0, (after["malformed"], answered)
    assert after["ticks"] > ticks
    trace = client.do("snapshot")["trace"]
    assert abs(trace["out_V"][0] - 0.5) < 1e-12, "the volts by hand are not what they were"
    for raw in idle:
        raw.close()
    context.destroy(linger=0)
    client.do("stop")


# catches: a publisher that waits for its slowest subscriber, answers that pile up for clients that are gone
def test_slow_and_vanishing_clients_cost_the_others_nothing(folder, process, client):
    context = zmq.Context()
    telemetry, commands = f"ipc://{folder}/telemetry", f"ipc://{folder}/commands"
    quick = connect(context, zmq.SUB, telemetry, subscribe="event")
    slow = connect(context, zmq.SUB, telemetry, rcvhwm=1, subscribe="event")
    # A refused "run" is an event: until both hear of one nothing is counted.
    for end in (quick, slow):
        until(lambda: client.ask("run") and end.poll(20))
    stopped = subprocess.Popen([sys.executable, "-c", f"""
import time, zmq
end = zmq.Context().socket(zmq.SUB)
end.connect("{telemetry}")
end.subscribe("")
end.recv_multipart()
print("listening", flush=True)
time.sleep(1000)
"""], stdout=subprocess.PIPE)
    stopped.stdout.readline()
    stopped.send_signal(signal.SIGSTOP)
    numbers, i = [], 0
    start = client.do("status")["ticks"]
    while len(numbers) < 2000:
        i += 1
        client.ask("run")
        while quick.poll(0):
            numbers.append(msgpack.unpackb(quick.recv_multipart()[1])["seq"])
        if i % 20 == 0:  # one that asks and is gone before it is answered
            gone = connect(context, zmq.DEALER, commands)
            gone.send(msgpack.packb({"v": 1, "id": 1, "command": "snapshot"}))
            gone.close()
    stopped.kill()
    stopped.wait()
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "a subscriber that kept up has lost frames"
    late = []
    while slow.poll(500):
        late.append(msgpack.unpackb(slow.recv_multipart()[1])["seq"])
    assert late == sorted(set(late)) and len(late) < len(numbers), (len(late), len(numbers))
    assert any(b > a + 1 for a, b in zip(late, late[1:])) or late[-1] < numbers[-1], "the slow one has lost nothing"
    status = client.do("status")
    assert status["state"] == "IDLE" and status["ticks"] >= start + 2000 and status["events_dropped"] == 0, status
    context.destroy(linger=0)


# catches: an example that has fallen behind the wire
def test_the_example_draws_samples(folder, process, client):
    def example(protocol):
        return subprocess.run([sys.executable, f"{source}/docs/examples/client.py", f"{folder}/{protocol}", "1",
                               f"ipc://{folder}/telemetry", f"ipc://{folder}/commands"],
                              capture_output=True, text=True, timeout=120)

    done = example("p.h5")
    assert done.returncode == 0, done.stderr
    words = done.stdout.split()
    assert words[:2] == ["True", "0"] and len(words) == 4 and all(abs(float(word)) < 10 for word in words[2:]), done.stdout
    assert client.do("status")["state"] == "IDLE"
    absent = example("absent.h5")
    assert absent.returncode == 1 and "absent.h5" in absent.stderr, absent.stderr


def notified(manager):
    said = []
    try:
        while True:
            said += manager.recv(4096).decode().splitlines()
    except BlockingIOError:
        return said


# catches: a service that is ready before it serves, silent while it is well, gone without a word
def test_systemd_is_told(folder):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(f"{folder}/notify")
    manager.setblocking(False)
    environment = {**os.environ, "NOTIFY_SOCKET": f"{folder}/notify", "WATCHDOG_USEC": "200000"}
    process = bench_process.run(jostle, "patient", name + "-notified", folder, attach=False, env=environment)
    said = []
    try:
        until(lambda: said.extend(notified(manager)) or said.count("WATCHDOG=1") > 3)
        assert said[0] == "READY=1", said
    finally:
        process.end()
    assert notified(manager)[-1] == "STOPPING=1"


def closed(raw):
    """Whether the other side has hung up."""
    raw.setblocking(False)
    try:
        while raw.recv(4096):
            pass
        return True
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def crowd(endpoint, n):
    """Connections that say nothing, as many of n as are taken."""
    idle = []
    for i in range(n):
        raw = socket.socket(socket.AF_UNIX)
        raw.setblocking(False)
        try:
            raw.connect(endpoint)
        except (BlockingIOError, ConnectionError, FileNotFoundError):  # not now, or no longer
            raw.close()
            time.sleep(0.001)
        else:
            idle.append(raw)
    return idle


# catches: a process that ends where file descriptors do, a door that stays shut, one who knocks and says nothing for ever,
# topics without end
def test_a_crowd_at_the_door_is_let_go(folder):
    few = (256, 256)
    process = bench_process.run(jostle, "patient", name + "-crowd", folder, attach=False,
                                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, few))
    client = bench_process.Client(folder)
    context = zmq.Context()
    try:
        one = crowd(f"{folder}/commands", 1)
        assert client.do("ping")["ok"] and len(one) == 1
        until(lambda: closed(one[0]))
        assert "connections" not in process.text(), process.text()
        for door in "commands", "telemetry":
            idle = crowd(f"{folder}/{door}", 600)
            until(lambda: f"{door}: more than 64 connections" in process.text())
            for raw in idle:
                raw.close()
            client.close()
            client = bench_process.Client(folder)
            assert client.do("ping")["ok"]
        greedy = connect(context, zmq.SUB, f"ipc://{folder}/telemetry")
        for i in range(1000):
            greedy.subscribe(f"topic {i}")
        until(lambda: "more topics" in process.text())
        greedy.close()
        hears = connect(context, zmq.SUB, f"ipc://{folder}/telemetry", subscribe="status")
        assert hears.recv() == b"status"
    finally:
        client.close()
        context.destroy(linger=0)
        status = process.end()
    assert status == 0, process.text()


# catches: a socket that other machines reach and anybody may use; a client's key that opens nothing
def test_beyond_this_machine_keys_decide(folder):
    for who in ("bench", "anna", "eve"):
        subprocess.run([jostle, "keygen", who, "--out", f"{folder}/{who}"], check=True, capture_output=True)
    refused = subprocess.run([jostle, "run", "--bench", "patient", "--name", name + "-open", "--doctor", "0", "--telemetry",
                              "tcp://0.0.0.0:0", "--commands", f"ipc://{folder}/commands"],
                             capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1 and "jostle keygen" in refused.stderr, refused.stderr
    process = bench_process.run(jostle, "patient", name + "-keys", folder, "--key", f"{folder}/bench.key", "--allow",
                                f"{folder}/anna.pub", attach=False)
    public = open(f"{folder}/bench.pub").read().split()[1].encode()
    context = zmq.Context()

    def knock(who, timeout):
        end = connect_with(who)
        end.rcvtimeo = timeout
        end.send(msgpack.packb({"v": 1, "id": 1, "command": "ping"}))
        try:
            return msgpack.unpackb(end.recv())["ok"]
        except zmq.Again:
            return False
        finally:
            end.close()

    def connect_with(who):
        keys = {}
        if who:
            secret = open(f"{folder}/{who}.key").read().split()[2].encode()
            keys = {"curve_secretkey": secret, "curve_publickey": zmq.curve_public(secret), "curve_serverkey": public}
        return connect(context, zmq.DEALER, f"ipc://{folder}/commands", **keys)

    try:
        assert knock("anna", 20_000), "a client on the list was not served"
        assert not knock("eve", 1000), "a client was served that is on no list"
        assert not knock(None, 1000), "a client was served that has no key"
        assert knock("anna", 20_000)
    finally:
        context.destroy(linger=0)
        process.end()


with tempfile.TemporaryDirectory() as folder:
    patient_bench(folder)
    subprocess.run([jostle, "train", "--task", "two-gaussians", "--out", f"{folder}/p.h5", "--steps", "20", "--batch", "256"],
                   check=True, capture_output=True)
    test_systemd_is_told(folder)
    test_beyond_this_machine_keys_decide(folder)
    test_a_crowd_at_the_door_is_let_go(folder)
    process = bench_process.run(jostle, "patient", name, folder, attach=False)
    client = bench_process.Client(folder)
    try:
        test_a_hundred_thousand_malformed_commands_change_nothing(folder, process, client)
        test_slow_and_vanishing_clients_cost_the_others_nothing(folder, process, client)
        test_the_example_draws_samples(folder, process, client)
        client.do("shutdown")
        assert process.process.wait(60) == 0, process.text()
    finally:
        client.close()
        process.end()
