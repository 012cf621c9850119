// TorchScript files that would do something are refused before any of it happens. Each is made here, so that what it
// tries can be read; LibTorch's own reader runs the first ones, which shows that they are what they seem.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>
#include <caffe2/serialize/inline_container.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <torch/csrc/jit/serialization/import.h>

#include <fstream>

#include "host/base/error.hpp"
#include "tests/unit/extractors/opened.hpp"

namespace perrin::testing {
namespace {

using namespace std::string_literals;

// What a pickle says: an object of class __torch__.M with `training` and more attributes.
std::string key(const std::string& name) { return "X"s + static_cast<char>(name.size()) + "\0\0\0"s + name; }
std::string object(const std::string& more = "") {
  return "\x80\x02"
         "c__torch__\nM\nq\0)\x81}("s +
         key("training") + "\x89"s + more + "ub."s;
}
// ("storage", torch.FloatStorage, key, "cpu", numel) and a tensor over it.
std::string tensor(const std::string& offset, const std::string& size, const std::string& stride) {
  return "ctorch._utils\n_rebuild_tensor_v2\n(("s + key("storage") + "ctorch\nFloatStorage\n"s + key("0") + key("cpu") +
         "K\x01tQ"s + offset + "(" + size + "t(" + stride +
         "t\x89"
         "ccollections\nOrderedDict\n)RtR"s;
}

class Hostile : public ::testing::Test {
 protected:
  // A file with this method, __torch__.py and data.pkl.
  std::string file(const std::string& code, const std::string& pickle = object()) {
    const std::string path = folder.path / "net.pt", none = "\x80\x02).", four(4, '\0');
    caffe2::serialize::PyTorchStreamWriter writer(path);
    const auto add = [&](const char* name, const std::string& bytes, bool packed = false) {
      writer.writeRecord(name, bytes.data(), bytes.size(), packed);
    };
    add("data.pkl", pickle);
    add("code/__torch__.py", code, true);
    add("constants.pkl", none);
    add("data/0", four);
    writer.writeEndOfFile();
    return path;
  }
  // With a module whose forward has these lines.
  std::string net(const std::string& body, const std::string& more = "") {
    return file(
        "class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n"
        "  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n" +
        body + "    return x\n" + more);
  }
  std::string refused(const std::string& path) {
    return refusal([&] { Opened("torchscript", path, spec({3, 4, 5})); });
  }
  // Refused for `part`, with the file's name, and nothing was written.
  void expect_refused(const std::string& path, const std::string& part) {
    const std::string said = refused(path);
    EXPECT_NE(said.find(part), std::string::npos) << said;
    EXPECT_NE(said.find("net.pt"), std::string::npos) << said;
    EXPECT_FALSE(std::filesystem::exists(target));
  }

