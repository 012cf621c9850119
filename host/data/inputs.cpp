#include "host/data/inputs.hpp"

#include <algorithm>

#include "host/base/digest.hpp"
#include "host/loader/file_sums.hpp"
#include "host/services/status.hpp"

namespace perrin::data {
namespace {

namespace fs = std::filesystem;

perrin_status* declare_file(void* context, perrin_text name, perrin_text path) {
  return services::as_status(
      [&] { static_cast<Declared*>(context)->add(std::string(services::view(name)), services::view(path)); });
}

perrin_status* declare_bytes(void* context, perrin_text name, uint64_t n, const uint8_t* bytes) {
  return services::as_status([&] {
    auto& declared = *static_cast<Declared*>(context);
    const std::string_view held(reinterpret_cast<const char*>(bytes), n);
    declared.inputs.push_back({declared.component, std::string(services::view(name)), n, sha256_hex(held)});
  });
}

// The table of known sums is that of the folder which the component found, or of where its first file lies.
std::string set_of(const Declared& declared, const services::Session& session) {
  for (const services::Artifact& artifact : session.artifacts())
    if (artifact.component == declared.component) return declared.component + "\n" + artifact.path.string();
  return declared.component + "\n" + declared.paths.front().parent_path().string();
}

void fill(Declared& declared, const services::Session& session,
          const std::function<void(uint64_t, uint64_t)>& progress) {
  if (declared.paths.empty()) return;
  const std::string set = set_of(declared, session);
  const std::vector<loader::FileSum> sums = loader::file_sums(set, declared.paths, progress);
  auto next = sums.begin();
  for (Input& input : declared.inputs)
    if (input.sha256.empty()) input.bytes = next->size, input.sha256 = (next++)->sha256;
}

}  // namespace

Declared& of_component(std::vector<Declared>& all, const std::string& id) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Declared& d) { return d.component == id; });
  return found != all.end() ? *found : all.emplace_back(Declared{id, {}, {}});
}

bool declare(const services::Component& component, std::vector<Declared>& all) {
  if (!component || !component.has<&perrin_identity::declare>()) return false;
  const perrin_identity_sink sink{sizeof sink, 0, &of_component(all, component.id()), declare_file, declare_bytes};
  component.invoke<&perrin_identity::declare>(&sink);
  return true;
}

std::vector<Input> read(std::vector<Declared>& all, const services::Session& session,
                        const std::function<void(uint64_t, uint64_t)>& progress) {
  std::vector<Input> inputs;
  for (Declared& declared : all) {
    fill(declared, session, progress);
    inputs.insert(inputs.end(), declared.inputs.begin(), declared.inputs.end());
  }
  return inputs;
}

std::vector<InputSum> InputFiles::sums() const {
  std::vector<InputSum> sums;
  std::vector<std::string> texts;
  for (const Input& input : all) {
    if (sums.empty() || sums.back().component != input.component) {
      sums.push_back({input.component, 0, 0, ""});
      texts.emplace_back();
    }
    sums.back().files += 1;
    sums.back().bytes += input.bytes;
    texts.back() += std::to_string(input.name.size()) + " " + input.name + " " + std::to_string(input.bytes) + " " +
                    input.sha256 + "\n";
  }
  for (size_t i = 0; i < sums.size(); ++i) sums[i].sha256 = sha256_hex(texts[i]);
  return sums;
}

std::string InputFiles::of(const std::string& id) const {
  for (const InputSum& sum : sums())
    if (sum.component == id) return sum.sha256;
  return sha256_hex("");
}

InputFiles dataset_inputs(model::Model& model) {
  InputFiles inputs;
  std::vector<Declared> all;
  inputs.dataset_known = declare(model.dataset, all);
  inputs.all = read(all, *model.session, {});
  return inputs;
}

}  // namespace perrin::data
