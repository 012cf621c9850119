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
  // Opens the file of this encoder on these data, or makes it: sample i's z as encode gives it in evaluation at
  // position i, without the scale factor. Files (store/latent_file.hpp) lie in the user's cache folder "latents", named
  // by a SHA-256 of all that the bits follow from: the identity of the data (model.inputs); ids, keys and libraries of
  // dataset and encoder, the encoder's weights; seed, batch size, device, threads and build. A file that is damaged is
  // made again; two processes make it once. Without an identity or a cache folder the latents are encoded into a
  // nameless file in `own`, which goes with the process. `note` is told before a long work. Throws Error if the data
  // change meanwhile.
  LatentCache(Model& model, int64_t batch_size, const std::filesystem::path& own,
              const std::function<void(const std::string&)>& note);

  // [B, ...] float32 on the run's device.
  at::Tensor rows(const std::vector<uint64_t>& indices) const;

  const std::filesystem::path& file() const { return file_; }  // empty: nameless

 private:
  std::filesystem::path file_;
  at::Tensor z_;  // [N, ...], mapped
};

}  // namespace perrin::run
