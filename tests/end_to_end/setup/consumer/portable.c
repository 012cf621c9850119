/* Only the shape of the library is under test here, so the entry is not a real one. */
int helper(int x) { return x + 1; }
__attribute__((visibility("default"))) extern const int perrin_entry;
const int perrin_entry = 1;
