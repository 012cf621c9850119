#include "host/config/build.hpp"

#include <algorithm>
#include <cctype>

#include "host/config/host_tables.hpp"
#include "host/config/schema.hpp"
#include "host/config/suggest.hpp"
#include "host/config/text.hpp"

namespace perrin::config {
namespace {

// A table in which `use` chooses the schema.
struct Choice {
  std::string kind, label;
  std::string_view default_use;
  const Table* table = nullptr;
  Location at;
  std::vector<Key> more_keys = {};  // beside the component's and host_keys()
};

class Builder {
 public:
  Builder(const std::string& file, const Catalogue& catalogue, Log& log) : catalogue_(catalogue), log_(log) {
    whole_.file = file;
  }

  Draft build(const Table& root) {
    Draft draft;
    check_names(root, log_);
    draft.experiment = host_part(root, "experiment", experiment_table(), true);
    extracts_ = root.find("extractor") != nullptr;
    encodes_ = !extracts_ && root.find("denoiser") == nullptr && trains_encoders_alone(root);
    for (const Role& role : roles()) {
      if (role.kind == "conditioner") {
        draft.conditioners = conditioner_parts(root);
      } else if (auto component = role_part(root, role)) {
        draft.components.emplace(role.kind, std::move(*component));
      }
    }
    if (auto encoder = draft.components.find("encoder"); encoder != draft.components.end())
      draft.latent = take_host_keys(encoder->second, encoder_table().keys);
    if (auto sampler = draft.components.find("sampler"); sampler != draft.components.end())
      draft.sampling = take_host_keys(sampler->second, sampler_table().keys);
    const Array no_stages(1, Node{Table{}, whole_});
    const Array* stages = tables(root, "stage", "[[stage]]");
    for (const Node& stage : stages && !stages->empty() ? *stages : no_stages)
      draft.stages.push_back(stage_part(stage));
    draft.samples = host_part(root, "samples", samples_table(), false);
    return draft;
  }

 private:
  // The table called `name`; null when absent or, after an error, something else.
  const Table* table(const Table& parent, const std::string& name, const std::string& label) {
    const Entry* entry = parent.find(name);
    if (entry == nullptr || entry->node.table()) return entry ? entry->node.table() : nullptr;
    log_.error(entry->at, label + " must be a table, not " + with_article(node_type_name(entry->node)),
               entry->node.array() ? "write it with single brackets: [" + name + "]"
                                   : "write [" + name + "], and its keys below");
    return nullptr;
  }

  const Array* tables(const Table& parent, const std::string& name, const std::string& label) {
    const Entry* entry = parent.find(name);
    if (entry == nullptr) return nullptr;
    const Array* array = entry->node.array();
    auto is_table = [](const Node& node) { return node.table() != nullptr; };
    if (array && std::all_of(array->begin(), array->end(), is_table)) return array;
    log_.error(entry->at, quote(name) + " must be a list of tables, not " + with_article(node_type_name(entry->node)),
               "begin each of them with " + label);
    return nullptr;
  }

  Location place(const Table& parent, const std::string& name, const Location& otherwise) const {
    const Entry* entry = parent.find(name);
    return entry ? entry->at : otherwise;
  }

  Component host_part(const Table& root, const std::string& name, const Factory& schema, bool required) {
    Component part;
    part.kind = part.name = name;
    part.location = place(root, name, whole_);
    if (required && root.find(name) == nullptr) {
      log_.error(whole_, "missing table " + schema.id, "add " + schema.id + " with name = \"…\"");
      return part;
    }
    const Table* found = table(root, name, schema.id);
    if (found || !root.find(name)) read_table(found, {schema.keys, schema.id}, part, log_);
    return part;
  }

  std::optional<Component> role_part(const Table& root, const Role& role) {
    const std::string kind(role.kind), label = "[" + kind + "]";
    const bool given = root.find(kind) != nullptr;
    if (extracts_ && kind != "dataset" && kind != "extractor") {
      if (given)
        log_.error(place(root, kind, whole_), label + " beside [extractor]: a file with an extractor has no diffusion",
                   "take one of them out");
      return std::nullopt;
    }
    if (encodes_ && kind != "dataset" && kind != "encoder") {
      if (given)
        log_.error(place(root, kind, whole_), label + ", and no [denoiser]: every stage trains the encoder alone",
                   "add [denoiser] and a stage that trains it, or take " + label + " out");
      return std::nullopt;
    }
    if (!given && role.required) {
      log_.error(whole_, "missing table " + label,
                 "add " + label + " with use = \"…\"; allowed: " + join(ids_of_kind(catalogue_, kind), 24));
      return std::nullopt;
    }
    if (!given && role.default_use.empty()) return std::nullopt;
    const Table* found = table(root, kind, label);
    if (given && !found) return std::nullopt;
    return choose({kind, label, role.default_use, found, place(root, kind, whole_)}, catalogue_);
  }

