#!/usr/bin/env python3
"""The engine beside PyTorch and beside its own limit, in one run, turn by turn.

One step of 4096 replicas of 144 sites: x += f dt + sqrt(2 dt) n, with f from on-site powers to 4 and bilinear couplings,
all to all or within range 2.3. Every round measures everything once; medians over rounds are what counts, minima and
quartiles stand beside them. One thread is timed by its processor time, which others on the machine change less, all cores
by the clock on the wall: those figures need a machine that does nothing else, which the spread and how well plain
multiply-adds scale will show.

    /usr/bin/python3 bench/engine.py --bench build/release/bench/bench_engine [--rounds N] [--out docs/results/engine.json]

PyTorch is Debian's: apt-get install python3-torch
"""
import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time

SIDE, SITES, REPLICAS, DT = 12, 144, 4096, 0.01
NETWORKS = ("all-to-all", "range-2.3")
WIDE = {"OPENBLAS_CORETYPE": "SkylakeX", "ATEN_CPU_CAPABILITY": "avx512"}  # AVX-512, which it doesn't choose itself everywhere


# -- PyTorch's side: a process of its own, so that its environment and threads are its own ------------------------------

def torch_steps():
    """{network: {form: step}}: forms of the same step, preallocated and in place."""
    import torch

    torch.manual_seed(1)
    grid = [(i % SIDE, i // SIDE) for i in range(SITES)]
    distance = torch.tensor([[math.dist(a, b) for b in grid] for a in grid])
    upper = torch.triu(torch.empty(SITES, SITES).uniform_(-0.02, 0.02), 1)
    noise_scale = math.sqrt(2 * DT)
    columns = torch.randn(SITES, REPLICAS)  # x as [site][replica]
    rows = columns.T.contiguous()           # and as [replica][site]
    buffers = {id(x): (torch.empty_like(x), torch.empty_like(x)) for x in (columns, rows)}
    slope = [-DT * p * theta for p, theta in ((1, 0.0), (2, 0.5), (3, 0.0), (4, 0.05))]
    onsite = {id(x): [torch.full((SITES, 1) if x is columns else (1, SITES), s) for s in slope] for x in (columns, rows)}

    def step(x, multiply):
        """multiply(p, x) leaves in p what the couplings and x itself add to it."""
        p, noise = buffers[id(x)]
        c1, c2, c3, c4 = onsite[id(x)]

        def run():
            noise.normal_(0.0, noise_scale)
            torch.addcmul(c3, c4, x, out=p)
            torch.addcmul(c2, p, x, out=p)
            torch.addcmul(c1, p, x, out=p)
            multiply(p, x)
            torch.add(p, noise, out=x)

        return run

    def forms(coupled):
        # x itself is the matrix's diagonal: one pass less
        a = torch.eye(SITES) - DT * torch.where(coupled, upper + upper.T, torch.zeros(()))
        made = {
            "dense, sites first": step(columns, lambda p, x: torch.addmm(p, a, x, out=p)),
            "dense, replicas first": step(rows, lambda p, x: torch.addmm(p, x, a, out=p)),
        }
        if not bool(coupled.all()):
            sparse = a.to_sparse_csr()
            kernel = a[5 * SIDE + 5].view(SIDE, SIDE)[3:8, 3:8].clone().view(1, 1, 5, 5)
            made["CSR"] = step(columns, lambda p, x: torch.addmm(p, sparse, x, out=p))
            # one kernel for all sites: an easier problem, for what it is worth
            made["convolution"] = step(rows, lambda p, x: p.add_(torch.nn.functional.conv2d(
                x.view(REPLICAS, 1, SIDE, SIDE), kernel, padding=2).view(REPLICAS, SITES)))
        return made

    return {"all-to-all": forms(distance >= 0), "range-2.3": forms(distance <= 2.3)}


def torch_worker():
    import ctypes
    import warnings

    warnings.filterwarnings("ignore")
    import torch

    try:
        blas = ctypes.CDLL("libopenblas.so.0")
        blas.openblas_get_corename.restype = ctypes.c_char_p
        core, set_blas_threads = "OpenBLAS for " + blas.openblas_get_corename().decode(), blas.openblas_set_num_threads
    except OSError:
        core, set_blas_threads = "another BLAS", lambda n: None
    torch.set_grad_enabled(False)
    steps = torch_steps()
    fastest = {}
    for line in sys.stdin:
        verb, network, threads = (line.split() + ["", ""])[:3]
        if verb == "about":
            print(json.dumps({"version": torch.__version__, "blas": core,
                              "vector": [s for s in torch.__config__.show().splitlines() if "capability" in s][0].split()[-1]}))
        else:
            def use(own, blas):
                torch.set_num_threads(own)
                set_blas_threads(blas)

            key = network, threads
            if key not in fastest:
                times = {}
                # more threads aren't always faster, and its own and those of the BLAS get in each other's way
                for both in sorted({(own, blas) for own in (1, int(threads)) for blas in (1, int(threads))}):
                    use(*both)
                    for form, run in steps[network].items():
                        run()
                        times[form, both] = min(timed(run, 3, threads) for _ in range(5))
                fastest[key] = min(times, key=times.get)
            form, both = fastest[key]
            use(*both)
            how = form if threads == "1" else f"{form}; threads: {both[0]}, its BLAS {both[1]}"
            print(json.dumps({"form": how, "seconds": timed(steps[network][form], 16, threads)}))
        sys.stdout.flush()


def timed(run, n, threads):
    clock = time.thread_time if threads == "1" else time.perf_counter
    begin = clock()
    for _ in range(n):
        run()
    return (clock() - begin) / n


# -- the driver ----------------------------------------------------------------------------------------------------------

class Side:
    """A process that answers a line with a line."""

    def __init__(self, command, **environment):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **environment})

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"engine.py: no answer to \"{line}\"")
        return answer.strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def summary(values):
    quartiles = statistics.quantiles(values, n=4)
    return {"median": statistics.median(values), "minimum": min(values), "maximum": max(values),
            "quartiles": [quartiles[0], quartiles[2]]}