  Folder folder;
  std::filesystem::path target = folder.path / "target";
  std::string quoted = "\"" + target.string() + "\"";
  std::string write = "    t = torch.from_file(" + quoted +
                      ", True, 4)\n    torch.copy_(t, torch.ones([4]))\n"
                      "    n = torch.sum(t)\n";
};

TEST_F(Hostile, what_it_computes_is_read) {
  EXPECT_EQ(refused(net("    x = torch.mul(x, 2)\n")), "accepted");
  const at::NoGradGuard no_grad;
  const auto x = at::randn({2, 3, 4, 5});
  EXPECT_TRUE(Opened("torchscript", net("    x = torch.mul(x, 2)\n"), spec({3, 4, 5}))(x)[0].equal(x.mul(2)));
}

TEST_F(Hostile, files_that_it_would_write_stay_unwritten) {
  auto module = torch::jit::load(net(write + "    x = torch.mul(x, n)\n"));
  module.forward({at::randn({1, 3, 4, 5})});
  ASSERT_TRUE(std::filesystem::remove(target)) << "the attack is none";
  expect_refused(net(write + "    x = torch.mul(x, n)\n"), "it uses aten::from_file (code/__torch__.py:7)");
  expect_refused(net("    torch.save(x, " + quoted + ")\n"), "it uses aten::save");
  expect_refused(net("", "  def other(self: __torch__.M) -> Tensor:\n" + write + "    return t\n"), "aten::from_file");
  expect_refused(net("    ops.aten.save(x, " + quoted + ")\n"), "aten::save");
}

TEST_F(Hostile, what_runs_while_a_file_is_read_is_refused) {
  const std::string state = "  def __setstate__(self: __torch__.M,\n    state: bool) -> NoneType:\n" + write +
                            "    if bool(torch.eq(n, 4)):\n      self.training = state\n    else:\n"
                            "      self.training = state\n    return None\n"
                            "  def __getstate__(self: __torch__.M) -> bool:\n    return self.training\n";
  const std::string path = file(
      "class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n"
      "  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    return x\n" +
          state,
      "\x80\x02"
      "c__torch__\nM\nq\0)\x81\x89"
      "b."s);
  torch::jit::load(path);
  ASSERT_TRUE(std::filesystem::remove(target)) << "the attack is none";
  expect_refused(path, "__setstate__");
}

TEST_F(Hostile, operators_beyond_arithmetic_are_named) {
  for (const char* call :
       {"torch.manual_seed(1)", "ops.prim.TimePoint()", "torch.set_data(x, x)", "torch.backward(x)",
        "ops.profiler._record_function_enter(\"a\")", "torch.set_(x, x)", "torch.seed()",
        "ops.quantized.cat([x], 1., 0)", "torch.dequantize(torch._make_per_tensor_quantized_tensor(x, 1., 0))",
        "torch.wait(fork(self.inner, x))", "torch.to_dense(ops.aten._sparse_coo_tensor_unsafe(x, x, [1]))"}) {
    // LibTorch drops what only computes and is not used.
    const bool used = "torch.dequantize torch.to_dense"s.find(std::string(call).substr(0, 14)) != std::string::npos;
    const std::string said = refused(net("    y = "s + call + "\n" + (used ? "    x = torch.mul(x, y)\n" : ""),
                                         "  def inner(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    return x\n"));
    EXPECT_NE(said, "accepted") << call;
    std::printf("%s: %s\n", call, said.c_str());
  }
}

TEST_F(Hostile, what_it_would_print_is_left_out) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(refused(net("    print(\"boo\")\n    torch.warn(\"boo\", 2)\n")), "accepted");
  EXPECT_EQ(::testing::internal::GetCapturedStdout() + ::testing::internal::GetCapturedStderr(), "");
}

TEST_F(Hostile, random_numbers_and_loops_without_end_stop_it) {
  expect_refused(net("    x = torch.mul(x, torch.rand([1]))\n"), "draws random numbers");
  expect_refused(net("    x = torch.dropout(x, 0.5, True)\n"), "draws random numbers");
  EXPECT_EQ(refused(net("    x = torch.dropout(x, 0.5, self.training)\n")), "accepted");
  expect_refused(net("    while True:\n      x = torch.mul(x, 1)\n"), "its loops do not end");
  expect_refused(net("    for i in range(1000000000000):\n      x = torch.mul(x, 1)\n"), "its loops do not end");
  EXPECT_EQ(refused(net("    for i in range(1000):\n      x = torch.mul(x, 1)\n")), "accepted");
}

TEST_F(Hostile, code_that_grows_when_it_is_compiled_is_refused) {
  std::string calls = "  def f0(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    return torch.mul(x, 1)\n";
  for (int i = 1; i < 60; ++i) {
    const std::string before = "(self).f" + std::to_string(i - 1);
    calls += "  def f" + std::to_string(i) + "(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    return " + before +
             "(" + before + "(x))\n";
  }
  expect_refused(net("    x = (self).f59(x)\n", calls), "more than 1000000 operations");
  expect_refused(net("    for a in [x, x]:\n      x = a\n"), "it loops over something else than a range");
  expect_refused(net("    y = " + std::string(100'000, '(') + "1" + std::string(100'000, ')') + "\n"), "nested");
  std::string sum = "1";
  for (int i = 0; i < 100'000; ++i) sum += "+1";
  expect_refused(net("    y = " + sum + "\n"), "nested");
  expect_refused(net("    y = " + std::string(100'000, '-') + "1\n"), "nested");
  expect_refused(net("", "# " + std::string(20'000'000, ' ') + "\n"), "more than");
}

TEST_F(Hostile, objects_that_are_no_data_are_refused) {
  const std::string head = "class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n  ";
  const std::string forward = "  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    return x\n";
  const auto with = [&](const std::string& declared, const std::string& value) {
    return file(head + "w : " + declared + "\n" + forward, object(key("w") + value));
  };
  const std::string one = tensor("K\0"s, "K\x01", "K\x01");
  EXPECT_EQ(refused(with("Tensor", one)), "accepted");
  expect_refused(with("Tensor", "cos\nsystem\n("s + key("true") + "tR"), "it asks for os.system");
  expect_refused(with("Tensor", "c__torch__.torch.classes.quantized\nLinearPackedParamsBase\n)\x81}b"s), "");
  expect_refused(with("Tensor", tensor("K\0"s, "K\x02", "K\x01")), "does not fit its 1 stored values");
  expect_refused(with("Tensor", tensor("K\x01", "K\x01", "K\x01")), "does not fit");
  expect_refused(with("Tensor", tensor("K\0"s, "K\x02", "J\xff\xff\xff\xff"s)), "does not fit");
  expect_refused(with("Tensor", "K\x01"), "__torch__.M.w is no Tensor");
  expect_refused(with("List[int]", "]("s + key("a") + "e"), "__torch__.M.w is no int");
  expect_refused(with("int", "K\x01r\xff\xff\xff\xff"s), "keeps what is not there");
  expect_refused(with("int", ")" + std::string(100'000, '\x85')), "nested more than 64 deep");
  expect_refused(with("List[int]",
                      "]q\x01(h\x01"
                      "e"s),
                 "closed");
  expect_refused(file(head + "w : int\n" + forward, object(key("w") + "K\x01").substr(0, 40)), "cut");
  expect_refused(file(head + "w : int\n" + forward), "lacks its attribute w");
}

TEST_F(Hostile, files_of_other_kinds_are_refused) {
  const auto path = folder.path / "net.pt";
  std::ofstream(path) << "\x80\x02.";
  expect_refused(path, "is no TorchScript file");
  std::filesystem::remove(path);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  expect_refused(path, "a pipe");
}

}  // namespace
}  // namespace perrin::testing
