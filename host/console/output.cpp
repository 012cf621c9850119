#include "host/console/output.hpp"

#include <signal.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <streambuf>
#include <string>

#include "host/base/printable.hpp"
#include "host/base/utf8.hpp"

namespace perrin::console {
namespace {

constexpr int kReaderGone = 128 + SIGPIPE;

int failed = 0;  // errno of the first write that standard output refused

// Writes through to another buffer, escaped. A character that is not whole yet waits for its other bytes.
class Escaping : public std::streambuf {
 public:
  Escaping(std::ostream& stream, bool watched) : stream_(stream), to_(stream.rdbuf(this)), watched_(watched) {}
  ~Escaping() override {
    sync();
    stream_.rdbuf(to_);
  }
  bool write(std::string_view text) {
    errno = 0;
    return noted(to_->sputn(text.data(), static_cast<std::streamsize>(text.size())) ==
                 static_cast<std::streamsize>(text.size()));
  }

 protected:
  std::streamsize xsputn(const char* text, std::streamsize n) override {
    pending_.append(text, static_cast<size_t>(n));
    return put(whole_characters(pending_).size()) ? n : 0;
  }
  int_type overflow(int_type c) override {
    const char one = traits_type::to_char_type(c);
    return xsputn(&one, 1) == 1 ? c : traits_type::eof();
  }
  int sync() override {
    errno = 0;
    return put(pending_.size()) && noted(to_->pubsync() == 0) ? 0 : -1;
  }

 private:
  bool put(size_t bytes) {
    const std::string text = printable(std::string_view(pending_).substr(0, bytes));
    pending_.erase(0, bytes);
    return text.empty() || write(text);
  }
  bool noted(bool good) {
    if (!good && watched_ && failed == 0) failed = errno != 0 ? errno : EIO;
    return good;
  }

  std::ostream& stream_;
  std::streambuf* to_;
  bool watched_;
  std::string pending_;
};

Escaping* standard_output = nullptr;

}  // namespace

struct Output::Streams {
  Escaping out{std::cout, true}, error{std::cerr, false};
};

Output::Output() : streams_(std::make_unique<Streams>()) {
  ::signal(SIGPIPE, SIG_IGN);
  standard_output = &streams_->out;
}

Output::~Output() { standard_output = nullptr; }

void Output::write_styled(std::string_view text) {
  std::cout.flush();
  if (standard_output == nullptr || !standard_output->write(text)) std::cout.setstate(std::ios::badbit);
}

int Output::finish(int code) {
  std::cout.flush();
  if (failed == 0) return code;
  if (failed == EPIPE) return code == 0 ? kReaderGone : code;
  std::cerr << Error(std::string("cannot write to standard output: ") + std::strerror(failed), "",
                     "free space there, or write to another place")
                   .message();
  return static_cast<int>(Exit::failed);
}

std::string message_text(const Error& error) {
  const auto moved_in = [](const std::string& text) {
    std::string lines;
    for (const char c : text) {
      if (lines.ends_with('\n') && c != ' ') lines += "  ";
      lines += c;
    }
    return lines;
  };
  return Error(moved_in(error.what()), moved_in(error.where), moved_in(error.fix)).message();
}

}  // namespace perrin::console
