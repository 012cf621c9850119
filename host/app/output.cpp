#include "host/app/output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "host/base/error.hpp"
#include "host/store/atomic_file.hpp"

namespace perrin::app {
namespace {

namespace fs = std::filesystem;

void make_parent(const fs::path& file) {
  if (!file.has_parent_path()) return;
  std::error_code failure;
  fs::create_directories(file.parent_path(), failure);
  if (failure)
    throw Error("cannot make the folder " + file.parent_path().string() + ": " + failure.message(), file.string(),
                "name another place");
}

void check_named(const fs::path& out) {
  const std::string name = out.filename().string();
  if (name.empty() || name == "." || name == "..")
    throw Error("\"" + out.string() + "\" names no file", "--out", "name a file, for example \"samples/first\"",
                Exit::usage);
}

}  // namespace

// By the temporary file that store::write_atomically begins with.
void check_output(const fs::path& file) {
  check_named(file);
  make_parent(file);
  std::error_code ignored;
  if (fs::exists(file, ignored) && !fs::is_regular_file(file, ignored))
    throw Error("cannot write " + file.string() + ": it is there and no file", file.string(), "name another file");
  const fs::path temporary = file.string() + ".tmp";
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) throw store::file_error("write", file, errno);
  ::close(descriptor);
  ::unlink(temporary.c_str());
}

fs::path output_stem(const fs::path& out, const std::vector<std::string>& endings) {
  check_named(out);
  const bool whole = std::ranges::count(endings, out.extension().string()) > 0;
  fs::path stem = whole ? fs::path(out).replace_extension() : out;
  for (const std::string& ending : endings) check_output(stem.string() + ending);
  return stem;
}

}  // namespace perrin::app
