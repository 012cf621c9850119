// What a TorchScript file may compute with: functions of their inputs that check their indices, and control flow.
// Nothing here opens a file, a library, a socket or a process, sets what the process shares, or trusts an index.
#pragma once

#include <set>
#include <string_view>

// Of aten; a name stands for its in-place form, too (relu, relu_).
inline const std::set<std::string_view> kScriptAten = {
    // Numbers, texts and lists of the language
    "Bool", "Complex", "Float", "FloatImplicit", "Int", "IntImplicit", "ScalarImplicit", "__and__", "__contains__",
    "__derive_index", "__getitem__", "__is__", "__isnot__", "__not__", "__or__", "__range_length", "__xor__",
    "_set_item", "Delete", "append", "clear", "copy", "count", "dict", "divmod", "extend", "factorial", "floordiv",
    "format", "get", "hash", "index", "insert", "is_scripting", "item", "items", "keys", "len", "list", "ord",
    "percentFormat", "pop", "remove", "reverse", "setdefault", "sorted", "str", "startswith", "endswith", "update",
    "values",
    // What a tensor is
    "dim", "device", "dtype", "element_size", "get_device", "is_autocast_enabled", "is_complex", "is_contiguous",
    "is_floating_point", "is_grad_enabled", "is_nonzero", "is_same_size", "is_signed", "numel", "result_type", "size",
    "storage_offset", "stride", "promote_types",
    // Tensors from numbers, and copies
    "arange", "as_tensor", "clone", "contiguous", "detach", "empty", "empty_like", "empty_strided", "expand_copy",
    "eye", "fill", "full", "full_like", "lift", "lift_fresh", "linspace", "logspace", "new_empty", "new_full",
    "new_ones", "new_zeros", "ones", "ones_like", "scalar_tensor", "tensor", "to", "_to_copy", "type_as", "zero",
    "zeros", "zeros_like", "cpu", "cuda", "alias", "data", "hann_window", "hamming_window", "blackman_window",
    "bartlett_window", "kaiser_window", "requires_grad",
    // Shapes
    "adjoint", "as_strided", "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "broadcast_tensors",
    "broadcast_to", "cat", "channel_shuffle", "chunk", "column_stack", "concat", "concatenate", "constant_pad_nd",
    "diag", "diag_embed", "diagflat", "diagonal", "dsplit", "dstack", "expand", "expand_as", "flatten", "flip",
    "fliplr", "flipud", "hsplit", "hstack", "im2col", "col2im", "mH", "mT", "matrix_H", "meshgrid", "moveaxis",
    "movedim", "narrow", "narrow_copy", "numpy_T", "pad", "permute", "pixel_shuffle", "pixel_unshuffle", "ravel",
    "reflection_pad1d", "reflection_pad2d", "reflection_pad3d", "repeat", "repeat_interleave", "replication_pad1d",
    "replication_pad2d", "replication_pad3d", "reshape", "reshape_as", "_reshape_alias", "roll", "rot90", "row_stack",
    "select", "slice", "split", "split_with_sizes", "squeeze", "stack", "swapaxes", "swapdims", "t", "tensor_split",
    "tile", "transpose", "tril", "tril_indices", "triu", "triu_indices", "unbind", "unflatten", "unfold",
    "unsafe_chunk", "unsafe_split", "unsafe_split_with_sizes", "_unsafe_view", "unsqueeze", "view", "view_as",
    "view_as_complex", "view_as_real", "vsplit", "vstack",
    // Indices
    "argwhere", "bucketize", "gather", "index_add", "index_copy", "index_fill", "index_put", "index_reduce",
    "index_select", "masked_fill", "masked_scatter", "masked_select", "nonzero", "nonzero_numpy", "one_hot", "scatter",
    "scatter_add", "scatter_reduce", "searchsorted", "take", "take_along_dim", "where", "embedding", "bincount",
    "slice_scatter", "select_scatter", "diagonal_scatter",
    // Element by element
    "abs", "absolute", "acos", "acosh", "add", "addcdiv", "addcmul", "angle", "arccos", "arcsin", "arctan", "arctan2",
    "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor",
    "bitwise_left_shift", "bitwise_right_shift", "__lshift__", "__rshift__", "ceil", "clamp", "clamp_max", "clamp_min",
    "clip", "complex", "conj", "_conj", "conj_physical", "copysign", "cos", "cosh", "deg2rad", "degrees", "digamma",
    "div", "divide", "eq", "erf", "erfc", "erfinv", "exp", "exp2", "expm1", "fabs", "float_power", "floor",
    "floor_divide", "fmax", "fmin", "fmod", "frac", "gcd", "ge", "greater", "greater_equal", "gt", "heaviside", "hypot",
    "i0", "imag", "isclose", "isfinite", "isin", "isinf", "isnan", "isneginf", "isposinf", "isreal", "lcm", "ldexp",
    "le", "lerp", "less", "less_equal", "lgamma", "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2",
    "logical_and", "logical_not", "logical_or", "logical_xor", "logit", "lt", "mathremainder", "max", "maximum", "min",
    "minimum", "mul", "multiply", "mvlgamma", "nan_to_num", "ne", "neg", "negative", "nextafter", "not_equal", "polar",
    "polygamma", "positive", "pow", "rad2deg", "radians", "real", "reciprocal", "remainder", "resolve_conj",
    "resolve_neg", "round", "rsqrt", "rsub", "sgn", "sign", "signbit", "sin", "sinc", "sinh", "special_entr",
    "special_erf", "special_expit", "special_expm1", "special_log1p", "special_log_softmax", "special_logit",
    "special_logsumexp", "special_softmax", "sqrt", "square", "sub", "subtract", "tan", "tanh", "true_divide", "trunc",
    "xlogy",
    // Over elements
    "all", "allclose", "amax", "amin", "aminmax", "any", "argmax", "argmin", "argsort", "cdist", "corrcoef",
    "cosine_similarity", "count_nonzero", "cov", "cummax", "cummin", "cumprod", "cumsum", "diff", "dist", "equal",
    "frobenius_norm", "histc", "kthvalue", "linalg_norm", "linalg_matrix_norm", "linalg_vector_norm", "logcumsumexp",
    "logsumexp", "mean", "median", "mode", "msort", "nanmean", "nanmedian", "nanquantile", "nansum", "norm",
    "norm_except_dim", "nuclear_norm", "pairwise_distance", "prod", "quantile", "renorm", "sort", "std", "std_mean",
    "sum", "sum_to_size", "topk", "trace", "trapezoid", "trapz", "unique_consecutive", "unique_dim", "_unique2", "var",
    "var_mean", "_weight_norm",
    // Matrices and Fourier transforms
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bilinear", "bmm", "chain_matmul", "cross", "det", "dot", "einsum",
    "fft_fft", "fft_fft2", "fft_fftfreq", "fft_fftn", "fft_fftshift", "fft_ifft", "fft_ifft2", "fft_ifftn",
    "fft_ifftshift", "fft_irfft", "fft_irfft2", "fft_irfftn", "fft_rfft", "fft_rfft2", "fft_rfftfreq", "fft_rfftn",
    "ger", "inner", "inverse", "kron", "linalg_cross", "linalg_det", "linalg_inv", "linalg_matmul", "linalg_matrix_exp",
    "linalg_matrix_power", "linalg_multi_dot", "linalg_qr", "linalg_solve", "linalg_svd", "linalg_vecdot", "linear",
    "logdet", "matmul", "matrix_exp", "matrix_power", "mm", "mv", "outer", "stft", "istft", "tensordot", "vdot",
    // Layers
    "_convolution", "_convolution_mode", "_native_multi_head_attention", "_upsample_bicubic2d_aa",
    "_upsample_bilinear2d_aa", "_upsample_nearest_exact1d", "_upsample_nearest_exact2d", "_upsample_nearest_exact3d",
    "_softmax", "_log_softmax", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d",
    "_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d",
    "affine_grid_generator", "avg_pool1d", "avg_pool2d", "avg_pool3d", "batch_norm", "celu", "conv1d", "conv2d",
    "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "convolution", "elu", "gelu", "glu",
    "grid_sampler", "grid_sampler_2d", "grid_sampler_3d", "group_norm", "hardshrink", "hardsigmoid", "hardswish",
    "hardtanh", "instance_norm", "layer_norm", "leaky_relu", "log_sigmoid", "log_softmax", "max_pool1d",
    "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices", "max_pool3d", "max_pool3d_with_indices", "mish",
    "native_batch_norm", "native_group_norm", "native_layer_norm", "prelu", "relu", "relu6", "rms_norm",
    "scaled_dot_product_attention", "selu", "sigmoid", "silu", "softmax", "softplus", "softshrink", "threshold",
    "upsample_bicubic2d", "upsample_bilinear2d", "upsample_linear1d", "upsample_nearest1d", "upsample_nearest2d",
    "upsample_nearest3d", "upsample_trilinear3d"};

