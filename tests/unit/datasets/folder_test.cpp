// image-folder: classes from subfolders, captions from files, and what is missing.
#include "tests/unit/datasets/folder.hpp"

#include <gtest/gtest.h>

namespace perrin::testing {
namespace {

services::Component images(const TemporaryFolder& folder, Values more = {}) {
  more["folder"] = folder.string();
  more["size"] = int64_t{4};
  return builtin("dataset", "image-folder", std::move(more));
}

Values captions(const std::string& from) { return {{"captions", from}, {"labels", std::string("none")}}; }

TEST(ImageFolder, TheClassIsTheFirstSubfolderInAlphabeticalOrder) {
  TemporaryFolder folder;
  write_file(folder / "shoe/1.png", committed("rgb.png"));
  write_file(folder / "bag/deep/2.JPG", committed("rgb.jpg"));
  write_file(folder / "bag/notes.txt", "not an image");
  write_file(folder / "coat/3.webp", committed("lossy.webp"));
  const auto dataset = images(folder);
  EXPECT_EQ(count_of(dataset), 3u);
  EXPECT_EQ(fields_of(dataset)[1].n_classes, 3u);
  for (int64_t i = 0; i < 3; ++i) EXPECT_EQ(read_sample(dataset, static_cast<uint64_t>(i)).label, i);
  EXPECT_EQ(fields_of(images(folder, {{"labels", std::string("none")}})).size(), 1u);
  write_file(folder / "loose.png", committed("rgb.png"));
  EXPECT_NE(message_of([&] { count_of(images(folder)); }).find("loose.png lies in no subfolder"), std::string::npos);
}

TEST(ImageFolder, ImagesInTheFolderItselfHaveNoClass) {
  TemporaryFolder folder;
  write_file(folder / "b.png", committed("rgb.png"));
  EXPECT_EQ(fields_of(images(folder)).size(), 1u);
}

TEST(ImageFolder, CaptionsComeFromTextFiles) {
  TemporaryFolder folder;
  write_file(folder / "a.png", committed("rgb.png"));
  write_file(folder / "a.txt", "a gr\xc3\xbcn shoe\n");
  Values keys = captions("txt");
  EXPECT_EQ(read_sample(images(folder, keys), 0).caption, "a gr\xc3\xbcn shoe");
  keys["caption_bytes"] = int64_t{5};
  EXPECT_EQ(read_sample(images(folder, keys), 0).caption, "a gr") << "a character is not cut in two";
}

TEST(ImageFolder, CaptionsComeFromMetadata) {
  TemporaryFolder folder;
  write_file(folder / "x/a.png", committed("rgb.png"));
  write_file(folder / "metadata.csv", "text,file_name\r\n\"one, \"\"two\"\"\nthree\",x/a.png\r\n");
  EXPECT_EQ(read_sample(images(folder, captions("metadata")), 0).caption, "one, \"two\"\nthree");
  write_file(folder / "metadata.jsonl", "\n{\"file_name\": \"x/a.png\", \"text\": \"\\u00fc\", \"more\": 1}\n");
  EXPECT_EQ(read_sample(images(folder, captions("metadata")), 0).caption, "\xc3\xbc") << "jsonl goes before csv";
  write_file(folder / "metadata.jsonl", "{\"file_name\": \"x/a.png\", \"text\": \"\"}\n{\"file_name\": 3}\n");
  EXPECT_NE(message_of([&] { count_of(images(folder, captions("metadata"))); }).find("metadata.jsonl:2:"),
            std::string::npos);
  write_file(folder / "metadata.jsonl", "");
  EXPECT_NE(message_of([&] { count_of(images(folder, captions("metadata"))); }).find("no image with a caption"),
            std::string::npos);
}

TEST(ImageFolder, AFolderWithoutImagesIsRefused) {
  TemporaryFolder folder;
  EXPECT_NE(message_of([&] { count_of(images(folder)); }).find("holds no image"), std::string::npos);
}

}  // namespace
}  // namespace perrin::testing
