// For each line "CHANNELS FILE" of the input: "ok HEIGHT WIDTH HEADER_HEIGHT HEADER_WIDTH FRAMES" and the pixels, or
// "no REASON".
#include <iostream>

#include "host/base/error.hpp"
#include "host/images/image.hpp"

#include <fstream>
#include <iterator>

int main() {
  using namespace perrin;
  uint32_t channels = 0;
  for (std::string path; std::cin >> channels && std::getline(std::cin >> std::ws, path);) {
    try {
      std::ifstream file(path, std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), {}};
      const perrin_image_info info = images::info(bytes, path);
      const images::Pixels pixels = images::decode(bytes, channels, path);
      std::cout << "ok " << pixels.height << " " << pixels.width << " " << info.height << " " << info.width << " "
                << info.frames << "\n";
      std::cout.write(reinterpret_cast<const char*>(pixels.values.get()), static_cast<std::streamsize>(pixels.size()));
    } catch (const Error& error) {
      std::cout << "no " << error.what() << "\n";
    }
    std::cout << std::flush;
  }
}
