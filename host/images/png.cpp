#include <png.h>

#include <cstdio>
#include <cstring>

#include "host/images/formats.hpp"
#include "host/images/png_chunks.hpp"

namespace perrin::images {
namespace {

struct Decoder {
  std::string_view rest;
  png_structp png = nullptr;
  png_infop info = nullptr;
  char text[192] = {};

  ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }
};

void give_up(png_structp png, png_const_charp text) {
  auto* decoder = static_cast<Decoder*>(png_get_error_ptr(png));
  std::snprintf(decoder->text, sizeof decoder->text, "%s", text);
  png_longjmp(png, 1);
}

// Warnings about the picture or its transparency that mean lost data; what lies behind a whole picture loses nothing.
void weigh_warning(png_structp png, png_const_charp text) {
  const std::string_view warning(text);
  if (!warning.starts_with("IDAT") && !warning.starts_with("tRNS")) return;
  for (const char* harmless :
       {"xtra compressed data", "oo much image data", "oo many IDATs", "invalid with alpha channel"})
    if (warning.find(harmless) != warning.npos) return;
  give_up(png, text);
}

void read_bytes(png_structp png, png_bytep out, size_t size) {
  auto* decoder = static_cast<Decoder*>(png_get_io_ptr(png));
  if (size > decoder->rest.size()) png_error(png, "it is cut");
  std::memcpy(out, decoder->rest.data(), size);
  decoder->rest.remove_prefix(size);
}

// Nothing with a destructor is made between setjmp and longjmp. False, with the reason in text: it failed.
bool read_header(Decoder& decoder, uint32_t channels) {
  const png_structp png = decoder.png;
  if (setjmp(png_jmpbuf(png))) return false;
  png_set_read_fn(png, &decoder, read_bytes);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);             // check_size has spoken
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);  // gAMA, iCCP, texts, ...: not even unpacked
  png_read_info(png, decoder.info);
  png_set_expand(png);    // palettes, 1 to 4 bits, tRNS to opacity
  png_set_strip_16(png);  // the high byte
  if (channels == 3) png_set_gray_to_rgb(png);
  return true;
}

bool read_rows(Decoder& decoder, Pixels& pixels) {
  const png_structp png = decoder.png;
  if (setjmp(png_jmpbuf(png))) return false;
  const size_t row = pixels.width * pixels.channels;
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, decoder.info);
  if (png_get_rowbytes(png, decoder.info) != row) png_error(png, "its rows are of another size than its header says");
  for (int pass = 0; pass < passes; ++pass)
    for (uint64_t y = 0; y < pixels.height; ++y) png_read_row(png, &pixels.values[y * row], nullptr);
  return true;
}

// Deflate packs 1032 bytes into one at most (zlib's technical details): a file too short is not worth its memory.
PngChunks open(std::string_view bytes) {
  const PngChunks chunks = read_png_chunks(bytes);
  check_size(chunks.width, chunks.height);
  if (uint64_t{chunks.width} * chunks.height * chunks.bits / 8 > 1032 * (chunks.packed + 1))
    throw Refusal("its " + std::to_string(chunks.packed) + " bytes of image data cannot hold " +
                  std::to_string(chunks.width) + " x " + std::to_string(chunks.height) + " pixels: it is cut");
  return chunks;
}

Stored stored_of(const PngChunks& chunks) { return {chunks.width, chunks.height, chunks.frames, chunks.orientation}; }

// After read_header, with what it has asked libpng for.
uint32_t samples(const Decoder& decoder, uint32_t channels) {
  const int colour = png_get_color_type(decoder.png, decoder.info);
  const bool opacity = (colour & PNG_COLOR_MASK_ALPHA) || png_get_valid(decoder.png, decoder.info, PNG_INFO_tRNS);
  return (channels == 3 || (colour & PNG_COLOR_MASK_COLOR) ? 3 : 1) + (opacity ? 1 : 0);
}

}  // namespace

Stored png_header(std::string_view bytes) { return stored_of(open(bytes)); }

Pixels decode_png(std::string_view bytes, uint32_t channels, Stored& stored) {
  stored = stored_of(open(bytes));
  Decoder decoder{bytes};
  decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, give_up, weigh_warning);
  if (decoder.png != nullptr) decoder.info = png_create_info_struct(decoder.png);
  if (decoder.info == nullptr) throw std::bad_alloc();
  if (!read_header(decoder, channels)) throw Refusal(decoder.text);
  Pixels pixels = unset(stored.height, stored.width, samples(decoder, channels));
  if (!read_rows(decoder, pixels)) throw Refusal(decoder.text);
  convert(pixels, channels);
  return pixels;
}

}  // namespace perrin::images
