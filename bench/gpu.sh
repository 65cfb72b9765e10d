#!/usr/bin/env bash
# Builds Lyceum against the torch of a Python, on a machine without npm and without network, and measures it beside that
# torch: on the card beside eager and compiled PyTorch, and on the CPU. Writes one JSON file. See README.md.
#   NODE=/path/to/node bash bench/gpu.sh [PHASE…]
# The phases in their order; all are run when none is named: build doctor tests gpu eager cpu merge.
#   NODE     a Node 20 or newer (default: build/node, which bench/pack-gpu.sh packs, or the one on PATH)
#   PYTHON   the Python that has torch and numpy (default: python3)
#   OUT      the JSON file (default: build/gpu.json)
#   DEVICE   default: cuda; cpu tries this script out
#   ARGS     more options for every table, such as "--quick --model resnet20"
# A phase that fails is noted in the file, and the next one goes on; when the build fails, none does.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { printf 'gpu.sh: %s\n' "$*"; }
die() { printf 'gpu.sh: %s\n' "$*" >&2; exit 1; }

NODE=${NODE:-}
if [ -z "$NODE" ]; then
  if [ -x build/node ]; then NODE=$PWD/build/node; else NODE=$(command -v node || true); fi
fi
[ -n "$NODE" ] && "$NODE" --version >/dev/null || die "no Node: let NODE name one, 20 or newer"
NODE=$(cd "$(dirname "$NODE")" && pwd)/$(basename "$NODE")
PYTHON=$(command -v "${PYTHON:-python3}") || die "no Python: let PYTHON name the one that has torch"
OUT=${OUT:-build/gpu.json}
DEVICE=${DEVICE:-cuda}
read -r -a args <<<"${ARGS:-}"
parts=build/gpu-parts
mkdir -p "$parts"
[ -f dist/index.js ] && [ -f build/bench/main.js ] ||
  die "dist and build/bench are not here: pack them with bench/pack-gpu.sh where npm is"

# ---- the phases ----------------------------------------------------------------------------
build() {
  local facts generator=() torch=()
  facts=$("$PYTHON" -c 'import os, torch; print(torch.__version__); print(os.path.dirname(torch.__file__)); print(torch.utils.cmake_prefix_path)') ||
    return
  { read -r version; read -r prefix; read -r cmake_path; } <<<"$facts"
  say "torch $version in $prefix"
  if [ -f "$cmake_path/Torch/TorchConfig.cmake" ]; then
    torch=("-DTorch_DIR=$cmake_path/Torch" -DLYCEUM_ONEDNN=OFF)
  else
    # Debian's python3-torch has its CMake files in the system's folders.
    say "$cmake_path holds no TorchConfig.cmake: CMake looks among the system's"
  fi
  if command -v ninja >/dev/null; then generator=(-G Ninja); fi
  mkdir -p build/native
  cmake -S native -B build/native "${generator[@]}" -DCMAKE_BUILD_TYPE=Release "${torch[@]}" &&
    cmake --build build/native --parallel "$(nproc)" || return
  printf '{"prefix": "%s", "version": "%s", "source": "python"}\n' "$prefix" "$version" >build/libtorch.json
}

doctor() { "$NODE" dist/cli/main.js doctor --json | tee "$parts/doctor.json"; }

# Tests that take many minutes, or need npm, are left out.
tests() {
  local found=$parts/vitest.json
  [ -f node_modules/vitest/vitest.mjs ] || { say "vitest was not packed"; return 1; }
  "$NODE" node_modules/vitest/vitest.mjs run --exclude '**/*.slow.test.ts' --reporter=default --reporter=json \
    --outputFile.json="$found" >"$parts/tests.log" 2>&1
  local code=$?
  grep -aE '^ +(FAIL|×|→)|Tests |Test Files ' "$parts/tests.log" | tail -n 60
  "$NODE" .ci/summary.mjs "$found"
  return $code
}

# table NAME OPTION…: runs the bench with these options; its rows go into a file of that name.
table() {
  local name=$1
  shift
  "$NODE" build/bench/main.js --python "$PYTHON" --out "$parts/$name.json" "$@" "${args[@]}" 2>&1 |
    tee "$parts/$name.log"
  return "${PIPESTATUS[0]}"
}
gpu() { table gpu --device "$DEVICE" --peer pytorch-eager-cuda --peer pytorch-compile; }
# The same without CUDA graphs, for ResNet-20 only: the difference is what the graphs bring.
eager() { table eager --device "$DEVICE" --eager --peer pytorch-eager-cuda --work student-step --work patriarch-step; }
cpu() { table cpu --device cpu --peer pytorch-tuned --peer pytorch-default; }

merge() {
  nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader >"$parts/card.txt" 2>/dev/null || true
  "$NODE" -e '
    const { existsSync, readFileSync, writeFileSync } = require("node:fs");
    const [folder, out] = process.argv.slice(1);
    const text = (name) => (existsSync(`${folder}/${name}`) ? readFileSync(`${folder}/${name}`, "utf8") : undefined);
    const json = (name) => {
      try { return JSON.parse(text(name)); } catch { return undefined; }
    };
    const tests = json("vitest.json");
    const failed = tests?.testResults.flatMap((file) =>
      file.assertionResults.filter(({ status }) => status === "failed").map(({ fullName }) => fullName));
    const phases = Object.fromEntries(
      (text("phases.txt") ?? "").trim().split("\n").filter(Boolean).map((line) => line.split(" ")));
    writeFileSync(out, `${JSON.stringify({
      date: new Date().toISOString(),
      commit: existsSync("build/commit") ? readFileSync("build/commit", "utf8").trim() : undefined,
      card: text("card.txt")?.trim() || undefined,
      phases,
      libtorch: existsSync("build/libtorch.json") ? JSON.parse(readFileSync("build/libtorch.json", "utf8")) : undefined,
      doctor: json("doctor.json"),
      tests: tests && {
        passed: tests.numPassedTests, failed: tests.numFailedTests, skipped: tests.numPendingTests, failures: failed,
      },
      gpu: json("gpu.json"),
      gpuEager: json("eager.json"),
      cpu: json("cpu.json"),
    }, null, 2)}\n`);
  ' "$parts" "$OUT" && say "written to $OUT"
}

# ---- one after the other -------------------------------------------------------------------
all=(build doctor tests gpu eager cpu merge)
phases=("$@")
[ ${#phases[@]} -gt 0 ] || { phases=("${all[@]}"); rm -f "$parts"/*; }
for phase in "${phases[@]}"; do
  [[ " ${all[*]} " = *" $phase "* ]] || die "there is no phase $phase; there are: ${all[*]}"
done
failed=0
for phase in "${phases[@]}"; do
  say "$phase"
  start=$SECONDS
  "$phase"
  code=$?
  [ "$phase" = merge ] || echo "$phase $([ $code = 0 ] && echo ok || echo "failed:$code")" >>"$parts/phases.txt"
  say "$phase: $((SECONDS - start)) s$([ $code = 0 ] || echo ", failed ($code)")"
  if [ $code != 0 ]; then
    failed=1
    if [ "$phase" = build ]; then merge; die "without the build nothing else can run"; fi
  fi
done
exit $failed
