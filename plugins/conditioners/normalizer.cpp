#include "normalizer.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <perrin/cpp/plugin.hpp>

#include "byte_bpe.hpp"
#include "charsmap.hpp"
#include "clip_bpe.hpp"
#include "code_points.hpp"
#include "word_piece.hpp"

namespace text {

using perrin::Failure;

namespace {

Failure refused(const std::string& what) { return Failure(PERRIN_INVALID_DATA, what); }

// Each code point becomes what `change` appends for it.
template <class Change>
Normalise each(const Change& change) {
  return [change](const std::string& text) {
    std::string result;
    for (const int32_t c : code_points(text)) change(c, result);
    return result;
  };
}

void append_unless(bool dropped, int32_t c, std::string& result) {
  if (!dropped) append(result, c);
}

// normalizers/unicode.rs, do_nmt.
void nmt(int32_t c, std::string& result) {
  const bool control = (c >= 1 && c <= 8) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F;
  const bool space = c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 || (c >= 0x200B && c <= 0x200F) ||
                     c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
  append_unless(control, space ? ' ' : c, result);
}

Normalise sequence(const Json& parts) {
  std::vector<Normalise> all;
  for (const Json& part : parts) all.push_back(normalizer_of(part));
  return [all](std::string text) {
    for (const Normalise& part : all) require_length(text = part(text));
    return text;
  };
}

// normalizers/bert.rs: its four parts in their order.
Normalise bert(const Json& json) {
  const bool lower = json.value("lowercase", true), clean = json.value("clean_text", true);
  const bool chinese = json.value("handle_chinese_chars", true);
  const Json accents = json.value("strip_accents", Json());
  const bool strip = accents.is_boolean() ? accents.get<bool>() : lower;
  return [=](std::string text) {
    if (clean) text = each([](int32_t c, std::string& out) { append_unless(is_bert_control(c), is_space(c) ? ' ' : c, out); })(text);
    if (chinese)
      text = each([](int32_t c, std::string& out) {
        if (is_chinese(c)) out += ' ';
        append(out, c);
        if (is_chinese(c)) out += ' ';
      })(text);
    if (strip) text = each([](int32_t c, std::string& out) { append_unless(is_accent(c), c, out); })(normal_form(text, Form::D));
    return lower ? lower_case(text) : text;
  };
}

// Every match of the pattern becomes `content`.
Normalise replace(const Json& json) {
  const std::string content = json.at("content").get<std::string>();
  const Json& pattern = json.at("pattern");
  const std::string literal = pattern.value("String", "");
  if (literal.empty() && !pattern.contains("Regex")) throw refused("its normalizer Replace has an empty pattern");
  Match match = [literal](std::string_view text, size_t at) -> size_t {
    return text.substr(at).starts_with(literal) ? literal.size() : 0;
  };
  if (literal.empty()) match = match_of(pattern.at("Regex").get<std::string>());
  return [=](const std::string& text) {
    std::string result;
    for (size_t at = 0; at < text.size();) {
      const size_t length = match(text, at);
      if (length > 0)
        require_length(result += content);
      else
        result += text[at];
      at += std::max<size_t>(length, 1);
    }
    return result;
  };
}

Normalise strip(const Json& json) {
  const bool left = json.value("strip_left", true), right = json.value("strip_right", true);
  return [=](const std::string& text) {
    std::vector<int32_t> points = code_points(text);
    if (right)
      while (!points.empty() && is_space(points.back())) points.pop_back();
    auto first = points.begin();
    while (left && first != points.end() && is_space(*first)) ++first;
    return utf8(std::vector<int32_t>(first, points.end()));
  };
}

Normalise form(Form form) {
  return [form](const std::string& text) { return normal_form(text, form); };
}

}  // namespace

void require_length(const std::string& text) {
  constexpr size_t longest = 1 << 20;
  if (text.size() > longest) throw refused("its rules make more than " + std::to_string(longest) + " bytes of a text");
}

Normalise normalizer_of(const Json& json) {
  if (json.is_null()) return [](const std::string& text) { return text; };
  static const std::map<std::string, Normalise (*)(const Json&)> known = {
      {"Sequence", [](const Json& j) { return sequence(j.at("normalizers")); }},
      {"NFC", [](const Json&) { return form(Form::C); }},
      {"NFD", [](const Json&) { return form(Form::D); }},
      {"NFKC", [](const Json&) { return form(Form::KC); }},
      {"NFKD", [](const Json&) { return form(Form::KD); }},
      {"Lowercase", [](const Json&) { return Normalise([](const std::string& text) { return lower_case(text); }); }},
      {"StripAccents", [](const Json&) {
         return each([](int32_t c, std::string& out) { append_unless(is_mark(c), c, out); });
       }},
      {"Strip", strip},
      {"Prepend", [](const Json& j) {
         return Normalise([with = j.at("prepend").get<std::string>()](const std::string& text) {
           return text.empty() ? text : with + text;
         });
       }},
      {"Replace", replace},
      {"Nmt", [](const Json&) { return each(nmt); }},
      {"BertNormalizer", bert},
      {"Precompiled", [](const Json& j) { return Normalise(Charsmap(j.at("precompiled_charsmap").get<std::string>())); }}};
  const std::string type = json.value("type", "");
  if (const auto found = known.find(type); found != known.end()) return found->second(json);
  throw refused("its normalizer \"" + type + "\" is not among those that are known here");
}

namespace {

size_t spaces(std::string_view text, size_t at) {
  size_t end = at;
  for (size_t behind = at; behind < text.size() && is_space(next_code_point(text, behind));) end = behind;
  return end - at;
}

// Names of tokens, each escaped and with a "|" behind it, before an expression's end `core`; none if it is something else.
std::optional<std::vector<std::string>> names_before(const std::string& expression, std::string_view core) {
  std::vector<std::string> names{""};
  for (size_t i = 0; i + core.size() < expression.size(); ++i) {
    if (std::string_view("()[]{}.*+?^$").find(expression[i]) != std::string_view::npos) return {};
    if (expression[i] == '|')
      names.emplace_back();
    else
      names.back() += expression[i] == '\\' ? expression[++i] : expression[i];
  }
  if (!names.back().empty()) return {};
  names.pop_back();
  return names;
}

}  // namespace

Match match_of(const std::string& expression) {
  static constexpr std::string_view clip = R"('s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)";
  static constexpr std::string_view gpt = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
  if (expression == R"(\s+)") return spaces;
  if (expression == " {2,}")
    return [](std::string_view text, size_t at) -> size_t {
      const size_t length = std::min(text.find_first_not_of(' ', at), text.size()) - at;
      return length < 2 ? 0 : length;
    };
  if (expression == gpt) return [](std::string_view text, size_t at) { return piece_end(text, at) - at; };
  const auto names = expression.ends_with(clip) ? names_before(expression, clip) : std::nullopt;
  if (names)
    return [names = *names](std::string_view text, size_t at) -> size_t {
      for (const std::string& name : names)
        if (text.substr(at).starts_with(name)) return name.size();
      return spaces(text, at) > 0 ? 0 : clip_word_length(text.substr(at));
    };
  throw refused("its regular expression \"" + expression + "\" is not among those that are known here");
}

}  // namespace text
