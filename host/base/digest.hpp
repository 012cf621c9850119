// SHA-256, for names of configurations and identities of files, and SHA-1, for names of git's objects (FIPS 180-4), by
// libcrypto.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace perrin {

// Throws Error where libcrypto refuses.
class Digest {
 public:
  enum class Algorithm { sha1, sha256 };

  explicit Digest(Algorithm algorithm = Algorithm::sha256);
  void add(std::string_view bytes);
  std::string bytes() const;  // 20 or 32, of everything added so far

 private:
  struct Free {
    void operator()(evp_md_ctx_st* state) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> state_;
};

std::string hex_of(std::string_view bytes);  // lower-case digits
std::string sha256_hex(std::string_view bytes);

}  // namespace perrin
