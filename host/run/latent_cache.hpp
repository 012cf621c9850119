// Every sample's z, encoded once and kept in a file: [encoder] cache.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <string>

#include "host/run/model.hpp"

namespace perrin::run {

class LatentCache {
 public:
  // Opens the file of this encoder with these weights and these data, or makes it: sample i's z as encode gives it in
  // evaluation at position i, without the scale factor. Files lie in the user's cache folder, perrin/latents, and are
  // found by a SHA-256 of the encoder's id, version, keys and weights and of the dataset's id, version, keys and count.
  // Written beside and renamed. `note` is told before a long work.
  LatentCache(Model& model, int64_t batch_size, const std::function<void(const std::string&)>& note);

  // [B, ...] float32 on the run's device.
  at::Tensor rows(const std::vector<uint64_t>& indices) const;

  const std::filesystem::path& file() const { return file_; }

 private:
  std::filesystem::path file_;
  at::Tensor z_;  // [N, ...], mapped
};

}  // namespace perrin::run
