// Results files that are not ours: nothing outside of them is read, no library is loaded for them, no size is believed.
#include <hdf5.h>
#include <sys/stat.h>

#include <functional>

#include "tests/unit/store/fixture.hpp"

namespace perrin::store {
namespace {

class ForeignTest : public StoreTest {
 protected:
  ForeignTest() {
    Writer writer = Writer::create(file, layout());
    fill(writer, 0, 20);
    writer.set_status("finished");
    writer.close();
  }

  // Changes the file by HDF5's own functions.
  void change(const std::function<void(hid_t)>& with) {
    const hid_t open = H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    ASSERT_GE(open, 0);
    with(open);
    ASSERT_GE(H5Fclose(open), 0);
  }
  // One column of numbers, made with these properties.
  static void column(hid_t open, hid_t properties) {
    const hsize_t n = 8, unlimited = H5S_UNLIMITED;
    const bool grows = H5Pget_layout(properties) == H5D_CHUNKED;
    const hid_t space = H5Screate_simple(1, &n, grows ? &unlimited : nullptr);
    const hid_t made =
        H5Dcreate2(open, "metrics/train/more", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    ASSERT_GE(made, 0);
    H5Dclose(made), H5Sclose(space), H5Pclose(properties);
  }
  // A text dataset or attribute that says it has `bytes`.
  static hid_t long_text(size_t bytes) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, bytes);
    return type;
  }
  void expect_refused(const std::string& part) {
    const std::string said = message_of([&] { Reader::open(file); });
    EXPECT_CONTAINS(said, part);
    EXPECT_CONTAINS(said, file.string());
    for (const char c : said) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << said;
  }
};

TEST_F(ForeignTest, ALinkOutOfTheFileIsNotFollowed) {
  const std::string pipe = (folder / "pipe").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);  // opening it would wait for ever
  change(
      [&](hid_t open) { H5Lcreate_external(pipe.c_str(), "/", open, "metrics/train/more", H5P_DEFAULT, H5P_DEFAULT); });
  expect_refused("metrics/train/more leads out of the file");
}

TEST_F(ForeignTest, ASoftLinkIsNotFollowed) {
  change(
      [](hid_t open) { H5Lcreate_soft("/metrics/train/loss", open, "metrics/train/more", H5P_DEFAULT, H5P_DEFAULT); });
  expect_refused("leads out of the file");
}

TEST_F(ForeignTest, DataInAnotherFileAreNotRead) {
  change([](hid_t open) {
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(list, "/etc/passwd", 0, 64);
    column(open, list);
  });
  expect_refused("kept in other files");
}

TEST_F(ForeignTest, DataMadeUpOfOtherFilesAreNotRead) {
  change([](hid_t open) {
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t n = 8;
    const hid_t space = H5Screate_simple(1, &n, nullptr);
    H5Pset_virtual(list, space, "/etc/passwd", "x", space);
    H5Sclose(space);
    column(open, list);
  });
  expect_refused("kept in other files");
}

TEST_F(ForeignTest, NoFilterIsLookedFor) {
  change([](hid_t open) {
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t n = 8;
    H5Pset_chunk(list, 1, &n);
    H5Pset_deflate(list, 1);
    column(open, list);
  });
  expect_refused("compressed");
  unsigned loading = 1;
  H5PLget_loading_state(&loading);
  EXPECT_EQ(loading, 0u) << "HDF5 would load a library that a file names";
}

TEST_F(ForeignTest, ALongTextIsRefusedBeforeThereIsMemoryForIt) {
  change([](hid_t open) {
    H5Ldelete(open, "config/toml", H5P_DEFAULT);
    const hid_t type = long_text(size_t{1} << 31), space = H5Screate(H5S_SCALAR);
    H5Dclose(H5Dcreate2(open, "config/toml", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  });
  expect_refused("it would have 2147483648 bytes");
}

TEST_F(ForeignTest, ALongTextOfVariableLengthIsRefused) {
  change([](hid_t open) {
    H5Ldelete(open, "config/toml", H5P_DEFAULT);
    const hid_t type = long_text(H5T_VARIABLE), space = H5Screate(H5S_SCALAR);
    const hid_t made = H5Dcreate2(open, "config/toml", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const std::string text(size_t{65} << 20, 'a');
    const char* data = text.c_str();
    H5Dwrite(made, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &data);
    H5Dclose(made);
  });
  expect_refused("reading a text");
}

// HDF5 reads as many numbers of a selection as the data have dimensions.
TEST_F(ForeignTest, DataOfAnotherRankAreNotRead) {
  const auto replace = [&](const std::string& name, int rank) {
    change([&](hid_t open) {
      const std::vector<hsize_t> size(rank, 20), chunk(rank, 2), most(rank, H5S_UNLIMITED);
      const hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(rank, size.data(), most.data());
      H5Pset_chunk(list, rank, chunk.data());
      H5Ldelete(open, name.c_str(), H5P_DEFAULT);
      H5Dclose(H5Dcreate2(open, name.c_str(), H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, list, H5P_DEFAULT));
      H5Sclose(space), H5Pclose(list);
    });
    Writer::rescue(file, folder / "saved.h5", 10, layout()).close();
    EXPECT_EQ(Reader::open(folder / "saved.h5").rows("train"), 0);
    std::filesystem::remove(folder / "saved.h5");
  };
  replace("metrics/train/loss", 2);
  EXPECT_CONTAINS(message_of([&] { Reader::open(file).series("train", "loss"); }), "number of dimensions");
  replace("metrics/train/step", 6);
  expect_refused("number of dimensions");
  replace("images/samples/data", 6);
  expect_refused("samples is not [n, H, W, C]");
}

TEST_F(ForeignTest, NamesCannotSteerTheTerminal) {
  change(
      [](hid_t open) { H5Lmove(open, "metrics/train/loss", open, "metrics/train/\x1b[2J", H5P_DEFAULT, H5P_DEFAULT); });
  expect_refused("\\u001b[2J holds a control character");
}

}  // namespace
}  // namespace perrin::store
