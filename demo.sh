#!/usr/bin/env bash
# Install what is missing, build, and run the main job: a simulated bench learns two Gaussians and generates them.
set -euo pipefail
cd "$(dirname "$0")"
.ci/setup
mkdir -p build
echo "building …"
{ cmake --preset release && cmake --build --preset release; } >build/release.log 2>&1 || {
	tail -40 build/release.log >&2
	exit 1
}
jostle=build/release/jostle
out=build/demo
mkdir -p "$out"

echo
echo "1. learn a driving protocol for two oscillators (denoising force matching), and the best one there is (oracle)"
$jostle train --task two-gaussians --rule denoising --out "$out/protocol.h5" --png "$out/training.png" --seed 1
$jostle train --task two-gaussians --solver cg --out "$out/oracle.h5" --seed 1

echo
echo "2. draw 4000 samples through the real-time loop on the simulated bench, each after 4 relaxation times of rest"
$jostle sample --bench sim-2 --protocol "$out/protocol.h5" -n 4000 --seed 2 --out "$out/bench.h5" --png "$out/bench.png"

echo
echo "3. the same with the ensemble engine, for comparison: same time step, no hardware in between; and the oracle"
$jostle sample --ensemble --bench sim-2 --protocol "$out/protocol.h5" -n 4000 --seed 3 --out "$out/ensemble.h5"
$jostle sample --ensemble --bench sim-2 --protocol "$out/oracle.h5" -n 4000 --seed 4 --out "$out/oracle-samples.h5"

echo
echo "through the loop on the bench:"
$jostle eval --task two-gaussians "$out/bench.h5"
echo "ensemble:"
$jostle eval --task two-gaussians "$out/ensemble.h5"
echo "oracle, ensemble:"
$jostle eval --task two-gaussians "$out/oracle-samples.h5"
echo
echo "pictures: $out/bench.png (target beside samples), $out/training.png (loss against time)"
