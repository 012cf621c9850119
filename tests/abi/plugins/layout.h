/* Where every field of the plugin ABI lies, frozen for ABI major 1 on 64-bit machines. A field may be added at a table's end,
 * with a new line here; no line may change. Compiled as C11 and as C++20. */
#include "perrin/abi.h"
#include "perrin/host/artifact.h"
#include "perrin/host/autograd.h"
#include "perrin/host/config.h"
#include "perrin/host/lincomb.h"
#include "perrin/host/log.h"
#include "perrin/host/op.h"
#include "perrin/host/params.h"
#include "perrin/host/progress.h"
#include "perrin/host/rng.h"
#include "perrin/host/tensor.h"
#include "perrin/host/torch.h"
#include "perrin/kind/conditioner.h"
#include "perrin/kind/dataset.h"
#include "perrin/kind/denoiser.h"
#include "perrin/kind/encoder.h"
#include "perrin/kind/guidance.h"
#include "perrin/kind/loss.h"
#include "perrin/kind/parameterization.h"
#include "perrin/kind/sampler.h"
#include "perrin/kind/schedule.h"
#include "perrin/kind/timesteps.h"
#include "perrin/kind/weighting.h"

#define SIZE(type, bytes) PERRIN_STATIC_ASSERT(sizeof(type) == (bytes), "size of " #type);
#define AT(type, field, offset) PERRIN_STATIC_ASSERT(offsetof(type, field) == (offset), "offset of " #type "::" #field);

/* abi.h */
SIZE(perrin_text, 16)
AT(perrin_text, data, 0)
AT(perrin_text, size, 8)
SIZE(perrin_host, 56)
AT(perrin_host, struct_size, 0)
AT(perrin_host, abi_major, 4)
AT(perrin_host, abi_minor, 8)
AT(perrin_host, reserved, 12)
AT(perrin_host, get_extension, 16)
AT(perrin_host, status_new, 24)
AT(perrin_host, status_free, 32)
AT(perrin_host, status_code, 40)
AT(perrin_host, status_message, 48)
SIZE(perrin_key, 136)
AT(perrin_key, struct_size, 0)
AT(perrin_key, type, 4)
AT(perrin_key, flags, 8)
AT(perrin_key, n_choices, 12)
AT(perrin_key, name, 16)
AT(perrin_key, default_value, 32)
AT(perrin_key, min, 48)
AT(perrin_key, max, 56)
AT(perrin_key, choices, 64)
AT(perrin_key, unit, 72)
AT(perrin_key, doc, 88)
AT(perrin_key, since, 104)
AT(perrin_key, alias, 120)
SIZE(perrin_component, 120)
AT(perrin_component, struct_size, 0)
AT(perrin_component, n_keys, 4)
AT(perrin_component, id, 8)
AT(perrin_component, version, 24)
AT(perrin_component, doc, 40)
AT(perrin_component, aliases, 56)
AT(perrin_component, keys, 72)
AT(perrin_component, table, 80)
AT(perrin_component, validate, 88)
AT(perrin_component, create, 96)
AT(perrin_component, destroy, 104)
AT(perrin_component, get_extension, 112)
SIZE(perrin_factory, 16)
AT(perrin_factory, struct_size, 0)
AT(perrin_factory, n_components, 4)
AT(perrin_factory, components, 8)
SIZE(perrin_fingerprint, 104)
AT(perrin_fingerprint, torch, 0)
AT(perrin_fingerprint, sdk, 32)
AT(perrin_fingerprint, compiler, 48)
AT(perrin_fingerprint, gxx_abi, 80)
AT(perrin_fingerprint, cxx11_abi, 84)
AT(perrin_fingerprint, cplusplus, 88)
AT(perrin_fingerprint, cuda_major, 92)
AT(perrin_fingerprint, sizeof_tensor_impl, 96)
AT(perrin_fingerprint, sizeof_module, 100)
SIZE(perrin_note, 120)
AT(perrin_note, abi_major, 0)
AT(perrin_note, min_minor, 4)
AT(perrin_note, tier, 8)
AT(perrin_note, reserved, 12)
AT(perrin_note, fingerprint, 16)
SIZE(perrin_entry_table, 152)
AT(perrin_entry_table, magic, 0)
AT(perrin_entry_table, struct_size, 4)
AT(perrin_entry_table, note, 8)
AT(perrin_entry_table, init, 128)
AT(perrin_entry_table, deinit, 136)
AT(perrin_entry_table, get_factory, 144)
SIZE(perrin_elf_note, 140)
AT(perrin_elf_note, name_size, 0)
AT(perrin_elf_note, payload_size, 4)
AT(perrin_elf_note, type, 8)
AT(perrin_elf_note, name, 12)
AT(perrin_elf_note, payload, 20)

