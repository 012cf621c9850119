// Tensors in and out by DLPack, and who frees what.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/dlpack.h>
#include <ATen/ops/arange.h>

#include "perrin/host/torch.h"
#include "tests/abi/plugins/common.hpp"

namespace perrin::test {
namespace {

const perrin_host_tensor& api() { return service<perrin_host_tensor>(PERRIN_HOST_TENSOR); }

// Memory of a plugin's own, with a count of how often its deleter ran.
struct Foreign {
  std::vector<float> values{1, 2, 3, 4, 5, 6};
  std::vector<int64_t> sizes{2, 3};
  int deleted = 0;
  DLManagedTensorVersioned managed = {};

  Foreign() {
    managed.version = {DLPACK_MAJOR_VERSION, DLPACK_MINOR_VERSION};
    managed.manager_ctx = this;
    managed.deleter = [](DLManagedTensorVersioned* self) { ++static_cast<Foreign*>(self->manager_ctx)->deleted; };
    managed.dl_tensor = {values.data(), {kDLCPU, 0}, 2, {kDLFloat, 32, 1}, sizes.data(), nullptr, 0};
  }
};

TEST(DLPack, foreign_memory_enters_without_a_copy_and_is_freed_with_its_last_reference) {
  Balance balance;
  Foreign foreign;
  perrin_tensor* tensor = nullptr;
  ASSERT_EQ(outcome(api().from_dlpack(&foreign.managed, &tensor)), "");
  EXPECT_EQ(api().rank(tensor), 2u);
  EXPECT_EQ(api().size(tensor, 1), 3);
  EXPECT_EQ(api().dtype(tensor), PERRIN_FLOAT32);
  EXPECT_EQ(api().data(tensor), foreign.values.data());
  api().retain(tensor);
  api().release(tensor);
  EXPECT_EQ(foreign.deleted, 0);
  api().release(tensor);
  EXPECT_EQ(foreign.deleted, 1);
}

TEST(DLPack, what_is_refused_stays_the_callers) {
  Balance balance;
  Foreign foreign;
  perrin_tensor* tensor = nullptr;
  foreign.managed.version.major = 99;
  EXPECT_EQ(outcome(api().from_dlpack(&foreign.managed, &tensor)),
            "4: DLPack major version 99; this host reads version 1");
  foreign.managed.version.major = DLPACK_MAJOR_VERSION;
  foreign.managed.dl_tensor.ndim = 9;
  EXPECT_EQ(outcome(api().from_dlpack(&foreign.managed, &tensor)), "4: rank 9 is not in 0..8");
  foreign.managed.dl_tensor.ndim = 2;
  foreign.managed.dl_tensor.dtype = {kDLFloat, 32, 4};
  EXPECT_NE(outcome(api().from_dlpack(&foreign.managed, &tensor)), "");
  EXPECT_EQ(outcome(api().from_dlpack(nullptr, &tensor)), "6: no DLPack tensor was given");
  EXPECT_EQ(foreign.deleted, 0) << "ownership passed although it failed";
  EXPECT_EQ(tensor, nullptr);
}

TEST(DLPack, a_tensor_that_left_lives_until_its_deleter_is_called) {
  Balance balance;
  perrin_tensor* tensor = nullptr;
  const int64_t sizes[] = {2, 2};
  ASSERT_EQ(outcome(api().create(PERRIN_FLOAT64, 2, sizes, &tensor)), "");
  auto* data = static_cast<double*>(api().data(tensor));
  for (int i = 0; i < 4; ++i) data[i] = i;
  const auto storage = services::unwrap(tensor).storage();
  const auto references = storage.use_count();
  DLManagedTensorVersioned* managed = nullptr;
  ASSERT_EQ(outcome(api().to_dlpack(tensor, &managed)), "");
  api().release(tensor);
  EXPECT_EQ(managed->dl_tensor.data, data);
  EXPECT_EQ(managed->dl_tensor.ndim, 2);
  EXPECT_EQ(managed->dl_tensor.dtype.bits, 64);
  EXPECT_EQ(static_cast<double*>(managed->dl_tensor.data)[3], 3);
  EXPECT_EQ(storage.use_count(), references) << "kept by DLPack instead of the box";
  managed->deleter(managed);
  EXPECT_EQ(storage.use_count(), references - 1);
}

TEST(DLPack, a_tensor_that_needs_gradients_is_refused) {
  const auto tensor = services::wrap(at::arange(3.0, at::kDouble).set_requires_grad(true));
  DLManagedTensorVersioned* managed = nullptr;
  EXPECT_EQ(outcome(api().to_dlpack(tensor.get(), &managed)),
            "4: DLPack carries no gradients: detach the tensor first (aten::detach)");
  EXPECT_EQ(managed, nullptr);
}

TEST(Tensor, is_created_in_every_dtype_and_refused_in_others) {
  Balance balance;
  const int64_t sizes[] = {3};
  for (uint32_t dtype : {PERRIN_UINT8, PERRIN_INT32, PERRIN_INT64, PERRIN_FLOAT16, PERRIN_FLOAT32, PERRIN_FLOAT64,
                         PERRIN_BOOL, PERRIN_BFLOAT16}) {
    perrin_tensor* tensor = nullptr;
    ASSERT_EQ(outcome(api().create(dtype, 1, sizes, &tensor)), "");
    EXPECT_EQ(api().dtype(tensor), dtype);
    EXPECT_EQ(api().stride(tensor, 0), 1);
    EXPECT_NE(api().data(tensor), nullptr);
    api().release(tensor);
  }
  perrin_tensor* tensor = nullptr;
  EXPECT_EQ(outcome(api().create(99, 1, sizes, &tensor)), "4: there is no dtype number 99");
  EXPECT_EQ(outcome(api().create(PERRIN_FLOAT32, 9, sizes, &tensor)), "4: rank 9 is above 8");
  const int64_t negative[] = {-1};
  EXPECT_NE(outcome(api().create(PERRIN_FLOAT32, 1, negative, &tensor)), "");
  EXPECT_EQ(tensor, nullptr);
  api().release(nullptr);
}

TEST(Tensor, a_box_wraps_and_unwraps_the_same_tensor_for_tier_b) {
  Balance balance;
  const auto* host = services::native_host();
  const auto& torch =
      *static_cast<const perrin_host_torch*>(host->get_extension(host, services::text(PERRIN_HOST_TORCH)));
  const at::Tensor x = at::arange(3.0);
  perrin_tensor* box = torch.wrap(&x);
  EXPECT_TRUE(static_cast<at::Tensor*>(torch.unwrap(box))->is_same(x));
  api().release(box);
}

}  // namespace
}  // namespace perrin::test
