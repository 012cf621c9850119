/* Kind: loss. Named tensors in, one value per sample out. */
#ifndef PERRIN_KIND_LOSS_H
#define PERRIN_KIND_LOSS_H

#include "../host/params.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERRIN_KIND_LOSS "perrin.kind.loss/1"

typedef struct perrin_loss {
  uint32_t struct_size;
  uint32_t reserved;
  /* [instance-serial] inputs: "prediction" [B, ...] with a graph, "target" [B, ...], or those of perrin.loss-inputs/1.
   * values: [B] float32 or float64, one per sample (its mean over elements), a new reference with a graph; the host
   * multiplies by weighting, importance and the term's weight, and averages over B. A plugin without LibTorch computes
   * through host/op.h. */
  perrin_status* (*compute)(void* instance, const perrin_call* call, uint32_t n_inputs,
                            const perrin_named_tensor* inputs, perrin_tensor** values);
  /* [instance-serial] Optional. Once, after create and before perrin.params/1 declares: the shapes of its inputs without the
   * batch dimension, by name, of those that have one before training: not of the encoder's outputs. */
  perrin_status* (*infer)(void* instance, uint32_t n_inputs, const perrin_spec* inputs);
} perrin_loss;
PERRIN_STATIC_ASSERT(sizeof(perrin_loss) == 24, "perrin_loss");

/* Component extension: which tensors `compute` is given, for a loss that needs others than prediction and target. Float32;
 * the host refuses an experiment that does not have them, with the reason. A name that ends in "?" is left out where the
 * composition does not have it.
 *   where diffusion or a first stage is trained
 *     "prediction" [B, ...]        what stands for the target, with a graph; of a first stage the reconstruction
 *     "target" [B, ...]            of a first stage the data
 *   where diffusion is trained
 *     "x_0" [B, ...]               the data where diffusion runs
 *     "D" [B, ...]                 what the prediction says of x_0, with a graph
 *   of a denoiser with twice the channels
 *     "variance" [B, ...]          v of 2102.09672 Eq. 15, with a graph: 1 the forward process's, -1 the posterior's
 *   of a discrete schedule, of the step from t to t - 1, which for t < 1 ends at the data
 *     "posterior_x0" [B]           coefficient of x_0 in the mean of q(x_{t-1} | x_t, x_0): 2006.11239 Eq. 7
 *     "log_variance_small" [B]     log of that distribution's variance; before t = 1 that of t = 1
 *     "log_variance_large" [B]     log of the variance of q(x_t | x_{t-1}), beta for DDPM
 *     "first_step" [B]             1 where t < 1, else 0
 *     "steps" [B]                  T
 *   where a first stage is trained (stage.train has the encoder)
 *     "x" [B, ...]                 the data, in [-1, 1]
 *     "reconstruction" [B, ...]    decode(z), with a graph
 *     "z" [B, ...]                 with a graph
 *     "last_layer"                 weight of the decoder's last layer, a leaf, of an encoder that names it
 *     "terms" []                   sum of the terms before this one in the stage, weighted, with a graph
 *     and the encoder's outputs    by their names: kind/encoder.h
 *   where an extractor is trained
 *     "x" [B, ...]                 the data, in [-1, 1]
 *     and the extractor's layers   by their names, with graphs: kind/extractor.h
 *     "condition" [B, width]       the conditioner's vector, with a graph
 *   of a classifier, a denoiser whose prediction has shape [K]: one for which every loss of the experiment takes "logits"
 *     "logits" [B, K]              with a graph
 *   of a dataset with classes
 *     "label" [B] int64            0 .. n_classes - 1 */
#define PERRIN_LOSS_INPUTS "perrin.loss-inputs/1"

#define PERRIN_LOSS_UNWEIGHTED 1u    /* the values weigh the noise levels themselves: the weighting is left out */
#define PERRIN_LOSS_VARIANCE_ONLY 2u /* nothing of a denoiser but its variance learns from it */

typedef struct perrin_loss_inputs {
  uint32_t struct_size;
  uint32_t flags; /* PERRIN_LOSS_UNWEIGHTED | PERRIN_LOSS_VARIANCE_ONLY, or 0 */
  /* [any] Their names, at least one. Static. */
  perrin_status* (*names)(void* instance, uint32_t* n, const perrin_text** names);
} perrin_loss_inputs;
PERRIN_STATIC_ASSERT(sizeof(perrin_loss_inputs) == 16, "perrin_loss_inputs");

/* A loss may have perrin.params/1. Its parameters are trained with the stage's, unless the loss is an adversary.
 * Component extension: a second player, whose parameters minimise a loss of their own (1406.2661), such as a
 * discriminator. `compute` then sees its parameters frozen, and its gradient reaches the stage's parameters alone. */
#define PERRIN_ADVERSARY "perrin.adversary/1"

typedef struct perrin_adversary {
  uint32_t struct_size;
  uint32_t reserved;
  /* [instance-serial] After `compute` of the same batch, whose inputs these are, without graphs: the second player's loss
   * [B], a new reference with a graph to the loss's own parameters. Their optimizer ([[stage.loss]] optimizer) minimises
   * its mean, one step after each of the stage's. Not called before the term's `start`. */
  perrin_status* (*oppose)(void* instance, const perrin_call* call, uint32_t n_inputs, const perrin_named_tensor* inputs,
                           perrin_tensor** values);
} perrin_adversary;
PERRIN_STATIC_ASSERT(sizeof(perrin_adversary) == 16, "perrin_adversary");

#ifdef __cplusplus
}
#endif
#endif