/* host/artifact.h */
SIZE(perrin_host_artifact, 16)
AT(perrin_host_artifact, struct_size, 0)
AT(perrin_host_artifact, reserved, 4)
AT(perrin_host_artifact, find, 8)

/* host/autograd.h */
SIZE(perrin_backward, 32)
AT(perrin_backward, struct_size, 0)
AT(perrin_backward, reserved, 4)
AT(perrin_backward, context, 8)
AT(perrin_backward, backward, 16)
AT(perrin_backward, free, 24)
SIZE(perrin_host_autograd, 24)
AT(perrin_host_autograd, struct_size, 0)
AT(perrin_host_autograd, reserved, 4)
AT(perrin_host_autograd, grad, 8)
AT(perrin_host_autograd, custom_grad, 16)

/* host/config.h */
SIZE(perrin_host_config, 64)
AT(perrin_host_config, struct_size, 0)
AT(perrin_host_config, reserved, 4)
AT(perrin_host_config, get_boolean, 8)
AT(perrin_host_config, get_integer, 16)
AT(perrin_host_config, get_number, 24)
AT(perrin_host_config, get_string, 32)
AT(perrin_host_config, get_integers, 40)
AT(perrin_host_config, get_numbers, 48)
AT(perrin_host_config, get_strings, 56)

/* host/lincomb.h */
SIZE(perrin_host_lincomb, 16)
AT(perrin_host_lincomb, struct_size, 0)
AT(perrin_host_lincomb, reserved, 4)
AT(perrin_host_lincomb, lincomb, 8)

/* host/log.h */
SIZE(perrin_host_log, 16)
AT(perrin_host_log, struct_size, 0)
AT(perrin_host_log, reserved, 4)
AT(perrin_host_log, write, 8)

/* host/op.h */
SIZE(perrin_argument, 40)
AT(perrin_argument, name, 0)
AT(perrin_argument, tag, 16)
AT(perrin_argument, n, 20)
AT(perrin_argument, value, 24)
SIZE(perrin_host_op, 24)
AT(perrin_host_op, struct_size, 0)
AT(perrin_host_op, reserved, 4)
AT(perrin_host_op, find, 8)
AT(perrin_host_op, call, 16)

/* host/params.h */
SIZE(perrin_param, 136)
AT(perrin_param, struct_size, 0)
AT(perrin_param, role, 4)
AT(perrin_param, name, 8)
AT(perrin_param, dtype, 24)
AT(perrin_param, rank, 28)
AT(perrin_param, sizes, 32)
AT(perrin_param, init, 96)
AT(perrin_param, no_decay, 100)
AT(perrin_param, init_a, 104)
AT(perrin_param, given, 112)
AT(perrin_param, tie_to, 120)
SIZE(perrin_param_sink, 24)
AT(perrin_param_sink, struct_size, 0)
AT(perrin_param_sink, reserved, 4)
AT(perrin_param_sink, context, 8)
AT(perrin_param_sink, declare, 16)
SIZE(perrin_params, 24)
AT(perrin_params, struct_size, 0)
AT(perrin_params, reserved, 4)
AT(perrin_params, declare, 8)
AT(perrin_params, bind, 16)
SIZE(perrin_call, 32)
AT(perrin_call, struct_size, 0)
AT(perrin_call, training, 4)
AT(perrin_call, seed, 8)
AT(perrin_call, step, 16)
AT(perrin_call, n, 20)
AT(perrin_call, samples, 24)

