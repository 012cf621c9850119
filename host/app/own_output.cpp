#include "host/app/own_output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iostream>
#include <streambuf>

#include "host/base/error.hpp"
#include "host/loader/breadcrumb.hpp"

namespace perrin::app {
namespace {

class OwnOutput : public std::streambuf {
 public:
  explicit OwnOutput(int file) : file_(file) { setp(buffer_.data(), buffer_.data() + buffer_.size()); }

 protected:
  int overflow(int c) override {
    if (sync() != 0) return traits_type::eof();
    if (!traits_type::eq_int_type(c, traits_type::eof())) sputc(traits_type::to_char_type(c));
    return traits_type::not_eof(c);
  }
  std::streamsize xsputn(const char* text, std::streamsize n) override {
    if (loader::here.library == nullptr) return std::streambuf::xsputn(text, n);
    return write_all(STDERR_FILENO, text, n) ? n : 0;
  }
  int sync() override {
    const auto n = pptr() - pbase();
    setp(buffer_.data(), buffer_.data() + buffer_.size());
    return write_all(file_, buffer_.data(), n) ? 0 : -1;
  }

 private:
  static bool write_all(int file, const char* text, std::streamsize n) {
    while (n > 0) {
      const ssize_t done = ::write(file, text, static_cast<size_t>(n));
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) return false;
      text += done, n -= done;
    }
    return true;
  }

  int file_;
  std::array<char, 4096> buffer_;
};

}  // namespace

void keep_standard_output() {
  std::cout.flush();
  const int own = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
  if (own < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) throw Error("cannot set standard output apart");
  static auto* buffer = new OwnOutput(own);  // outlives every destructor that may still print
  std::cout.rdbuf(buffer);
}

}  // namespace perrin::app
