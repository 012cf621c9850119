// What a run's weights are worth on data: of a first stage its reconstructions, of an extractor its answers, of a
// denoiser its error over noise levels, or what judges see in its samples.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "host/store/evaluation.hpp"
#include "host/train/losses.hpp"

namespace perrin::evaluate {

using Values = std::vector<store::Number>;

struct Found {
  Values numbers;
  std::vector<store::Curve> curves;
};

struct Request {
  int64_t count = 0;  // samples of the dataset, from the first; 0: all
  int64_t batch_size = 64;
  std::function<void(int64_t done, int64_t total)> progress;  // may be empty
  std::function<bool()> cancelled;                            // may be empty
};

// Mean L1, PSNR, and PSNR of 8-bit pictures, both over images; milliseconds per image and direction.
Values reconstruction(model::Model& model, const Request& request);

// With a layer that losses train as "logits", top-1 accuracy. With an embedding and a conditioner, CLIP's two tasks: top-1
// of zero-shot classification, a class being the mean embedding of its captions (2103.00020, section 3.1.4), and recall
// of images by caption.
Values extraction(model::Model& model, const train::Losses& losses, const Request& request);

// A judge: a field with classes, and the weights of an extractor with "logits" for them.
using Judge = std::pair<std::string, std::string>;

// Samples conditioned on the dataset's first samples, and for each judge the fraction in which it sees the class that the
// dataset says; then the fraction in which all judges do.
Values agreement(model::Model& model, const Request& request, const std::vector<Judge>& judges);

// The denoiser's error over noise levels, whole log SNRs from -10 to 10 as far as the schedule goes: each sample at
// every level with one noise, its own, so that two runs of one seed are compared on the same. Conditions are the
// data's, none dropped, without guidance. Of a schedule or a parameterization the curve does not depend, but for what
// was learnt.
Found denoising(model::Model& model, const Request& request);

}  // namespace perrin::evaluate