/* host/progress.h */
SIZE(perrin_host_progress, 24)
AT(perrin_host_progress, struct_size, 0)
AT(perrin_host_progress, reserved, 4)
AT(perrin_host_progress, report, 8)
AT(perrin_host_progress, cancelled, 16)

/* host/rng.h */
SIZE(perrin_stream, 16)
AT(perrin_stream, seed, 0)
AT(perrin_stream, purpose, 8)
AT(perrin_stream, step, 12)
SIZE(perrin_host_rng, 40)
AT(perrin_host_rng, struct_size, 0)
AT(perrin_host_rng, reserved, 4)
AT(perrin_host_rng, bits, 8)
AT(perrin_host_rng, uniform, 16)
AT(perrin_host_rng, uniform_double, 24)
AT(perrin_host_rng, normal, 32)

/* host/tensor.h */
SIZE(perrin_spec, 88)
AT(perrin_spec, name, 0)
AT(perrin_spec, dtype, 16)
AT(perrin_spec, rank, 20)
AT(perrin_spec, sizes, 24)
SIZE(perrin_named_tensor, 24)
AT(perrin_named_tensor, name, 0)
AT(perrin_named_tensor, tensor, 16)
SIZE(perrin_host_tensor, 88)
AT(perrin_host_tensor, struct_size, 0)
AT(perrin_host_tensor, reserved, 4)
AT(perrin_host_tensor, retain, 8)
AT(perrin_host_tensor, release, 16)
AT(perrin_host_tensor, dtype, 24)
AT(perrin_host_tensor, rank, 32)
AT(perrin_host_tensor, size, 40)
AT(perrin_host_tensor, stride, 48)
AT(perrin_host_tensor, data, 56)
AT(perrin_host_tensor, create, 64)
AT(perrin_host_tensor, to_dlpack, 72)
AT(perrin_host_tensor, from_dlpack, 80)

/* host/torch.h */
SIZE(perrin_host_torch, 24)
AT(perrin_host_torch, struct_size, 0)
AT(perrin_host_torch, reserved, 4)
AT(perrin_host_torch, wrap, 8)
AT(perrin_host_torch, unwrap, 16)

/* kind/conditioner.h */
SIZE(perrin_conditioning, 32)
AT(perrin_conditioning, struct_size, 0)
AT(perrin_conditioning, reserved, 4)
AT(perrin_conditioning, vector, 8)
AT(perrin_conditioning, sequence, 16)
AT(perrin_conditioning, concat, 24)
SIZE(perrin_conditioning_spec, 272)
AT(perrin_conditioning_spec, struct_size, 0)
AT(perrin_conditioning_spec, slots, 4)
AT(perrin_conditioning_spec, vector, 8)
AT(perrin_conditioning_spec, sequence, 96)
AT(perrin_conditioning_spec, concat, 184)
SIZE(perrin_conditioner, 32)
AT(perrin_conditioner, struct_size, 0)
AT(perrin_conditioner, reserved, 4)
AT(perrin_conditioner, infer, 8)
AT(perrin_conditioner, drop_probability, 16)
AT(perrin_conditioner, encode, 24)