def measure(engine, peers, targets, threads, rounds):
    """{what: [value of each round]}, with times in seconds a step and rates in numbers a second."""
    series, forms = {}, {}

    def record(key, value):
        series.setdefault(key, []).append(float(value))

    for turn in range(rounds + 1):  # the first only warms up
        for n in threads:
            for network in NETWORKS:
                for target in targets:
                    record(("engine", network, target, n), engine.ask(f"step {network} {target} {n}"))
                for name, peer in peers.items():
                    answer = json.loads(peer.ask(f"step {network} {n}"))
                    forms[network, name, n] = answer["form"]
                    record(("torch", network, name, n), answer["seconds"])
                    time.sleep(0.03)  # its threads spin for a while
            for target in targets:
                record(("madds", target, n), engine.ask(f"madds {target} {n}"))
                record(("normals", target, n), engine.ask(f"normals {target} {n}"))
        print(f"round {turn} of {rounds}", file=sys.stderr)
        if turn == 0:
            series.clear()
    return series, forms


def result_of(series, forms, counts, targets, peers, n):
    """What is reported for n threads."""
    normals = REPLICAS * SITES
    out = {}
    for network in NETWORKS:
        torch = {name: {"form": forms[network, name, n], "seconds": summary(series["torch", network, name, n])} for name in peers}
        fastest = min(torch, key=lambda name: torch[name]["seconds"]["median"])
        torch_times = series["torch", network, fastest, n]
        out[network] = {"torch": torch, "torch_fastest": fastest, "engine": {}}
        for target in targets:
            times = series["engine", network, target, n]
            limit = [counts[network] / m + normals / z
                     for m, z in zip(series["madds", target, n], series["normals", target, n])]
            out[network]["engine"][target] = {
                "seconds": summary(times),
                "times_torch": summary([t / e for t, e in zip(torch_times, times)]),
                "times_torch_by_minima": min(torch_times) / min(times),
                "share_of_limit": summary([l / e for l, e in zip(limit, times)]),
                "share_of_limit_by_minima": min(limit) / min(times),
            }
    return out


