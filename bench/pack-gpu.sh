#!/usr/bin/env bash
# Packs what bench/gpu.sh needs on a machine that has Python's torch, CMake and a compiler, but no Node and no network: this
# checkout's files, the compiled JavaScript, the packages that it and the tests need, and Node itself.
#   bench/pack-gpu.sh [FOLDER]     default: build/gpu
# Writes FOLDER/part-00, part-01, … of at most 40 MiB each, which can be copied one by one. On the other machine:
#   mkdir lyceum && cat part-* | tar xJ -C lyceum && NODE=lyceum/build/node bash lyceum/bench/gpu.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=${1:-build/gpu}
node=$(command -v node)

npm run build --silent
node node_modules/typescript/bin/tsc -p bench
mkdir -p "$out" build
rm -f "$out"/part-*
cp -L "$node" build/node
git rev-parse HEAD >build/commit 2>/dev/null || true
{
  # Pictures and earlier results are left out: nothing there reads them.
  git ls-files --cached --others --exclude-standard -- . ':!docs' ':!results' ':!bench/results'
  find dist build/bench -type f
  echo build/node
  [ ! -f build/commit ] || echo build/commit
  find node_modules -mindepth 1 -maxdepth 1 \
    ! -name .bin ! -name typescript ! -name @typescript ! -name @biomejs ! -name @types
} | tar c --files-from=- | xz -T0 -6 | split -b 40M -d - "$out/part-"
ls -l "$out"/part-* | awk '{ printf "%s %.1f MiB\n", $NF, $5 / 1048576 }'
