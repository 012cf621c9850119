#include "host/app/commands.hpp"

namespace perrin::app {

Command weights_export_options() {
  Command c("weights export", {"RUN", "FILE"},
            "Write the averaged weights of one component of a run as safetensors, with what other runs need to open "
            "them.",
            "perrin weights export results/fashion-classifier/RUN fashion.safetensors");
  c.add("component", text("NAME")->default_value("extractor"),
        "extractor, encoder, denoiser, conditioner or conditioner.NAME, weighting, or loss.STAGE.NAME");
  c.add_checkpoint();
  return c;
}

Command weights_inspect_options() {
  return {"weights inspect",
          {"FILE"},
          "List the tensors and the metadata of a safetensors file.",
          "perrin weights inspect experiments/extractors/fashion-classifier.safetensors"};
}

}  // namespace perrin::app
