#include <csetjmp>
#include <cstdio>
// after cstdio
#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <memory>

#include "host/images/formats.hpp"
#include "host/images/orientation.hpp"

namespace perrin::images {
namespace {

// A progressive file of a few bytes can ask for thousands of passes over the whole picture; encoders write about ten.
constexpr int kMaxScans = 100;

// libjpeg reports by callbacks: of an error one that must not return.
struct Decoder {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf back{};
  char text[JMSG_LENGTH_MAX] = {};
  bool one_scan = false;  // once the header is read

  Decoder();
  ~Decoder() { jpeg_destroy_decompress(&jpeg); }
  Decoder(const Decoder&) = delete;
};

void give_up(j_common_ptr jpeg) {
  auto* decoder = static_cast<Decoder*>(jpeg->client_data);
  jpeg->err->format_message(jpeg, decoder->text);
  std::longjmp(decoder->back, 1);
}

// Warnings behind which every pixel is there, as Pillow passes them. Any other one means data that are lost, also those
// that Pillow fills with grey. A missing end mark loses nothing where the one scan was complete, else the decoder warns
// again.
void weigh_warning(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  switch (jpeg->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_NOT_SEQUENTIAL:
      return;
    case JWRN_JPEG_EOF:
      if (static_cast<Decoder*>(jpeg->client_data)->one_scan) return;
      break;
    default:
      break;
  }
  give_up(jpeg);
}

void count_scans(j_common_ptr jpeg) {
  if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number <= kMaxScans) return;
  auto* decoder = static_cast<Decoder*>(jpeg->client_data);
  std::snprintf(decoder->text, sizeof decoder->text, "it has more than %d scans", kMaxScans);
  std::longjmp(decoder->back, 1);
}

Decoder::Decoder() {
  jpeg.err = jpeg_std_error(&errors);
  errors.error_exit = give_up;
  errors.emit_message = weigh_warning;
  progress.progress_monitor = count_scans;
  jpeg.client_data = this;
}

// In the functions below nothing with a destructor is made between setjmp and longjmp. False, with the reason in text.
bool read_header(Decoder& decoder, std::string_view bytes) {
  if (setjmp(decoder.back)) return false;
  jpeg_decompress_struct& jpeg = decoder.jpeg;
  jpeg_create_decompress(&jpeg);
  jpeg.progress = &decoder.progress;
  jpeg_mem_src(&jpeg, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_save_markers(&jpeg, JPEG_APP0 + 1, 0xffff);
  jpeg_read_header(&jpeg, TRUE);
  decoder.one_scan = !jpeg_has_multiple_scans(&jpeg);
  return true;
}

// CMYK with the values inverted, as Adobe writes it and Pillow takes every file to be, to RGB (Pillow's cmyk2rgb).
void rgb_of(const uint8_t* inverted, uint8_t* rgb) {
  for (int c = 0; c < 3; ++c) {
    const int black = inverted[3], product = (255 - inverted[c]) * black + 128;
    rgb[c] = static_cast<uint8_t>(std::max(0, black - ((product + (product >> 8)) >> 8)));
  }
}

// A row of `width` pixels as libjpeg gives them, to `channels`.
void convert_row(const uint8_t* in, uint32_t from, uint64_t width, uint32_t channels, uint8_t* out) {
  for (uint64_t x = 0; x < width; ++x, in += from, out += channels) {
    uint8_t rgb[3] = {in[0], in[1], in[2]};
    if (from == 4) rgb_of(in, rgb);
    if (channels == 1)
      out[0] = luma(rgb);
    else
      out[0] = rgb[0], out[1] = rgb[1], out[2] = rgb[2];
  }
}

// Were all coefficients sent to their last bit? A progressive file that ends early is no error to libjpeg.
bool complete(const jpeg_decompress_struct& jpeg) {
  for (int c = 0; c < jpeg.num_components; ++c) {
    if (jpeg.comp_info[c].quant_table == nullptr) return false;  // no scan had this component
    if (!jpeg.progressive_mode) continue;
    if (jpeg.coef_bits[c][0] != 0) return false;
    for (int k = 1; k < DCTSIZE2; ++k)
      if (jpeg.coef_bits[c][k] > 0) return false;
  }
  return true;
}

// `row`: room for one of libjpeg's rows.
bool read_rows(Decoder& decoder, Pixels& pixels, uint8_t* row) {
  if (setjmp(decoder.back)) return false;
  jpeg_decompress_struct& jpeg = decoder.jpeg;
  jpeg_start_decompress(&jpeg);
  if (!complete(jpeg)) return std::snprintf(decoder.text, sizeof decoder.text, "its last scans are missing"), false;
  const auto from = static_cast<uint32_t>(jpeg.output_components);
  while (jpeg.output_scanline < jpeg.output_height) {
    uint8_t* out = &pixels.values[jpeg.output_scanline * pixels.width * pixels.channels];
    JSAMPROW line = from == pixels.channels ? out : row;
    jpeg_read_scanlines(&jpeg, &line, 1);
    if (line == row) convert_row(row, from, pixels.width, pixels.channels, out);
  }
  jpeg_finish_decompress(&jpeg);
  return true;
}

// A Huffman code is a bit or more, and each block has one: a file too short for that is not worth its memory.
bool long_enough(const jpeg_decompress_struct& jpeg, uint64_t bytes) {
  uint64_t blocks = 0;
  for (int c = 0; c < jpeg.num_components; ++c)
    blocks += uint64_t{jpeg.comp_info[c].width_in_blocks} * jpeg.comp_info[c].height_in_blocks;
  return jpeg.arith_code || 8 * bytes >= blocks;
}

// The payloads of its APP1 markers; an EXIF structure of several is put together in `exif`.
Stored stored_of(const jpeg_decompress_struct& jpeg) {
  using namespace std::string_view_literals;
  constexpr std::string_view adobe = "http://ns.adobe.com/xap/1.0/\0"sv;
  std::string exif;
  std::string_view xmp;
  for (const jpeg_marker_struct* marker = jpeg.marker_list; marker != nullptr; marker = marker->next) {
    const std::string_view data(reinterpret_cast<const char*>(marker->data), marker->data_length);
    if (data.starts_with("Exif\0\0"sv)) exif += data.substr(6);
    if (data.starts_with(adobe)) xmp = data.substr(adobe.size());
  }
  return {jpeg.image_width, jpeg.image_height, 1, orientation_of(exif, xmp)};
}

Stored open(Decoder& decoder, std::string_view bytes) {
  if (!read_header(decoder, bytes)) throw Refusal(decoder.text);
  const jpeg_decompress_struct& jpeg = decoder.jpeg;
  check_size(jpeg.image_width, jpeg.image_height);
  if (jpeg.num_components == 2 || jpeg.num_components > 4)
    throw Refusal("it has " + std::to_string(jpeg.num_components) + " components; 1, 3 and 4 have a meaning");
  if (!long_enough(jpeg, bytes.size()))
    throw Refusal("its " + std::to_string(bytes.size()) + " bytes cannot hold " + std::to_string(jpeg.image_width) +
                  " x " + std::to_string(jpeg.image_height) + " pixels: it is cut");
  return stored_of(jpeg);
}

}  // namespace

Stored jpeg_header(std::string_view bytes) {
  Decoder decoder;
  return open(decoder, bytes);
}

Pixels decode_jpeg(std::string_view bytes, uint32_t channels, Stored& stored) {
  Decoder decoder;
  stored = open(decoder, bytes);
  jpeg_decompress_struct& jpeg = decoder.jpeg;
  const bool grey = jpeg.num_components == 1;
  jpeg.out_color_space = jpeg.num_components == 4 ? JCS_CMYK : grey && channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg.dct_method = JDCT_ISLOW;
  Pixels pixels = unset(stored.height, stored.width, channels);
  const auto row = std::make_unique_for_overwrite<uint8_t[]>(4 * stored.width);
  if (!read_rows(decoder, pixels, row.get())) throw Refusal(decoder.text);
  return pixels;
}

}  // namespace perrin::images
