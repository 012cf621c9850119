#include "host/base/digest.hpp"

#include <openssl/evp.h>

#include "host/base/error.hpp"

namespace perrin {
namespace {

void require(bool done) {
  if (!done) throw Error("libcrypto cannot compute a SHA sum", "", "install OpenSSL 3 with its default provider");
}

template <class T>
T* given(T* pointer) {
  require(pointer != nullptr);
  return pointer;
}

// From a context of the program's own, which a system's OpenSSL configuration and plugins that use OpenSSL leave alone.
// Never freed: threads may hash until the process ends.
const EVP_MD* method(Digest::Algorithm algorithm) {
  static OSSL_LIB_CTX* const own = given(OSSL_LIB_CTX_new());
  static const EVP_MD* const sha256 = given(EVP_MD_fetch(own, "SHA2-256", nullptr));
  if (algorithm == Digest::Algorithm::sha256) return sha256;
  static const EVP_MD* const sha1 = given(EVP_MD_fetch(own, "SHA1", nullptr));
  return sha1;
}

}  // namespace

void Digest::Free::operator()(evp_md_ctx_st* state) const { EVP_MD_CTX_free(state); }

Digest::Digest(Algorithm algorithm) : state_(given(EVP_MD_CTX_new())) {
  require(EVP_DigestInit_ex2(state_.get(), method(algorithm), nullptr) == 1);
}

void Digest::add(std::string_view bytes) { require(EVP_DigestUpdate(state_.get(), bytes.data(), bytes.size()) == 1); }

std::string Digest::bytes() const {
  const std::unique_ptr<evp_md_ctx_st, Free> state(given(EVP_MD_CTX_new()));
  require(EVP_MD_CTX_copy_ex(state.get(), state_.get()) == 1);
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  require(EVP_DigestFinal_ex(state.get(), bytes, &size) == 1);
  return {reinterpret_cast<const char*>(bytes), size};
}

std::string hex_of(std::string_view bytes) {
  std::string hex;
  for (const unsigned char c : bytes) hex += "0123456789abcdef"[c >> 4], hex += "0123456789abcdef"[c & 15];
  return hex;
}

std::string sha256_hex(std::string_view bytes) {
  Digest hash;
  hash.add(bytes);
  return hex_of(hash.bytes());
}

}  // namespace perrin
