// Every sample's z, encoded once and kept in a file: [encoder] cache.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <string>

#include "host/data/inputs.hpp"

namespace perrin::data {

struct CacheRequest {
  int64_t batch_size = 64;
  std::filesystem::path own;                     // a folder that goes with the run
  std::function<void(const std::string&)> note;  // told before a long work; may be empty
  std::function<bool()> stop;                    // ends the wait for another process; may be empty
};

class LatentCache {
 public:
  // Opens the file of this encoder on these data, or makes it: sample i's z as encode gives it in evaluation at
  // position i, without the scale factor. Files (store/latent_file.hpp) lie in the user's cache folder "latents", named
  // by a SHA-256 of all that the bits follow from: the identity of the data (inputs); ids, keys and libraries of
  // dataset and encoder, the encoder's weights; seed, batch size, device, threads and build. A file that is damaged is
  // made again; two processes make it once. Without an identity or a cache folder the latents are encoded into a
  // nameless file in `own`, which goes with the process. Throws Error if the data change meanwhile, and (interrupted)
  // where it is stopped.
  LatentCache(model::Model& model, const InputFiles& inputs, const CacheRequest& request);

  // [B, ...] float32 on the run's device.
  at::Tensor rows(const std::vector<uint64_t>& indices) const;

  const std::filesystem::path& file() const { return file_; }  // empty: nameless

 private:
  std::filesystem::path file_;
  at::Tensor z_;  // [N, ...], mapped
  c10::Device device_;
};

}  // namespace perrin::data
