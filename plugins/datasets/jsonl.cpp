#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "found.hpp"
#include "metadata.hpp"

namespace perrin::datasets {
namespace {

// One line. Keeps two texts and nothing else, so that no depth and no length costs memory.
class Line : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::optional<std::string> file_name, caption;
  std::string wrong;  // the first fault
  size_t at = 0;      // the byte of the line where a syntax error is, from 1; 0: another fault

  bool null() override { return other(depth_); }
  bool boolean(bool) override { return other(depth_); }
  bool number_integer(number_integer_t) override { return other(depth_); }
  bool number_unsigned(number_unsigned_t) override { return other(depth_); }
  bool number_float(number_float_t, const string_t&) override { return other(depth_); }
  bool binary(binary_t&) override { return other(depth_); }
  bool start_object(size_t) override { return deeper() && (depth_ == 1 || other(depth_ - 1)); }
  bool start_array(size_t) override { return deeper() && other(depth_ - 1); }
  bool end_object() override { return --depth_, true; }
  bool end_array() override { return --depth_, true; }
  bool key(string_t& name) override {
    return depth_ != 1 || keys_.insert(key_ = name).second || fail("the key \"" + printable(name) + "\" twice");
  }
  bool string(string_t& value) override {
    std::optional<std::string>* to = wanted(depth_);
    if (!to) return other(depth_);
    if (value.find('\0') != std::string::npos) return fail("\"" + key_ + "\" holds a NUL");
    *to = value;
    return true;
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception& error) override {
    at = std::max<size_t>(position, 1);
    const std::string_view what = error.what();
    return fail(printable(what.substr(std::min(what.find("syntax error"), what.size()))));
  }
  // After a whole line.
  bool complete() {
    std::string seen;
    for (const std::string& name : keys_) seen += (seen.empty() ? "" : ", ") + printable(name);
    if (!file_name) return fail("no \"file_name\"; there is " + seen);
    return caption || fail("no \"text\"; there is " + seen);
  }

 private:
  static constexpr int max_depth = 64;

  bool fail(const std::string& what) {
    if (wrong.empty()) wrong = what;
    return false;
  }
  bool deeper() { return ++depth_ <= max_depth || fail("nested deeper than " + std::to_string(max_depth)); }
  // Where a value goes that stands in so many objects and arrays; null: it is not kept.
  std::optional<std::string>* wanted(int depth) {
    return depth != 1 ? nullptr : key_ == "file_name" ? &file_name : key_ == "text" ? &caption : nullptr;
  }
  bool other(int depth) {
    return depth == 0 ? fail("no object") : !wanted(depth) || fail("\"" + key_ + "\" is no text");
  }

  int depth_ = 0;
  std::string key_;
  std::set<std::string> keys_;
};

}  // namespace

void read_jsonl(std::string_view text, Metadata& rows) {
  size_t number = 1;
  for (size_t at = 0; at < text.size(); ++number) {
    const size_t begin = at;
    const std::string_view line = next_line(text, at);
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    Line read;
    if (!nlohmann::json::sax_parse(line.begin(), line.end(), &read) || !read.complete()) {
      const size_t column = std::min(read.at == 0 ? 0 : read.at - 1, line.size());
      throw Failure(PERRIN_INVALID_DATA, place_of(rows.file, text, begin + column) + ": " + read.wrong +
                                             R"(; expected {"file_name": "...", "text": "..."})");
    }
    rows.add(*read.file_name, std::move(*read.caption), number);
  }
}

}  // namespace perrin::datasets
