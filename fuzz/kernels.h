// The kernels of the image fuzzers: those that resize, each instruction set's at will.
#pragma once

namespace fuzz {

// How many instruction sets this processor and build have, 1 to 3.
int kernel_sets();

// From now on `lyceum::kernels()` is that of instruction set 0 .. kernel_sets() - 1.
void use_kernels(int set);

}  // namespace fuzz
