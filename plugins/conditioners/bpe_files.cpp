// The files of tokenizers: vocab.json, merges.txt, tokenizer.json.
#include "bpe.hpp"
#include "json_file.hpp"
#include "token_rows.hpp"

namespace text {

using perrin::Failure;

namespace {

std::string file_of_model(const std::string& name, const std::string& key) {
  try {
    return whole_file(name);
  } catch (const Failure& failure) {
    throw Failure(failure.code, "the tokenizer's " + key + " = \"" + name + "\": " + failure.what() + ". Set `" + key +
                                    "` to that file of the model, or leave `vocabulary` and `merges` out: a small "
                                    "vocabulary is built in");
  }
}

}  // namespace

Vocabulary read_vocabulary(const std::string& name, const std::string& key) {
  const Json json = parse_json(file_of_model(name, key), name);
  if (!json.is_object() || json.empty())
    throw Failure(PERRIN_INVALID_DATA, name + ": expected a JSON object of tokens and their numbers (vocab.json)");
  Vocabulary vocabulary;
  for (const auto& [token, number] : json.items()) {
    if (!number.is_number_unsigned() || number.get<uint64_t>() > INT32_MAX)
      throw Failure(PERRIN_INVALID_DATA,
                    name + ": token \"" + token + "\" has " + number.dump() + ", and numbers are from 0 on");
    vocabulary.emplace(token, number.get<int32_t>());
  }
  return vocabulary;
}

Merges read_merges(const std::string& name, const std::string& key) {
  return parse_merges(file_of_model(name, key), name);
}

Encoder read_tokenizer(const std::string& name, const MarkNames& names) {
  return parse_tokenizer(whole_file(name), name, names);
}

}  // namespace text