/* kind/dataset.h */
SIZE(perrin_field, 120)
AT(perrin_field, struct_size, 0)
AT(perrin_field, reserved, 4)
AT(perrin_field, spec, 8)
AT(perrin_field, scale, 96)
AT(perrin_field, offset, 104)
AT(perrin_field, n_classes, 112)
SIZE(perrin_dataset, 32)
AT(perrin_dataset, struct_size, 0)
AT(perrin_dataset, reserved, 4)
AT(perrin_dataset, fields, 8)
AT(perrin_dataset, count, 16)
AT(perrin_dataset, read, 24)
SIZE(perrin_exact_denoiser, 24)
AT(perrin_exact_denoiser, struct_size, 0)
AT(perrin_exact_denoiser, reserved, 4)
AT(perrin_exact_denoiser, posterior_mean, 8)
AT(perrin_exact_denoiser, moments, 16)

/* kind/denoiser.h */
SIZE(perrin_denoiser, 24)
AT(perrin_denoiser, struct_size, 0)
AT(perrin_denoiser, reserved, 4)
AT(perrin_denoiser, infer, 8)
AT(perrin_denoiser, forward, 16)

/* kind/encoder.h */
SIZE(perrin_encoder, 32)
AT(perrin_encoder, struct_size, 0)
AT(perrin_encoder, reserved, 4)
AT(perrin_encoder, infer, 8)
AT(perrin_encoder, encode, 16)
AT(perrin_encoder, decode, 24)

/* kind/guidance.h */
SIZE(perrin_guidance, 24)
AT(perrin_guidance, struct_size, 0)
AT(perrin_guidance, reserved, 4)
AT(perrin_guidance, branches, 8)
AT(perrin_guidance, combine, 16)

/* kind/loss.h */
SIZE(perrin_loss, 16)
AT(perrin_loss, struct_size, 0)
AT(perrin_loss, reserved, 4)
AT(perrin_loss, compute, 8)

/* kind/parameterization.h */
SIZE(perrin_coefficients, 48)
AT(perrin_coefficients, c_in, 0)
AT(perrin_coefficients, c_noise, 8)
AT(perrin_coefficients, c_skip, 16)
AT(perrin_coefficients, c_out, 24)
AT(perrin_coefficients, target_x0, 32)
AT(perrin_coefficients, target_noise, 40)
SIZE(perrin_parameterization, 16)
AT(perrin_parameterization, struct_size, 0)
AT(perrin_parameterization, reserved, 4)
AT(perrin_parameterization, coefficients, 8)

/* kind/sampler.h */
SIZE(perrin_sampling, 48)
AT(perrin_sampling, struct_size, 0)
AT(perrin_sampling, n_steps, 4)
AT(perrin_sampling, times, 8)
AT(perrin_sampling, context, 16)
AT(perrin_sampling, denoise, 24)
AT(perrin_sampling, lincomb, 32)
AT(perrin_sampling, time_at, 40)
SIZE(perrin_sampler, 16)
AT(perrin_sampler, struct_size, 0)
AT(perrin_sampler, reserved, 4)
AT(perrin_sampler, sample, 8)

/* kind/schedule.h */
SIZE(perrin_time, 24)
AT(perrin_time, t, 0)
AT(perrin_time, alpha, 8)
AT(perrin_time, sigma, 16)
SIZE(perrin_time_domain, 24)
AT(perrin_time_domain, t_min, 0)
AT(perrin_time_domain, t_max, 8)
AT(perrin_time_domain, steps, 16)
SIZE(perrin_schedule, 32)
AT(perrin_schedule, struct_size, 0)
AT(perrin_schedule, reserved, 4)
AT(perrin_schedule, domain, 8)
AT(perrin_schedule, marginal, 16)
AT(perrin_schedule, t_of_log_snr, 24)

/* kind/timesteps.h */
SIZE(perrin_timesteps, 16)
AT(perrin_timesteps, struct_size, 0)
AT(perrin_timesteps, reserved, 4)
AT(perrin_timesteps, draw, 8)

/* kind/weighting.h */
SIZE(perrin_weighting, 16)
AT(perrin_weighting, struct_size, 0)
AT(perrin_weighting, reserved, 4)
AT(perrin_weighting, weight, 8)
