// Decodes whole JPEG files by libjpeg-turbo, and nothing else, on some threads.
//   g++ -O2 bench/decoding/bare.cpp -ljpeg -lpthread -o build/bench/bare
//   build/bench/bare THREADS ROUNDS < paths        one path a line; prints the seconds, and those of
//                                                      processor time
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <jpeglib.h>

namespace {

class Decoder {
 public:
  Decoder() {
    info_.err = jpeg_std_error(&errors_);
    jpeg_create_decompress(&info_);
  }
  ~Decoder() { jpeg_destroy_decompress(&info_); }

  void decode(const std::string& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    bytes_.resize(file.tellg());
    file.seekg(0);
    file.read(reinterpret_cast<char*>(bytes_.data()), std::streamsize(bytes_.size()));
    jpeg_mem_src(&info_, bytes_.data(), bytes_.size());
    jpeg_read_header(&info_, TRUE);
    info_.out_color_space = JCS_RGB;
    jpeg_start_decompress(&info_);
    const size_t stride = size_t(info_.output_width) * 3;
    pixels_.resize(stride * info_.output_height);
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = pixels_.data() + stride * info_.output_scanline;
      jpeg_read_scanlines(&info_, &row, 1);
    }
    jpeg_finish_decompress(&info_);
  }

 private:
  jpeg_decompress_struct info_;
  jpeg_error_mgr errors_;
  std::vector<unsigned char> bytes_, pixels_;
};

}  // namespace

int main(int count, char** given) {
  if (count != 3) return 2;
  const int threads = std::atoi(given[1]), rounds = std::atoi(given[2]);
  std::vector<std::string> paths;
  for (std::string path; std::getline(std::cin, path);) paths.push_back(path);
  const auto start = std::chrono::steady_clock::now();
  std::atomic<size_t> next{0};
  std::vector<std::thread> workers;
  for (int t = 0; t < threads; t++) {
    workers.emplace_back([&] {
      Decoder decoder;
      for (size_t i = next++; i < paths.size() * rounds; i = next++) decoder.decode(paths[i % paths.size()]);
    });
  }
  for (std::thread& worker : workers) worker.join();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("%.6f %.6f\n", seconds.count(), double(std::clock()) / CLOCKS_PER_SEC);
}
