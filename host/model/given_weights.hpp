// Parameters that start from a safetensors file: the key `weights` of a component.
#pragma once

#include "host/model/model.hpp"
#include "host/store/safetensors.hpp"

namespace perrin::model {

// Before a component's name: who reads a file of weights, among the files that a run reads.
inline constexpr const char* kGivenWeights = "weights of ";

// In Model::given: what a conditioner learnt beside its parameters is given too.
std::string state_key(const std::string& conditioner);

// Fills every component whose table names a file, after build_parameters. The file has each parameter and buffer by the
// name that the component declares, behind one prefix or none, in any floating dtype, products split as in diffusers or
// not; and, of what `perrin weights export` writes, a learnt state and the latent's statistics. A schema with its own
// `weights` leaves only such exports to the host. Throws Diagnostics, at the key, that list what is missing,
// unexpected, misshapen or not finite.
void give_weights(Model& model, const config::Loaded& loaded, const NamedComponents& more = {});

// Throws Error that names each component that sampling needs and that has parameters no file gave: before sampling a
// model that was never trained. conditioned: are conditioners needed?
void check_given(const Model& model, bool conditioned);

// The component whose parameters a group has, such as "denoiser" or "loss.first-stage.adversarial"; null if there is
// none.
const config::Component* component_of(const Model& model, const std::string& group);

// What `perrin weights export` writes of one group of parameters. Throws Error for a dtype that files do not hold.
void write_weights(const std::filesystem::path& file, const Model& model, const ParameterGroup& group,
                   store::Metadata metadata);

}  // namespace perrin::model
