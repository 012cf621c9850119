#include "script_code.hpp"

#include <c10/util/StringUtil.h>
#include <torch/csrc/jit/frontend/lexer.h>

#include <stdexcept>

namespace {

using namespace torch::jit;  // TK_*

constexpr int kDeepest = 200;  // brackets, operators of one statement, blocks

// Tokens that nest the tree of an expression without a bracket.
bool nests(int kind) {
  switch (kind) {
    case TK_NEWLINE:
    case TK_NUMBER:
    case TK_IDENT:
    case TK_STRINGLITERAL:
    case ',':
    case ':':
    case '=':
    case '(':
    case '[':
    case '{':
    case ')':
    case ']':
    case '}':
      return false;
    default:
      return true;
  }
}

class Nesting {
 public:
  void see(const Token& token) {
    const int kind = token.kind;
    if (kind == TK_INDENT) ++blocks_;
    if (kind == TK_DEDENT) --blocks_;
    if (kind == '(' || kind == '[' || kind == '{') ++brackets_;
    if (kind == ')' || kind == ']' || kind == '}') --brackets_;
    // What follows a comma or a bracket is another expression.
    if (kind == TK_NEWLINE || kind == TK_INDENT || kind == TK_DEDENT || kind == ',')
      operators_ = 0;
    else if (nests(kind))
      ++operators_;
    if (kind == TK_ELIF) ++branches_;
    if (kind == TK_DEF) branches_ = 0;
    if (blocks_ > kDeepest || brackets_ > kDeepest || operators_ > kDeepest || branches_ > kDeepest)
      throw std::runtime_error(c10::str("it is nested more than ", kDeepest, " deep"));
  }

 private:
  int blocks_ = 0, brackets_ = 0, operators_ = 0, branches_ = 0;
};

}  // namespace

void check_script_text(const std::string& text, const std::string& name) {
  Lexer lexer(std::make_shared<Source>(text, name, 0));
  Nesting nesting;
  int loop = 0;  // tokens behind a `for`
  for (Token token = lexer.next(); token.kind != TK_EOF; token = lexer.next()) {
    nesting.see(token);
    if (loop > 0) --loop;
    if (token.kind == TK_FOR) loop = 4;
    const bool range = token.kind == TK_IDENT && token.text() == "range";
    if (loop == 1 && !range) throw std::runtime_error("it loops over something else than a range");
    if (token.kind == TK_DEF && lexer.cur().kind == TK_IDENT && lexer.cur().text() == "__setstate__")
      throw std::runtime_error("its method __setstate__ would run while the file is read");
  }
}