def machine():
    model = "unknown"
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {"cpu": model, "cores": len(os.sched_getaffinity(0)), "system": f"{platform.system()} {platform.machine()}"}


def commit():
    return subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True,
                          cwd=os.path.dirname(os.path.abspath(__file__))).stdout.strip()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bench", default="build/release/bench/bench_engine")
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--out")
    options.add_argument("--torch-worker", action="store_true", help=argparse.SUPPRESS)
    args = options.parse_args()
    if args.torch_worker:
        return torch_worker()
    if subprocess.run([sys.executable, "-c", "import torch"], capture_output=True).returncode:
        sys.exit("engine.py: PyTorch is missing; apt-get install python3-torch")

    engine = Side([args.bench])
    targets = engine.ask("targets").split()
    worker = [sys.executable, os.path.abspath(__file__), "--torch-worker"]
    peers = {"as installed": Side(worker)}
    if "avx512" in targets:
        peers["asked for AVX-512"] = Side(worker, **WIDE)
    counts = {network: float(engine.ask(f"count {network}")) for network in NETWORKS}
    cores = len(os.sched_getaffinity(0))
    threads = [1] + ([cores] if cores > 1 else [])
    series, forms = measure(engine, peers, targets, threads, args.rounds)
    out = {
        "machine": machine(),
        "commit": commit(),
        "torch": {name: json.loads(peer.ask("about")) for name, peer in peers.items()},
        "replicas": REPLICAS, "sites": SITES, "rounds": args.rounds,
        "multiply_adds_a_step": counts, "normals_a_step": REPLICAS * SITES,
        "threads": {str(n): result_of(series, forms, counts, targets, peers, n) for n in threads},
        "rates": {str(n): {target: {"multiply_adds_a_second": summary(series["madds", target, n]),
                                    "normals_a_second": summary(series["normals", target, n])} for target in targets}
                  for n in threads},
    }
    if cores > 1:
        out["scaling"] = {target: {
            "multiply_adds": summary([b / a for a, b in zip(series["madds", target, 1], series["madds", target, cores])]),
            **{network: summary([a / b for a, b in zip(series["engine", network, target, 1],
                                                       series["engine", network, target, cores])])
               for network in NETWORKS}} for target in targets}
    for side in (engine, *peers.values()):
        side.close()
    show(out, targets)
    if args.out:
        with open(args.out, "w") as file:
            json.dump(out, file, indent=1)
            file.write("\n")


def show(out, targets):
    print(f"{out['machine']['cpu']}, {out['machine']['cores']} cores; commit {out['commit']}; "
          f"{out['replicas']} replicas of {out['sites']} sites; medians of {out['rounds']} rounds [quartiles]")
    for n, networks in out["threads"].items():
        for network, r in networks.items():
            for name, torch in r["torch"].items():
                about = out["torch"][name]
                print(f"{n} thread(s), {network:10}  PyTorch {about['version']} {name} ({about['vector']}, {about['blas']}; "
                      f"{torch['form']})  {1e3 * torch['seconds']['median']:.3f} ms")
            for target in targets:
                e = r["engine"][target]
                ratio, share = e["times_torch"], e["share_of_limit"]
                print(f"{n} thread(s), {network:10}  {target:6}  {1e3 * e['seconds']['median']:.3f} ms   "
                      f"{ratio['median']:.2f} [{ratio['quartiles'][0]:.2f}, {ratio['quartiles'][1]:.2f}] times PyTorch "
                      f"({e['times_torch_by_minima']:.2f} by minima)   {100 * share['median']:.0f} % of its limit "
                      f"({100 * e['share_of_limit_by_minima']:.0f} % by minima)")
    for target, s in out.get("scaling", {}).items():
        ratios = {k: v["median"] / s["multiply_adds"]["median"] for k, v in s.items() if k != "multiply_adds"}
        print(f"all cores, {target:6}  multiply-adds alone scale by {s['multiply_adds']['median']:.2f}; " +
              "; ".join(f"{k} by {s[k]['median']:.2f}, {ratios[k]:.2f} of that" for k in ratios))


if __name__ == "__main__":
    main()
