#pragma once

namespace lyceum {

// Lets small CPU tensors from now on have their memory from lists of free blocks, in the whole
// process. False where libtorch's allocator does not let itself be wrapped, and stays.
bool keepSmallBlocks();

}  // namespace lyceum