  // Does every stage say train = ["encoder"]?
  static bool trains_encoders_alone(const Table& root) {
    const Entry* stages = root.find("stage");
    if (!stages || !stages->node.array() || stages->node.array()->empty()) return false;
    const auto alone = [](const Node& stage) {
      const Entry* train = stage.table() ? stage.table()->find("train") : nullptr;
      const Array* parts = train ? train->node.array() : nullptr;
      return parts && parts->size() == 1 && parts->front().text() && *parts->front().text() == "encoder";
    };
    return std::all_of(stages->node.array()->begin(), stages->node.array()->end(), alone);
  }

  // [conditioner], or several [[conditioner]].
  std::vector<Component> conditioner_parts(const Table& root) {
    std::vector<Component> parts;
    const Entry* entry = root.find("conditioner");
    if (entry == nullptr) return parts;
    if (entry->node.array() == nullptr) {
      const Table* found = table(root, "conditioner", "[conditioner]");
      if (!found) return parts;
      if (auto part = choose({"conditioner", "[conditioner]", "", found, entry->at}, catalogue_)) parts.push_back(*part);
    } else if (const Array* several = tables(root, "conditioner", "[[conditioner]]")) {
      for (const Node& node : *several)
        if (auto part = one_of_several(node)) parts.push_back(std::move(*part));
    }
    return parts;
  }

  std::optional<Component> one_of_several(const Node& node) {
    const std::vector<Key>& keys = conditioner_table().keys;
    auto part = choose({"conditioner", "[[conditioner]]", "", node.table(), node.at, keys}, catalogue_);
    if (!part) return part;
    const Component host = take_host_keys(*part, keys);
    const Value* name = host.find("name");
    part->name = "conditioner." + (name ? std::get<std::string>(*name) : part->use);
    return part;
  }

  // The host's keys of a component's table, moved out of the component.
  static Component take_host_keys(Component& part, const std::vector<Key>& keys) {
    Component host;
    host.location = part.location;
    for (const Key& key : keys) {
      if (auto value = part.values.extract(key.name)) host.values.insert(std::move(value));
      if (auto where = part.where.extract(key.name)) host.where.insert(std::move(where));
    }
    return host;
  }

  // Component of the factory that `use` names, its table read.
  std::optional<Component> choose(const Choice& choice, const Catalogue& catalogue) {
    Component part;
    part.kind = part.name = choice.kind;
    part.location = choice.at;
    const Factory* factory = find_use(choice, catalogue, part);
    if (factory == nullptr) return std::nullopt;
    part.use = factory->id;
    part.factory = std::make_shared<const Factory>(*factory);
    Schema schema{choice.more_keys, choice.label + " (" + factory->id + ")", {"use"}};
    if (choice.kind == "loss") schema.other_keys.emplace_back("optimizer");
    if (!factory->library.empty()) {
      schema.other_keys.emplace_back("sha256");
      part.sha256 = read_pin(choice, schema.label, part);
    }
    const std::vector<Key> host = host_keys(*factory);
    schema.keys.insert(schema.keys.end(), host.begin(), host.end());
    schema.keys.insert(schema.keys.end(), factory->keys.begin(), factory->keys.end());
    read_table(choice.table, schema, part, log_);
    if (find_key(host, "weights") != nullptr)
      if (auto given = part.values.extract("weights")) part.weights = std::get<std::string>(given.mapped());
    return part;
  }