// Of aten: draw random numbers, in branches that evaluation does not enter; those of the second list where their input
// `train` says so.
inline const std::set<std::string_view> kScriptRandom = {"bernoulli", "normal",          "rand",       "rand_like",
                                                         "randint",   "randn",           "randn_like", "randperm",
                                                         "uniform",   "rrelu_with_noise"};
inline const std::set<std::string_view> kScriptDropout = {"alpha_dropout", "dropout", "feature_alpha_dropout",
                                                          "feature_dropout", "rrelu"};

// Of aten and prim: only say something, and are left out.
inline const std::set<std::string_view> kScriptSayings = {"aten::warn", "prim::Print"};

// Of prim: the language, and what a tensor is.
inline const std::set<std::string_view> kScriptPrim = {"Constant",
                                                       "CreateObject",
                                                       "DictConstruct",
                                                       "GetAttr",
                                                       "If",
                                                       "ListConstruct",
                                                       "ListUnpack",
                                                       "Loop",
                                                       "NumToTensor",
                                                       "RaiseException",
                                                       "SetAttr",
                                                       "TupleConstruct",
                                                       "TupleIndex",
                                                       "TupleSlice",
                                                       "TupleUnpack",
                                                       "Uninitialized",
                                                       "abs",
                                                       "data",
                                                       "device",
                                                       "dtype",
                                                       "is_cpu",
                                                       "is_cuda",
                                                       "is_nested",
                                                       "is_quantized",
                                                       "is_sparse",
                                                       "isinstance",
                                                       "itemsize",
                                                       "layout",
                                                       "max",
                                                       "min",
                                                       "nbytes",
                                                       "rangelist",
                                                       "requires_grad",
                                                       "shape",
                                                       "tolist",
                                                       "type",
                                                       "unchecked_cast",
                                                       "unchecked_unwrap_optional",
                                                       "StringIndex",
                                                       "EnumName",
                                                       "EnumValue",
                                                       "name",
                                                       "index",
                                                       "CallFunction",
                                                       "CallMethod"};
