// Any bytes as a shard, and the same with each block's checksum set right: members that lie in the file, or one
// Failure. Everything else is a finding.
#include <array>

#include "plugins/datasets/shard.hpp"
#include "plugins/datasets/tar_header.hpp"
#include "tests/fuzz/input.hpp"

namespace {

using namespace perrin;
using namespace perrin::datasets;
using fuzz::require;

void read(const std::string& bytes) {
  const fuzz::MemoryFile given(bytes);
  try {
    const RegularFile file(given.path());
    Tally tally;
    const std::vector<TarMember> members = list_tar(file, tally);
    require(members.size() <= bytes.size() / tar_block);
    for (const TarMember& member : members) {
      require(member.offset <= bytes.size() && member.size <= bytes.size() - member.offset);
      require(member.sparse || read_member(file, member, bytes.size()) == bytes.substr(member.offset, member.size));
    }
    for (const ShardSample& sample : list_samples(file, tally)) require(sample.image.has_value());
    (void)tally.text();
  } catch (const Failure& failure) {
    require(failure.code == PERRIN_INVALID_DATA);
  }
}

// As a header has it: six octal digits of the sum in which the field itself counts as blanks.
void set_sum(char* block) {
  std::fill_n(block + 148, 8, ' ');
  unsigned sum = 0;
  for (size_t i = 0; i < tar_block; ++i) sum += static_cast<uint8_t>(block[i]);
  std::snprintf(block + 148, 7, "%06o", sum);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(fuzz::text_of(data, size));
  read(bytes);
  for (size_t at = 0; at + tar_block <= size; at += tar_block)
    if (bytes.find_first_not_of('\0', at) < at + tar_block) set_sum(&bytes[at]);
  read(bytes + std::string(2 * tar_block, '\0'));
  return 0;
}