  const Factory* find_use(const Choice& choice, const Catalogue& catalogue, Component& part) {
    const Entry* use = choice.table ? choice.table->find("use") : nullptr;
    std::string name(choice.default_use);
    Location at = choice.at;
    if (use != nullptr) {
      at = part.where["use"] = use->node.at;
      auto text = read_value(use->node, {.name = "use", .type = Type::text}, log_);
      if (!text) return nullptr;
      name = std::get<std::string>(*text);
    } else if (name.empty()) {
      log_.error(at, "missing key \"use\" in " + choice.label,
                 "allowed: " + join(ids_of_kind(catalogue, choice.kind), 24));
      return nullptr;
    }
    const Factory* factory = find_factory(catalogue, choice.kind, name);
    if (factory == nullptr) unknown_component(choice.kind, name, use == nullptr, at, catalogue);
    return factory;
  }

  // The library's hash that the file asks for; empty: any, or a fault.
  std::string read_pin(const Choice& choice, const std::string& label, Component& part) {
    const Entry* entry = choice.table ? choice.table->find("sha256") : nullptr;
    if (entry == nullptr) return "";
    if (entry->stale) {
      log_.warning(entry->at, "ignored key \"sha256\" in " + label, "it pins the component that was replaced");
      return "";
    }
    part.where["sha256"] = entry->node.at;
    auto text = read_value(entry->node, {.name = "sha256", .type = Type::text}, log_);
    if (!text) return "";
    std::string hash = std::get<std::string>(*text);
    std::transform(hash.begin(), hash.end(), hash.begin(), [](unsigned char c) { return std::tolower(c); });
    if (hash.size() == 64 && hash.find_first_not_of("0123456789abcdef") == std::string::npos) return hash;
    log_.error(entry->node.at, quote(hash) + " is not a SHA-256: it has 64 hexadecimal digits",
               "`perrin plugin show " + part.use + "` prints the library's");
    return "";
  }

  void unknown_component(const std::string& kind, const std::string& name, bool is_default, const Location& at,
                         const Catalogue& catalogue) {
    const std::vector<std::string> ids = ids_of_kind(catalogue, kind);
    std::string hint = suggestion(name, ids);
    for (const Factory& other : catalogue)
      if (other.id == name) hint = "that is a " + other.kind + ";  " + suggestion("", ids);
    if (ids.empty()) hint = "no plugin offers any; `perrin plugin list` shows what was found";
    log_.error(at, "no " + kind + " is called " + quote(name) + (is_default ? " (the default)" : ""), hint);
  }

  StageDraft stage_part(const Node& node) {
    StageDraft stage;
    const Table& table = *node.table();
    const Entry* name = table.find("name");
    stage.table.kind = "stage";
    stage.table.location = node.at;
    const std::string label =
        "[[stage]]" + (name && name->node.text() ? " (" + printable(*name->node.text()) + ")" : "");
    read_table(&table, {stage_table().keys, label, {"loss", "optimizer"}}, stage.table, log_);
    const Table* optimizer = this->table(table, "optimizer", "optimizer");
    if (auto chosen = choose(
            {"optimizer", "optimizer", kDefaultOptimizer, optimizer, place(table, "optimizer", node.at)}, optimizers()))
      stage.optimizer = std::move(*chosen);
    const Array default_loss(1, Node{Table{}, node.at});
    const Array* losses = tables(table, "loss", "[[stage.loss]]");
    for (const Node& loss : losses && !losses->empty() ? *losses : default_loss)
      if (auto term = loss_part(loss)) stage.losses.push_back(std::move(*term));
    return stage;
  }

  std::optional<StageDraft::Term> loss_part(const Node& node) {
    auto loss = choose({"loss", "[[stage.loss]]", kDefaultLoss, node.table(), node.at}, catalogue_);
    if (!loss) return std::nullopt;
    StageDraft::Term term;
    term.host = take_host_keys(*loss, loss_table().keys);
    const Value* name = term.host.find("name");
    loss->name = name ? std::get<std::string>(*name) : loss->use;
    term.loss = std::move(*loss);
    if (const Table* own = table(*node.table(), "optimizer", "optimizer"))
      term.optimizer = choose(
          {"optimizer", "optimizer", kDefaultOptimizer, own, place(*node.table(), "optimizer", node.at)}, optimizers());
    return term;
  }

  Location whole_;  // the file, for what is missing
  bool extracts_ = false;  // the file has an extractor and no diffusion
  bool encodes_ = false;   // the file has first stages and no diffusion
  const Catalogue& catalogue_;
  Log& log_;
};

}  // namespace

Draft read_draft(const Table& root, const std::string& file, const Catalogue& catalogue, Log& log) {
  return Builder(file, catalogue, log).build(root);
}

}  // namespace perrin::config
