#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <sstream>

#include "host/base/error.hpp"
#include "host/base/printable.hpp"
#include "host/console/output.hpp"
#include "host/console/table.hpp"
#include "host/console/text_width.hpp"
#include "host/console/units.hpp"

namespace perrin::console {
namespace {

TEST(Printable, WhatATerminalObeysIsWrittenOut) {
  EXPECT_EQ(printable("plain, ü, 日本, \t\n"), "plain, ü, 日本, \t\n");
  EXPECT_EQ(printable("\x1b[2Jred\x07"), "\\u001b[2Jred\\u0007");
  EXPECT_EQ(printable("\xc2\x9b" "31m"), "\\u009b31m") << "CSI of eight bits";
  EXPECT_EQ(printable("\xe2\x80\xae" "abc\xe2\x81\xa9"), "\\u202eabc\\u2069") << "text that runs backwards";
  EXPECT_EQ(printable("a\xff\xc3"), "a\\xff\\xc3");
  EXPECT_EQ(one_line("a\r\nb"), "a\\u000d\\u000ab");
}

TEST(Printable, MessagesKeepTheirLines) {
  const std::string message = message_text(Error("first\nerror: forged\n  kept", "a.toml", "b"));
  EXPECT_EQ(message, "error: first\n  error: forged\n  kept\n  at:  a.toml\n  fix: b\n");
}

TEST(Output, StreamsEscapeWhoeverWrites) {
  std::ostringstream out, error;
  auto *old_out = std::cout.rdbuf(out.rdbuf()), *old_error = std::cerr.rdbuf(error.rdbuf());
  {
    Output output;
    std::cout << "\x1b[31m" << 'a' << "\xc3";
    std::cout << "\xbc\n" << std::flush;  // a character in two pieces
    std::cerr << "b\x08\xff";
    Output::write_styled("\x1b[1mbold");
    EXPECT_EQ(output.finish(3), 3);
  }
  std::cout.rdbuf(old_out), std::cerr.rdbuf(old_error);
  EXPECT_EQ(out.str(), "\\u001b[31maü\n\x1b[1mbold");
  EXPECT_EQ(error.str(), "b\\u0008\\xff");
}

TEST(Units, CountsHaveThreeDigits) {
  EXPECT_EQ(count(0), "0");
  EXPECT_EQ(count(950), "950");
  EXPECT_EQ(count(999.6), "1.00 k");
  EXPECT_EQ(count(1200), "1.20 k");
  EXPECT_EQ(count(35'700'000), "35.7 M");
  EXPECT_EQ(count(-2.5e9), "-2.50 G");
  EXPECT_EQ(count(9.999e5), "1.00 M");
}

TEST(Units, BytesArePowersOf1024) {
  EXPECT_EQ(bytes(512), "512 B");
  EXPECT_EQ(bytes(1024), "1.00 KiB");
  EXPECT_EQ(bytes(3.4 * 1024 * 1024 * 1024), "3.40 GiB");
  EXPECT_EQ(bytes(120.0 * 1024), "120 KiB");
}

TEST(Units, DurationsGrowFromSecondsToDays) {
  EXPECT_EQ(duration(0.42), "0.4 s");
  EXPECT_EQ(duration(42), "0:42");
  EXPECT_EQ(duration(59.7), "1:00");
  EXPECT_EQ(duration(3723), "1:02:03");
  EXPECT_EQ(duration(2 * 86400 + 3 * 3600), "2 d 3:00:00");
  EXPECT_EQ(duration(NAN), "?");
  EXPECT_EQ(duration(-1), "?");
  EXPECT_EQ(duration(INFINITY), "?");
}

TEST(Units, NumbersHaveFourDigits) {
  EXPECT_EQ(number(0.0123456), "0.01235");
  EXPECT_EQ(number(1.2e-5), "1.2e-05");
  EXPECT_EQ(number(12345), "12345");
  EXPECT_EQ(number(1000), "1000");
  EXPECT_EQ(number(NAN), "nan");
  EXPECT_EQ(number(-NAN), "nan");
  EXPECT_EQ(number(INFINITY), "inf");
}

TEST(TextWidth, WideCombiningAndBrokenCharacters) {
  EXPECT_EQ(display_width("abc"), 3);
  EXPECT_EQ(display_width("ü"), 1);
  EXPECT_EQ(display_width("u\u0308"), 1);
  EXPECT_EQ(display_width("日本"), 4);
  EXPECT_EQ(display_width("👗"), 2);
  EXPECT_EQ(display_width("\x1b[36mab\x1b[0m"), 2);
  EXPECT_EQ(display_width("a\xff\xc3"), 3);
  EXPECT_EQ(display_width("\xed\xa0\x80"), 3) << "half of a UTF-16 pair: three bytes";
  EXPECT_EQ(display_width("a\tb"), 3);
  EXPECT_EQ(display_width("\x1b["), 0);
}

// East Asian Width and general categories of the Unicode Character Database.
TEST(TextWidth, OfCharactersThatNoShortTableHas) {
  EXPECT_EQ(display_width("🧑‍🚀"), 4) << "two emoji and a zero width joiner";
  EXPECT_EQ(display_width("\u200d\u200b\ufeff\u2060"), 0);
  EXPECT_EQ(display_width("\u2705\u26a1\u2b50"), 6) << "emoji outside of the emoji blocks";
  EXPECT_EQ(display_width("\U0001fad6\U0001f7e2"), 4) << "later blocks";
  EXPECT_EQ(display_width("\u2764"), 1) << "text by default";
  EXPECT_EQ(display_width("\u0e01\u0e34"), 1) << "Thai";
  EXPECT_EQ(display_width("한국어"), 6);
  EXPECT_EQ(display_width("\uff21\uff71"), 3) << "full and half width";
  EXPECT_EQ(display_width("\U00017000\U0001b000"), 4) << "Tangut, Kana supplement";
  EXPECT_EQ(display_width("\u2500\u2588\u28ff…"), 4) << "what plots are made of";
}

TEST(TextWidth, ClipNeverCutsACharacter) {
  EXPECT_EQ(clip("abcdef", 6), "abcdef");
  EXPECT_EQ(clip("abcdef", 4), "abc…");
  EXPECT_EQ(clip("日本語", 4), "日…");
  EXPECT_EQ(clip("abc", 0), "");
}

TEST(TableText, AlignsByHeaderAndDisplayWidth) {
  Table table({"name", ">value", "note"});
  table.add({"日本", "1.5", "x"});
  table.add({"a", "22"});
  EXPECT_EQ(table.text(80), "name  value  note\n日本    1.5  x\na        22\n");
}

TEST(TableText, FitsTheWidthByClippingTheWidestColumn) {
  Table table({"", ""});
  table.add({"short", std::string(100, 'x')});
  const std::string text = table.text(30);
  EXPECT_EQ(display_width(text.substr(0, text.size() - 1)), 30) << text;
  EXPECT_EQ(text.substr(0, 7), "short  ");
}

}  // namespace
}  // namespace perrin::console
