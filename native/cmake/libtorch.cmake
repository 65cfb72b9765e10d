# Finds libtorch: the target `libtorch`, its version, and CUDA's headers where it has CUDA.
#
#   Torch_DIR               the folder of TorchConfig.cmake, where it is not among CMake's own
#   LYCEUM_TORCH_VERSION    set here
#   LYCEUM_OPENMP_LIBRARY   set here: GNU's OpenMP that libtorch brings along, empty where it takes the system's
#   LYCEUM_CUDA_INCLUDE     set here: the folder of cuda_runtime_api.h, empty without CUDA or its headers

add_library(libtorch INTERFACE)
get_filename_component(torch_prefix "${Torch_DIR}/../../.." ABSOLUTE)
set(torch_library "${torch_prefix}/lib/${CMAKE_SHARED_LIBRARY_PREFIX}")
set(torch_suffix "${CMAKE_SHARED_LIBRARY_SUFFIX}")
if(Torch_DIR AND EXISTS "${torch_library}torch_cuda${torch_suffix}" AND EXISTS "${torch_prefix}/include/torch/csrc")
  # An unpacked libtorch or a Python package with CUDA. Its TorchConfig.cmake asks for a whole CUDA toolkit of its own
  # version, and fails without; all that is needed is in one folder.
  target_include_directories(libtorch SYSTEM INTERFACE
    "${torch_prefix}/include" "${torch_prefix}/include/torch/csrc/api/include")
  foreach(name torch torch_cpu torch_cuda c10 c10_cuda)
    target_link_libraries(libtorch INTERFACE "${torch_library}${name}${torch_suffix}")
  endforeach()
  # Operators of CUDA register themselves when their library is loaded, which nothing else may refer to.
  target_link_options(libtorch INTERFACE "LINKER:--no-as-needed")
  file(STRINGS "${Torch_DIR}/TorchConfig.cmake" old_abi REGEX "_GLIBCXX_USE_CXX11_ABI=0")
  if(old_abi)
    target_compile_definitions(libtorch INTERFACE _GLIBCXX_USE_CXX11_ABI=0)
  endif()
  set(LYCEUM_HAS_CUDA ON)
else()
  find_package(Torch REQUIRED)
  target_include_directories(libtorch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
  target_link_libraries(libtorch INTERFACE ${TORCH_LIBRARIES})
  if(TARGET torch_cuda)
    set(LYCEUM_HAS_CUDA ON)
  endif()
endif()

# Two of them in one process would each keep threads of their own, and only one would be told how many.
set(LYCEUM_OPENMP_LIBRARY "")
if(Torch_DIR)
  file(GLOB bundled_openmp "${torch_prefix}/lib/libgomp*.so*")
  if(bundled_openmp)
    list(GET bundled_openmp 0 LYCEUM_OPENMP_LIBRARY)
  endif()
endif()

set(LYCEUM_TORCH_VERSION 0)
if(EXISTS "${Torch_DIR}/TorchConfigVersion.cmake")
  file(STRINGS "${Torch_DIR}/TorchConfigVersion.cmake" version REGEX "set\\(PACKAGE_VERSION ")
  if(version MATCHES "\"([0-9]+\\.[0-9]+)")
    set(LYCEUM_TORCH_VERSION "${CMAKE_MATCH_1}")
  endif()
endif()

set(LYCEUM_CUDA_INCLUDE "")
if(LYCEUM_HAS_CUDA)
  find_program(LYCEUM_NVCC nvcc)
  get_filename_component(nvcc_folder "${LYCEUM_NVCC}" DIRECTORY)
  find_path(CUDA_RUNTIME_INCLUDE cuda_runtime_api.h
    HINTS ENV CUDA_HOME ENV CUDA_PATH "${nvcc_folder}/.."
    PATHS /usr/local/cuda "${torch_prefix}/../nvidia/cu13" "${torch_prefix}/../nvidia/cuda_runtime"
    PATH_SUFFIXES include targets/x86_64-linux/include)
  if(CUDA_RUNTIME_INCLUDE)
    set(LYCEUM_CUDA_INCLUDE "${CUDA_RUNTIME_INCLUDE}")
    message(STATUS "CUDA graphs: compiled, headers in ${LYCEUM_CUDA_INCLUDE}")
  else()
    message(STATUS "CUDA graphs: not compiled, cuda_runtime_api.h was not found; CUDA_HOME can name its folder")
  endif()
endif()
