#!/usr/bin/env bash
# Install what is missing, build, and run the main job on simulated benches: two oscillators learn two Gaussians, 144 learn
# handwritten digits, and both are drawn through the real-time loop.
set -euo pipefail
cd "$(dirname "$0")"
.ci/setup
mkdir -p build
echo "building …"
{ cmake --preset release && cmake --build --preset release --target jostle; } >build/release.log 2>&1 || {
	tail -40 build/release.log >&2
	exit 1
}
jostle=build/release/jostle
out=build/demo
rm -rf "$out"
mkdir -p "$out"

echo
echo "1. two oscillators learn two Gaussians: a driving protocol by a local rule, and the best one there is (oracle)"
$jostle train --task two-gaussians --rule denoising --seed 1 --out "$out/protocol.h5" --png "$out/training.png"
$jostle train --task two-gaussians --solver cg --seed 1 --out "$out/oracle.h5" >/dev/null

echo
echo "2. 4000 samples through the real-time loop on the simulated bench, each after 4 relaxation times of rest"
$jostle sample --bench sim-2 --protocol "$out/protocol.h5" -n 4000 --seed 2 --out "$out/bench.h5" --png "$out/bench.png"

echo
echo "3. the same with the ensemble engine, at the bench's time step, and the oracle"
$jostle sample --ensemble --bench sim-2 --protocol "$out/protocol.h5" -n 4000 --seed 3 --out "$out/ensemble.h5"
$jostle sample --ensemble --bench sim-2 --protocol "$out/oracle.h5" -n 4000 --seed 4 --out "$out/oracle-samples.h5"
for samples in bench ensemble oracle-samples; do
	echo "$samples:"
	$jostle eval --task two-gaussians "$out/$samples.h5"
done

echo
echo "4. 144 oscillators learn handwritten zeros and ones, and 64 digits are drawn through the loop"
$jostle train --task digits01 --seed 1 --out "$out/digits.h5" --png "$out/digits-training.png"
$jostle sample --bench sim-12x12 --protocol "$out/digits.h5" -n 64 --seed 2 --out "$out/digits-bench.h5" --png "$out/digits.png"
$jostle sample --ensemble --protocol "$out/digits.h5" -n 2000 --seed 3 --out "$out/digits-ensemble.h5"
echo "2000 digits by the ensemble engine:"
$jostle eval --task digits01 "$out/digits-ensemble.h5"

echo
echo "pictures:"
echo "  $out/bench.png            two Gaussians: target beside samples from the bench"
echo "  $out/training.png         loss and parameters against time"
echo "  $out/digits.png           digits from the bench beside held-out images"
