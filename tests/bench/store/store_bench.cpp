// Logging cost per step: what Writer::append costs the training thread, for one row of 17 columns and one of 3, as the
// trainer writes them. Prints one JSON line. The rows are read back and compared before any figure is printed.
//
// Usage: store_bench [FOLDER]   (default: the temporary folder)
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>
#include <vector>

#include "host/base/error.hpp"
#include "host/store/reader.hpp"
#include "host/store/writer.hpp"

namespace {

using namespace perrin::store;
using Clock = std::chrono::steady_clock;

constexpr int kTrain = 17, kSystem = 3, kSteps = 20'000, kRepeats = 7;

Layout layout() {
  Layout layout;
  layout.groups = {{"train", {}}, {"system", {}}};
  for (int i = 0; i < kTrain; ++i) layout.groups[0].columns.push_back({"c" + std::to_string(i), false, "", ""});
  for (int i = 0; i < kSystem; ++i) layout.groups[1].columns.push_back({"c" + std::to_string(i), false, "", ""});
  return layout;
}

double nanoseconds(Clock::duration duration) { return std::chrono::duration<double, std::nano>(duration).count(); }

struct Result {
  double append_ns;  // per step, caller's side, back to back
  double paced_ns;   // the same with 200 us of other work between steps, as in training: caches are colder
  double drain_ns;   // per step, until everything is written and synced
  double bytes;      // of the file, per step
};

void log_step(Writer& writer, int64_t step) {
  double row[kTrain];
  std::fill(row, row + kTrain, static_cast<double>(step));
  writer.append("train", step, 1e9, row);
  writer.append("system", step, 1e9, {row, kSystem});
}

void check(const std::filesystem::path& file, int64_t steps) {
  const Reader reader = Reader::open(file);
  const Series last = reader.series("train", "c16");
  bool equal = reader.rows("train") == steps && reader.rows("system") == steps;
  for (int64_t i = 0; equal && i < steps; ++i) equal = last.value[i] == static_cast<double>(i);
  if (!equal) throw perrin::Error("the rows that were read back differ");
}

Result measure(const std::filesystem::path& file) {
  std::filesystem::remove(file);
  Writer writer = Writer::create(file, layout());
  Result result{};
  const auto start = Clock::now();
  for (int64_t step = 0; step < kSteps; ++step) log_step(writer, step);
  result.append_ns = nanoseconds(Clock::now() - start) / kSteps;
  writer.sync();
  result.drain_ns = nanoseconds(Clock::now() - start) / kSteps;
  result.bytes = static_cast<double>(std::filesystem::file_size(file)) / kSteps;
  constexpr int kPaced = 500;
  Clock::duration spent{};
  for (int64_t step = kSteps; step < kSteps + kPaced; ++step) {
    const auto resume = Clock::now() + std::chrono::microseconds(200);
    while (Clock::now() < resume) {
    }
    const auto before = Clock::now();
    log_step(writer, step);
    spent += Clock::now() - before;
  }
  result.paced_ns = nanoseconds(spent) / kPaced;
  writer.close();
  check(file, kSteps + kPaced);
  return result;
}

void print(const char* name, std::vector<double> values, const char* end) {
  std::sort(values.begin(), values.end());
  std::printf("\"%s\": {\"median\": %.1f, \"min\": %.1f, \"max\": %.1f}%s", name, values[values.size() / 2],
              values.front(), values.back(), end);
}

}  // namespace

int main(int count, char** arguments) {
  try {
    std::string folder =
        (std::filesystem::path(count > 1 ? arguments[1] : std::filesystem::temp_directory_path().string()) /
         "perrin-bench-XXXXXX")
            .string();
    if (!mkdtemp(folder.data())) throw perrin::Error("cannot create a folder", folder);
    std::vector<double> append, paced, drain, bytes;
    for (int i = 0; i < kRepeats; ++i) {
      const Result result = measure(std::filesystem::path(folder) / "run.h5");
      append.push_back(result.append_ns), paced.push_back(result.paced_ns), drain.push_back(result.drain_ns);
      bytes.push_back(result.bytes);
    }
    std::filesystem::remove_all(folder);
    std::printf("{\"benchmark\": \"logging\", \"columns_per_step\": %d, \"steps\": %d, \"repeats\": %d, ",
                kTrain + kSystem, kSteps, kRepeats);
    print("append_ns_per_step", append, ", ");
    print("append_paced_ns_per_step", paced, ", ");
    print("written_and_synced_ns_per_step", drain, ", ");
    print("file_bytes_per_step", bytes, "}\n");
  } catch (const perrin::Error& error) {
    std::fputs(error.message().c_str(), stderr);
    return 1;
  }
}
