#include "host/store/file_kind.hpp"

#include <algorithm>
#include <string_view>

namespace perrin::store {
namespace {

using namespace std::string_view_literals;

// Reads tensors alone (weights_only), not what else a pickle may run.
std::string from_pytorch(const std::string& path) {
  return "convert it: python3 -c \"import sys, torch, safetensors.torch as s; d = torch.load(sys.argv[1], 'cpu', "
         "weights_only=True); d = d.get('state_dict', d); s.save_file({k: v.clone().contiguous() for k, v in d.items() "
         "if torch.is_tensor(v)}, sys.argv[2])\" " +
         path + " model.safetensors";
}

std::string from_numpy(const std::string& path) {
  return "convert it: python3 -c \"import sys, numpy, safetensors.numpy as s; d = numpy.load(sys.argv[1]); "
         "s.save_file({k: d[k] for k in d} if hasattr(d, 'files') else {'w': d}, sys.argv[2])\" " +
         path + " model.safetensors";
}

const std::string kOtherExport = "save the model as safetensors with the program that wrote it";

FileKind zip_kind(std::string_view begin, const std::string& path) {
  if (begin.find(".npy") != begin.npos) return {"NumPy's archive (.npz)", from_numpy(path)};
  if (begin.find("data.pkl") != begin.npos || begin.find("constants.pkl") != begin.npos)
    return {"a file of PyTorch (torch.save), a zip of pickles", from_pytorch(path)};
  return {"a zip archive", "unpack it, and name the safetensors file in it"};
}

}  // namespace

FileKind kind_of(std::span<const std::byte> file, const std::string& path) {
  const std::string_view begin(reinterpret_cast<const char*>(file.data()), std::min<size_t>(file.size(), 1024));
  const auto is = [&](std::string_view magic) { return begin.starts_with(magic); };
  if (is("PK\3\4")) return zip_kind(begin, path);
  if (begin.size() > 1 && begin[0] == '\x80' && begin[1] >= 2 && begin[1] <= 5)
    return {"a pickle, such as torch.save wrote before PyTorch 1.6", from_pytorch(path)};
  if (is("version https://git-lfs"))
    return {"a pointer of Git LFS: the weights themselves were not downloaded", "run `git lfs pull` in its folder"};
  if (is("\x93NUMPY")) return {"an array of NumPy (.npy)", from_numpy(path)};
  if (is("\x89HDF\r\n")) return {"an HDF5 file, such as Keras writes", kOtherExport};
  if (is("GGUF")) return {"a file of llama.cpp (GGUF)", kOtherExport};
  if (is("\x1f\x8b")) return {"compressed by gzip", "unpack it first"};
  if (begin.size() > 262 && begin.substr(257, 5) == "ustar") return {"a tar archive", "unpack it first"};
  if (is("<!DOCTYPE") || is("<!doctype") || is("<html"))
    return {"a web page: the download did not give the file", "download it again, if need be after logging in there"};
  if (is("{") || is("\xef\xbb\xbf{")) return {"JSON", "name the weights beside it"};
  return {};
}

}  // namespace perrin::store
