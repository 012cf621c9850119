#include "host/model/shapes.hpp"

#include "host/base/error.hpp"

namespace perrin::model {

std::string shape_text(const perrin_spec& spec) {
  std::string text = "[";
  for (uint32_t i = 0; i < spec.rank; ++i) text += (i ? ", " : "") + std::to_string(spec.sizes[i]);
  return text + "]";
}

namespace {

// Dimension `along` of `b` is added to that of `a`; the others must agree.
perrin_spec added(const perrin_spec& a, const perrin_spec& b, uint32_t along) {
  perrin_spec sum = a;
  bool fits = a.rank == b.rank;
  for (uint32_t i = 0; fits && i < a.rank; ++i) fits = i == along || a.sizes[i] == b.sizes[i];
  if (!fits)
    throw Error("two conditioners fill the slot \"" + std::string(a.name.data, a.name.size) + "\" with " +
                    shape_text(a) + " and " + shape_text(b) + ", which do not stand beside each other",
                {}, "give both the same width");
  sum.sizes[along] += b.sizes[along];
  return sum;
}

}  // namespace

perrin_conditioning_spec combined(const std::vector<perrin_conditioning_spec>& specs) {
  perrin_conditioning_spec all = specs.front();
  for (size_t i = 1; i < specs.size(); ++i) {
    const uint32_t both = all.slots & specs[i].slots;
    const auto join = [&](uint32_t slot, perrin_spec& to, const perrin_spec& from) {
      if (both & slot)
        to = added(to, from, 0);
      else if (specs[i].slots & slot)
        to = from;
    };
    join(PERRIN_SLOT_VECTOR, all.vector, specs[i].vector);
    join(PERRIN_SLOT_SEQUENCE, all.sequence, specs[i].sequence);
    join(PERRIN_SLOT_CONCAT, all.concat, specs[i].concat);
    all.slots |= specs[i].slots;
  }
  return all;
}

}  // namespace perrin::model
