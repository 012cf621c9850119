#include "host/store/add_evaluation.hpp"

#include "host/store/atomic_file.hpp"
#include "host/store/evaluations.hpp"
#include "host/store/reader.hpp"
#include "host/store/run_lock.hpp"
#include "host/store/writer.hpp"
#include "host/store/writer_thread.hpp"

namespace perrin::store {

void add_evaluation(const std::filesystem::path& run_file, const Evaluation& evaluation) {
  check_evaluation(evaluation);
  if (!Reader::open(run_file).closed()) Writer::close_killed(run_file);
  constexpr int kSeconds = 5;  // others add theirs
  const RunLock lock(run_file, kSeconds);
  const std::filesystem::path temporary = run_file.string() + ".tmp";
  std::error_code failed;
  std::filesystem::copy_file(run_file, temporary, std::filesystem::copy_options::overwrite_existing, failed);
  if (failed) throw file_error("write the results file", run_file, failed.value());
  try {
    const auto held = hdf5::lock();
    const hdf5::Handle access = hdf5::file_access();
    hdf5::Handle file(hdf5::check(H5Fopen(temporary.c_str(), H5F_ACC_RDWR, access), "opening"), H5Fclose);
    write_evaluations(file, {evaluation});
    hdf5::check(H5Fclose(file.release()), "closing");
    put_in_place(temporary, run_file);
  } catch (const hdf5::Failure& failure) {
    std::filesystem::remove(temporary, failed);
    throw write_error(failure, run_file);
  }
}

}  // namespace perrin::store
