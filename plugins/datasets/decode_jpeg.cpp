#include <csetjmp>
#include <cstdio>
// after cstdio
#include <jpeglib.h>

#include "perrin/cpp/plugin.hpp"
#include "pixels.hpp"

namespace perrin::datasets {
namespace {

// libjpeg reports errors by a callback that must not return.
struct Errors {
  jpeg_error_mgr base;  // first: libjpeg hands its address back
  std::jmp_buf back;
  char text[JMSG_LENGTH_MAX];
};

void give_up(j_common_ptr jpeg) {
  auto* errors = reinterpret_cast<Errors*>(jpeg->err);
  jpeg->err->format_message(jpeg, errors->text);
  std::longjmp(errors->back, 1);
}

// A cut file is only a warning to libjpeg, and half an image to the user.
void refuse_warning(j_common_ptr jpeg, int level) {
  if (level < 0) give_up(jpeg);
}

// Nothing with a destructor is made between setjmp and longjmp. False, with the reason in errors.text: it failed.
bool read(jpeg_decompress_struct& jpeg, Errors& errors, std::string_view bytes, Pixels& pixels) {
  if (setjmp(errors.back)) return false;
  jpeg_create_decompress(&jpeg);
  jpeg_mem_src(&jpeg, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&jpeg, TRUE);
  jpeg.out_color_space = JCS_RGB;
  jpeg.dct_method = JDCT_ISLOW;
  jpeg_start_decompress(&jpeg);
  pixels.height = jpeg.output_height, pixels.width = jpeg.output_width, pixels.channels = 3;
  const size_t row = 3 * static_cast<size_t>(jpeg.output_width);
  pixels.values.resize(row * jpeg.output_height);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW line = &pixels.values[row * jpeg.output_scanline];
    jpeg_read_scanlines(&jpeg, &line, 1);
  }
  jpeg_finish_decompress(&jpeg);
  return true;
}

}  // namespace

Pixels decode_jpeg(std::string_view bytes, const std::string& name) {
  jpeg_decompress_struct jpeg{};
  Errors errors{};
  jpeg.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = give_up;
  errors.base.emit_message = refuse_warning;
  Pixels pixels;
  const bool whole = read(jpeg, errors, bytes, pixels);
  jpeg_destroy_decompress(&jpeg);
  if (!whole)
    throw Failure(PERRIN_INVALID_DATA, name + ": the JPEG image cannot be read (" + std::string(errors.text) + ")");
  return pixels;
}

}  // namespace perrin::datasets
