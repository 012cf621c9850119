// Writes the files that read_with_python.py reads: FOLDER/run.h5, a.safetensors, a.png. Prints "open" when the rows are
// synced and run.h5 is still being written, waits for a line, finishes it.
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <vector>

#include "host/base/error.hpp"
#include "host/store/add_evaluation.hpp"
#include "host/store/png.hpp"
#include "host/store/safetensors.hpp"
#include "host/store/writer.hpp"

using namespace perrin::store;

static Layout layout() {
  Layout layout{"run-1", "sweep-1", "abc123", "[experiment]\nname = \"ü\"\n", R"({"name":"ü"})", {}, {}, {},
                {},      {},        {}};
  for (int i = 0; i < 12; ++i) layout.params.emplace_back("stage." + std::to_string(i) + ".lr", "1e-3");
  layout.provenance = {{"git_commit", "0123456789abcdef"}, {"git_diff", std::string(100'000, '+')}};
  layout.plugins = {{"unet", "denoiser", "1.0.0", "B", "unet.so", "aa"},
                    {"cosine", "schedule", "1.0.0", "A", "schedules.so", "bb"}};
  layout.groups = {
      {"train", {{"loss", false, "", "weighted loss"}, {"samples", true, "", ""}, {"rate", false, "1/s", ""}}}};
  layout.images = {{"samples", 4, 6, 3}};
  return layout;
}

static void write(const std::filesystem::path& folder) {
  Writer writer = Writer::create(folder / "run.h5", layout());
  for (int step = 0; step < 2500; ++step) {
    const double row[] = {1.0 / (step + 1), step * 8.0, 2.5};
    writer.append("train", step, 1e9 + step, row);
  }
  for (int i = 0; i < 3; ++i)
    writer.append_image("samples", 1000 * i, std::vector<uint8_t>(72, static_cast<uint8_t>(10 * i)));
  writer.sync();
  const std::vector<float> weights = {1.5f, -2, 3, 4, 5, 6};
  const std::vector<int64_t> steps = {7};
  const std::vector<TensorView> tensors = {{"step", Dtype::i64, {}, std::as_bytes(std::span(steps))},
                                           {"net.weight", Dtype::f32, {2, 3}, std::as_bytes(std::span(weights))}};
  write_safetensors(folder / "a.safetensors", tensors, {{"note", "ü"}});
  write_png(folder / "a.png", {2, 1, 3, {1, 2, 3, 250, 251, 252}});
  std::cout << "open" << std::endl;
  std::string line;
  std::getline(std::cin, line);
  writer.set_status("finished");
  writer.close();
  add_evaluation(folder / "run.h5", {"2026-01-01T00:00:00Z",
                                     2000,
                                     {{"command", "perrin eval RUN"}, {"checkpoint", "step-00002000.safetensors"}},
                                     {{"psnr", "dB", "", 31.5, 1000}, {"l1", "", "", 0.125, 1000}},
                                     {{"denoising_error", "", "", "log_snr", "", "", {-2, 0, 2}, {0.75, 0.5, 0.25}}}});
}

int main(int, char** arguments) {
  try {
    write(arguments[1]);
  } catch (const perrin::Error& error) {
    std::fputs(error.message().c_str(), stderr);
    return 1;
  }
}
