// The services' tables, one per file beside this. Internal to host/services.
#pragma once

#include "perrin/host/artifact.h"
#include "perrin/host/autograd.h"
#include "perrin/host/config.h"
#include "perrin/host/extractor.h"
#include "perrin/host/image.h"
#include "perrin/host/lincomb.h"
#include "perrin/host/log.h"
#include "perrin/host/op.h"
#include "perrin/host/progress.h"
#include "perrin/host/rng.h"
#include "perrin/host/tensor.h"
#include "perrin/host/torch.h"
#include "perrin/host/weights.h"

namespace perrin::services {

extern const perrin_host_artifact artifact_table;
extern const perrin_host_autograd autograd_table;
extern const perrin_host_config config_table;
extern const perrin_host_extractor extractor_table;
extern const perrin_host_image image_table;
extern const perrin_host_lincomb lincomb_table;
extern const perrin_host_log log_table;
extern const perrin_host_op op_table;
extern const perrin_host_progress progress_table;
extern const perrin_host_rng rng_table;
extern const perrin_host_tensor tensor_table;
extern const perrin_host_torch torch_table;
extern const perrin_host_weights weights_table;

perrin_status* to_dlpack(perrin_tensor* tensor, DLManagedTensorVersioned** managed);
perrin_status* from_dlpack(DLManagedTensorVersioned* managed, perrin_tensor** tensor);

}  // namespace perrin::services
