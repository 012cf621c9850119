// What names say, in folders and archives alike.
#pragma once

#include <string>
#include <string_view>

namespace perrin::datasets {

// Is a part of this path hidden: ".x" (so also "._x" of macOS), or a folder that a system adds (__MACOSX, @eaDir)?
bool is_hidden(std::string_view path);

// The last ending of a name, in lower case, with its dot: ".png". Empty without one.
std::string ending_of(std::string_view name);

// Endings in lower case, with the dot. An image that perrin.image/1 reads; an image in another format.
bool is_image_ending(std::string_view ending);
bool is_other_image_ending(std::string_view ending);

// The path without empty and "." parts, "a/../b" as "b", backslashes as slashes.
std::string tidy(std::string_view path);
// Equal for names that differ in Unicode's normal form only (NFC), the bytes themselves where they are no UTF-8.
std::string composed(const std::string& name);

// Why a name is passed over (Tally).
namespace reason {
inline constexpr char hidden[] = "passed over: hidden names (.x, __MACOSX, @eaDir)",
                      other_image[] = "passed over: images that are neither PNG nor JPEG nor WebP",
                      dangling[] = "passed over: links that lead to no file",
                      special[] = "passed over: names that are neither files nor folders",
                      no_caption[] = "passed over: images without a caption", no_image[] = "captions without an image";
}  // namespace reason

}  // namespace perrin::datasets
